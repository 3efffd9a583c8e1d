"""Life cycle of the server; Bokeh runs this file before it builds its routes."""

import sys

from bokeh.settings import settings

from app import door, frames
from app.limits import LIMITS
from app.session import CONDUCTOR
from engine import register_folder

frames.install()
door.install()
if LIMITS.data:
    register_folder(LIMITS.data)

# Scripts and styles come from this server alone, whatever the environment says.
settings.resources = "server"

# How long the training thread may hold the interpreter while a page waits to be served, in seconds.
sys.setswitchinterval(0.0005)


def on_server_unloaded(server_context: object) -> None:
    """The server stops: let all experiments go."""
    CONDUCTOR.close()
