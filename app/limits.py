"""The limits of this server. An illegal one ends the server at its start, with one sentence."""

import sys

from engine import Limits, limits


def _checked() -> Limits:
    try:
        return limits()
    except ValueError as error:
        sys.exit(f"babysit: {error}")


LIMITS = _checked()
