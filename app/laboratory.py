"""The page in a notebook: a frame under a cell, served by this process on this machine alone.

from app import Laboratory
from engine import RunConfig

Laboratory(RunConfig(seed=3), only=["loss", "accuracy"]).servable()
"""

import functools
import html
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

import panel as pn
from panel.io.application import build_single_handler_application
from panel.pane import HTML
from panel.viewable import Viewable, Viewer

from app.sharing import run_links
from engine import Recording, RunConfig

HERE = "127.0.0.1"
NOTEBOOKS = ("http://localhost:*", "http://127.0.0.1:*")  # whose pages may show it in a frame
HEIGHT = 640  # pixels


class Laboratory(Viewer):
    """A run of this config to watch and to steer, in a notebook or a Panel app of this machine."""

    def __init__(
        self,
        config: RunConfig | None = None,
        *,
        only: Iterable[str] = (),  # plots and parts, as links call them; empty: the whole page
        height: int = HEIGHT,
    ) -> None:
        super().__init__()
        said = run_links.query(Recording(config or RunConfig(), (), 0), True, ())
        names = tuple(only)
        if refusal := run_links.read({"only": [",".join(names).encode()]}).refusal:
            raise ValueError(refusal.replace("This link", "The laboratory"))
        wanted = f"&{urlencode({'only': ','.join(names)}, safe=',')}" if names else ""
        self.address = f"{_served()}{said}{wanted}"
        self.height = height

    def __panel__(self) -> Viewable:
        """A frame with the page in it."""
        frame = (
            f'<iframe src="{html.escape(self.address)}" title="Babysit" loading="lazy"'
            ' style="width: 100%; height: 100%; border: 0"></iframe>'
        )
        return HTML(frame, height=self.height, sizing_mode="stretch_width", margin=0)


@functools.cache
def _served() -> str:
    """The address of the page, served by a thread of this process from now on."""
    from app.server import http_handlers  # its import reads the environment

    http_handlers.allow_frames(NOTEBOOKS)
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = int(probe.getsockname()[1])
    # Panel's thread is a daemon like the one that starts it: it must not outlive the notebook.
    starter = threading.Thread(target=_serve, args=(port,), daemon=True)
    starter.start()
    starter.join()
    return f"http://{HERE}:{port}/app"


def _serve(port: int) -> None:
    """Start to serve the page on a thread."""
    pn.serve(
        {"app": build_single_handler_application(Path(__file__).parent)},
        port=port,
        address=HERE,
        show=False,
        threaded=True,
        verbose=False,
        websocket_origin=[f"{HERE}:{port}"],
    )
