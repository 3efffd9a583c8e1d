"""Pages that are built ahead: who is given one, and that it is the page that would be built."""

import asyncio
import json
import logging
import re
import urllib.request
from typing import Any

import msgspec
import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from panel.io.state import set_curdoc

from app.panel_document import address_of_page, arguments_of
from app.server import page_request
from app.server.page_request import READY, build_ahead
from app.server.ready_pages import FAILED, ReadyPages
from app.server.session import CONDUCTOR, VISITS
from app.sharing import run_links
from engine import Experiment, Recording, RunConfig, digest
from tests.served_page import serve
from tests.waiting import PATIENCE, wait_until

PLAIN = RunConfig()
OTHER = PLAIN.replace("model.hidden", (7,))
# What two pages never have in common: ids of models and elements, the token, names of components.
OWN = re.compile(r"\bp\d{4,}\b|eyJ[\w.-]+|[0-9a-f]{8}-[0-9a-f-]{27}|(?<=[a-z])\d{5}\b|[0-9a-f]{32}")


@pytest.fixture(scope="module")
def served():
    with serve() as server:
        opened(server)  # the first page of a process brings its style sheets
        yield server
    CONDUCTOR.close()


@pytest.fixture(autouse=True)
def nothing_stays_ready():
    yield
    READY.clear()


@pytest.fixture
def ready(served) -> Document:
    """The document of a page that is ready."""
    page = build_ahead(served.context)
    READY.add(page)
    return page.document


def opened(served, query: str = "") -> tuple[str, Document]:
    """Request the page: what is answered, and the document of the new session."""
    before = {session.id for session in served.sessions}
    with urllib.request.urlopen(served.address + query) as answer:
        html = answer.read().decode()
    (session,) = (session for session in served.sessions if session.id not in before)
    return html, session.document


def alike(text: str) -> str:
    """The text with numbers in place of what no other page has."""
    names: dict[str, str] = {}
    return OWN.sub(lambda found: names.setdefault(found[0], f"#{len(names)}"), text)


def written(document: Document) -> str:
    """The document without what no other one has.

    Panel makes an address of a style sheet absolute while it builds a page that knows its own.
    """
    sheets: dict[str, str] = {}

    def plain(found: Any) -> Any:
        if isinstance(found, list):
            return [plain(each) for each in found]
        if not isinstance(found, dict):
            return found
        if found.get("name") == "ImportedStyleSheet":
            sheets[found["id"]] = found["attributes"]["url"].lstrip("/")
        return sheets.get(found.get("id"), {name: plain(each) for name, each in found.items()})

    text = serialize_json(document.to_json(deferred=False))
    return alike(json.dumps(plain(json.loads(text))))


def test_a_ready_page_is_the_one_that_would_be_built(served, ready):
    html, document = opened(served, "?pace=30")
    assert document is ready
    html_of_built, built = opened(served, "?pace=30")
    assert built is not ready
    assert written(document) == written(built)
    assert alike(html) == alike(html_of_built)


def test_a_ready_page_is_no_visitor_until_it_is_given_to_one(served, ready):
    visits, sessions = len(VISITS), len(served.sessions)
    assert len(READY) == 1
    _, document = opened(served)
    assert document is ready and not len(READY)
    assert (len(VISITS), len(served.sessions)) == (visits + 1, sessions + 1)


def test_its_visit_belongs_to_the_session_that_was_given_it(served, ready):
    html, document = opened(served, "?pace=30&lesson=dead-relus")
    context = document.session_context
    visit = VISITS[context.id]
    assert context.token_payload and visit.name == context.id[: len(visit.name)]
    assert f'"token": "{context.session.token}"' in html
    assert arguments_of(document)["lesson"] == [b"dead-relus"]
    visit.handle.query(Experiment.snapshot).result(PATIENCE)  # which is published with its pace
    wait_until(lambda: visit.handle.latest.pace == 30)
    with set_curdoc(document):
        assert address_of_page() == served.address


def begun(document: Document) -> tuple[str, str]:
    """What the first frame of a page shows, and its weights."""
    visit = VISITS[document.session_context.id]
    shown = visit.handle.query(Experiment.snapshot).result(PATIENCE)
    parts = msgspec.structs.replace(shown, costs={}), shown.curves.to_csv()  # costs: by the clock
    return re.sub("0x[0-9a-f]+", "", repr(parts)), visit.handle.query(digest).result(PATIENCE)


def test_its_run_begins_as_any_other(served, ready):
    (_, given), (_, built) = opened(served), opened(served)
    assert given is ready and built is not ready
    assert begun(given) == begun(built)


@pytest.mark.parametrize("query", ["?hide=lane", "?only=loss", "?bare=1"])
def test_a_page_that_begins_otherwise_is_built(served, ready, query):
    _, document = opened(served, query)
    assert document is not ready and len(READY) == 1


@pytest.mark.parametrize(("config", "plainly"), [(PLAIN, True), (OTHER, False)])
def test_the_run_of_a_link_is_part_of_how_a_page_begins(config, plainly):
    query = run_links.query(Recording(config, (), 0, None), True, ())
    arguments = {"run": [query.partition("run=")[2].partition("&")[0].encode()]}
    assert run_links.read(arguments).begins_plainly is plainly


def test_a_page_of_another_server_is_not_given_away(served, ready):
    (page,) = READY
    assert page_request.give_away(object(), {}) is None
    assert page.document is ready


def test_nothing_is_given_away_without_a_place(served, ready, monkeypatch):
    monkeypatch.setattr(VISITS, "most", 0)
    assert page_request.give_away(served.context, {}) is None and len(READY) == 1


# ---- the store ----------------------------------------------------------------------------------


def filled(most: int, idle, looks: int, build=None) -> tuple[list[object], list[float]]:
    """The pages of a store that has looked so many times whether to build one, and its rests."""
    pages, rests = ReadyPages[object](most), []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == looks:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(pages.fill(build or object, idle, lambda: True, sleep))
    return list(pages), rests


def test_only_so_many_pages_are_kept():
    assert len(filled(2, lambda: True, looks=4)[0]) == 2


def test_no_page_is_built_while_the_server_is_busy():
    busy = iter([True, True, False])
    assert len(filled(2, lambda: not next(busy), looks=3)[0]) == 1


def test_after_a_failure_the_next_page_is_built_much_later(caplog):
    def fail() -> object:
        raise RuntimeError("no such thing")

    with caplog.at_level(logging.ERROR):
        pages, rests = filled(2, lambda: True, looks=1, build=fail)
    assert not pages and rests == [FAILED]
    assert "no page could be built ahead" in caplog.text


def test_none_is_built_if_none_is_wanted():
    asyncio.run(ReadyPages[object](0).fill(object, lambda: True, lambda: True))


def test_each_page_is_given_away_once():
    pages = ReadyPages[str](2)
    pages.add("one")
    pages.add("other")
    assert [pages.take() for _ in range(3)] == ["one", "other", None]
