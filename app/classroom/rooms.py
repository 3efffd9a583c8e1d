"""All class rooms of this process, by their codes; each ends after its hours."""

import secrets
import time
from collections.abc import Callable, Mapping

from app.classroom.refused import Refused
from app.classroom.room import Place, Room

LETTERS = "BCDFGHJKMNPQRSTVWXYZ23456789"  # none that is taken for another, and no words
CODE = 5  # letters of a code
SHORTEST, LONGEST = 4, 12  # letters of one that a teacher chooses
HOUR = 3600.0  # seconds


class Rooms:
    """The rooms, how many there may be, and for how long."""

    def __init__(
        self, most: int, students: int, hours: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._most, self._students, self._hours = most, students, hours
        self._clock = clock
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def open(self, lessons: Mapping[str, Place], proposed: str = "") -> Room:
        """A new room under the proposed code, or one that is made up."""
        self.close_old()
        if len(self._rooms) >= self._most:
            raise Refused(f"All {self._most} class rooms of this server are in use.")
        code = _checked(proposed) if proposed else new_code()
        while code in self._rooms:
            if proposed:
                raise Refused(f"The code {code} is in use by another class.")
            code = new_code()
        room = self._rooms[code] = Room(code, self._students, lessons, self._clock)
        return room

    def has(self, code: str) -> bool:
        """Whether there is a room of this code."""
        self.close_old()
        return plain(code) in self._rooms

    def find(self, code: str) -> Room:
        """The room of a code, however it is written."""
        self.close_old()
        written = plain(code)
        if written not in self._rooms:
            raise Refused("There is no room with this code now.")
        return self._rooms[written]

    def adopt(self, room: Room) -> Room:
        """Take over a room that another process had, or a copy of it."""
        self._rooms[room.code] = room
        return room

    def copy(self, code: str, lessons: Mapping[str, Place]) -> Room:
        """An empty room, for the copy of another process's; it does not count as one of these."""
        return Room(plain(code), self._students, lessons, self._clock)

    def close_old(self) -> list[Room]:
        """Close the rooms that have had their hours, and drop all that are closed."""
        over = self._clock() - self._hours * HOUR
        old = [room for room in self._rooms.values() if room.closed or room.opened <= over]
        for room in old:
            room.closed = True
            room.students.clear()
            del self._rooms[room.code]
        return old


def plain(code: str) -> str:
    """A code as rooms have it, however it is written."""
    return code[:40].upper().replace(" ", "").replace("-", "")


def _checked(proposed: str) -> str:
    """A code that a teacher has chosen, as it is compared."""
    code = plain(proposed)
    if not (code.isascii() and code.isalnum() and SHORTEST <= len(code) <= LONGEST):
        raise Refused(
            f"A code has {SHORTEST} to {LONGEST} letters and digits, got “{proposed[:40]}”."
        )
    return code


def new_code() -> str:
    """A code that can be read aloud."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE))
