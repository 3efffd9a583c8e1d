"""Life cycle of the server; Bokeh runs this file before it builds its routes."""

import sys

from bokeh.settings import settings

from app.frames import install
from app.session import CONDUCTOR

install()

# Scripts and styles come from this server alone, whatever the environment says.
settings.resources = "server"

# How long the training thread may hold the interpreter while a page waits to be served, in seconds.
sys.setswitchinterval(0.0005)


def on_server_unloaded(server_context: object) -> None:
    """The server stops: let all experiments go."""
    CONDUCTOR.close()
