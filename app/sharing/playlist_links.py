"""Links that hold a playlist: behind `#`, which no server and no proxy between sees.

#playlist=...       a `Playlist`: compressed JSON in URL-safe characters
?playlist=week-3    ... of the operator's folder, which app/static/course.js tells as well
&item=3             the place in it, counted from 1
"""

from app.sharing import packing
from engine import Playlist, read_playlist, write_playlist

MOST = 12_000  # characters


def packed(playlist: Playlist) -> str:
    """What a link holds of a playlist; ValueError if that is too much for one."""
    text = packing.packed(write_playlist(playlist))
    if len(text) > MOST:
        raise ValueError(
            f"This playlist is too long for a link: {len(text):,} of {MOST:,} characters. Save it"
            " as a file."
        )
    return text


def unpacked(text: str) -> Playlist:
    """The playlist that a link holds; ValueError says in one sentence what is wrong with it."""
    try:
        raw = packing.unpacked(text)
    except ValueError:
        raise ValueError("The playlist of this link is damaged.") from None
    try:
        return read_playlist(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The playlist of this link is not possible here: {error}.") from None
