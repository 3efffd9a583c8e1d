"""The word by which a teacher opens rooms: from the environment, or made up and told at the start.

BABYSIT_TEACHER   the word
"""

import hmac
import os
import secrets
import sys

SHORTEST = 4  # letters


class TeacherWord:
    """Knows the word, and tells it to whoever started the server."""

    def __init__(self, said: str) -> None:
        self._word = said or secrets.token_urlsafe(9)
        self._made_up = not said

    def opens(self, word: str) -> bool:
        """Whether this is the word."""
        return hmac.compare_digest(word.encode(errors="replace"), self._word.encode())

    def announce(self) -> None:
        """Tell a made-up word on the terminal: nobody could know it otherwise."""
        if self._made_up:
            sys.stderr.write(f"To open a class room: /app#teach={self._word}\n")


def read_word(environment: dict[str, str]) -> str:
    """The word that an environment sets, "" if none; ValueError says what is wrong with it."""
    said = environment.get("BABYSIT_TEACHER", "").strip()
    if said and len(said) < SHORTEST:
        raise ValueError(f"BABYSIT_TEACHER must have at least {SHORTEST} letters, got {len(said)}")
    return said


def _checked() -> TeacherWord:
    try:
        return TeacherWord(read_word(dict(os.environ)))
    except ValueError as error:
        sys.exit(f"babysit: {error}")


WORD = _checked()
"""The word of this process."""
