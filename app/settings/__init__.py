"""The settings of a run as controls of the page."""
