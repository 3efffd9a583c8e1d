"""Replaces an attribute of a library once; where it is gone, it warns and patches nothing."""

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> bool:
    """Replace an attribute by what `make` makes of it, once; whether the attribute is there."""
    before = getattr(owner, name, None)
    if before is None:
        of = getattr(owner, "__name__", type(owner).__name__)
        log.warning("%s has no %s any more: it is not patched", of, name)
        return False
    if not hasattr(before, "replaces"):
        after = make(before)
        after.replaces = before
        setattr(owner, name, after)
    return True
