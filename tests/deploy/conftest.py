"""Real servers in processes of their own, and visitors without a browser."""

import contextlib
import json
import multiprocessing
import re
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.addresses import free_port
from tests.deploy.panel_process import serve_app
from tests.waiting import PATIENCE

# Forked from a process that has imported Panel once, a server starts in a quarter of the time.
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["panel.ui", "panel.command.serve", "tests.deploy.panel_process"])
SPAWNED = multiprocessing.get_context("spawn")


class Server:
    """`panel serve app` on its own port."""

    def __init__(
        self, *flags: str, root: str = "", start: BaseContext = FORKED, **environment: str
    ) -> None:
        self.port = free_port()
        self.root = f"http://localhost:{self.port}{root}"
        self._flags, self._environment, self._context = flags, environment, start
        self._output = Path(tempfile.mkstemp(suffix=".log")[1])
        self.start()

    def start(self) -> None:
        flags = "--port", str(self.port), *self._flags
        self._process = self._context.Process(
            target=serve_app, args=(flags, self._environment, self._output)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def says(self, path: str) -> dict[str, object]:
        """The answer of /liveness or /readiness, whatever the status."""
        try:
            return dict(json.loads(get(self.root + path)[2]))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))

    @property
    def ready(self) -> bool:
        try:
            return bool(self.says("/readiness")["ready"])
        except OSError:
            return False

    def wait(self) -> tuple[int | None, str]:
        """The exit status and the whole output, once the server has ended by itself."""
        self._process.join(PATIENCE)
        return self._process.exitcode, self._output.read_text()

    def stop(self) -> tuple[int | None, str]:
        """Send SIGTERM, and wait."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._output.unlink(missing_ok=True)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops them afterwards."""
    servers: list[Server] = []

    def start(*flags: str, root: str = "", **environment: str) -> Server:
        servers.append(Server(*flags, root=root, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def get(url: str, **headers: str) -> tuple[int, HTTPMessage, bytes]:
    request = urllib.request.Request(
        url, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return reply.status, reply.headers, reply.read()


class Visitor:
    """Opens the page and pulls frames as a browser does, all from one IP address."""

    def __init__(self, address: str, trusted: ssl.SSLContext | None = None) -> None:
        self.address, self._trusted = address, trusted
        self.jar = CookieJar()
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPCookieProcessor(self.jar)]
        if trusted:
            handlers.append(urllib.request.HTTPSHandler(context=trusted))
        self.opener = urllib.request.build_opener(*handlers)
        self.socket: ClientConnection | None = None
        self.token = ""
        self._ends = contextlib.ExitStack()

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)

    def open(self, *, origin: str | None = None, max_queue: int = 16) -> dict[str, object]:
        """Open the page and its channel, with so many messages read ahead; returns a frame."""
        with self.opener.open(self.address, timeout=PATIENCE) as reply:
            page = reply.read().decode()
        token = re.search(r'"token":\s*"([^"]+)"', page)
        assert token, "not the page"
        scheme, _, host = self.address.partition("://")
        self.token = token[1]
        channel = connect(
            f"{scheme.replace('http', 'ws')}://{host}/frames",
            ssl=self._trusted,
            origin=origin or f"{scheme}://{host.partition('/')[0]}",
            additional_headers={"Cookie": self.cookies} if self.cookies else None,
            open_timeout=PATIENCE,
            max_queue=max_queue,
        )
        self.socket = self._ends.enter_context(channel)
        self.socket.send(json.dumps({"token": token[1]}))
        return self.frame(-1)

    def frame(self, since: int) -> dict[str, object]:
        assert self.socket
        self.socket.send(json.dumps({"since": since, "views": ["loss"]}))
        return dict(json.loads(self.socket.recv(timeout=PATIENCE)))

    def close(self) -> None:
        self._ends.close()
