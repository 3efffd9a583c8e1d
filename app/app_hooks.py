"""Life cycle of the server; Bokeh runs this file before it builds its routes."""

import sys

from app.frames import install
from app.session import CONDUCTOR

install()

# How long the training thread may hold the interpreter while a page waits to be served, in seconds.
sys.setswitchinterval(0.0005)


def on_server_unloaded(server_context: object) -> None:
    """The server stops: let all experiments go."""
    CONDUCTOR.close()
