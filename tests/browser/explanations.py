"""Whether all that can be seen on the page, and does or tells something, has an explanation."""

from app.explanations.explanation import EXPLANATIONS
from tests.browser.tab import Tab

# Each element that can be seen and does or tells something: how it is explained, and what it is.
ELEMENTS = """async () => {
    const {thing_of} = await import("/app/static/explanations.js")
    const roots = [document]
    const found = []
    for (const root of roots) {
        for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot != null) roots.push(element.shadowRoot)
            const acts = element.matches(`button, input, select, textarea, a[href], summary,
                [role=slider], [role=combobox], [role=tab], [role=switch]`)
            const tells = (element.dataset?.text ?? "") != "" && !element.matches(".unseen")
            const silent = element.closest("[aria-hidden=true], babysit-question-mark")
            if ((acts || tells) && silent == null && element.checkVisibility()) {
                found.push([thing_of(element)?.key ?? "", element.outerHTML.slice(0, 200)])
            }
        }
    }
    return found
}"""
LARGE = ("view", "panel", "dialog")  # what is around anything: no element has these as its own


def unexplained(tab: Tab) -> list[str]:
    """The elements of which the page can only say in what they are."""
    keys = dict.fromkeys(EXPLANATIONS)
    return [
        f"{key or 'nothing'}: {html}"
        for key, html in tab.page.evaluate(ELEMENTS)
        if key not in keys or key.partition(" ")[0] in LARGE
    ]


def all_explained(tab: Tab) -> None:
    tab.settle()
    assert tab.page.evaluate(ELEMENTS)
    try:  # the panel before may still be there for a moment
        tab.wait_for(lambda: not unexplained(tab))
    except AssertionError:
        raise AssertionError("\n".join(unexplained(tab))) from None


def load_explanations(tab: Tab) -> None:
    """Ask what something is, and no more: then the page knows what there is an explanation of."""
    tab.press("What is this?")
    tab.wait_for(lambda: tab.page.evaluate(ELEMENTS)[0][0])
    tab.page.keyboard.press("Escape")
    tab.page.get_by_text("Press on anything").wait_for(state="hidden")
