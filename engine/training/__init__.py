"""Training: from a config to a network, its data, its optimizer, and the step they make."""
