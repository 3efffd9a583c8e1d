"""What a page is sent, message by message as it reads them; of what changes, only the last.

A page that does not read costs the server no memory: of its room and of the wall it needs only the
last, and it asks for nothing more until it has read what it asked for.
"""

import asyncio
from collections.abc import Callable

MOST = 8  # answers that wait until the next message of their page is read


class Outbox:
    """The messages to one page; `write` sends one, and `taken` has to be called once it is sent."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._sending = self._closed = False
        self._waiting: list[tuple[str, str]] = []  # what a message tells, and its text
        self._read = asyncio.Event()  # set while few answers wait
        self._read.set()

    def put(self, text: str, state: str = "") -> None:
        """Send a message, now or once those before are sent.

        `state` names what it tells, where an earlier message about that is of no use any more.
        """
        if self._closed:
            return
        if state:
            self._waiting = [message for message in self._waiting if message[0] != state]
        self._waiting.append((state, text))
        self._go_on()

    def taken(self) -> None:
        """The last message is sent."""
        self._sending = False
        self._go_on()

    @property
    def behind(self) -> bool:
        """Whether the page leaves too many answers unread."""
        return not self._closed and sum(not state for state, _ in self._waiting) >= MOST

    async def until_read(self) -> None:
        """Wait while the page leaves too many answers unread."""
        await self._read.wait()

    def close(self) -> None:
        """The page has left: drop what waits."""
        self._closed = True
        self._waiting.clear()
        self._read.set()

    def _go_on(self) -> None:
        if self._waiting and not self._sending:
            self._sending = True
            self._write(self._waiting.pop(0)[1])
        if self.behind:
            self._read.clear()
        else:
            self._read.set()
