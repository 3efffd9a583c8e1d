"""Pages that are built ahead: who is given one, and that it is the page that would be built."""

import asyncio
import json
import logging
import re
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from bokeh.util.token import generate_jwt_token, get_session_id
from panel.io.state import set_curdoc
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.panel_document import address_of_page, arguments_of
from app.server import http_handlers, page_request, revived_pages, unseen_pages
from app.server.page_request import READY, build_ahead
from app.server.ready_pages import FAILED, LATE_COMERS, ReadyPages
from app.server.session import CONDUCTOR, VISITS
from app.server.unseen_pages import UnseenPages
from app.server.workarounds.invented_tokens import FORBIDDEN
from app.server.workarounds.pages_ahead import TURNS
from app.server.workarounds.sessions import end_unless_connected
from app.sharing import run_links
from engine import Experiment, Recording, RunConfig, digest
from tests.served_page import forget_the_left, serve, token_in
from tests.waiting import PATIENCE, Clock, wait_until

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
def pages_wanted(monkeypatch) -> None:
    """Pages are wanted, though none is built but by a test."""
    monkeypatch.setattr(READY, "most", 2)


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


# ---- pages that nobody has seen -----------------------------------------------------------------


def forgotten(served, document: Document) -> None:
    """Wait until the server has forgotten the session of this document."""
    session = document.session_context.id
    wait_until(lambda: not document.session_callbacks)  # a page that changes is not taken back
    forget_the_left()
    wait_until(lambda: session not in {each.id for each in served.sessions} | set(VISITS))


def test_a_page_that_nobody_has_seen_is_given_to_the_next_request(
    served, ready, pages_wanted, monkeypatch
):
    first, document = opened(served, "?lesson=dead-relus")
    assert document is ready and not len(READY)
    visit = VISITS[document.session_context.id]
    forgotten(served, document)
    assert len(READY) == 1 and visit not in VISITS.values()
    second, document = opened(served, "?pace=30")
    assert document is ready and VISITS[document.session_context.id] is visit
    for answered in second, serialize_json(document.to_json(deferred=False)):
        assert token_in(first) not in answered and token_in(second) in answered
    monkeypatch.setattr(READY, "most", 0)
    html_of_built, built = opened(served, "?pace=30")
    assert written(document) == written(built)
    assert alike(second) == alike(html_of_built)


def test_a_page_that_was_not_ready_is_taken_back_as_well(served, pages_wanted, monkeypatch):
    html, document = opened(served)
    forgotten(served, document)
    (page,) = READY
    assert page.document is document
    monkeypatch.setattr(READY, "most", 0)
    READY.clear()
    html_of_built, _ = opened(served)
    assert alike(html) == alike(html_of_built)


def test_its_second_session_is_told_what_happens(served, ready, pages_wanted):
    _, document = opened(served)
    forgotten(served, document)
    _, document = opened(served, "?pace=30")
    visit = VISITS[document.session_context.id]
    visit.handle.query(Experiment.snapshot).result(PATIENCE)
    wait_until(lambda: visit.handle.latest.pace == 30)
    forgotten(served, document)
    assert visit.over and not len(READY)


def test_a_session_that_nobody_connects_to_ends_before_the_others(
    served, ready, pages_wanted, monkeypatch
):
    _, other = opened(served)
    monkeypatch.setattr(page_request, "LOAN", 0.0)
    with urllib.request.urlopen(served.address) as answer:
        session = get_session_id(token_in(answer.read().decode()))
    wait_until(lambda: session not in {each.id for each in served.sessions} | set(VISITS))
    assert other.session_context.id in VISITS


def test_a_page_of_an_own_link_ends_as_soon_if_nobody_connects(served, monkeypatch):
    monkeypatch.setattr(page_request, "LOAN", 0.0)
    with urllib.request.urlopen(f"{served.address}?hide=lane") as answer:
        session = get_session_id(token_in(answer.read().decode()))
    wait_until(lambda: session not in {each.id for each in served.sessions} | set(VISITS))


@pytest.fixture
def unseen(monkeypatch) -> UnseenPages:
    """One page may wait for its browser, and one may be built."""
    pages = UnseenPages(1, Clock())
    for module in http_handlers, page_request, revived_pages:
        monkeypatch.setattr(module, "UNSEEN_PAGES", pages)
    return pages


def document_socket(served, token: str) -> ClientConnection:
    """The socket by which a browser has the document of its page."""
    address = f"{served.address.replace('http', 'ws')}/ws"
    origin = served.address.removesuffix("/app")
    return connect(address, origin=origin, subprotocols=["bokeh", token])


def may_have(served, query: str) -> bool:
    """Whether a page is built for a request, or it is refused."""
    try:
        opened(served, query)
    except urllib.error.HTTPError as refused:
        with refused:
            assert refused.code == 503 and "Many pages were asked for" in refused.read().decode()
        return False
    return True


def test_no_page_is_built_for_who_has_not_stayed_on_the_one_before(
    served, ready, unseen, monkeypatch
):
    html, _ = opened(served, "?hide=lane")
    assert not may_have(served, "?hide=inside")
    monkeypatch.setattr(page_request, "STAYS", 0.0)
    with document_socket(served, token_in(html)) as socket:
        socket.recv(timeout=PATIENCE)
        wait_until(lambda: may_have(served, "?hide=inside"))
        assert opened(served)[1] is ready  # which takes no work


def test_who_connects_and_leaves_has_no_further_page_built(served, unseen, monkeypatch):
    looked = []

    def look(pages, session, address):
        wait_until(lambda: VISITS[session].presence.left is not None)
        before(pages, session, address)
        looked.append(session)

    before = page_request.bring_back
    monkeypatch.setattr(page_request, "bring_back", lambda *given: served_thread(look, *given))
    monkeypatch.setattr(page_request, "STAYS", 0.0)
    html, _ = opened(served, "?hide=lane")
    with document_socket(served, token_in(html)) as socket:
        socket.recv(timeout=PATIENCE)
    wait_until(lambda: looked)
    assert not may_have(served, "?hide=inside")


def served_thread(act, *given) -> None:
    """Do something on a thread of its own, so that it may wait for the event loop."""
    threading.Thread(target=act, args=given).start()


def test_a_page_for_an_invented_token_needs_the_same_right_as_for_a_request(served, unseen):
    def known() -> set[str]:
        return {str(session.id) for session in served.sessions}

    with document_socket(served, generate_jwt_token("first")) as socket:
        socket.recv(timeout=PATIENCE)
        assert "first" in known()
        with (
            document_socket(served, generate_jwt_token("other")) as refused,
            pytest.raises(ConnectionClosed) as closed,
        ):
            refused.recv(timeout=PATIENCE)
        assert closed.value.rcvd and closed.value.rcvd.code == FORBIDDEN
        assert not may_have(served, "?hide=lane")
        with document_socket(served, generate_jwt_token("first")) as again:
            again.recv(timeout=PATIENCE)  # of a session that is there
    assert "other" not in known()


def test_the_page_of_who_follows_a_link_is_not_that_of_who_made_it(served, ready):
    html, _ = opened(served, "?bokeh-session-id=mine")
    assert get_session_id(token_in(html)) != "mine"
    html, _ = opened(served, f"?bokeh-token={generate_jwt_token('mine')}")
    assert get_session_id(token_in(html)) != "mine"


def test_the_oldest_unseen_page_goes_when_there_are_too_many(served, ready, pages_wanted, unseen):
    _, first = opened(served)
    assert first is ready
    session = first.session_context.id
    READY.add(build_ahead(served.context))
    opened(served)
    wait_until(lambda: session not in {each.id for each in served.sessions} | set(VISITS))
    assert len(unseen) == 1
    assert opened(served)[1] is first  # it was taken back


def test_a_page_that_has_something_to_do_is_ended_once_that_is_done(served):
    document = opened(served)[1]
    context, goes_on = document.session_context, threading.Event()
    document.locked_callback(goes_on.wait)()
    session = next(each for each in served.sessions if each.id == context.id)
    wait_until(lambda: session.expiration_blocked)
    served.call(end_unless_connected, served.context, session.id)
    served.call(document.locked_callback(dict))
    served.call(goes_on.set)
    wait_until(lambda: session.destroyed)


def test_who_is_refused_finds_a_page_that_nobody_came_for_at_the_next_try(
    served, ready, pages_wanted, unseen, monkeypatch
):
    monkeypatch.setattr(unseen_pages, "SOON", 0.0)
    assert opened(served)[1] is ready
    wait_until(lambda: not ready.session_callbacks)  # a page that changes is not taken back
    assert unseen.may_build("::1")  # the last right of all
    with pytest.raises(urllib.error.HTTPError, match="503"):
        opened(served)
    wait_until(lambda: len(READY))
    assert opened(served)[1] is ready


def test_no_page_is_built_for_scripts_of_other_pages(served):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served.address}/autoload.js?bokeh-autoload-element=x")


def test_the_session_of_a_visit_that_made_room_for_others_ends_soon(served):
    (_, document), (_, other) = opened(served), opened(served)
    session = document.session_context.id
    VISITS.pop(session).end()
    wait_until(lambda: session not in {each.id for each in served.sessions})
    assert other.session_context.id in {each.id for each in served.sessions}


@pytest.mark.parametrize("route", ["ws", "frames"])
def test_a_page_that_somebody_has_seen_is_given_to_nobody_else(served, ready, pages_wanted, route):
    html, document = opened(served)
    address = f"{served.address.replace('http', 'ws')}/{route}"
    given = {"subprotocols": ["bokeh", token_in(html)]} if route == "ws" else {}
    visit = VISITS[document.session_context.id]
    with connect(address, origin=served.address.removesuffix("/app"), **given) as socket:
        if route == "ws":
            socket.recv(timeout=PATIENCE)
        else:
            socket.send(json.dumps({"token": token_in(html)}))
            wait_until(lambda: not visit.unseen)
    forgotten(served, document)
    assert visit.over and not len(READY)


def test_a_page_that_is_not_wanted_any_more_is_not_kept(served, ready, monkeypatch):
    _, document = opened(served)
    visit = VISITS[document.session_context.id]
    monkeypatch.setattr(READY, "most", 0)
    forgotten(served, document)
    assert visit.over and not len(READY)


def test_a_page_of_another_server_is_not_given_away(served, ready):
    (page,) = READY
    assert asyncio.run(page_request.give_away(object(), {})) is None
    assert page.document is ready


class Turn(asyncio.Lock):
    """Counts how often it is asked for."""

    asked = 0

    async def acquire(self) -> Any:
        self.asked += 1
        return await super().acquire()


@pytest.mark.parametrize("query", ["", "?hide=lane"])
def test_a_page_waits_for_its_turn_to_be_built_before_it_takes_a_thread(
    served, pages_wanted, monkeypatch, query
):
    begun, together, turn = [], [], Turn()

    def build(link):
        begun.append(link)
        wait_until(lambda: turn.asked > 1 or len(begun) > 1)  # the other one comes meanwhile
        made = visit(link)
        together.append(len(begun))
        return made

    visit = page_request.Visit
    monkeypatch.setattr(page_request, "Visit", build)
    monkeypatch.setitem(TURNS, served.context, turn)
    asking = [threading.Thread(target=opened_by_anybody, args=(served, query)) for _ in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert together == [1, 2]


def opened_by_anybody(served, query: str) -> None:
    with urllib.request.urlopen(served.address + query) as answer:
        answer.read()


def test_nothing_is_given_away_without_a_place(served, ready, monkeypatch):
    monkeypatch.setattr(VISITS, "most", 0)
    assert asyncio.run(page_request.give_away(served.context, {})) is None and len(READY) == 1


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


def test_nothing_is_said_when_the_process_ends_and_takes_no_more_work(caplog):
    """As at the end of a script with a `Laboratory`, whose server is never told to stop."""

    async def rest(seconds: float) -> None:
        pytest.fail("it goes on")

    async def fill() -> None:
        ended = ThreadPoolExecutor()
        ended.shutdown()
        asyncio.get_running_loop().set_default_executor(ended)
        await ReadyPages[object](1).fill(object, lambda: True, lambda: True, rest)

    asyncio.run(fill())
    assert not caplog.records


def test_none_is_built_if_none_is_wanted():
    asyncio.run(ReadyPages[object](0).fill(object, lambda: True, lambda: True))


def test_each_page_is_given_away_once():
    pages = ReadyPages[str](2)
    pages.add("one")
    pages.add("other")
    assert [pages.take() for _ in range(3)] == ["one", "other", None]


def test_a_page_on_loan_is_not_built_anew_until_a_browser_has_it():
    pages = ReadyPages[str](2)
    pages.add("other")
    pages.lend("session", "one")
    assert not (pages.lacks or pages.full)
    assert pages.end_loan("session") == "one"
    assert pages.lacks and pages.end_loan("session") is None


@pytest.mark.parametrize(
    ("here", "wanted"), [(0, 40), (25, 15), (39, LATE_COMERS), (60, LATE_COMERS)]
)
def test_no_more_pages_are_wanted_than_may_still_come_of_a_class(here, wanted):
    assert ReadyPages[object](40, lambda: here).wanted == wanted


def test_none_is_wanted_for_late_comers_if_none_is_wanted_at_all():
    assert not ReadyPages[object](0, lambda: 3).wanted


def test_the_store_is_full_with_fewer_pages_while_a_class_is_here():
    here = [0]
    pages = ReadyPages[int](LATE_COMERS + 1, lambda: here[0])
    for number in range(LATE_COMERS):
        pages.add(number)
    assert pages.lacks and not pages.full
    here[0] = 1
    assert pages.full and not pages.lacks
