"""Accessibility of the page, as far as axe can check it; and explanations in all its tabs."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe

from app.panels import KNOBS, PANELS
from app.plots import places
from tests.browser.conftest import KEPT_TAB
from tests.browser.explanations import all_explained, load_explanations

GRAVE = ("serious", "critical")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules of axe that look at colours
PAGE = "html"
AXE = """async (element, rules) => (await axe.run(element, {
    resultTypes: ["violations"], selectors: false, ...(rules.length > 0 ? {runOnly: rules} : {}),
})).violations"""


def shuts_nobody_out(tab, rules=(), within=PAGE) -> None:
    """Check once everything is drawn, has faded in, and has its accessible names.

    Without rules of axe, by all of them.
    """
    tab.settle()
    try:
        tab.wait_for(lambda: not grave(tab, rules, within))
    except AssertionError:
        raise AssertionError("\n".join(grave(tab, rules, within))) from None


def grave(tab, rules, within) -> list[str]:
    """The serious violations of these rules, and where they are."""
    if not tab.page.evaluate("'axe' in window"):
        tab.page.evaluate(Axe().axe_script)
    found = tab.page.locator(within).first.evaluate(AXE, list(rules))
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for v in found
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


def colour(tab) -> str:
    """The colour of the text on a button."""
    button = tab.page.get_by_role("button", name="Export")
    return button.evaluate("(button) => getComputedStyle(button).color")


def turn_dark(tab) -> None:
    light = colour(tab)
    tab.press("Toggle theme")
    tab.wait_for(lambda: colour(tab) != light)


def look_in_tabs(tab, look: Callable[[str], None]) -> None:
    """Look at the page with its knobs, and in each of the tabs below the plots."""
    look(PAGE)
    for name in filter(None, places()):
        if name not in PANELS:
            tab.page.get_by_role("tab", name=name, exact=True).click()
            look(f'role=tabpanel[name="{name}"]')


def look_in_panels(tab, look: Callable[[str], None]) -> None:
    """Look at each panel of the sidebar, and what it has instead of the plots."""
    for name in reversed(list(PANELS)):
        tab.page.get_by_role("tab", name=name, exact=True).click()
        for placeholder in tab.page.get_by_role("status").get_by_text("A moment").all():
            placeholder.wait_for(state="hidden")
        look(PAGE)
    tab.page.get_by_role("tab", name=KNOBS, exact=True).click()


def look_unfolded_diverged_and_in_a_dialog(tab, rules=()) -> None:
    shuts_nobody_out(tab, rules)
    tab.page.keyboard.press("?")
    tab.page.get_by_role("dialog").wait_for()
    shuts_nobody_out(tab, rules, within="role=dialog")
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("dialog").wait_for(state="hidden")


def test_every_control_has_a_name_and_every_plot_tells_its_figures(shared):
    for role in ("slider", "combobox", "textbox", "button", "tab"):
        for control in shared.page.get_by_role(role).all():
            if control.is_visible():
                named = control.evaluate(
                    "(e) => e.ariaLabel || e.innerText || e.labels?.[0]?.innerText"
                    " || e.getAttribute('aria-labelledby')"
                )
                assert named, control.evaluate("(e) => e.outerHTML")[:200]
    for view in ("loss", "accuracy", "updates", "activations"):
        shared.wait_for(lambda view=view: any(map(str.isdigit, shared.text(f"{view}.alt"))))


def test_each_tab_shuts_nobody_out_by_light_and_in_the_dark_and_is_explained(tab):
    def look_closely(within: str) -> None:
        shuts_nobody_out(tab, within=within)
        all_explained(tab)

    def look_at_colours(within: str) -> None:  # the themes differ in nothing else
        shuts_nobody_out(tab, COLOURS, within)

    load_explanations(tab)
    look_in_tabs(tab, look_closely)
    turn_dark(tab)
    look_in_tabs(tab, look_at_colours)
    for fold in ("held out", "convolutions", "schedule", "L1"):
        tab.page.get_by_role("button", name=fold).click()
    tab.page.get_by_role("slider", name="Max norm").wait_for()
    tab.play()
    tab.slide("Learning rate", "End")
    tab.wait_for(lambda: tab.snapshot.config.optimization.learning_rate == 1e6)
    tab.page.get_by_role("alert").wait_for()
    tab.page.get_by_role("button", name="L1").hover()
    look_unfolded_diverged_and_in_a_dialog(tab, COLOURS)
    tab.press("Toggle theme")
    look_unfolded_diverged_and_in_a_dialog(tab)
    tab.press("Fix it")
    tab.wait_for(lambda: tab.snapshot.run == 2)
    tab.pause()
    look_in_panels(tab, look_closely)  # last: in a page that has built them axe takes longest
    turn_dark(tab)
    look_in_panels(tab, look_at_colours)
    KEPT_TAB.clear()  # no other test can use it
