"""What others have written, such as a link or a file, is shown as text: never as elements."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.tab import ONE_PLOT, at_test_pace

STATIC = Path(__file__).parents[2] / "app" / "static"
MARK = "<x-x>"
# Elements of this name anywhere in the page, and whether its text has the mark as it was written.
LOOK = """([mark]) => {
    const made = [], told = []
    const look = (root) => {
        told.push(root.textContent)
        for (const element of root.querySelectorAll("*")) {
            if (element.localName == "x-x") made.push(element.outerHTML)
            if (element.shadowRoot != null) look(element.shadowRoot)
        }
    }
    look(document.body)
    return {made: made.length, told: told.some((text) => text.includes(mark))}
}"""
# Each makes elements of text: of a view's headline and an explanation, both escaped by the server.
MAKES_ELEMENTS = {"views.js": 1, "question_mark.js": 1}


def shown_as_text(page: Page) -> bool:
    page.wait_for_function(f"(given) => ({LOOK})(given).told", arg=[MARK])
    return page.evaluate(LOOK, [MARK])["made"] == 0


@pytest.mark.parametrize("query", ["only", "hide", "pace", "challenge"])
def test_what_a_link_says_that_is_refused(page, address, query):
    plain = "" if query == "only" else f"&{ONE_PLOT}"
    page.goto(at_test_pace(f"{address}?{query}=%3Cx-x%3E{plain}"))
    assert shown_as_text(page)


def test_the_names_in_a_file(page, address):
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}"))
    page.wait_for_function("window.babysit?.frames > 0")
    page.get_by_role("button", name="Data", exact=True).click()
    field = page.get_by_role("dialog").locator("input[type=file]")
    rows = "".join(f"{n},{MARK if n % 2 else 'other'}\n" for n in range(60))
    for file, raw in {
        f"{MARK}.csv": f"{MARK},label\n{rows}".encode(),
        f"{MARK}.png": b"\x89PNG",
    }.items():
        field.set_input_files([{"name": file, "mimeType": "text/csv", "buffer": raw}])
        assert shown_as_text(page)


def test_no_script_of_the_page_makes_elements_of_text():
    found = {}
    for script in STATIC.rglob("*.js"):
        text = script.read_text()
        times = len(re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text))
        if times:
            found[script.name] = times
    assert found == MAKES_ELEMENTS
