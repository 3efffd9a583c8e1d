"""Bokeh unpacks whatever a page has packed into a message: here, to a bounded size."""

import base64
import binascii
import functools
import zlib
from collections.abc import Callable
from typing import Any

from bokeh.core.serialization import DeserializationError, Deserializer

from app.server.workarounds.patching import replaced

GZIP = 16 + zlib.MAX_WBITS
INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32)}
NUMBERS = {"bool", "object", "float32", "float64", *INTEGERS}  # the kinds that Bokeh knows

type Decode = Callable[[Any, Any], Any]


def limit_what_is_unpacked(largest: int) -> None:
    """Refuse a message of which more bytes would be unpacked, or an array of anything but numbers.

    Of a megabyte that a page sends, Bokeh 3.10 unpacks a gigabyte, and makes an array whose
    elements have any size that the message names.
    """
    replaced(Deserializer, "_decode_bytes", functools.partial(_unpacking_to, largest))
    replaced(Deserializer, "_decode_ndarray", _of_numbers)


def _unpacking_to(largest: int, decode: Decode) -> Decode:
    @functools.wraps(decode)
    def decode_within(self: Any, given: Any) -> Any:
        if not isinstance(given["data"], str):
            return decode(self, given)
        room = largest - getattr(self, "unpacked", 0)
        reader = zlib.decompressobj(GZIP)
        try:
            found = reader.decompress(base64.b64decode(given["data"]), room + 1)
        except (zlib.error, binascii.Error) as error:
            raise DeserializationError(f"bytes that cannot be unpacked: {error}") from None
        self.unpacked = largest - room + len(found)
        if len(found) > room or not reader.eof:
            raise DeserializationError(f"more than {largest:,} bytes, or too few, are packed")
        return found

    return decode_within


def _of_numbers(decode: Decode) -> Decode:
    @functools.wraps(decode)
    def decode_numbers(self: Any, given: Any) -> Any:
        if given["dtype"] not in NUMBERS:
            raise DeserializationError("an array of something else than numbers")
        return decode(self, given)

    return decode_numbers
