"""What keeps experiments going: one experiment, its curves, and the thread that serves all."""
