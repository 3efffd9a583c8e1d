"""What a page has packed is unpacked to a bounded size."""

import base64
import gzip
from typing import Any

import numpy as np
import pytest
from bokeh.core.serialization import DeserializationError, Deserializer, Serializer

from app.server.workarounds.packed_values import limit_what_is_unpacked

MOST = 100_000


@pytest.fixture
def decode(monkeypatch):
    for name in ("_decode_bytes", "_decode_ndarray"):
        before = getattr(Deserializer, name)
        monkeypatch.setattr(Deserializer, name, getattr(before, "replaces", before))
    limit_what_is_unpacked(MOST)
    return lambda given: Deserializer().decode(given)


def packed(raw: bytes) -> dict[str, str]:
    return {"type": "bytes", "data": base64.b64encode(gzip.compress(raw)).decode()}


@pytest.mark.parametrize("raw", [b"", b"abc", bytes(MOST)])
def test_bytes_arrive(decode, raw):
    assert decode(packed(raw)) == raw


@pytest.mark.parametrize("size", [MOST + 1, 1000 * MOST])
def test_a_bomb_is_not_unpacked(decode, size):
    with pytest.raises(DeserializationError):
        decode(packed(bytes(size)))


def test_many_small_bombs_in_a_message_are_one(decode):
    one = packed(bytes(MOST // 10))
    assert len(decode([one] * 10)) == 10
    with pytest.raises(DeserializationError):
        decode([one] * 11)


@pytest.mark.parametrize("data", ["", "!", "AAAA", packed(b"x" * 5000)["data"][:-20]])
def test_what_is_not_packed_is_refused(decode, data):
    with pytest.raises(DeserializationError):
        decode({"type": "bytes", "data": data})


@pytest.mark.parametrize("kind", ["bool", "int8", "uint32", "int32", "float64", "object"])
def test_arrays_of_numbers_arrive(decode, kind):
    array = np.array([1, 0, 1]).astype(kind)
    sent: Any = Serializer(deferred=False).encode(array)
    assert np.array_equal(decode(sent), array)


@pytest.mark.parametrize("dtype", ["U50000000", "V1000000000", "S1000000000", "<U9", ["a"], None])
def test_an_array_of_elements_of_any_size_is_not_made(decode, dtype):
    sent = {"type": "ndarray", "array": ["x"], "dtype": dtype, "shape": [1], "order": "little"}
    with pytest.raises((DeserializationError, TypeError)):
        decode(sent)
