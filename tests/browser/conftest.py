"""A server in this process, whose experiments the tests can look at, and a real Chromium."""

import logging
import os
import re
import shutil
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import panel as pn
import pytest
from panel.io.application import build_single_handler_application
from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

from app.server.cpu_affinity import CORE
from app.server.log_limits import Brief
from app.server.session import CONDUCTOR, VISITS, Visit
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
DRAWN_TWICE = "() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
STILL = """() => {
    const roots = [document]
    for (const root of roots) {
        for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot != null) roots.push(element.shadowRoot)
        }
    }
    return roots.flatMap((root) => root.getAnimations()).every((animation) =>
        animation.playState == "finished"
        || animation.effect?.getComputedTiming().endTime == Infinity)
}"""
SCREEN = ViewportSize(width=1440, height=900)
SERVER = "of all tests"
LONG = 3_600_000  # milliseconds in which even a busy browser has come back
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without these a Chromium talks to its maker's hosts on its own.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    """Return as soon as it holds; the page's events are let through meanwhile."""
    wait_until(condition, lambda seconds: page.wait_for_timeout(1000 * seconds))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def served(address: str) -> bool:
    """Whether a server answers there; it is not asked for a page, which would be a visit."""
    try:
        with urllib.request.urlopen(f"{address}/static/frames.js", timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        reason = "no Chromium on this machine: the page was not tested"
        if os.environ.get("BABYSIT_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The page's address on a server that forgets a closed tab when it is told to."""
    # Pytest keeps the records of a log for its report, and some of Panel's hold the page.
    logging.getLogger("panel").setLevel(logging.INFO)
    port = free_port()
    thread = pn.serve(
        {"app": build_single_handler_application(ROOT / "app")},
        port=port,
        show=False,
        threaded=True,
        server_id=SERVER,
        unused_session_lifetime_milliseconds=LONG,
        check_unused_sessions_milliseconds=300,
        websocket_origin=[f"localhost:{port}"],
    )
    address = f"http://localhost:{port}/app"
    wait_until(lambda: served(address))
    for handler in logging.getLogger().handlers:  # what one test makes it say, another asks for
        for brief in [x for x in handler.filters if isinstance(x, Brief)]:
            handler.removeFilter(brief)
    yield address
    thread.stop()
    CONDUCTOR.close()
    CORE.end()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser's page that shows nothing yet."""
    DESK.clear()
    context = chromium.new_context(viewport=SCREEN)
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    yield page
    context.close()
    forget_the_left()


def forget_the_left() -> None:
    """The servers forget who has left at their next look round, not after the usual time."""
    for server, _, _ in pn.state._servers.values():
        for session in server.get_sessions("/app"):
            session.request_expiration()


def at_full_speed(address: str) -> str:
    """The page as most tests want it: it learns as fast as it can, unless the address says else."""
    said = "pace=" in address
    return address if said else f"{address}{'&' if '?' in address else '?'}pace=full"


class Tab:
    """An open page, what it did wrong, and the visit behind it."""

    def __init__(self, browser: Browser, address: str, screen: ViewportSize | None = None) -> None:
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self._host = address.split("/")[2]
        self.context = browser.new_context(viewport=screen or SCREEN)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("pageerror", lambda error: self.errors.append(error.stack))
        self.page.on("console", self._listen)
        self.page.on("request", self._watch)
        self.page.on("websocket", lambda socket: self._judge(socket.url))
        before = set(VISITS)
        self.page.goto(at_full_speed(address))
        self.wait_for_frames(3)
        (self.session,) = set(VISITS) - before

    @property
    def visit(self) -> Visit:
        return VISITS[self.session]

    @property
    def snapshot(self):
        return self.visit.handle.latest

    def _listen(self, message) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _watch(self, request) -> None:
        self._judge(request.url)

    def _judge(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")) and url.split("/")[2] != self._host:
            self.strangers.append(url)

    def channel(self, what: str) -> int:
        return self.page.evaluate(f"window.babysit?.{what} ?? 0")

    def settle(self) -> None:
        """Until all that fades, grows or moves has come to its end."""
        self.page.evaluate(DRAWN_TWICE)  # it begins with the next drawing
        self.page.wait_for_function(STILL)

    def wait_for_frames(self, more: int) -> None:
        """Until so many further frames have been applied."""
        self.page.wait_for_function("window.babysit != null")
        frames = self.channel("frames")
        self.page.wait_for_function(f"window.babysit.frames >= {frames + more}")

    def wait_for(self, condition: Callable[[], object]) -> None:
        wait_for(self.page, condition)

    def text(self, name: str) -> str:
        return self.page.locator(f'[data-text="{name}"]').inner_text()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def _menu(self, name: str) -> Locator:
        return self.page.get_by_role("combobox", name=re.compile(f"^{re.escape(name)} ·"))

    def menu(self, name: str) -> str:
        """What a menu shows as chosen."""
        return self._menu(name).inner_text()

    def choose(self, menu: str, option: str) -> None:
        """Press a menu, again if it was just being drawn anew, and take an option."""
        entry = self.page.get_by_role("option", name=option, exact=True)

        def opened() -> object:
            if self._menu(menu).get_attribute("aria-expanded") != "true":
                self._menu(menu).click()
            return entry.is_visible()

        self.wait_for(opened)
        entry.click()

    def write(self, field: str, words: str) -> None:
        box = self.page.get_by_role("textbox", name=re.compile(f"^{re.escape(field)} ·"))
        box.fill(words)
        box.press("Enter")

    def slide(self, slider: str, key: str) -> None:
        self.page.get_by_role("slider", name=slider).focus()
        self.page.keyboard.press(key)

    def source(self, name: str) -> dict[str, list]:
        """The columns of a source, as the browser has them, as soon as it has them."""
        columns = self.page.wait_for_function(
            """name => {
                const data = window.babysit.model(name)?.data
                const columns = data && Object.entries(data).map(([k, v]) => [k, Array.from(v)])
                return columns && Object.fromEntries(columns)
            }""",
            arg=name,
        )
        return columns.json_value()


def close(tabs: list[Tab]) -> None:
    """Close them, and insist that they were quiet and left nothing."""
    for tab in tabs:
        tab.context.close()
    forget_the_left()
    for tab in tabs:
        assert tab.strangers == []
        assert "\n".join(tab.errors) == ""
    wait_until(lambda: not VISITS and len(CONDUCTOR) == 0)


@pytest.fixture
def open_tab(chromium: Browser, address: str) -> Iterator[Callable[[], Tab]]:
    """Opens tabs; afterwards closes them and insists that they were quiet and left nothing."""
    DESK.clear()
    tabs: list[Tab] = []

    def open_one() -> Tab:
        tabs.append(Tab(chromium, address))
        return tabs[-1]

    yield open_one
    close(tabs)


def whole(tab: Tab) -> None:
    """Wait for the last that a page gets, its knobs."""
    tab.page.get_by_role("slider", name="Learning rate").wait_for()


@pytest.fixture
def tab(open_tab: Callable[[], Tab]) -> Tab:
    """One open page in which a network trains, with all its knobs."""
    tab = open_tab()
    whole(tab)
    return tab


class Desk:
    """Where a page lies open that tests use in turn, since to open one takes longest of all."""

    def __init__(self) -> None:
        self._tabs: list[Tab] = []
        self._kind: object = None

    def clear(self) -> None:
        """Close the page, for who wants one of his own, or none to run beside."""
        tabs, self._tabs, self._kind = self._tabs, [], None
        if tabs:
            close(tabs)

    def tab(
        self,
        browser: Browser,
        address: str,
        prepare: Callable[[Tab], object] = whole,
        screen: ViewportSize = SCREEN,
    ) -> Tab:
        """The page, opened on such a screen and prepared so, by this test or by one before."""
        kind = (prepare, *screen.values())
        if kind != self._kind:
            self.clear()
            self._tabs = [Tab(browser, address, screen)]
            prepare(self._tabs[0])
            self._kind = kind
        return self._tabs[0]


DESK = Desk()


@pytest.fixture(autouse=True, scope="module")
def cleared() -> Iterator[None]:
    """Each file leaves the desk clear."""
    yield
    DESK.clear()


@pytest.fixture
def on_the_desk(
    request: pytest.FixtureRequest, chromium: Browser, address: str
) -> Iterator[Callable[..., Tab]]:
    """Gives the page that tests use in turn; what has failed or was not quiet is nobody's."""
    failed = request.session.testsfailed
    taken: list[Tab] = []

    def take(prepare: Callable[[Tab], object] = whole, screen: ViewportSize = SCREEN) -> Tab:
        taken.append(DESK.tab(chromium, address, prepare, screen))
        return taken[-1]

    yield take
    noisy = any(tab.errors or tab.strangers for tab in taken)
    if noisy or request.session.testsfailed > failed:
        DESK.clear()


@pytest.fixture
def shared(on_the_desk: Callable[..., Tab]) -> Iterator[Tab]:
    """An open page with all its knobs, for a test that leaves it as it was."""
    tab = on_the_desk()
    before = standing(tab)
    yield tab
    try:
        tab.wait_for(lambda: standing(tab) == before)
    except AssertionError:
        left = standing(tab)
        DESK.clear()
        assert left == before


def standing(tab: Tab) -> tuple[object, ...]:
    """How a page stands, apart from the steps that its network has learned."""
    chosen = tab.page.locator("[role=tab][aria-selected=true]").all_inner_texts()
    dialogs = tab.page.get_by_role("dialog").count()
    size = tab.page.evaluate("document.documentElement.style.fontSize")
    now = tab.snapshot
    settings = (now.config, now.run, now.status, now.markers)
    return (*settings, tab.page.viewport_size, chosen, dialogs, size)
