"""One update in slow motion: its five stages, and one weight through the chain rule."""
