"""The page in a frame of another site's page: shown if the operator's list has it, else not."""

import functools
import html
import re
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import panel as pn
import pytest
from playwright.sync_api import expect

from app import laboratory
from app.laboratory import Laboratory
from app.server import http_handlers
from engine import RunConfig
from tests.browser.tab import wait_for
from tests.served_page import SERVED, SOON, ServedPage

FRAME = '<!doctype html><title>Course</title><iframe src="{}" width=1000 height=700></iframe>'


@pytest.fixture
def another_site(tmp_path) -> Iterator[Callable[[str], str]]:
    """Serves a page with a frame from another origin; returns its address."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def framed(address: str) -> str:
        (tmp_path / "index.html").write_text(FRAME.format(address.replace("&", "&amp;")))
        return f"http://127.0.0.1:{server.server_port}/index.html"

    yield framed
    server.shutdown()
    server.server_close()


@pytest.fixture
def notebook(monkeypatch) -> None:
    """A process whose server of notebooks forgets a closed page when told to, or others wait."""
    build, serve = laboratory.build_single_handler_application, pn.serve

    def with_its_sessions(path):
        application, served = build(path), ServedPage("")
        application.add(served)
        SERVED.append(served)
        return application

    monkeypatch.setattr(laboratory, "build_single_handler_application", with_its_sessions)
    soon = functools.partial(serve, check_unused_sessions_milliseconds=SOON)
    monkeypatch.setattr(pn, "serve", soon)


def headers_for(monkeypatch, *ancestors: str) -> None:
    monkeypatch.setattr(http_handlers, "HEADERS", http_handlers.headers(ancestors))


def test_a_page_of_the_list_shows_a_lesson_without_header_and_tabs(
    page, address, another_site, monkeypatch
):
    headers_for(monkeypatch, "http://127.0.0.1:*")
    page.goto(another_site(f"{address}?lesson=first-loss&bare=1"))
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="2.3026", exact=True).click()
    frame.get_by_text("Say what you saw").wait_for()
    expect(frame.locator("babysit-view[name=loss]")).to_be_visible()
    expect(frame.locator("header")).to_be_hidden()
    expect(frame.get_by_role("tab", name="Knobs")).to_be_hidden()


def test_only_the_plots_that_are_asked_for_are_there(page, address, another_site, monkeypatch):
    headers_for(monkeypatch, "http://127.0.0.1:*")
    page.goto(another_site(f"{address}?only=loss,health&pace=full"))
    frame = page.frame_locator("iframe")
    frame.locator("babysit-view[name=health] canvas").first.wait_for()
    seen = frame.locator("babysit-view").evaluate_all("all => all.map((x) => x.view)")
    assert seen == ["loss", "health"]
    expect(frame.locator("header")).to_be_hidden()
    expect(frame.get_by_role("tablist")).to_have_count(0)


def test_a_page_that_is_not_of_the_list_shows_nothing(page, address, another_site, monkeypatch):
    headers_for(monkeypatch)
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(another_site(address))
    wait_for(page, lambda: any("frame" in text and "ancestor" in text for text in refused))
    expect(page.frame_locator("iframe").locator("header")).to_have_count(0)


def test_the_laboratory_of_a_notebook_shows_its_own_run(notebook, page, another_site):
    shows = Laboratory(RunConfig(seed=11), only=["loss", "transport"])
    shown = shows.servable()._repr_mimebundle_()["text/html"]  # as Jupyter asks for it
    address = re.search('src="([^"]+)"', shown)
    assert address and html.unescape(address[1]) == shows.address
    page.goto(another_site(shows.address))
    frame = page.frame_locator("iframe")
    frame.locator("babysit-view[name=loss] canvas").first.wait_for()
    frame.get_by_role("button", name="Pause").wait_for()
    step = frame.locator('[data-text="step"]')
    wait_for(page, lambda: step.inner_text() not in ("", "0"))
    with pytest.raises(ValueError, match="The laboratory shows only 'los'"):
        Laboratory(only=["los"])
