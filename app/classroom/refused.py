"""What a room refuses, in one sentence for whoever asked."""


class Refused(ValueError):
    """A message to a room that it does not act on; the text says why."""
