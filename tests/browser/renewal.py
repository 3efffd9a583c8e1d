"""Brings an open page back to how it was opened, because opening one takes longest of all.

A test gets the page of the test before it only if nothing that the eye or a key could find is left
of that: every control, attribute and stored word is compared with those of the page as opened.
"""

from typing import Any

from playwright.sync_api import ViewportSize

from engine import Experiment, ExperimentSlot, Restart, RunConfig
from engine.runtime.background_jobs import BackgroundJobs

# What a visitor or a script could have left behind, but not what a run changes by itself.
TRACES = """() => {
    const own = ["role", "aria-label", "aria-expanded", "aria-selected", "aria-pressed", "disabled",
        "hidden"]
    const controls = "input, textarea, select, button, a, details, dialog, [role=tab]"
    const closed = ".plots[hidden] *, [popover]:not(:popover-open) *"
    const found = []
    const look = (root) => {
        for (const element of root.querySelectorAll("*")) {
            if (element.matches(closed)) continue
            if (element.shadowRoot != null) look(element.shadowRoot)
            if (!element.matches(`${controls}, :popover-open`)) continue
            const kept = own.map((name) => element.getAttribute(name))
            const {localName, style, checked, open} = element // Playwright leaves styles empty
            const value = element.type == "range" ? null : element.value
            const told = [localName, ...kept, style.cssText, checked, open, value]
            found.push(told.map(String).join(" "))
        }
    }
    look(document)
    const {attributes, style} = document.documentElement
    const kept = [...attributes].filter(({name}) => name != "style") // has the header's height
    return {
        controls: found,
        page: [...kept.map(({name, value}) => `${name}=${value}`), style.fontSize].sort(),
        body: document.body.className,
        address: location.href,
        size: [innerWidth, innerHeight],
    }
}"""
BEGUN = 200  # steps that the run of a page has come when a test gets it
SETTLES = 60  # looks at a page until it is taken as changed for good
LEAVE = """() => {
    localStorage.clear()
    sessionStorage.clear()
    document.activeElement?.blur()
    getSelection()?.removeAllRanges()
    for (const tabs of document.querySelectorAll("[role=tablist]")) {
        const first = tabs.querySelector("[role=tab]")
        if (first?.ariaSelected != "true") first?.click()
    }
    scrollTo(0, 0)
}"""
# What opens by itself again as long as its settings are changed, and what a new run leaves chosen.
FOLD = """() => {
    const fold = (root) => {
        for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot != null) fold(element.shadowRoot)
            if (element.matches("button.more[aria-expanded=true]")) element.click()
            if (element.matches("[data-axis=steps]") && element.value != "all") {
                element.value = "all"
                element.dispatchEvent(new Event("input", {bubbles: true, composed: true}))
            }
        }
    }
    fold(document)
}"""


def traces(tab: Any) -> dict[str, Any]:
    """What of a page a test could have changed, as it is now."""
    found: dict[str, Any] = tab.page.evaluate(TRACES)
    return found


def renewed(tab: Any, screen: ViewportSize, as_opened: dict[str, Any]) -> bool:
    """Bring a page back to how it was opened; say whether that succeeded."""
    if tab.errors or tab.strangers or not tab.open:
        return False
    for _ in range(2):  # an open menu, and the dialog around it
        tab.page.keyboard.press("Escape")
    tab.page.set_viewport_size(screen)
    _turn_back(tab)
    tab.page.mouse.move(0, 0)
    tab.page.evaluate(LEAVE)
    _begin_anew(tab)
    tab.page.evaluate(FOLD)
    left: dict[str, Any] = {}
    for _ in range(SETTLES):
        left = traces(tab)
        if left == as_opened:
            return True
        tab.settle()
    return False


def _turn_back(tab: Any) -> None:
    """Have the page light again, with its sidebar."""
    if "dark" in tab.page.locator("html").get_attribute("class"):
        tab.press("Toggle theme")
    opens = tab.page.get_by_role("button", name="Open drawer")
    if opens.is_visible():
        opens.click()


def _begin_anew(tab: Any) -> None:
    """Give the page a new experiment, which is its first run again."""
    handle = tab.visit.handle
    handle.send(Restart())  # the page tells runs apart by their number
    tab.wait_for(lambda: tab.channel("run") == handle.latest.run > 1)

    def replace(slot: ExperimentSlot) -> None:
        slot.show_own()
        slot.jobs = BackgroundJobs()
        slot.lesson_experiment, slot.refusal = None, ""
        slot.lesson_pace.set(None)
        slot.experiment = slot.own = Experiment(RunConfig())
        slot.experiment.train(BEGUN)

    handle.submit(replace).result()
    handle.set_pace(tab.pace)
    tab.wait_for(lambda: tab.channel("run") == 1 and tab.channel("step") == BEGUN)
