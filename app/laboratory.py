"""The page in a notebook: a frame under a cell, served by this process on this machine alone.

from app import Laboratory
from engine import RunConfig

Laboratory(RunConfig(seed=3), only=["loss", "accuracy"]).servable()
"""

import functools
import html
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import panel as pn
from bokeh.application import Application
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
        query = run_links.query(Recording(config or RunConfig(), (), 0), True, ())
        names = tuple(only)
        if refusal := run_links.read({"only": [",".join(names).encode()]}).refusal:
            raise ValueError(refusal.replace("This link", "The laboratory"))
        wanted = f"&{urlencode({'only': ','.join(names)}, safe=',')}" if names else ""
        self.address = f"{_served()}{query}{wanted}"
        self.height = height

    def _frame(self, height: str) -> str:
        return (
            f'<iframe src="{html.escape(self.address)}" title="Babysit" loading="lazy"'
            f' style="width: 100%; height: {height}; border: 0"></iframe>'
        )

    def __panel__(self) -> Viewable:
        """A frame with the page in it."""
        return HTML(self._frame("100%"), height=self.height, sizing_mode="stretch_width", margin=0)

    def servable(self, *args: Any, **kwargs: Any) -> Any:
        """Show it where a script is served; below a cell of a notebook it is shown anyway."""
        super().servable(*args, **kwargs)
        return self

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows below a cell: plain HTML, which needs no extension of Panel's."""
        return {"text/html": self._frame(f"{self.height}px"), "text/plain": self.address}


@functools.cache
def _served() -> str:
    """The address of the page, served by a thread of this process from now on."""
    # A notebook has no class room: whoever starts it need not be told its teacher's password.
    os.environ.setdefault("BABYSIT_TEACHER", secrets.token_urlsafe())
    from app.server import http_handlers, loop_lag  # the import reads the environment
    from app.server.workarounds.notebook_pages import keep_pages_out_of_the_notebook

    keep_pages_out_of_the_notebook()
    # A cell that trains makes the page late, which its notebook need not be told in red.
    logging.getLogger(loop_lag.__name__).setLevel(logging.ERROR)
    http_handlers.allow_frames(NOTEBOOKS)
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = int(probe.getsockname()[1])
    # Built here: a script that is served holds a lock of Bokeh's for which a thread would wait.
    page = build_single_handler_application(Path(__file__).parent)
    # Panel's thread is a daemon like the one that starts it: it must not outlive the notebook.
    starter = threading.Thread(target=_serve, args=(page, port), daemon=True)
    starter.start()
    starter.join()
    return f"http://{HERE}:{port}/app"


def _serve(page: Application, port: int) -> None:
    """Start to serve the page on a thread."""
    pn.serve(
        {"app": page},
        port=port,
        address=HERE,
        show=False,
        threaded=True,
        verbose=False,
        websocket_origin=[f"{HERE}:{port}"],
    )
