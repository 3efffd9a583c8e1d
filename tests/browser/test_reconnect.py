"""A run survives a lost connection, a reload of the page, and a restart of the server."""

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.server.session import VISITS, Visit
from app.sharing import packed_runs
from engine import Conductor, Recording, RunConfig, SetKnob, Status
from tests.addresses import answers, free_port
from tests.browser.conftest import ROOT
from tests.browser.tab import ONE_PLOT, at_test_pace, wait_for
from tests.served_page import forget_the_left
from tests.waiting import PATIENCE, wait_until

# A page that gets its document again sends all of it back (Bokeh 3.10.2), which is harmless.
pytestmark = pytest.mark.filterwarnings("ignore:reference already known")


class Line:
    """The connection of a page's sockets to its server, which can be cut and restored."""

    def __init__(self, page: Page) -> None:
        self._cut = False
        self._ends: list[object] = []
        page.route_web_socket(re.compile("/(ws|frames)"), self._connect)

    def _connect(self, socket) -> None:
        if self._cut:
            socket.close(code=3001)
        else:
            self._ends += [socket.connect_to_server(), socket]

    def cut(self, code: int = 3001) -> None:
        self._cut = True
        for end in self._ends:
            end.close(code=code)
        self._ends = []

    def mend(self) -> None:
        self._cut = False


def opened(page: Page, address: str) -> None:
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}"))
    page.wait_for_function("window.babysit?.step > 0")  # there is something to lose
    page.locator("#loader").wait_for(state="hidden")


def newest() -> Visit:
    """The visit of the page; earlier tests' visits may still be kept."""
    return list(VISITS.values())[-1]


def bar(page: Page, words: str = ""):
    return page.locator(".babysit-bar[role=alert]").filter(has_text=words)


def test_a_page_outlives_a_stopped_engine_and_a_lost_connection(page, address, monkeypatch):
    line = Line(page)
    opened(page, address)
    visit = newest()
    page.wait_for_function("window.babysit.step > 50")

    # The engine stops, which the page says, and offers to repeat the run.
    monkeypatch.setattr(Conductor, "alive", property(lambda conductor: False))
    gone = bar(page, "The server no longer has the run of before")
    gone.wait_for()
    expect(page.get_by_role("link", name=re.compile("Repeat it up to step"))).to_be_visible()
    monkeypatch.undo()
    gone.wait_for(state="detached")  # the same run continues

    # The connection is lost: the run waits for the page, and then continues.
    visit.handle.send(SetKnob("optimization.learning_rate", 0.003))
    line.cut()
    wait_for(page, lambda: visit.handle.latest.status is Status.PAUSED)
    left_at = visit.handle.latest.step
    bar(page, "The connection to the server is lost").wait_for()
    line.mend()
    page.wait_for_function(f"window.babysit.step > {left_at}")
    bar(page).wait_for(state="hidden")
    assert newest() is visit
    assert visit.handle.latest.run == 1
    assert visit.handle.latest.config.optimization.learning_rate == 0.003
    assert visit.handle.latest.status is Status.RUNNING

    # A run that was paused stays so.
    page.get_by_role("button", name="Pause").click()  # the page's widgets still work
    wait_for(page, lambda: visit.handle.latest.status is Status.PAUSED)
    step = visit.handle.latest.step
    line.cut()
    bar(page, "The connection to the server is lost").wait_for()
    line.mend()
    bar(page).wait_for(state="hidden")
    assert visit.handle.latest.status is Status.PAUSED
    assert visit.handle.latest.step == step

    # After its session has expired a page waits for a lost server.
    line.cut(code=4403)
    bar(page, "The server no longer has the run of before").wait_for()
    bar(page, "The connection to the server is lost").wait_for()


def test_after_the_session_expires_the_run_is_repeated_from_its_link(page, address):
    line = Line(page)
    opened(page, address)
    visit = newest()
    visit.handle.send(SetKnob("optimization.learning_rate", 0.003))
    wait_for(page, lambda: _turns(visit) == 1)
    frames = page.evaluate("window.babysit.frames")
    page.wait_for_function(f"window.babysit.frames > {frames}")
    line.cut()
    forget_the_left()
    wait_for(page, lambda: not VISITS)  # until the server has forgotten the session
    line.mend()
    _goes_on(page, address)
    visit = newest()
    assert visit.handle.latest.config.optimization.learning_rate == 0.003


def test_a_reloaded_page_is_dark_as_before_and_offers_the_previous_run_until_that_is_dismissed(
    page, address
):
    opened(page, address)
    page.get_by_role("button", name="Toggle theme").click()
    wait_for(page, lambda: newest().parts.layout.page.dark_theme)
    _written_down(page)
    page.reload()
    offer = bar(page, "The server no longer has the run of before")
    wait_for(page, lambda: newest().parts.layout.page.dark_theme)
    expect(page.locator("body")).to_have_css("background-color", "rgb(18, 18, 18)")
    offer.get_by_role("button", name="Dismiss").click()
    offer.wait_for(state="hidden")
    _written_down(page)
    page.reload()
    _goes_on(page, address)


def test_a_page_is_dark_as_the_system_is_until_another_choice_is_made(page, address):
    page.emulate_media(color_scheme="dark")
    opened(page, address)
    wait_for(page, lambda: newest().parts.layout.page.dark_theme)
    expect(page.locator("body")).to_have_css("background-color", "rgb(18, 18, 18)")
    page.get_by_role("button", name="Toggle theme").click()
    wait_for(page, lambda: not newest().parts.layout.page.dark_theme)
    opened(page, address)
    expect(page.locator("body")).not_to_have_css("background-color", "rgb(18, 18, 18)")
    assert not newest().parts.layout.page.dark_theme


def test_a_page_that_is_to_be_dark_is_white_in_no_frame(page, address):
    page.emulate_media(color_scheme="dark")
    page.add_init_script(
        """window.colours = new Set()
        const look = () => {
            if (document.body != null) colours.add(getComputedStyle(document.body).backgroundColor)
            requestAnimationFrame(look)
        }
        requestAnimationFrame(look)"""
    )
    opened(page, address)
    expect(page.locator("body")).to_have_css("background-color", "rgb(18, 18, 18)")
    wait_for(page, lambda: newest().parts.layout.page.dark_theme)
    assert "rgb(255, 255, 255)" not in page.evaluate("[...colours]")


def test_a_page_reloaded_in_a_lesson_offers_the_previous_run_beside_the_own_one_alone(
    page, address
):
    opened(page, address)
    _written_down(page)
    page.get_by_role("tab", name="Lessons").click()
    asks = page.get_by_text("Predict, and it runs.")
    asks.wait_for()
    page.keyboard.press("n")  # to a lesson with an address
    page.wait_for_url(re.compile("lesson="))
    page.reload()
    asks.wait_for()
    wait_for(page, lambda: newest().handle.waits_at is not None)
    page.wait_for_function("window.babysit.frames > 0")
    expect(bar(page)).to_have_count(0)
    page.get_by_role("tab", name="Knobs").click()
    bar(page, "The server no longer has the run of before").wait_for()
    _goes_on(page, address)
    assert "lesson=" not in page.url  # it would open the lesson again


def _turns(visit: Visit) -> int:
    """The number of changes in the link that the page holds."""
    link = visit.reconnect_link.fields(visit.handle)["link"]
    return len(packed_runs.unpacked(link).turns) if link else 0


def _written_down(page: Page) -> None:
    """Wait until the page has stored the link to its run, which it does once a second."""
    page.wait_for_function(
        """() => {
            const kept = JSON.parse(sessionStorage.getItem("babysit:run"))
            return kept?.link && kept.step > 0
        }"""
    )


def _goes_on(page: Page, address: str) -> None:
    """The page offers to repeat the run, and does so."""
    link = page.get_by_role("link", name=re.compile("Repeat it up to step"))
    step = int(re.sub(r"\D", "", link.inner_text()))
    assert step > 0
    link.click()
    page.wait_for_url(f"{address}?*run=*")
    page.wait_for_function(f"window.babysit?.step > {step}")
    bar(page).wait_for(state="hidden")


def test_a_new_server_at_the_same_address_gets_the_run(page):
    """The README's command, as a user runs it; it stops on SIGTERM with the page still open."""
    port = free_port()
    address = f"http://localhost:{port}/app"
    with _server(port):
        wait_until(lambda: answers(address))
        opened(page, address)
        page.wait_for_function("window.babysit.step > 200")
    bar(page, "The connection to the server is lost").wait_for()
    with _server(port):
        _goes_on(page, address)


@contextlib.contextmanager
def _server(port: int) -> Iterator[None]:
    panel = Path(sys.executable).with_name("panel")
    server = subprocess.Popen(
        [panel, "serve", "app", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=PATIENCE)
    finally:
        server.kill()
    assert server.returncode == 0
    assert "Traceback" not in output
    assert "ERROR" not in output


# Loses Bokeh's first connections as soon as they are there, before the page has come over one.
LOSES = """
const Plain = window.WebSocket
window.WebSocket = class extends Plain {
  constructor(url, ...given) {
    super(url, ...given)
    const lost = Number(sessionStorage.getItem("lost"))
    if (new URL(url).pathname.endsWith("/ws") && lost < MOST) {
      sessionStorage.setItem("lost", lost + 1)
      this.addEventListener("open", () => this.close())
    }
  }
}
"""


def _loses(page: Page, connections: int) -> None:
    page.add_init_script(LOSES.replace("MOST", str(connections)))


def test_a_page_whose_connection_is_lost_before_it_has_come_is_loaded_again(page, address):
    _loses(page, 1)
    opened(page, address)
    assert page.evaluate("sessionStorage.getItem('lost')") == "1"


def test_a_page_that_never_comes_is_not_loaded_again_for_ever(page, address):
    _loses(page, 3)
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}"))
    again = bar(page, "The page does not come").get_by_role("button", name="Load it again")
    again.wait_for()
    assert page.evaluate("sessionStorage.getItem('lost')") == "3"
    again.click()
    page.wait_for_function("window.babysit?.step > 0")


def test_a_page_of_which_a_part_of_the_code_does_not_come_is_loaded_again(page, address):
    part, failed = re.compile("/static/levels.js"), []

    def fail_once(route):
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    page.route(part, fail_once)
    opened(page, address)
    assert failed
    page.route(part, lambda route: route.abort())
    page.reload()
    page.get_by_role("alert").filter(has_text="A part of this page did not come").wait_for()


def test_a_page_that_cannot_draw_a_frame_is_loaded_again_and_later_on_asks_first(page, address):
    broken = [True]

    def spoil(socket):
        server, spoilt = socket.connect_to_server(), broken.copy()
        broken.clear()
        server.on_message(lambda text: socket.send("{" if spoilt or broken else text))

    page.route_web_socket(re.compile("/frames"), spoil)
    opened(page, address)
    assert not broken
    broken.append(True)
    again = bar(page, "could not be drawn any further").get_by_role("button", name="Load it again")
    again.wait_for()
    broken.clear()
    again.click()
    page.wait_for_function("window.babysit?.step > 0")


def test_a_reloaded_page_of_a_link_offers_nothing_if_it_knows_no_other_run(page, address):
    run = {"visit": "before", "link": "", "step": 7}
    page.add_init_script(f"sessionStorage.setItem('babysit:run', JSON.stringify({run}))")
    link = packed_runs.packed(Recording(RunConfig(), (), 3))
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}"))
    page.reload()  # a run that no link can hold
    bar(page, "The server no longer has the run of before").wait_for()
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}&run={link}&steps=3"))
    page.reload()
    page.wait_for_function("window.babysit?.step >= 3")
    expect(bar(page, "The server no longer has")).to_have_count(0)
