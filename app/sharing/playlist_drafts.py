"""A playlist while it is made, as text that the lecturer's browser keeps until it is saved."""

from typing import Annotated

import msgspec

from app.sharing import packing
from engine import MOST_ITEMS, MOST_TITLE, Item

MOST = 12_000  # characters, of which a run takes some hundreds


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has been made so far: it may lack a title, or be empty."""

    title: Annotated[str, msgspec.Meta(max_length=MOST_TITLE)] = ""
    items: Annotated[tuple[Item, ...], msgspec.Meta(max_length=MOST_ITEMS)] = ()


def packed(draft: Draft) -> str:
    """What the browser keeps; empty: nothing; ValueError if it is too much to be kept."""
    if draft == Draft():
        return ""
    text = packing.packed(msgspec.json.encode(draft))
    if len(text) > MOST:
        raise ValueError("This playlist is too long for the browser to keep: save it as a file.")
    return text


def unpacked(text: str) -> Draft:
    """The draft that a browser has kept; ValueError for any other text."""
    try:
        return msgspec.json.decode(packing.unpacked(text), type=Draft)
    except (ValueError, RecursionError):
        raise ValueError("The playlist that this browser has kept cannot be read.") from None
