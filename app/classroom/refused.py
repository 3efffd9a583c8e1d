"""The refusal of a message to a room, in one sentence for its sender."""


class Refused(ValueError):
    """A message to a room that it does not act on; the text says why."""
