"""The limits of this server. A wrong one ends it at the start, in one sentence."""

import sys

from engine import Limits, limits


def _checked() -> Limits:
    try:
        return limits()
    except ValueError as error:
        sys.exit(f"babysit: {error}")


LIMITS = _checked()
