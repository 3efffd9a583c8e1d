"""An open page of the browser, with what tests do on it, and the window that it is in."""

import itertools
import re
from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page, ViewportSize

from app.server.session import CONDUCTOR, VISITS, Visit
from engine import Pause, Play, Status
from tests.browser.renewal import BEGUN
from tests.served_page import forget_the_left
from tests.waiting import PATIENCE, RUNNING, wait_until

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
PACE = 300  # steps a second: at full speed training takes the machine that draws the page
PAUSES = (10, 20, 40, 80)  # milliseconds between two looks at a page, which has to answer each
# Part of an address, for tests that look at other things than plots.
ONE_PLOT = "hide=accuracy,updates,activations,inside"


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
        try:
            self.page.goto(at_test_pace(address))
            self.wait_for_the_first_frame()
        except Exception:  # the next test is to find no page
            self.window.close()
            raise
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

    def wait_for_the_first_frame(self) -> None:
        """Wait until the page shows anything of the run; of one that waits there is no more."""
        self.page.wait_for_function("window.babysit?.frames >= 1")

    def wait_for_frames(self, more: int) -> None:
        """Wait until so many more frames of a run that trains have been applied."""
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
    wait_until(nobody_is_there)


def nobody_is_there() -> bool:
    """Whether all visits have ended, also those that began while their page was closed."""
    forget_the_left()
    return not VISITS and len(CONDUCTOR) == 0


def whole(tab: Tab) -> None:
    """Wait until the page is complete: the settings come last."""
    tab.page.get_by_role("slider", name="Learning rate").wait_for()


def at_rest(tab: Tab) -> None:
    """The whole page of a run that has come some steps, and waits."""
    tab.pause()
    whole(tab)
    tab.train(max(0, BEGUN - tab.snapshot.step))
    tab.wait_for(lambda: tab.text("status") == "paused")


def standing(tab: Tab) -> tuple[object, ...]:
    """The state of a page apart from its steps."""
    chosen = tab.page.locator("[role=tab][aria-selected=true]").all_inner_texts()
    dialogs = tab.page.get_by_role("dialog").count()
    size = tab.page.evaluate("document.documentElement.style.fontSize")
    now = tab.snapshot
    settings = (now.config, now.run, now.status, now.markers)
    return (*settings, tab.page.viewport_size, chosen, dialogs, size)
