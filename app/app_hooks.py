"""Starts and stops the server; Bokeh runs this file before it builds its routes."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from bokeh.server.contexts import ApplicationContext, BokehServerContext
from bokeh.settings import settings
from tornado.ioloop import IOLoop

from app.limits import LIMITS
from app.plots.plot_cache import DRAWINGS
from app.server import (
    class_channel,
    class_rooms,
    connection_limits,
    document_sockets,
    frame_channel,
    http_handlers,
    log_limits,
    password,
    revived_pages,
    unfinished_messages,
)
from app.server.cpu_affinity import CORE
from app.server.data_folder import open_folder
from app.server.loop_lag import LATENESS
from app.server.memory import MEMORY, set_aside, share_heaps
from app.server.open_files import raise_limit
from app.server.page_request import READY, browser_connected, build_ahead, give_away, take_back
from app.server.session import CONDUCTOR, FILE_READER, PIECES, VISITS
from app.server.silent_pages import close_silent_pages
from app.server.workarounds.closed_documents import collect_no_garbage_of_a_page, cut_what_is_closed
from app.server.workarounds.document_patches import limit_what_is_written
from app.server.workarounds.file_input import take_files_within
from app.server.workarounds.html_text import send_new_text_alone
from app.server.workarounds.invented_tokens import check_tokens_first
from app.server.workarounds.loose_stylesheets import free_loose_stylesheets
from app.server.workarounds.lost_connections import drop_what_comes_too_late
from app.server.workarounds.model_defaults import compute_defaults_once
from app.server.workarounds.packed_values import limit_what_is_unpacked
from app.server.workarounds.pages_ahead import give_pages_away
from app.server.workarounds.pages_on_threads import build_pages_on_threads
from app.server.workarounds.sessions import take_pages_back
from app.server.workarounds.widget_events import handle_events_on_threads

WRITTEN = 4 * 2**20  # bytes that a page may write into its document; it needs some thousands

frame_channel.install()
class_channel.install()
http_handlers.install()
connection_limits.install()
document_sockets.install()
unfinished_messages.install()
log_limits.install()
password.install()
build_pages_on_threads()
check_tokens_first(revived_pages.admits)
collect_no_garbage_of_a_page()
compute_defaults_once()
cut_what_is_closed()
drop_what_comes_too_late()
free_loose_stylesheets()
limit_what_is_unpacked(connection_limits.LARGEST_MESSAGE)
limit_what_is_written(WRITTEN)
handle_events_on_threads()
send_new_text_alone()
take_files_within(LIMITS.upload)
take_pages_back(browser_connected, take_back)
if not give_pages_away(give_away):
    READY.most = 0
if LIMITS.data:
    open_folder(LIMITS.data)

# Scripts and styles come only from this server, whatever the environment sets.
settings.resources = "server"
# Bokeh would read the signature of each of the thousand callbacks of a page, to explain errors.
settings.perform_error_diagnostics = False

# Seconds for which the training thread may hold the interpreter while a request waits.
sys.setswitchinterval(0.0005)

# Bokeh runs every change of a page on a thread, which may wait there for the engine.
THREADS = 64
LATE = 0.2  # seconds by which a frame may be late while pages are built ahead
TASKS: set[asyncio.Task[None]] = set()  # which run until the server stops


def on_server_loaded(server_context: BokehServerContext) -> None:
    """The server starts: start the engine."""
    share_heaps()
    raise_limit()
    IOLoop.current().add_callback(_begin, server_context.application_context)


def _begin(context: ApplicationContext) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "change"))
    loop.run_in_executor(None, DRAWINGS.make_first)
    set_aside()
    if LIMITS.pin_core:
        CORE.begin()
    MEMORY.begin(nobody_is_here=lambda: not VISITS)
    LATENESS.of_engine = lambda: CONDUCTOR.worst
    LATENESS.begin()
    class_rooms.begin()
    TASKS.add(asyncio.create_task(close_silent_pages(context)))
    TASKS.add(asyncio.create_task(READY.fill(lambda: build_ahead(context), _idle, _alone)))


def _idle() -> bool:
    """Whether one more page has a place, and nobody waits for anything but frames."""
    place = len(READY) + VISITS.taken < VISITS.most
    late = LATENESS.behind or CONDUCTOR.worst.seconds > LATE
    return place and not (late or VISITS.page_requested or PIECES.waited_for)


def _alone() -> bool:
    return not VISITS.taken


def on_server_unloaded(server_context: object) -> None:
    """The server stops: end all experiments."""
    class_rooms.end()
    while TASKS:
        TASKS.pop().cancel()
    READY.clear()
    PIECES.clear()
    FILE_READER.close()
    CONDUCTOR.close()
    CORE.end()
