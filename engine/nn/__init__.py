"""The network: its layers, and the mathematics of each, forward and backward."""
