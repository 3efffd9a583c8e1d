"""A server in this process, whose experiments the tests can inspect, and a real Chromium."""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from app.server.session import CONDUCTOR, VISITS, Visit
from engine import Pause, Play, Status
from tests.browser.renewal import BEGUN, renewed, traces
from tests.served_page import ServedPage, forget_the_left, serve_to_the_end
from tests.waiting import PATIENCE, RUNNING, wait_until

ROOT = Path(__file__).parents[2]
HERE = "tests/browser/"
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
FOCUSED = """() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    return element?.outerHTML.slice(0, 300) ?? ""
}"""
SCREEN = ViewportSize(width=1440, height=900)
expect.set_options(timeout=1000 * PATIENCE)  # a page may be drawn after what it shows is known
PACE = 300  # steps a second: at full speed training takes the machine that draws the page
PAUSES = (10, 20, 40, 80)  # milliseconds between two looks at a page, which has to answer each
FRAMES = 3  # a second, a third of the usual number: drawing takes most of the machine
# Part of an address, for tests that look at other things than plots.
ONE_PLOT = "hide=accuracy,updates,activations,inside"
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


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; the page's events are processed meanwhile.

    Looks that take long, as those of axe, leave the page as much time for getting there.
    """
    pauses = itertools.chain(PAUSES, itertools.repeat(PAUSES[-1]))
    looked_from = RUNNING()

    def pause(_: float) -> None:
        nonlocal looked_from
        page.wait_for_timeout(max(next(pauses), 1000 * (RUNNING() - looked_from)))
        looked_from = RUNNING()

    wait_until(condition, pause)


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


class Window:
    """Pages with the same cookies and storage, which no other window has.

    Only the profile that the browser was started with keeps compiled scripts, with which a page
    opens faster; so the first window has that, and leaves nothing else in it.
    """

    _lent = False

    def __init__(self, browser: Browser, screen: ViewportSize = SCREEN) -> None:
        self._screen = screen
        self._has_profile = not Window._lent
        Window._lent = True
        new = browser.new_context
        self._context = browser.contexts[0] if self._has_profile else new(viewport=screen)
        self._pages: list[Page] = []

    def new_page(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        if page.viewport_size != self._screen:
            page.set_viewport_size(self._screen)
        self._pages.append(page)
        return page

    def grant_permissions(self, names: list[str]) -> None:
        self._context.grant_permissions(names)

    def close(self) -> None:
        """Close the pages, and forget what they stored."""
        pages, self._pages = self._pages, []
        if not self._has_profile:
            self._context.close()
        elif pages:
            for page in pages:
                page.close()
            self._context.clear_cookies()
            self._context.clear_permissions()
            session = self._context.new_cdp_session(self._context.pages[0])
            everywhere = {"origin": "*", "storageTypes": "local_storage"}
            session.send("Storage.clearDataForOrigin", everywhere)
            session.detach()
            Window._lent = False


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


def with_query(address: str, query: str) -> str:
    return f"{address}?{query}" if query else address


def at_test_pace(address: str) -> str:
    """The page fast, but so that the machine is left to the browser, unless a pace is given."""
    given = "pace=" in address
    return address if given else f"{address}{'&' if '?' in address else '?'}pace={PACE}"


class Tab:
    """An open page, its errors, and its visit on the server."""

    def __init__(self, browser: Browser, address: str, screen: ViewportSize | None = None) -> None:
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self._host = address.split("/")[2]
        self.window = Window(browser, screen or SCREEN)
        self.page = self.window.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(error.stack))
        self.page.on("console", self._listen)
        self.page.on("request", self._watch)
        self.page.on("websocket", lambda socket: self._judge(socket.url))
        before = set(VISITS)
        self.page.goto(at_test_pace(address))
        self.wait_for_frames(1)
        (self.session,) = set(VISITS) - before
        self.pace = self.visit.handle.pace

    @property
    def open(self) -> bool:
        """Whether it still shows the visit that it was opened for."""
        return self.session in VISITS and not self.page.is_closed()

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

    def play(self) -> None:
        """Let the run train, for a test that needs it to."""
        self.visit.send(Play())
        self.wait_for(lambda: self.text("status") == "running")

    def pause(self) -> None:
        """A page of a run that waits costs next to nothing."""
        self.visit.send(Pause())
        self.wait_for(lambda: self.snapshot.status is not Status.RUNNING)

    def train(self, steps: int) -> None:
        """Have so many more steps made at once, and wait until the page shows the last."""
        end = self.visit.handle.query(lambda run: run.train(steps) or run.step).result()
        self.wait_for(lambda: self.channel("step") >= end)

    def channel(self, what: str) -> int:
        return self.page.evaluate(f"window.babysit?.{what} ?? 0")

    def settle(self) -> None:
        """Wait until all animations have ended."""
        self.page.evaluate(DRAWN_TWICE)  # an animation starts with the next drawing
        self.page.wait_for_function(STILL, polling=PAUSES[-1])

    def wait_for_frames(self, more: int) -> None:
        """Wait until so many more frames have been applied."""
        self.page.wait_for_function("window.babysit != null")
        frames = self.channel("frames")
        self.page.wait_for_function(f"window.babysit.frames >= {frames + more}")

    def wait_for(self, condition: Callable[[], object]) -> None:
        wait_for(self.page, condition)

    def text(self, name: str) -> str:
        return self.page.locator(f'[data-text="{name}"]').inner_text()

    def focused(self) -> str:
        """The element that hears the keys, across shadow roots."""
        return self.page.evaluate(FOCUSED)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def press_space(self, label: str) -> None:
        """Play or pause by key, once the button says that this is what it does."""
        self.page.get_by_role("button", name=label, exact=True).wait_for()
        self.page.keyboard.press(" ")

    def _menu(self, name: str) -> Locator:
        return self.page.get_by_role("combobox", name=re.compile(f"^{re.escape(name)} ·"))

    def menu(self, name: str) -> str:
        """The chosen entry of a menu."""
        return self._menu(name).inner_text()

    def choose(self, menu: str, option: str) -> None:
        """Open a menu, again if it was just being redrawn, and choose an option."""
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
        """The columns of a source in the browser, as soon as it has them."""
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
    """Close the tabs, and check that they had no errors and left nothing behind."""
    for tab in tabs:
        tab.window.close()
    forget_the_left()
    for tab in tabs:
        assert tab.strangers == []
        assert "\n".join(tab.errors) == ""
    wait_until(lambda: not VISITS and len(CONDUCTOR) == 0)


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


def whole(tab: Tab) -> None:
    """Wait until the page is complete: the settings come last."""
    tab.page.get_by_role("slider", name="Learning rate").wait_for()


def at_rest(tab: Tab) -> None:
    """The whole page of a run that has come some steps, and waits."""
    tab.pause()
    whole(tab)
    tab.train(max(0, BEGUN - tab.snapshot.step))
    tab.wait_for(lambda: tab.text("status") == "paused")


class KeptTab:
    """Keeps one page open for several tests, because opening takes longest."""

    def __init__(self) -> None:
        self._tabs: list[Tab] = []
        self._kind: object = None
        self._as_opened: dict[str, object] = {}
        self.used = False  # by a test that may have changed it
        self.stays = False  # for the next file

    def clear(self) -> None:
        """Close the page, for a test that needs its own, or none beside it."""
        tabs, self._tabs, self._kind, self.used = self._tabs, [], None, False
        if tabs:
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


def standing(tab: Tab) -> tuple[object, ...]:
    """The state of a page apart from its steps."""
    chosen = tab.page.locator("[role=tab][aria-selected=true]").all_inner_texts()
    dialogs = tab.page.get_by_role("dialog").count()
    size = tab.page.evaluate("document.documentElement.style.fontSize")
    now = tab.snapshot
    settings = (now.config, now.run, now.status, now.markers)
    return (*settings, tab.page.viewport_size, chosen, dialogs, size)
