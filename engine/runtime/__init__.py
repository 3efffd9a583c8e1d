"""Runs experiments: one experiment, its curves, and the threads that serve all of them."""
