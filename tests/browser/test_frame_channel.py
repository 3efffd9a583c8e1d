"""The frame channel: who gets frames, and which ones."""

import json
import re
import threading
import urllib.request

import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.plots import view_of
from app.server.page_channel import FORBIDDEN, UNREADABLE
from app.server.session import CONDUCTOR, VISITS
from engine import SetKnob, Status
from tests.browser.tab import ONE_PLOT, wait_for
from tests.served_page import forget_the_left
from tests.waiting import PATIENCE, wait_until

TOKEN = r'"token":\s*"([^"]+)"'
VIEWS = ["loss", "accuracy", "updates", "activations"]


def token_of(tab) -> str:
    found = re.search(TOKEN, tab.page.content())
    assert found
    return found.group(1)


def talk(address, hello, *asks, origin=None):
    """Send a hello and then requests; the answers, and the close code of the server.

    A request may be a function of the answer before it.
    """
    answers = []
    with connect(f"{address.replace('http', 'ws', 1)}/frames", origin=origin) as socket:
        try:
            socket.send(hello if isinstance(hello, str) else json.dumps(hello))
            for ask in asks or [None]:
                if ask is not None:
                    socket.send(json.dumps(ask(answers[-1]) if callable(ask) else ask))
                answers.append(json.loads(socket.recv(timeout=PATIENCE)))
        except ConnectionClosed as closed:
            return answers, closed.rcvd.code
    return answers, None


def test_the_owner_of_a_session_gets_its_frames(tab, address):
    tab.play()
    hello = {"token": token_of(tab)}
    (first, second), _ = talk(
        address, hello, {"since": -1, "views": VIEWS}, {"since": 3, "views": VIEWS}
    )
    assert first["run"] == 1
    assert set(first["draw"]) == set(VIEWS)
    assert "draw" not in second
    assert first["reset"]["loss"]["step"][:3] == [0, 1, 2]
    assert set(first["text"]) >= {"step", "epoch", "pace", "status", "loss.train"}
    assert len(first["set"]["activations"]["x"]) == len(first["set"]["activations"]["top0"])
    assert second["stream"]["loss"]["step"][0] == 4
    assert "x" not in second["set"].get("activations", {})  # sent before, and unchanged


def test_only_visible_views_get_data(shared, address):
    (frame,), _ = talk(address, {"token": token_of(shared)}, {"since": -1, "views": ["accuracy"]})
    assert {name.split(".")[0] for name in [*frame["reset"], *frame["set"]]} == {"accuracy"}
    told = {name.split(".")[0] for name in frame["text"]}
    assert told & set(VIEWS) == {"accuracy"}


@pytest.mark.parametrize(
    "hello",
    [
        {"token": "nonsense"},
        {"token": ""},
        {"token": generate_jwt_token(generate_session_id())},
        {},
        {"since": -1, "views": VIEWS},
        "not JSON",
        '{"token": ["a"]}',
        '{"token": "bnVsbA"}',
    ],
    ids=["nonsense", "empty", "unknown session", "none", "no hello", "no JSON", "list", "null"],
)
def test_a_wrong_or_missing_token_gets_no_frame(shared, address, hello):
    answers, code = talk(address, hello)
    assert (answers, code) == ([], FORBIDDEN)


def test_an_invalid_message_closes_only_its_connection(shared, address):
    answers, code = talk(address, {"token": token_of(shared)}, {"since": "yesterday"})
    assert (answers, code) == ([], UNREADABLE)
    shared.play()
    shared.wait_for_frames(3)


def test_another_origin_is_refused(shared, address):
    with pytest.raises(InvalidStatus, match="403"):
        talk(address, {"token": token_of(shared)}, origin="http://elsewhere.example")


def test_a_request_without_a_browser_starts_nothing(shared, address):
    with urllib.request.urlopen(address) as reply:
        assert reply.status == 200
    assert len(CONDUCTOR) == 1  # that of the shared page
    forget_the_left()


# Notes whether Bokeh has built the page when the channel is opened.
NOTE = """
const Plain = window.WebSocket
window.WebSocket = class extends Plain {
  constructor(url, ...given) {
    super(url, ...given)
    if (url.endsWith("/frames")) {
      window.asked_late = window.Bokeh?.documents?.[0]?.is_idle ?? false
    }
  }
}
"""


def test_the_first_frame_is_asked_for_while_the_page_is_still_built(page, address):
    page.add_init_script(NOTE)
    page.goto(f"{address}?pace=1")
    page.wait_for_function("window.babysit?.frames > 1")
    assert page.evaluate("window.asked_late") is False


# A page whose button for the pace is built last, after the first frames.
LATE = """
const query = DocumentFragment.prototype.querySelector
DocumentFragment.prototype.querySelector = function(selector) {
    const early = selector == '[data-text="pace"]' && !window.is_complete
    return early ? null : query.call(this, selector)
}
const poll = setInterval(async () => {
    if (window.babysit_page != null) {
        clearInterval(poll)
        await (await window.babysit_page).opened
        window.is_complete = true
    }
}, 10)
"""


def test_text_that_came_before_its_place_is_shown_when_the_page_is_complete(page, address):
    page.add_init_script(LATE)
    page.goto(f"{address}?pace=3&{ONE_PLOT}")
    wait_for(page, lambda: page.locator('[data-text="pace"]').inner_text() == "3/s")


def test_a_run_begins_once_its_first_frame_has_been_drawn(address):
    before = set(VISITS)
    with urllib.request.urlopen(address) as reply:
        token = re.search(TOKEN, reply.read().decode())
    (session,) = set(VISITS) - before
    visit = VISITS[session]

    def again(frame):
        now = visit.handle.query(lambda experiment: experiment.snapshot()).result(PATIENCE)
        assert (frame["step"], now.step, now.status) == (0, 0, Status.PAUSED)
        return {"since": frame["row"], "views": VIEWS}

    first = {"since": -1, "views": VIEWS[:1], "first": True}
    (_, second), code = talk(address, {"token": token[1]}, first, again)
    assert code is None and second["run"] == 1
    wait_until(lambda: visit.handle.latest.step > 0)
    forget_the_left()


DEEP, DEEPER = ", ".join("44444444444"), ", ".join("444444444444")  # no other test draws such plots


@pytest.fixture
def may_draw(monkeypatch) -> threading.Event:
    """Nothing is drawn anew of the updates' plot until this is set."""
    event, drawn = threading.Event(), view_of("updates").__init__

    def draw(*given):
        event.wait(PATIENCE)
        drawn(*given)

    monkeypatch.setattr(view_of("updates"), "__init__", draw)
    return event


def test_frames_go_on_while_plots_for_another_network_are_drawn(tab, address, may_draw):
    """What was drawn for the network before is taken away, rather than left as if it were now's."""
    visit = tab.visit
    with connect(f"{address.replace('http', 'ws', 1)}/frames") as socket:
        socket.send(json.dumps({"token": token_of(tab)}))
        row = -1

        def frame() -> dict:
            nonlocal row
            socket.send(json.dumps({"since": row, "views": ["loss", "updates"]}))
            answer = json.loads(socket.recv(timeout=PATIENCE))
            row = answer["row"]
            return answer

        def frame_where(holds) -> dict:
            return next(found for found in iter(frame, None) if holds(found))

        tab.play()
        before = frame()
        assert "roots" in str(before["draw"]["updates"]) and before["reset"]["updates"]["step"]
        visit.handle.send(SetKnob("model.hidden", DEEP))
        begun = frame_where(lambda now: now["run"] > before["run"])
        assert "being drawn" in begun["draw"]["updates"]["headline"]
        assert begun["draw"]["updates"]["plot"]["roots"] == [] and "loss" not in begun["draw"]
        later = frame_where(lambda now: now.get("stream", {}).get("loss"))
        for known in (begun, later):
            data = [*known.get("reset", {}), *known.get("set", {}), *known.get("stream", {})]
            assert not any(name.startswith("updates") for name in data)
        may_draw.set()
        whole = frame_where(lambda now: now.get("draw"))
        assert whole["draw"]["updates"]["plot"]["roots"] and whole["reset"]["updates"]["step"]


def test_plots_of_a_paused_run_come_when_they_are_drawn(tab, address, may_draw):
    visit = tab.visit
    with connect(f"{address.replace('http', 'ws', 1)}/frames") as socket:
        socket.send(json.dumps({"token": token_of(tab)}))
        visit.handle.send(SetKnob("model.hidden", DEEPER))
        wait_until(lambda: len(visit.handle.latest.config.model.hidden) == 12)
        ask = {"since": -1, "views": ["loss", "updates"]}
        socket.send(json.dumps(ask))
        first = json.loads(socket.recv(timeout=PATIENCE))
        assert set(first["draw"]) == {"loss"}
        socket.send(json.dumps({**ask, "since": first["row"]}))
        may_draw.set()
        assert set(json.loads(socket.recv(timeout=PATIENCE))["draw"]) == {"updates"}


class Held:
    """A frame channel that keeps the page's requests back, from the second on."""

    def __init__(self, page) -> None:
        self._waiting: list | None = []
        page.route_web_socket("**/frames", self._connect)

    def _connect(self, socket) -> None:
        self._server = socket.connect_to_server()
        socket.on_message(self._pass)

    def _pass(self, message: str) -> None:
        if self._waiting is not None and json.loads(message).get("first") is False:
            self._waiting.append(message)
        else:
            self._server.send(message)

    def release(self) -> None:
        waiting, self._waiting = self._waiting, None
        for message in waiting:
            self._server.send(message)


@pytest.mark.parametrize("by", ["the button", "the key"])
def test_a_pause_before_the_run_begins_holds(page, address, by):
    held = Held(page)
    page.goto(f"{address}?pace=300&{ONE_PLOT}")
    page.get_by_role("slider", name="Learning rate").wait_for()
    page.wait_for_function("window.babysit?.frames == 1")
    button = page.get_by_role("button", name="Pause", exact=True)
    button.wait_for()  # the run is about to begin
    (visit,) = VISITS.values()
    button.click() if by == "the button" else page.keyboard.press(" ")
    wait_until(lambda: visit.handle.settled and visit.handle.version > 1)
    held.release()
    page.get_by_role("button", name="Play", exact=True).wait_for()
    assert page.locator('[data-text="status"]').inner_text() == "paused"
    assert visit.handle.latest.step == 0


def test_a_session_restored_by_a_socket_uses_no_cdn(address):
    token = generate_jwt_token(generate_session_id())
    url = f"{address.replace('http', 'ws', 1)}/ws"
    with connect(url, subprotocols=["bokeh", token], max_size=None) as socket:
        acknowledgement = [socket.recv(timeout=PATIENCE) for _ in range(3)]
        assert "ACK" in acknowledgement[0]
        for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
            socket.send(json.dumps(part))
        header, _, document = (socket.recv(timeout=PATIENCE) for _ in range(3))
    assert "PULL-DOC-REPLY" in header
    assert "static/extensions/panel" in document
    assert "://cdn." not in document
