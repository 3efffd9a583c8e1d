"""A socket is closed for a token that makes no sense, before Bokeh reads it."""

import base64
import json
import zlib

import pytest
from bokeh.util.token import generate_jwt_token
from hypothesis import given, settings
from hypothesis import strategies as st

from app.server.workarounds.invented_tokens import LARGEST, session_of

LATER = 2**40
REQUEST = {
    "arguments": {"seed": [b"3"], "\u00e9": [b"\xff"]},
    "headers": {"Host": "class.example", "Cookie": "a=b"},
    "cookies": {"a": "b"},
    "user_id": None,
}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(packed: bytes, **others: object) -> str:
    """A token as a page could invent it."""
    found = {"session_id": "mine", "session_expiry": LATER, "__bk__zlib_": encoded(packed)}
    return encoded(json.dumps(found | others).encode())


@pytest.mark.parametrize("more", [{}, REQUEST])
@pytest.mark.parametrize("signed", [False, True])
def test_the_tokens_of_bokeh_are_read(signed, more):
    given = {"secret_key": b"x" * 48, "signed": signed, "extra_payload": more}
    assert session_of(generate_jwt_token("mine", **given)) == "mine"


def test_a_token_that_is_over_opens_nothing():
    assert session_of(generate_jwt_token("mine", expiration=-1)) is None
    assert session_of(token(zlib.compress(b"{}"), session_expiry=0)) is None


def test_a_token_is_not_unpacked_beyond_the_size_of_a_request(monkeypatch):
    small = token(zlib.compress(json.dumps({"headers": {"x": "x" * 60_000}}).encode()))
    assert session_of(small) == "mine"
    bomb = token(zlib.compress(b'{"x": [' + b"0," * 15_000_000 + b"0]}", 9))
    assert len(bomb) < 65_536  # it fits into the head of a request
    sizes = []
    reader = zlib.decompressobj

    class Reader:
        def __init__(self):
            self._reader = reader()

        def decompress(self, data, most):
            found = self._reader.decompress(data, most)
            sizes.append(len(found))
            return found

        @property
        def unconsumed_tail(self):
            return self._reader.unconsumed_tail

    monkeypatch.setattr(zlib, "decompressobj", Reader)
    assert session_of(bomb) is None
    assert sizes == [LARGEST]


@pytest.mark.parametrize(
    "others",
    [
        {"session_id": ""},
        {"session_id": 5},
        {"session_id": ["mine"]},
        {"session_id": "x" * 1000},
        {"session_expiry": "tomorrow"},
        {"session_expiry": None},
        {"__bk__zlib_": 7},
        {"__bk__zlib_": encoded(b"not packed")},
        {"__bk__zlib_": encoded(zlib.compress(b"[" * 100_000))},
        {"__bk__zlib_": encoded(zlib.compress(b'{"arguments": [1]}'))},
        {"__bk__zlib_": encoded(zlib.compress(b'{"arguments": {"seed": 3}}'))},
        {"__bk__zlib_": encoded(zlib.compress(b'{"headers": {"Host": {}}}'))},
        {"__bk__zlib_": encoded(zlib.compress(b'{"headers": null}'))},
    ],
)
def test_a_token_of_nonsense_opens_nothing(others):
    assert session_of(token(zlib.compress(b"{}"))) == "mine"
    assert session_of(token(zlib.compress(b"{}"), **others)) is None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.binary(max_size=80).map(encoded))
def test_any_token_is_read_or_refused(text):
    assert session_of(text) is None
