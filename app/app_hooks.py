"""Starts and stops the server; Bokeh runs this file before it builds its routes."""

import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

from bokeh.settings import settings
from tornado.ioloop import IOLoop

from app.limits import LIMITS
from app.plots.plot_cache import DRAWINGS
from app.server import (
    class_channel,
    class_rooms,
    connection_limits,
    frame_channel,
    http_handlers,
    log_limits,
    password,
)
from app.server.cpu_affinity import CORE
from app.server.loop_lag import LATENESS
from app.server.memory import MEMORY, set_aside
from app.server.session import CONDUCTOR, FILE_READER, VISITS
from app.server.workarounds import (
    build_pages_on_threads,
    collect_no_garbage_of_a_page,
    deal_with_events_on_threads,
)
from engine import challenges_in, playlists_in, register_folder, register_lessons, unreadable

frame_channel.install()
class_channel.install()
http_handlers.install()
connection_limits.install()
log_limits.install()
password.install()
build_pages_on_threads()
collect_no_garbage_of_a_page()
deal_with_events_on_threads()
if LIMITS.data:
    register_folder(LIMITS.data)
    for refusal in (
        *register_lessons(LIMITS.data),
        *playlists_in(LIMITS.data)[1],
        *challenges_in(LIMITS.data)[1],
    ):
        logging.warning("not in the course: %s", refusal)
    if passed_over := unreadable(LIMITS.data):
        logging.warning(
            "no reader knows these files, so no menu lists them: %s", ", ".join(passed_over)
        )

# Scripts and styles come only from this server, whatever the environment sets.
settings.resources = "server"
# Bokeh would read the signature of each of the thousand callbacks of a page, to explain errors.
settings.perform_error_diagnostics = False

# Seconds for which the training thread may hold the interpreter while a request waits.
sys.setswitchinterval(0.0005)

# Bokeh runs every change of a page on a thread, which may wait there for the engine.
THREADS = 64


def on_server_loaded(server_context: object) -> None:
    """The server starts: start the engine."""
    IOLoop.current().add_callback(_begin)


def _begin() -> None:
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


def on_server_unloaded(server_context: object) -> None:
    """The server stops: end all experiments."""
    class_rooms.end()
    FILE_READER.close()
    CONDUCTOR.close()
    CORE.end()
