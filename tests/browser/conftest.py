"""A server in this process, whose experiments the tests can inspect, and a real Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from app.server.session import CONDUCTOR
from tests.browser.renewal import renewed, traces
from tests.browser.tab import SCREEN, Tab, Window, at_rest, close, standing, with_query
from tests.served_page import ServedPage, forget_the_left, serve_to_the_end
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
HERE = "tests/browser/"
expect.set_options(timeout=1000 * PATIENCE)  # a page may be drawn after what it shows is known
FRAMES = 3  # a second, a third of the usual number: drawing takes most of the machine
CHROMIUMS = (
    "chromium-headless-shell",  # the same without windows: a page opens in two thirds of the time
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
)
# Without these Chromium contacts Google's hosts by itself.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
SCRIPTS = (
    "--no-flush-bytecode",
    "--no-enable-lazy-source-positions",  # each request's stack would have scripts compiled again
    "--initial-heap-size=400",  # MB, before all of it is searched for garbage
    "--no-memory-reducer",
)
# All pages are drawn by one process, which has compiled the page's scripts already.
ONE_PROCESS = ["--process-per-site", f"--js-flags={' '.join(SCRIPTS)}"]


def is_here(item: pytest.Item | None) -> bool:
    """Whether it is a test with a browser."""
    return item is not None and item.nodeid.startswith(HERE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with pages of their own come first, as the longest are among them."""
    ours = [item for item in items if is_here(item)]
    for item in ours:
        item.add_marker(pytest.mark.browser)

    def order(item: pytest.Item) -> tuple[bool, str]:
        shares = "kept_tab" in item.fixturenames
        return shares, query_of(item.module) if shares else ""

    items[:] = sorted(ours, key=order) + [item for item in items if not is_here(item)]


def pytest_runtest_protocol(nextitem: pytest.Item | None) -> None:
    """A test without a browser is to find no page open."""
    KEPT_TAB.stays = is_here(nextitem)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        reason = "no Chromium on this machine: the page was not tested"
        if os.environ.get("BABYSIT_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        profile = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=path,
            args=QUIET + ONE_PROCESS,
            viewport=SCREEN,
        )
        assert profile.browser
        yield profile.browser
        profile.close()


@pytest.fixture(scope="session")
def served() -> Iterator[ServedPage]:
    """The server of all tests, which forgets a closed tab when told to."""
    with serve_to_the_end() as served:
        CONDUCTOR.period = 1 / FRAMES
        yield served


@pytest.fixture(scope="session")
def address(served: ServedPage, chromium: Browser) -> str:
    """The page's address; a file from there keeps the process that draws its pages."""
    chromium.contexts[0].pages[0].goto(f"{served.address}/static/main.css")
    return served.address


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page of the browser."""
    KEPT_TAB.clear()
    window = Window(chromium)
    yield window.new_page()
    window.close()
    forget_the_left()


@pytest.fixture
def open_tab(chromium: Browser, address: str) -> Iterator[Callable[..., Tab]]:
    """Opens tabs; afterwards closes them and checks that they left no errors and no visits."""
    KEPT_TAB.clear()
    tabs: list[Tab] = []

    def open_one(query: str = "") -> Tab:
        tabs.append(Tab(chromium, with_query(address, query)))
        return tabs[-1]

    yield open_one
    close(tabs)


class KeptTab:
    """Keeps one page open for several tests, because opening takes longest."""

    def __init__(self) -> None:
        self._tabs: list[Tab] = []
        self._kind: object = None
        self._as_opened: dict[str, object] = {}
        self.used = False  # by a test that may have changed it
        self.stays = False  # for the next file

    def clear(self) -> None:
        """Close the page, for a test that needs its own, or none beside it.

        Nor is there a visit then of any page that an earlier test has closed.
        """
        tabs, self._tabs, self._kind, self.used = self._tabs, [], None, False
        close(tabs)

    def tab(
        self,
        browser: Browser,
        address: str,
        prepare: Callable[[Tab], object] = at_rest,
        screen: ViewportSize = SCREEN,
    ) -> Tab:
        """The page of this address, screen and preparation, opened now or by an earlier test."""
        kind = (address, prepare, *screen.values())
        if kind == self._kind and self.used:
            self.used = False
            if prepare is not at_rest or not renewed(self._tabs[0], screen, self._as_opened):
                self._kind = None
        if kind != self._kind:
            self.clear()
            self._tabs = [Tab(browser, address, screen)]
            prepare(self._tabs[0])
            self._kind = kind
            self._as_opened = traces(self._tabs[0])
        return self._tabs[0]


KEPT_TAB = KeptTab()


@pytest.fixture(autouse=True, scope="module")
def cleared() -> Iterator[None]:
    """The last of the files that follow each other closes the shared page."""
    yield
    if not KEPT_TAB.stays:
        KEPT_TAB.clear()


def query_of(module: object) -> str:
    """What the shared page's address asks for; a file that needs few plots says so."""
    return getattr(module, "QUERY", "")


@pytest.fixture
def kept_tab(
    request: pytest.FixtureRequest, chromium: Browser, address: str
) -> Iterator[Callable[..., Tab]]:
    """Gives access to the shared page; after a failure or an error it is closed."""
    failed = request.session.testsfailed
    taken: list[Tab] = []

    def take(prepare: Callable[[Tab], object] = at_rest, screen: ViewportSize = SCREEN) -> Tab:
        shown = with_query(address, query_of(request.module))
        taken.append(KEPT_TAB.tab(chromium, shown, prepare, screen))
        return taken[-1]

    yield take
    noisy = any(tab.errors or tab.strangers for tab in taken)
    if request.session.testsfailed > failed:
        for left in filter(lambda tab: tab.open, taken):
            print("the page was left", standing(left), left.text("status"), left.focused())
    if noisy or request.session.testsfailed > failed:
        KEPT_TAB.clear()


@pytest.fixture
def tab(kept_tab: Callable[..., Tab]) -> Iterator[Tab]:
    """An open page with all its settings, whose run waits after its first steps."""
    yield kept_tab()
    KEPT_TAB.used = True


@pytest.fixture
def shared(kept_tab: Callable[..., Tab]) -> Iterator[Tab]:
    """An open page with all its settings, for a test that leaves it unchanged."""
    tab = kept_tab()
    before = standing(tab)
    yield tab
    tab.pause()
    try:
        tab.wait_for(lambda: standing(tab) == before)
    except AssertionError:
        left = standing(tab)
        KEPT_TAB.clear()
        assert left == before
