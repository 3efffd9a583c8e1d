"""The page around the plots: its layout, header, diagnosis, dialogs and keys."""
