"""HTTP routes: the page, unless all places are taken; health checks; headers of every response."""

import random
import sys
from collections.abc import Sequence
from typing import Any

from bokeh.server.urls import per_app_patterns, toplevel_patterns
from panel.io.resources import DIST_DIR
from panel.io.server import DocHandler
from tornado.web import RequestHandler, StaticFileHandler

from app.limits import LIMITS
from app.server.capacity import UNSEEN
from app.server.connection_limits import Addresses
from app.server.loop_lag import LATENESS
from app.server.page_request import (
    CLASS,
    READY,
    UNSEEN_PAGES,
    expect_browser,
    give_up_one,
    is_ready,
)
from app.server.senders import sender_of
from app.server.session import CONDUCTOR, VISITS
from app.server.workarounds.model_definitions import encode_definitions_once
from app.server.workarounds.page_scripts import gather_resources_once

PAGE = r"/?"  # the route of the page
EMBEDDED = r"/autoload.js"  # Bokeh's, by which other pages' scripts build this one, without limits
# Arguments by which an address names the session of its page (Bokeh 3.10): whoever made such a link
# would be on the page of everybody who follows it.
NAMED_SESSION = "bokeh-session-id", "bokeh-token"
HANGS = 30.0  # seconds in one experiment's turn after which the process should be restarted
# Seconds after which the "full" page reloads: a random number, so that not all come at once.
RETRY = (8, 15)

FULL = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{seconds}">
<title>Babysit is full</title>
</head>
<body style="font: 1em/1.5 system-ui, sans-serif; max-width: 34em; margin: 20vh auto">
<h1>Babysit is full just now</h1>
<p role="status">{why} This page tries again by itself in {seconds} seconds.</p>
</body>
</html>
"""
TAKEN = "All {most} places are taken."
CROWDED = "Many pages were asked for at the same moment."
# Bokeh serves the icon at the root alone, which is not this server below a prefix.
ICON = (r"/(favicon\.ico)", StaticFileHandler, {"path": DIST_DIR / "images"})
AT_ONCE = max(VISITS.most, CLASS)  # page requests of one address
ADDRESSES = Addresses(AT_ONCE, AT_ONCE / (2 * UNSEEN))  # half the places can be held by one

# Bokeh compiles code that comes with a page, modules as blobs (CustomJS), and Panel fetches from
# them what components are made of; Panel has scripts and styles within its pages.
CONTENT = (
    "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)


def headers(ancestors: Sequence[str]) -> dict[str, str]:
    """The headers of every response; pages of these origins may show the page in a frame."""
    found = {
        "Content-Security-Policy": " ".join([CONTENT, *ancestors]),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if not ancestors:  # this header takes no list
        found["X-Frame-Options"] = "SAMEORIGIN"
    return found


HEADERS = headers(LIMITS.frame_ancestors)


def allow_frames(ancestors: Sequence[str]) -> None:
    """Let pages of these origins, too, show the page in a frame."""
    found = headers([*LIMITS.frame_ancestors, *ancestors])
    HEADERS.clear()
    HEADERS.update(found)


class PageHandler(DocHandler):
    """Serves the page; if all places are taken, a page that says so and reloads later."""

    _builder = ""  # the address for which the page is built, unless it was ready
    _opened = False  # whether there is a page

    async def get(self, *args: Any, **kwargs: Any) -> None:
        path = self.request.path
        if path.endswith("/") and len(path) > 1:  # its scripts are found relative to the page
            self.redirect("?".join([path[:-1], *filter(None, [self.request.query])]))
            return
        for name in NAMED_SESSION:
            self.request.arguments.pop(name, None)
        address = sender_of(self.request)
        if VISITS.full:
            await self._refuse(TAKEN.format(most=VISITS.most))
        elif not ADDRESSES.lets_in(address):
            await self._refuse(CROWDED)
        elif is_ready(self.request.arguments):
            with READY.promise():
                await self._open(*args, **kwargs)
        elif UNSEEN_PAGES.may_build(address):
            self._builder = address
            await self._open(*args, **kwargs)
            if not self._opened:  # the visitor has to log in first
                UNSEEN_PAGES.give_back(address)
        else:
            give_up_one(self.application_context)
            await self._refuse(CROWDED)

    async def _open(self, *args: Any, **kwargs: Any) -> None:
        VISITS.admit()
        page: Any = super().get
        await page(*args, **kwargs)

    async def get_session(self) -> Any:
        """The new session of this request, whose page waits for a browser."""
        found: Any = super().get_session
        session = await found()
        if session:
            self._opened = True
            expect_browser(self.application_context, session.id, self._builder)
        return session

    async def _refuse(self, why: str) -> None:
        seconds = random.randint(*RETRY)
        self.set_status(503)
        self.set_header("Retry-After", str(seconds))
        self.set_header("Cache-Control", "no-store")
        await self.finish(FULL.format(seconds=seconds, why=why))


class Liveness(RequestHandler):
    """`/liveness`: 200 while this process works, 503 when it should be restarted."""

    def get(self) -> None:
        """Answer with the state, and the reason if it is not well."""
        reason = why_restart(CONDUCTOR.alive, CONDUCTOR.held)
        self.set_status(503 if reason else 200)
        self.set_header("Cache-Control", "no-store")
        self.finish({"alive": not reason, **({"reason": reason} if reason else {})})


def why_restart(alive: bool, held: float) -> str:
    """Why this process should be restarted; empty if it works."""
    if not alive:
        return "the thread that trains has ended"
    if held > HANGS:
        return f"the training hangs: one visitor's turn has lasted {held:.0f} s"
    return ""


class Readiness(RequestHandler):
    """`/readiness`: 200 while this process takes visitors, 503 when it is full or not well."""

    def get(self) -> None:
        """Answer with the state, the visitors, the objects kept for them, and the delays.

        Memory is counted in Python's own blocks, where a leak shows first: what the C library holds
        includes free pages.
        """
        ready = CONDUCTOR.alive and not VISITS.full
        self.set_status(200 if ready else 503)
        self.set_header("Cache-Control", "no-store")
        here = {"visitors": VISITS.taken, "most": VISITS.most, "unseen": len(UNSEEN_PAGES)}
        kept = {"sessions": self._sessions, "experiments": len(CONDUCTOR)}
        blocks = sys.getallocatedblocks()
        delay = CONDUCTOR.worst
        late = {  # seconds, of the last ten: of the event loop, and of a frame
            "late": round(LATENESS.worst, 3),
            "frame_late": round(delay.seconds, 3),
            "of": delay.of,
            "held_by": delay.held_by,
        }
        self.finish({"ready": ready, **here, **kept, "blocks": blocks, **late})

    @property
    def _sessions(self) -> int:
        """Sessions that Bokeh keeps, including those whose visitor has just left."""
        app: Any = self.application
        return sum(len(app.get_sessions(path)) for path in app.app_paths)


def install() -> None:
    """Register these routes; called before the server builds its own."""
    if (PAGE, DocHandler) in per_app_patterns:  # hooks may run more than once
        per_app_patterns[per_app_patterns.index((PAGE, DocHandler))] = (PAGE, PageHandler)
        per_app_patterns[:] = [route for route in per_app_patterns if route[0] != EMBEDDED]
        toplevel_patterns.extend([(r"/liveness", Liveness), (r"/readiness", Readiness), ICON])
        gather_resources_once()
        encode_definitions_once()
    # Every response has them: the page, its scripts, the password form, errors.
    RequestHandler.set_default_headers = _set_headers  # type: ignore[method-assign]


def _set_headers(self: RequestHandler) -> None:
    for name, value in HEADERS.items():
        self.set_header(name, value)
