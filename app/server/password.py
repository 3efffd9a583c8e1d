"""One password for a class: without it every address answers with a form that asks for it.

The form is shown at the requested address, and posts to it. So no redirect can go wrong below a
path, and no address contains a password. The check comes before any routing: it protects pages,
sockets and files alike.

BABYSIT_PASSWORD       the password
BABYSIT_PASSWORD_FILE  ... or a file whose first line it is, as container systems keep secrets
"""

import asyncio
import hashlib
import hmac
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from app.limits import LIMITS
from app.server.senders import sender_of

COOKIE = "babysit_class"
LASTS = 30 * 86400.0  # seconds for which the cookie is valid
OPEN = ("/liveness", "/readiness")  # addresses without a password, for health checks

FREE = 10  # wrong passwords of one address without a delay: a class mistypes
FORGOTTEN = 300.0  # seconds after which a wrong password no longer counts
FIRST, MOST = 0.1, 2.0  # seconds of delay, doubled with each wrong password up to the second number
KNOWN = 10_000  # addresses whose wrong passwords are remembered
WAITING = 8  # attempts from one address that may wait at the same time

FORM = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Babysit: password</title>
</head>
<body style="font: 1em/1.5 system-ui, sans-serif; max-width: 34em; margin: 20vh auto">
<h1>Babysit</h1>
<form method="post">
<p><label for="password">The password of this class</label></p>
<p><input id="password" name="password" type="password" autocomplete="current-password" required
autofocus style="font: inherit; padding: .4em"> <button style="font: inherit; padding: .4em 1em">
Come in</button></p>
<p role="alert">{text}</p>
</form>
</body>
</html>
"""
WRONG = "This is not the password."
LATER = "Too many wrong passwords come from this network. Try again in a moment."


def read_password(environment: Mapping[str, str]) -> str:
    """The password that an environment sets, "" if none; ValueError says what is wrong with it."""
    chosen = environment.get("BABYSIT_PASSWORD", "")
    file = environment.get("BABYSIT_PASSWORD_FILE", "")
    if chosen and file:
        raise ValueError("BABYSIT_PASSWORD and BABYSIT_PASSWORD_FILE are both set: leave one out")
    if not file:
        return chosen
    try:
        lines = Path(file).read_text().splitlines()
    except (OSError, ValueError):
        lines = []
    if not lines or not lines[0]:
        raise ValueError(
            "BABYSIT_PASSWORD_FILE must be a file whose first line is the password,"
            f" got {file[:200]!r}"
        )
    return lines[0]


class Attempts:
    """Delays the attempts of an address that guesses, longer each time; locks nobody out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, waiting: int = WAITING) -> None:
        self._clock, self._most = clock, waiting
        self._failed: dict[str, deque[float]] = {}  # when, by address
        self._next: dict[str, float] = {}  # when the next attempt will be checked
        self._waiting: dict[str, int] = {}

    def wait(self, who: str) -> float | None:
        """Seconds until another attempt of this address is checked; None: too many wait."""
        if self._waiting.get(who, 0) >= self._most:
            return None
        now = self._clock()
        beyond = self._recent(who) - FREE
        pause = min(MOST, FIRST * 2.0 ** min(beyond, 30)) if beyond >= 0 else 0.0
        turn = max(now, self._next.get(who, now)) + pause
        self._next[who] = turn
        self._waiting[who] = self._waiting.get(who, 0) + 1
        return turn - now

    def end(self, who: str, right: bool) -> None:
        """An attempt has been checked."""
        self._waiting[who] -= 1
        if not self._waiting[who]:
            del self._waiting[who]
        if not right:
            failed = self._failed.pop(who, None) or deque(maxlen=FREE + 30)
            failed.append(self._clock())
            self._failed[who] = failed  # the most recent last
        self._forget(who)
        while (oldest := next(iter(self._failed), None)) and (
            len(self._failed) > KNOWN or not self._recent(oldest)
        ):
            del self._failed[oldest]
            self._forget(oldest)

    def _forget(self, who: str) -> None:
        """Forget when an address may try again, unless it has failed or waits."""
        if who not in self._failed and who not in self._waiting:
            self._next.pop(who, None)

    def _recent(self, who: str) -> int:
        failed = self._failed.get(who, deque())
        while failed and failed[0] < self._clock() - FORGOTTEN:
            failed.popleft()
        return len(failed)


class Lock:
    """The password, and the cookie that proves that it was entered.

    The cookie is signed with the password: every process that has the same one knows it, and with
    another password it is worth nothing.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = hashlib.scrypt(password.encode(), salt=b"babysit", n=2**14, r=8, p=1)
        self._password = password.encode()
        self.attempts = Attempts()

    def opens(self, password: str) -> bool:
        """Whether this is the password."""
        return hmac.compare_digest(password.encode(), self._password)

    def cookie(self) -> str:
        """The value of a new cookie."""
        until = str(int(self._clock() + LASTS))
        return f"{until}.{self._sign(until)}"

    def knows(self, cookie: str) -> bool:
        """Whether a cookie is genuine and not too old."""
        until, _, signature = cookie.partition(".")
        return (
            hmac.compare_digest(signature.encode(), self._sign(until).encode())
            and float(until) > self._clock()
        )

    def _sign(self, until: str) -> str:
        return hmac.new(self._key, until.encode(), hashlib.sha256).hexdigest()

    def lets_in(self, request: HTTPServerRequest) -> bool:
        """Whether a request may pass."""
        if request.path.endswith(OPEN):
            return True
        shown = request.cookies
        return COOKIE in shown and self.knows(shown[COOKIE].value)


class Form(RequestHandler):
    """Answers with the password form in place of what was requested."""

    def initialize(self, lock: Lock) -> None:
        self._lock = lock

    def get(self, *args: str) -> None:
        """Show the form."""
        self._ask(401, "")

    async def post(self, *args: str) -> None:
        """Check the password that was sent, after the delay."""
        attempts, who = self._lock.attempts, sender_of(self.request)
        pause = attempts.wait(who)
        if pause is None:
            self.set_header("Retry-After", "5")
            self._ask(429, LATER)
            return
        right = False
        try:
            await asyncio.sleep(pause)
            right = self._lock.opens(self.get_body_argument("password", "", strip=False))
        finally:
            attempts.end(who, right)
        if not right:
            self._ask(403, WRONG)
            return
        secure = self.request.protocol == "https"
        # In a frame of another site's page a browser keeps only a cookie that says so, behind TLS.
        framed = secure and bool(LIMITS.frame_ancestors)
        place = "SameSite=None; Partitioned" if framed else "SameSite=Lax"
        safe = "; Secure" if secure else ""
        self.add_header(
            "Set-Cookie",
            f"{COOKIE}={self._lock.cookie()}; Path=/; Max-Age={int(LASTS)}; HttpOnly;"
            f" {place}{safe}",
        )
        self.redirect(local_address(self.request.uri or "/"), status=303)

    def _ask(self, status: int, text: str) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(FORM.format(text=text))


def local_address(uri: str) -> str:
    """The same address of this server; one that begins with two slashes is that of another."""
    return "/" + uri.lstrip("/\\")


def install() -> None:
    """Require the password at every address, if the environment sets one."""
    try:
        password = read_password(os.environ)
    except ValueError as error:
        sys.exit(f"babysit: {error}")
    if password:
        _guard(BokehTornado, Lock(password))


def _guard(server: Any, lock: Lock) -> None:
    find = server.find_handler

    def find_handler(self: Any, request: HTTPServerRequest, **kwargs: Any) -> Any:
        if lock.lets_in(request):
            return find(self, request, **kwargs)
        return self.get_handler_delegate(request, Form, {"lock": lock})

    server.find_handler = find_handler
