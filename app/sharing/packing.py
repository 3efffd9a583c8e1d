"""JSON in URL-safe characters, compressed: what a link holds of a run or a playlist."""

import base64
import binascii
import zlib

MAX_UNPACKED = 2**18  # bytes


def packed(raw: bytes) -> str:
    """The text of a link that holds these bytes."""
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    """The bytes that `packed` wrote; ValueError for any other text, or too many of them."""
    try:
        inflate = zlib.decompressobj()
        compressed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        raw = inflate.decompress(compressed, MAX_UNPACKED)
    except (ValueError, binascii.Error, zlib.error):
        raise ValueError("is damaged") from None
    if not inflate.eof:  # truncated, or larger than any run
        raise ValueError("is damaged")
    return raw
