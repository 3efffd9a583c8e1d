"""Training: from a config to a network, its data, its optimizer, and their training step."""
