"""Accessibility of the page, as far as axe can check it."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import DESK, whole

GRAVE = ("serious", "critical")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules of axe that look at colours
AXE = """async (rules) => (await axe.run(document, {
    resultTypes: ["violations"], selectors: false, ...(rules.length > 0 ? {runOnly: rules} : {}),
})).violations"""


def shuts_nobody_out(tab, rules=()) -> None:
    """Check once everything is drawn, has faded in, and has its accessible names.

    Without rules of axe, by all of them.
    """
    tab.settle()
    try:
        tab.wait_for(lambda: not grave(tab, rules))
    except AssertionError:
        raise AssertionError("\n".join(grave(tab, rules))) from None


def grave(tab, rules) -> list[str]:
    """The serious violations of these rules, and where they are."""
    if not tab.page.evaluate("'axe' in window"):
        tab.page.evaluate(Axe().axe_script)
    found = tab.page.evaluate(AXE, list(rules))
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for v in found
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


def dark(tab) -> None:
    whole(tab)
    light = colour(tab)
    tab.press("Toggle theme")
    tab.wait_for(lambda: colour(tab) != light)


@pytest.fixture(params=[whole, dark], ids=["light", "dark"], scope="module")
def theme(request):
    return request.param


@pytest.fixture
def themed(on_the_desk, theme):
    return on_the_desk(theme)


def colour(tab) -> str:
    """The colour of the text on a button."""
    button = tab.page.get_by_role("button", name="Export")
    return button.evaluate("(button) => getComputedStyle(button).color")


def test_no_grave_violation_on_the_first_screen(themed):
    shuts_nobody_out(themed)


def test_no_grave_violation_in_any_tab(themed, theme):
    themed.press("Pause")  # drawing takes the time of looking
    rules = COLOURS if theme is dark else ()  # the themes differ in nothing else
    names = themed.page.get_by_role("tab").all_inner_texts()
    for name in reversed(names):  # the first ones, panels, may hide the other tabs
        themed.page.get_by_role("tab", name=name, exact=True).click()
        shuts_nobody_out(themed, rules)
    themed.press("Play")


def test_no_grave_violation_unfolded_diverged_and_in_a_dialog(themed):
    for fold in ("held out", "convolutions", "schedule", "L1"):
        themed.page.get_by_role("button", name=fold).click()
    themed.page.get_by_role("slider", name="Max norm").wait_for()
    themed.slide("Learning rate", "End")
    themed.page.get_by_role("alert").wait_for()
    themed.page.get_by_role("button", name="L1").hover()
    shuts_nobody_out(themed)
    themed.page.keyboard.press("?")
    themed.page.get_by_role("dialog").wait_for()
    shuts_nobody_out(themed)
    DESK.clear()  # no other test can use it


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
