"""The laboratory in a script that `panel serve` runs, as README has it."""

import socket
import subprocess
import sys
import urllib.request

import panel.models.markup  # noqa: F401  # by which the session below is read
import pytest
from bokeh.client import pull_session

from tests.addresses import free_port
from tests.served_page import ROOT
from tests.waiting import PATIENCE, wait_until

SCRIPT = """
from app import Laboratory
from engine import RunConfig

Laboratory(RunConfig(seed=3), only=["loss", "transport"]).servable()
"""


@pytest.fixture
def served(tmp_path):
    """The address of a script with the laboratory."""
    (tmp_path / "script.py").write_text(SCRIPT)
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", tmp_path / "script.py", f"--port={port}"]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            wait_until(lambda: listens(port))
            yield f"http://localhost:{port}/script"
        finally:
            server.kill()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.filterwarnings("ignore:There is no current event loop")  # of Bokeh's client
def test_a_script_that_is_served_shows_the_laboratory_in_a_frame(served):
    with urllib.request.urlopen(served, timeout=PATIENCE) as page:  # runs the script
        assert page.status == 200
    session = pull_session(url=served)
    frames = [root.text for root in session.document.roots if "iframe" in getattr(root, "text", "")]
    session.close()
    assert len(frames) == 1 and "only=loss,transport" in frames[0]
