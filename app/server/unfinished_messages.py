"""Bounds what all sockets together keep of messages that are not complete yet.

Whoever sends the rest of a message late, or never, takes memory meanwhile. While all pages together
take too much, the one that takes most is disconnected: hardly ever one that sends a single message.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable

from tornado.websocket import WebSocketHandler

from app.server.page_channel import PageChannel
from app.server.session import VISITS
from app.server.workarounds.half_messages import count_what_is_read
from app.server.workarounds.sessions import session_of

MOST = 64 * 2**20  # bytes: the largest messages of 26 pages
SMALL = 16_384  # ... of a message that takes too little to be counted, as nearly all do


class UnfinishedMessages[Socket: Hashable]:
    """How many bytes each socket keeps, and which pages have to give way."""

    def __init__(self, page_of: Callable[[Socket], Hashable], most: int = MOST) -> None:
        self._page_of, self._most = page_of, most
        self._kept: dict[Socket, int] = {}

    def __len__(self) -> int:
        """How many sockets keep more than a little."""
        return len(self._kept)

    def keep(self, socket: Socket, size: int) -> list[Socket]:
        """A socket keeps so many bytes from now on; returns those that have to be closed for it."""
        if size <= SMALL:
            self._kept.pop(socket, None)
            return []
        self._kept[socket] = size
        closed: list[Socket] = []
        while sum(self._kept.values()) > self._most:
            closed.append(self._greediest(socket))
            self.drop(closed[-1])
        return closed

    def drop(self, socket: Socket) -> None:
        """A socket is closed."""
        self._kept.pop(socket, None)

    def _greediest(self, last: Socket) -> Socket:
        """The largest socket of the page that takes most; of equal ones the last to ask."""
        pages: dict[Hashable, int] = defaultdict(int)
        for socket, size in self._kept.items():
            pages[self._page_of(socket)] += size
        return max(
            self._kept,
            key=lambda socket: (pages[self._page_of(socket)], socket is last, self._kept[socket]),
        )


def page_of(socket: WebSocketHandler) -> Hashable:
    """The page of a socket; of all that have not proved whose they are, there is one."""
    if isinstance(socket, PageChannel):
        return socket.visit
    session = session_of(socket)
    return session and (VISITS.get(session.id) or session)


KEPT: UnfinishedMessages[WebSocketHandler] = UnfinishedMessages(page_of)


def install() -> None:
    """Set the limit of this process; called before it listens."""
    count_what_is_read(KEPT.keep, KEPT.drop)
