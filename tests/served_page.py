"""The page on a server in this process, whose visits and experiments a test can inspect."""

import contextlib
import logging
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.application.handlers import Handler
from bokeh.document import Document
from panel.io.application import build_single_handler_application
from tornado.ioloop import IOLoop
from tornado.iostream import BaseIOStream

from app.server import memory
from app.server.cpu_affinity import CORE
from app.server.log_limits import Brief
from app.server.session import CONDUCTOR
from tests.addresses import answers, free_port
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
LONG = 3_600_000  # milliseconds, long enough for a busy browser to reconnect
SOON = 300  # milliseconds from one look for sessions that have ended to the next
SELDOM = 60.0  # seconds: all that pytest holds is searched whenever nobody is on the page


class ServedPage(Handler):
    """A server's sessions and its event loop, as Bokeh hands them to a handler at the start."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def modify_document(self, doc: Document) -> None:
        """Leave the page as it is."""

    def on_server_loaded(self, server_context: Any) -> None:
        self._context, self._loop = server_context, IOLoop.current()

    @property
    def sessions(self) -> list[Any]:
        return list(self._context.sessions)

    @property
    def context(self) -> Any:
        """Where the server keeps these sessions."""
        return self._context.application_context

    def request(self) -> str:
        """Request the page; the token by which its session is known."""
        with urllib.request.urlopen(self.address, timeout=PATIENCE) as answer:
            return token_in(answer.read().decode())

    def call(self, act: Callable[..., object], *given: object) -> None:
        """Call a function on the server's event loop."""
        self._loop.add_callback(act, *given)


def token_in(html: str) -> str:
    """The token of the session that a page belongs to."""
    found = re.search(r'"token":\s*"([^"]+)"', html)
    assert found, "not the page"
    return found[1]


SERVED: list[ServedPage] = []


@contextlib.contextmanager
def written_on_its_loop() -> Iterator[None]:
    """Sockets are written to by the thread of their event loop alone: of two, one would fail."""
    strangers: list[str] = []
    threads: dict[IOLoop, int] = {}
    write = BaseIOStream.write

    def write_and_look(self: BaseIOStream, data: Any) -> Any:
        now = threading.get_ident()
        if threads.setdefault(self.io_loop, now) != now:
            strangers.append(f"{threading.current_thread().name}: {bytes(data)[:80]!r}")
        return write(self, data)

    BaseIOStream.write = write_and_look  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseIOStream.write = write  # type: ignore[method-assign]
    assert not strangers


def forget_the_left() -> None:
    """Make the servers forget closed pages at their next check, not after the usual time."""
    for served in SERVED:
        for session in served.sessions:
            session.request_expiration()


@contextlib.contextmanager
def serve() -> Iterator[ServedPage]:
    """Serve the page on a port of its own, until the end of the block."""
    # Pytest keeps log records for its report, and some of Panel's hold references to the page.
    logging.getLogger("panel").setLevel(logging.INFO)
    memory.EVERY = SELDOM
    port = free_port()
    served = ServedPage(f"http://localhost:{port}/app")
    application = build_single_handler_application(ROOT / "app")
    application.add(served)
    thread = pn.serve(
        {"app": application},
        port=port,
        show=False,
        threaded=True,
        unused_session_lifetime_milliseconds=LONG,
        check_unused_sessions_milliseconds=SOON,
        websocket_origin=[f"localhost:{port}"],
    )
    wait_until(lambda: answers(served.address))
    for handler in logging.getLogger().handlers:  # records of one test must not reach another
        for brief in [x for x in handler.filters if isinstance(x, Brief)]:
            handler.removeFilter(brief)
    SERVED.append(served)
    with written_on_its_loop():
        yield served
    SERVED.remove(served)
    thread.stop()


@contextlib.contextmanager
def serve_to_the_end() -> Iterator[ServedPage]:
    """As `serve`, and afterwards nothing in this process trains any more."""
    with serve() as served:
        yield served
    CONDUCTOR.close()
    CORE.end()
