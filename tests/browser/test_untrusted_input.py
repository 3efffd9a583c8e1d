"""A manipulated page harms no other visitor, and responses have strict security headers."""

import urllib.error
import urllib.request

import pytest

from app.server.session import CONDUCTOR, VISITS
from tests.browser.tab import ONE_PLOT, at_test_pace, wait_for
from tests.served_page import ServedPage

# Sets every illegal value on every model of the page, as a visitor could in the console.
ASSAULT = """
() => {
  const weird = [null, NaN, -1, 1e308, "x".repeat(1000), "\\ud800", [], [[]], {}, {a: [1]}, true,
                 "64, ".repeat(200), "10000000", 2 ** 53]
  const names = ["value", "value_throttled", "active", "tags", "text", "options", "clicks", "data",
                 "sidebar_open", "open", "filename", "search", "label", "state", "schema", "sx"]
  let sent = 0
  for (const model of [...Bokeh.documents[0].all_models]) {
    for (const target of [model, model.data].filter((x) => x?.properties != null)) {
      for (const name of names.filter((name) => name in target.properties)) {
        for (const value of weird) {
          try {
            target.setv({[name]: value})
            sent += 1
          } catch {} // BokehJS itself refuses it
        }
      }
    }
  }
  return sent
}
"""


@pytest.mark.filterwarnings("ignore")
def test_illegal_widget_values_harm_no_other_visitor(served, address, open_tab, page):
    other = open_tab(ONE_PLOT)
    page.goto(at_test_pace(address))
    page.get_by_role("slider", name="Learning rate").wait_for()
    sent = page.evaluate(ASSAULT)
    assert sent > 300
    page.evaluate("Bokeh.documents[0].roots()[0].name = 'over'")
    wait_for(page, lambda: last_has_arrived(served))
    step = other.channel("step")
    other.wait_for_frames(3)
    assert other.channel("step") > step
    assert other.snapshot.run == 1
    assert CONDUCTOR.alive
    page.close()
    assert other.session in VISITS


def last_has_arrived(served: ServedPage) -> bool:
    """Whether the server has the name that the page gave itself after all other messages."""
    roots = [root for session in served.sessions for root in session.document.roots]
    return any(root.name == "over" for root in roots)


def test_every_response_has_security_headers(address):
    for path in ("", "/static/page.js", "/none-such"):
        try:
            headers = urllib.request.urlopen(address + path).headers
        except urllib.error.HTTPError as error:
            headers = error.headers
            error.close()
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_the_page_cannot_be_made_to_fetch_from_elsewhere(page, address):
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}"))
    page.wait_for_function("window.babysit?.frames > 0")
    page.evaluate(
        """async () => {
            const blocked = []
            const note = ({effectiveDirective}) => blocked.push(effectiveDirective)
            document.addEventListener("securitypolicyviolation", note)
            await fetch("http://127.0.0.1:9/x").catch(() => {})
            const script = document.createElement("script")
            script.src = "http://127.0.0.1:9/x.js"
            document.head.append(script)
            const image = new Image()
            image.src = "http://127.0.0.1:9/x.png"
            window.blocked = blocked
        }"""
    )
    page.wait_for_function("window.blocked.length >= 3")
    refused = page.evaluate("window.blocked.sort()")
    assert refused == ["connect-src", "img-src", "script-src-elem"]


def test_a_page_that_cannot_be_built_says_so(page, address, monkeypatch, caplog):
    def broken(*arguments):
        raise ZeroDivisionError("the page gave up")

    monkeypatch.setattr("app.page.parts.SettingsComponent", broken)
    page.goto(address)
    page.get_by_text("Something failed on this page").filter(visible=True).first.wait_for()
    assert "the page gave up" in caplog.text
    assert CONDUCTOR.alive
