"""The operator's folder, BABYSIT_DATA: data, lessons, playlists and challenges of their own."""

import functools
import logging
from pathlib import Path

from engine import challenges_in, playlists_in, register_folder, register_lessons, unreadable

log = logging.getLogger(__name__)


@functools.cache
def open_folder(folder: Path) -> None:
    """Read the folder, and tell the operator what is left out and why; a second call does nothing.

    Bokeh runs `app_hooks.py` twice: each lesson would be refused, because it is there already.
    """
    register_folder(folder)
    for refusal in (
        *register_lessons(folder),
        *playlists_in(folder)[1],
        *challenges_in(folder)[1],
    ):
        log.warning("not in the course: %s", refusal)
    if passed_over := unreadable(folder):
        names = ", ".join(passed_over)
        log.warning("no reader knows these files, so no menu lists them: %s", names)
