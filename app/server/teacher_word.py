"""The word by which a teacher opens rooms: from the environment, or made up and printed.

BABYSIT_TEACHER   the word
"""

import hmac
import os
import secrets
import sys

SHORTEST = 4  # letters


class TeacherWord:
    """The word, which the operator has chosen or reads on the terminal."""

    def __init__(self, chosen: str) -> None:
        self.word = chosen or secrets.token_urlsafe(9)
        self._made_up = not chosen

    def opens(self, word: str) -> bool:
        """Whether this is the word."""
        return hmac.compare_digest(word.encode(errors="replace"), self.word.encode())

    def announce(self) -> None:
        """Print a made-up word on the terminal, the only place where it can be read."""
        if self._made_up:
            sys.stderr.write(f"To open a class room: /app#teach={self.word}\n")


def read_word(environment: dict[str, str]) -> str:
    """The word that an environment sets, "" if none; ValueError says what is wrong with it."""
    chosen = environment.get("BABYSIT_TEACHER", "").strip()
    if chosen and len(chosen) < SHORTEST:
        raise ValueError(
            f"BABYSIT_TEACHER must have at least {SHORTEST} letters, got {len(chosen)}"
        )
    return chosen


def _checked() -> TeacherWord:
    try:
        return TeacherWord(read_word(dict(os.environ)))
    except ValueError as error:
        sys.exit(f"babysit: {error}")


WORD = _checked()
"""The word of this process."""
