"""The frame channel: a page proves which session it belongs to, then pulls frames at its own pace.

JSON text both ways. First the page sends `{"token": ...}`; then, for each frame it wants,
`{"request": n, "since": row, "views": [...]}`. The server answers the last request once, as soon as
there is something newer. A page that asks for nothing gets nothing, so nothing can ever queue up.
A view that the page has not drawn yet, or not for such a network, comes with its drawing. Where
drawings take long to make, because others wait for theirs as well, frames go on without them.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import msgspec
from bokeh.server.contexts import ApplicationContext
from bokeh.server.urls import per_app_patterns
from tornado.ioloop import PeriodicCallback
from tornado.websocket import WebSocketClosedError

from app.plots import view_of
from app.plots.plot_cache import DRAWINGS
from app.server.channel_limits import TOO_MANY, ChannelsOfPages
from app.server.connection_limits import LARGEST
from app.server.frames import DESCRIBED_EVERY, Composer, FrameRequest, requested_views
from app.server.page_channel import (
    FORBIDDEN,
    UNREADABLE,
    Hello,
    PageChannel,
    decoded,
    visit_of,
)
from app.server.session import CONDUCTOR, Visit
from app.server.shared_frames import SharedFrames
from app.server.shown_run import HOSTED, WatchedRun
from engine import Snapshot

log = logging.getLogger(__name__)

BROKEN = 4500  # close code: the training thread has ended
WATCHED_EVERY = 3.0  # seconds between two checks of that thread
DRAWN_WITHIN = 0.25  # seconds for which a frame waits for drawings; later it comes without them


@dataclass
class PendingRequest:
    """A page's request, which is answered at most once, whichever run the page shows by then.

    It is over when it has been answered, or when the next one has come: the page drops the answer
    to any but its last request.
    """

    request: FrameRequest
    over: bool = False


SHARED: WeakKeyDictionary[WatchedRun, SharedFrames[Composer]] = WeakKeyDictionary()


def _whole_seconds() -> float:
    """The time in whole seconds, so that pages that share frames get text alternatives together."""
    return math.floor(time.monotonic() / DESCRIBED_EVERY) * DESCRIBED_EVERY


def _shared(run: WatchedRun) -> SharedFrames[Composer]:
    """The frames of a run for all who watch without steering it."""
    return SHARED.setdefault(run, SharedFrames(Composer(_whole_seconds)))


class FrameChannel(PageChannel):
    """The server's end of one page's channel."""

    LONGEST = LARGEST  # the first message may carry the state of a link

    def initialize(
        self, application_context: ApplicationContext, bokeh_websocket_path: str
    ) -> None:
        super().initialize(application_context, bokeh_websocket_path)
        self._composer = Composer()
        self._composing = threading.Lock()
        self._version = 0  # of the run that the page shows
        self._shown: WatchedRun | None = None
        self._pending: PendingRequest | None = None  # the last request
        self._sent_back: Mapping[str, str] = {}
        self._drawing: asyncio.Task[None] | None = None  # the drawings that are being made for it
        self._drawn_until = 0.0  # the time until which frames wait for them
        # The last frame; done once the socket has taken it.
        self._sent: asyncio.Future[None] | None = None

    def open(self) -> None:
        super().open()
        self._watch = PeriodicCallback(self._expect_engine, 1000 * WATCHED_EVERY)
        self._watch.start()

    def _expect_engine(self) -> None:
        if not CONDUCTOR.alive:
            self.close(BROKEN, "the engine has stopped")

    def on_close(self) -> None:
        super().on_close()
        self._watch.stop()
        self._leave()
        del self._watch  # which holds the channel

    def _leave(self) -> None:
        """Stop serving the page."""
        if self._pending:
            self._pending.over = True
        visit, self._visit = self._visit, None
        if visit:
            CHANNELS.remove(visit, self)
            visit.on_other_run.discard(self._show_other_run)
            if self._shown:
                visit.stop_watching(self, self._shown)
            visit.forget(self)

    def give_way(self) -> None:
        """Close, since the page has too many channels."""
        self._leave()
        self.close(TOO_MANY, "too many channels")

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        request = decoded(message, FrameRequest if self._visit else Hello)
        if isinstance(request, str):
            self.close(UNREADABLE if self._visit else FORBIDDEN, request)
        elif isinstance(request, Hello):
            self._greet(request)
        elif self._visit and isinstance(request, FrameRequest):
            if request.since < 0 and (wait := CHANNELS.wait(self._visit)):
                return self._answer_later(self._visit, request, wait)
            return self._answer(self._visit, request)
        return None

    async def _answer_later(self, visit: Visit, request: FrameRequest, wait: float) -> None:
        await asyncio.sleep(wait)
        if self._visit is visit and (answering := self._answer(visit, request)):
            await answering

    def _greet(self, hello: Hello) -> None:
        self._visit = visit_of(self.application, self._context, hello.token)
        if self._visit is None:
            self.close(FORBIDDEN, "unknown token")
            return
        for surplus in CHANNELS.add(self._visit, self):
            surplus.give_way()
        if self._visit is None:
            return
        self._visit.on_other_run.add(self._show_other_run)
        self._visit.attend(self)  # or the run would stop when the page's lost channel ends later
        self._visit.reconnect(None)  # perhaps before Bokeh notices
        self._visit.bring(hello.state)
        if run := HOSTED.get(hello.teach):
            self._visit.adopt(run)

    def _answer(self, visit: Visit, request: FrameRequest) -> Awaitable[None] | None:
        """Answer a request; Tornado reads the next one when what is returned is done, or at once.

        A request that waits for its frame, as nearly all do, needs no task of its own: a task is
        several turns of the loop, and in each of them the training takes the interpreter.
        """
        with self._composing:
            before, self._pending = self._pending, PendingRequest(request)
            in_turn = before is None or before.over
            if before:
                before.over = True
        preparing = self._serve(visit, self._pending)
        taken = self._sent is None or self._sent.done()
        if preparing is None and in_turn and taken and not self._pending.over:
            return None
        return self._yield_to_others(preparing)

    async def _yield_to_others(self, preparing: Awaitable[None] | None) -> None:
        """Wait for the turns of others, and until the socket has sent the last frame.

        So a page with endless requests delays nobody.
        """
        if preparing:
            await preparing
        await asyncio.sleep(0)
        if self._sent and not self._sent.done():
            await asyncio.wait([self._sent])

    def _show_other_run(self) -> None:
        """Show another run on the page; called from any thread."""
        self._loop.add_callback(self._serve_again)

    def _serve_again(self) -> Awaitable[None] | None:
        if self._visit and self._pending and not self._pending.over:
            return self._serve(self._visit, self._pending)
        return None

    def _serve(self, visit: Visit, pending: PendingRequest) -> Awaitable[None] | None:
        """Deliver the next frame, now or when there is one; first prepare what it lacks."""
        views, shown = requested_views(pending.request), visit.watched
        if not (shown or visit.is_set_up):
            return self._set_up(visit)
        style = pending.request.style
        if DRAWINGS.lack(views, visit.shown(shown), style):
            self._draw(visit, shown, views, style)
            if pending.request.first or self._waits_for_drawings:
                return None  # it is served anew when they are made, or have taken too long
        elif self._composer.lacks(views):
            self._version = 0  # even if nothing moves
        self._deliver(visit, pending, views, shown)
        return None

    async def _set_up(self, visit: Visit) -> None:
        await asyncio.to_thread(visit.set_up)
        if visit.over:
            self.close(FORBIDDEN, "the visit is over")
        else:
            self._loop.add_callback(self._serve_again)

    def _draw(self, visit: Visit, shown: WatchedRun | None, views: list[str], style: str) -> None:
        """Have drawings made on a thread, unless some are being made for this page."""
        if self._drawing and not self._drawing.done():
            return
        made = asyncio.to_thread(DRAWINGS.make, views, visit.shown(shown), style)
        self._drawing = asyncio.create_task(made)
        self._drawing.add_done_callback(self._show_drawings)
        self._drawn_until = time.monotonic() + DRAWN_WITHIN
        self._loop.call_later(DRAWN_WITHIN, self._serve_again)

    def _show_drawings(self, drawing: asyncio.Task[None]) -> None:
        self._loop.add_callback(self._serve_again)

    @property
    def _waits_for_drawings(self) -> bool:
        """Whether frames still wait for drawings, which were begun just now or have to be."""
        drawing = self._drawing
        return drawing is None or drawing.done() or time.monotonic() < self._drawn_until

    def _deliver(
        self, visit: Visit, pending: PendingRequest, views: list[str], shown: WatchedRun | None
    ) -> None:
        if pending.over or shown is not visit.watched:
            return  # it shows another run meanwhile, and is served anew
        request = pending.request
        version = self._version if request.since >= 0 and shown is self._shown else 0
        self._show(visit, shown)
        requested = frozenset[str]().union(*(view_of(name).requested for name in views))
        deliver = self._deliverer(visit, shown, pending, views)
        if shown is None and not request.first:
            visit.start()
        if not visit.watch(self, version, deliver, requested, shown):
            self.close(FORBIDDEN, "the visit is over")

    def _show(self, visit: Visit, shown: WatchedRun | None) -> None:
        """Switch to another run, of which the page has no data yet."""
        if shown is self._shown:
            return
        with self._composing:
            before, self._shown, self._version = self._shown, shown, 0
            self._composer = _shared(shown).blank if shown else Composer()
            self._sent_back = {}
        visit.stop_watching(self, before)

    def _deliverer(
        self,
        visit: Visit,
        shown: WatchedRun | None,
        pending: PendingRequest,
        views: list[str],
    ) -> Callable[[Snapshot, int], None]:
        def deliver(snapshot: Snapshot, version: int) -> None:
            try:
                with self._composing:
                    if pending.over or shown is not self._shown:
                        return
                    lacks = DRAWINGS.lack(views, snapshot, pending.request.style)
                    if lacks and (pending.request.first or self._waits_for_drawings):
                        self._loop.add_callback(self._serve_again)
                        return
                    pending.over = True
                    frame = self._frame(visit, shown, snapshot, version, pending.request)
            except Exception:  # of this page alone; the experiment goes on
                log.exception("no frame could be made")
                self._loop.add_callback(self.close, BROKEN, "no frame could be made")
            else:
                self._loop.add_callback(self._reply, frame, version, shown)

        return deliver

    def _frame(
        self,
        visit: Visit,
        shown: WatchedRun | None,
        snapshot: Snapshot,
        version: int,
        request: FrameRequest,
    ) -> str:
        """Make a frame, on the thread that published the snapshot.

        On the loop's it would take turns with the training, which gives the interpreter away at
        each call of NumPy and had to wait a frame's time to have it back.
        """
        if shown is None:
            back = visit.reconnect_link.fields(visit.handle)
            frame = self._composer.compose(snapshot, request, back)
            return msgspec.json.encode(frame).decode()

        def compose(page: Composer) -> str:
            alike = msgspec.structs.replace(request, number=0, first=False)
            frame = page.compose(snapshot, alike)
            frame.run += shown.number
            return msgspec.json.encode(frame).decode()

        views = tuple(requested_views(request))
        drawn = not DRAWINGS.lack(views, snapshot, request.style)
        key = request.since, request.style, drawn
        self._composer, text = _shared(shown).frame(self._composer, version, key, views, compose)
        return f"{{{self._of_this_page(visit, request)},{text[1:]}"

    def _of_this_page(self, visit: Visit, request: FrameRequest) -> str:
        """What one page is sent beside a shared frame; it has a link only to a run of its own."""
        own: dict[str, object] = {"request": request.number}
        back = {"visit": visit.reconnect_link.name, "link": ""}
        if back != self._sent_back:
            own["back"] = self._sent_back = back
        return msgspec.json.encode(own).decode()[1:-1]

    def _reply(self, frame: str, version: int, shown: WatchedRun | None) -> None:
        if shown is self._shown:
            self._version = version
        try:
            self._sent = self.write_message(frame)
        except WebSocketClosedError:
            log.debug("the page has left")
        else:
            self._sent.add_done_callback(_note_left)


def _note_left(sent: asyncio.Future[None]) -> None:
    try:
        sent.result()
    except (WebSocketClosedError, asyncio.CancelledError):
        log.debug("the page has left")


CHANNELS: ChannelsOfPages[Visit, FrameChannel] = ChannelsOfPages()


def install() -> None:
    """Register the route `<app>/frames`; called before the server builds its routes."""
    route = (r"/frames", FrameChannel)
    if route not in per_app_patterns:
        per_app_patterns.append(route)
