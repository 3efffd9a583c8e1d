"""The page of Babysit; in a notebook, `Laboratory(config)` shows it under a cell."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Load `Laboratory` on first use: it starts a server."""
    if name == "Laboratory":
        from app.laboratory import Laboratory

        return Laboratory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
