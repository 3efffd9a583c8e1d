"""The password by which a teacher opens rooms: from the environment, or made up and printed.

BABYSIT_TEACHER   the password
"""

import hmac
import os
import secrets
import sys

SHORTEST = 4  # characters


class TeacherPassword:
    """The password, which the operator has chosen or reads on the terminal."""

    def __init__(self, chosen: str) -> None:
        self.text = chosen or secrets.token_urlsafe(9)
        self._made_up = not chosen

    def opens(self, password: str) -> bool:
        """Whether this is the password."""
        return hmac.compare_digest(password.encode(errors="replace"), self.text.encode())

    def announce(self) -> None:
        """Print a made-up password on the terminal, the only place where it can be read."""
        if self._made_up:
            sys.stderr.write(f"To open a class room: /app#teach={self.text}\n")


def read_teacher_password(environment: dict[str, str]) -> str:
    """The password that an environment sets, "" if none; ValueError says what is wrong with it."""
    chosen = environment.get("BABYSIT_TEACHER", "").strip()
    if chosen and len(chosen) < SHORTEST:
        raise ValueError(
            f"BABYSIT_TEACHER must have at least {SHORTEST} characters, got {len(chosen)}"
        )
    return chosen


def _checked() -> TeacherPassword:
    try:
        return TeacherPassword(read_teacher_password(dict(os.environ)))
    except ValueError as error:
        sys.exit(f"babysit: {error}")


TEACHER_PASSWORD = _checked()
"""The teacher's password of this process."""
