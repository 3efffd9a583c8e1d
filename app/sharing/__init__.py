"""What leaves a run and comes back: links, files, reports, pinned runs, uploads."""
