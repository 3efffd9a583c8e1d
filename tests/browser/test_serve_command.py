"""The README's command as a user runs it: it serves the page, and stops on SIGTERM."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.addresses import answers, free_port
from tests.browser.conftest import ROOT
from tests.waiting import PATIENCE, wait_until


def test_panel_serve_app_serves_the_page_and_stops_on_sigterm(page):
    port = free_port()
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
        wait_until(lambda: answers(address))
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
