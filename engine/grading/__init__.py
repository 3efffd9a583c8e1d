"""What students hand in, and how it is graded: every run is repeated, every figure checked."""
