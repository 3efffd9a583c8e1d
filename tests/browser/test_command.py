"""The README's command, as somebody's machine runs it: it serves, and stops when told to."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds


def test_panel_serve_app_serves_the_page_and_stops_on_sigterm(page):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    panel = Path(sys.executable).with_name("panel")
    server = subprocess.Popen(
        [panel, "serve", "app", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = f"http://localhost:{port}/app"
        _wait_until_served(address)
        page.goto(address)
        page.wait_for_function("window.babysit?.frames > 3", timeout=1000 * PATIENCE)
        assert page.evaluate("window.babysit.step") > 0
        server.send_signal(signal.SIGTERM)  # with the page still open
        output, _ = server.communicate(timeout=PATIENCE)
    finally:
        server.kill()
    assert server.returncode == 0
    assert "Traceback" not in output
    assert "ERROR" not in output


def _wait_until_served(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)
