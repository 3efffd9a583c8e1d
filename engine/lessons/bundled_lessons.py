"""The lecture's lessons that need no Python: each is a file in the folder `bundled`."""

from pathlib import Path

from engine.lessons.written import add, read_lesson

FOLDER = Path(__file__).parent / "bundled"


def bundled(slug: str) -> None:
    """Put a lesson of the folder at its place in the course."""
    add(read_lesson((FOLDER / f"{slug}.lesson.json").read_bytes()))
