"""A class over its sockets: roles, following, votes, cut lines, hostile pages."""

import asyncio
import base64
import contextlib
import json
import random
import threading
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from tornado.websocket import WebSocketHandler
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.server import class_rooms
from app.server.channel_limits import MOST
from app.server.class_channel import ClassChannel
from app.server.class_page import ClassPage
from app.server.class_rooms import LIVE
from app.server.frame_channel import SHARED
from app.server.outbox import MOST as UNREAD
from app.server.page_channel import FORBIDDEN
from app.server.session import CONDUCTOR, VISITS
from app.server.teacher_password import TEACHER_PASSWORD
from engine import Pause, Pin, Play, SetKnob, Status
from engine.cli.grade import read_files
from tests.app.seen import labels, page_text
from tests.app.test_classroom import hostile
from tests.served_page import ServedPage, forget_the_left, serve_to_the_end, token_in
from tests.waiting import PATIENCE, wait_until

VIEWS = ["loss", "accuracy"]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


@pytest.fixture(scope="module")
def address(served) -> str:
    return served.address


class Page:
    """A page with its two channels."""

    def __init__(self, address: str, query: str = "", teach: str = "") -> None:
        self.address, self._teach = address, teach
        before = set(VISITS)
        with urllib.request.urlopen(f"{address}?pace=300{query}", timeout=PATIENCE) as reply:
            self.token = token_in(reply.read().decode())
        (self.session,) = set(VISITS) - before
        self.key = self.code = ""
        self.last: dict[str, object] = {}  # the last of each kind of message
        self._ends = contextlib.ExitStack()
        self.frames = self.plug("frames")
        self.row, self.asks = -1, 0
        self.classroom = self.plug("class")

    def plug(self, route: str):
        address = f"{self.address.replace('http', 'ws')}/{route}"
        socket = self._ends.enter_context(
            connect(
                address,
                origin=self.address.removesuffix("/app"),
                open_timeout=PATIENCE,
                max_queue=None,  # or answers that nobody reads would keep it open for ten seconds
            )
        )
        teach = {"teach": self._teach} if route == "frames" else {}
        socket.send(json.dumps({"token": self.token} | teach))
        return socket

    @property
    def visit(self):
        return VISITS[self.session]

    def send(self, what: str, **given: object) -> None:
        self.classroom.send(json.dumps({"do": what, **given}))

    def receive(self, kind: str, fits: Callable[[object], object] = lambda received: True):
        """The next message of a kind that fits."""
        while True:
            message = json.loads(self.classroom.recv(timeout=PATIENCE))
            self.last |= message
            self.key, self.code = message.get("key", self.key), message.get("code", self.code)
            if kind in message and fits(message[kind]):
                return message[kind]

    def frame(self) -> dict:
        self.asks += 1
        ask = {"request": self.asks, "since": self.row, "views": VIEWS}
        self.frames.send(json.dumps(ask))
        frame = json.loads(self.frames.recv(timeout=PATIENCE))
        assert frame["request"] == self.asks
        self.row = frame["row"]
        return frame

    def leave(self) -> None:
        self._ends.close()


@pytest.fixture
def open_page(served) -> Iterator[Callable[..., Page]]:
    """Opens pages, and closes them and every room afterwards."""
    pages: list[Page] = []

    def open_one(query: str = "", teach: str = "") -> Page:
        pages.append(Page(served.address, query, teach))
        return pages[-1]

    yield open_one
    for page in pages:
        page.leave()
    for live in list(LIVE.values()):
        served.call(class_rooms.close, live)
    wait_until(lambda: not LIVE)
    forget_the_left()
    wait_until(lambda: not VISITS and len(CONDUCTOR) == 0)


@pytest.fixture
def teacher(open_page) -> Page:
    page = open_page()
    page.frame()
    page.send("teach", password=TEACHER_PASSWORD.text)
    page.receive("may_open")
    page.send("open")
    page.receive("room")
    assert page.code and page.key
    return page


@pytest.fixture
def join(open_page, teacher) -> Callable[[str], Page]:
    def join_one(name: str) -> Page:
        page = open_page()
        page.frame()
        page.send("join", code=teacher.code.lower(), name=name)
        page.receive("room")
        return page

    return join_one


def live(teacher: Page):
    return next(x for room, x in LIVE.items() if room.code == teacher.code)


def test_only_who_knows_the_word_opens_a_room(open_page):
    page = open_page()
    page.send("open")
    assert "teacher's password" in page.receive("refused")
    page.send("teach", password="guess")
    assert page.receive("refused") == "This is not the teacher's password."
    page.send("open")
    assert "teacher's password" in page.receive("refused")
    assert not LIVE


@pytest.fixture
def held(served, monkeypatch) -> Callable[..., None]:
    """Has a channel closed while one of its messages waits, and then lets the message go on."""
    go_on, left, done = asyncio.Event(), threading.Event(), threading.Event()
    waiting = threading.Event()
    receive, disconnect = ClassPage.receive, ClassPage.disconnect

    async def receive_later(self, message):
        await receive(self, message)
        done.set()

    def note(self):
        disconnect(self)
        left.set()

    async def wait(*given):
        waiting.set()
        await go_on.wait()

    def close_while(page: Page, what: str, **given: object) -> None:
        monkeypatch.setattr(class_rooms, "fetch_from_elsewhere", wait)
        monkeypatch.setattr(ClassPage, "receive", receive_later)
        monkeypatch.setattr(ClassPage, "disconnect", note)
        page.send(what, **given)
        assert waiting.wait(PATIENCE)
        for _ in range(MOST):  # of more channels the oldest is closed
            page.plug("class")
        assert left.wait(PATIENCE)
        served.call(go_on.set)
        assert done.wait(PATIENCE)

    return close_while


def test_a_channel_that_is_closed_while_its_page_joins_takes_no_place(teacher, open_page, held):
    held(open_page(), "join", code=teacher.code, name="Anna")
    assert not live(teacher).room.students
    assert len(class_rooms.MEMBERS[live(teacher)]) == 1  # the teacher's


def test_a_channel_that_is_closed_while_its_page_comes_back_leaves_it_away(
    teacher, join, open_page, held
):
    anna = join("Anna")
    (student,) = live(teacher).room.students.values()
    anna.leave()
    wait_until(lambda: not student.here)
    held(open_page(), "enter", code=teacher.code, key=anna.key)
    assert not student.here


def test_students_see_the_run_of_the_teacher_in_one_frame_for_all(teacher, join):
    anna, ben = join("Anna"), join("Ben")
    run = live(teacher).run
    assert anna.visit.watched is run and ben.visit.watched is run
    assert anna.last["room"]["follows"]
    for student in (anna, ben):
        frame = student.frame()
        assert frame["run"] > run.number and set(frame["draw"]) == set(VIEWS)
    shared = SHARED[run]
    before, frames = shared.composed, 0
    for _ in range(10):
        for student in (anna, ben):
            student.frame()
            frames += 1
    assert shared.composed - before < frames
    assert run.handle.latest.status is Status.RUNNING
    wait_until(lambda: anna.visit.handle.latest.status is Status.PAUSED)  # her own waits


def test_a_knob_of_the_teacher_is_seen_and_cannot_be_turned_by_others(teacher, join):
    anna = join("Anna")
    teacher.visit.handle.send(SetKnob("optimization.learning_rate", 0.02))
    wait_until(lambda: anna.visit.parts.settings.learning_rate == 0.02)
    refusal = anna.visit.refuses("set", "learning_rate", "10")
    assert refusal.startswith("You follow the class")
    assert anna.visit.refuses("key", " ", "") and not anna.visit.refuses("key", "?", "")
    assert not teacher.visit.refuses("set", "learning_rate", "10")


def test_who_takes_the_wheel_goes_on_from_that_step_to_the_bit(teacher, join):
    anna = join("Anna")
    run = live(teacher).run.handle
    wait_until(lambda: run.latest.step > 50)
    own = anna.visit.handle
    before = own.latest.run  # which may have come as far before it was paused
    anna.send("take wheel")
    anna.receive("room", lambda room: not room["follows"])
    wait_until(lambda: own.latest.run > before)
    wait_until(lambda: own.latest.status is Status.PAUSED and own.latest.step > 50)
    assert anna.visit.watched is None and not anna.visit.refuses("key", " ", "")
    curves, theirs = own.latest.curves, run.latest.curves
    assert curves["loss"].tolist() == theirs["loss"][: curves.rows].tolist()
    own.send(SetKnob("optimization.learning_rate", 0.003))
    wait_until(lambda: own.latest.config.optimization.learning_rate == 0.003)
    assert own.latest.looking_back is None  # nothing is still to be repeated
    assert anna.frame()["run"] < 1_000_000  # her own again
    anna.send("follow")
    anna.receive("room", lambda room: room["follows"])
    assert anna.visit.watched is live(teacher).run
    wait_until(lambda: anna.frame()["run"] > 1_000_000)


def test_a_question_holds_the_run_and_hides_the_tally(teacher, join):
    anna, ben = join("Anna"), join("Ben")
    run = live(teacher).run.handle
    teacher.send("ask", question="What will it do?", options=["fall", "rise"])
    anna.receive("room", lambda room: "question" in room)
    wait_until(lambda: run.latest.status is Status.PAUSED)
    assert teacher.visit.refuses("press", "play", "")
    anna.send("choose", option=1)
    received = ben.receive("room", lambda room: room.get("question", {}).get("answered") == 1)
    assert "before" not in received["question"]
    assert "before" not in teacher.receive("room", lambda room: "question" in room)["question"]
    ben.send("choose", option=1)
    teacher.send("close question")
    received = anna.receive("room", lambda room: room["question"].get("before"))
    assert received["question"]["before"] == [0, 2]
    wait_until(lambda: run.latest.status is Status.RUNNING)
    assert not teacher.visit.refuses("press", "play", "")


def test_a_curve_is_compared_with_the_run(teacher, join):
    anna = join("Anna")
    teacher.send("ask", question="How will it go on?", steps=200)
    axes = anna.receive("room", lambda room: "question" in room)["question"]["axes"]
    anna.send("draw", points=[[0, 0.5], [1, 0.2]])
    teacher.send("close question")
    run = live(teacher).run.handle
    wait_until(lambda: run.latest.step > axes["step"] + 200)
    received = anna.receive("room", lambda room: len(room["question"].get("truth", ())) > 3)
    assert received["question"]["curves"] == [[[0.0, 0.5], [1.0, 0.2]]]
    assert all(
        axes["step"] <= step <= axes["step"] + 200 for step, _ in received["question"]["truth"]
    )


def test_everybody_is_brought_to_a_state_and_paused(teacher, join):
    anna = join("Anna")
    wait_until(lambda: live(teacher).run.handle.latest.step > 20)
    teacher.send("state")
    anna.receive("room", lambda room: room["mode"] == "free")
    own = anna.visit.handle
    wait_until(lambda: own.latest.step > 20 and own.latest.status is Status.PAUSED)
    late = join("Late")  # stands where the others are
    wait_until(lambda: late.visit.handle.latest.step == own.latest.step)
    own.send(Play())
    wait_until(lambda: own.latest.status is Status.RUNNING)
    teacher.send("mode", mode="pause")
    wait_until(lambda: own.latest.status is Status.PAUSED)
    assert anna.visit.refuses("key", " ", "") == "Your teacher has paused the class."


def test_the_wall_shows_runs_and_one_of_them_is_shown_to_all(teacher, join):
    anna, ben = join("Anna"), join("Ben")
    teacher.send("mode", mode="free")
    anna.receive("room", lambda room: room["mode"] == "free")
    wait_until(lambda: anna.visit.watched is None)
    anna.visit.handle.send(Play())
    wait_until(lambda: anna.visit.handle.latest.step > 10)
    teacher.send("wall", on=True)

    def has_annas_run(wall) -> bool:
        return any(x["name"] == "Anna" and x["tile"] and x["tile"]["step"] for x in wall["tiles"])

    teacher.receive("wall", has_annas_run)
    number = teacher.receive("wall", has_annas_run)["tiles"][0]["number"]
    number = next(x.number for x in live(teacher).room.students.values() if x.name == "Anna")
    teacher.send("look", who=number)
    wait_until(lambda: teacher.visit.watched is anna.visit.run)
    assert "student's run" in teacher.visit.refuses("set", "learning_rate", "1")
    step = live(teacher).run.handle.latest.step
    wait_until(lambda: live(teacher).run.handle.latest.step > step)  # the class goes on
    teacher.send("look")
    wait_until(lambda: teacher.visit.watched is None)
    teacher.send("show", who=number)
    teacher.send("mode", mode="follow")
    received = ben.receive("room", lambda room: room.get("shown"))
    assert received["shown"] == "a student"  # nobody learns whose it is
    wait_until(lambda: ben.visit.watched is anna.visit.run)
    assert anna.visit.watched is None and anna.receive("room", lambda room: room.get("on_show"))


def test_help_comes_as_a_suggestion_to_accept(teacher, join):
    anna = join("Anna")
    anna.send("hand", up=True)
    rows = teacher.receive(
        "room", lambda room: room["students"] and room["students"][0].get("hand")
    )
    number = rows["students"][0]["number"]
    teacher.send("mode", mode="free")
    anna.receive("room", lambda room: room["mode"] == "free")
    teacher.send("suggest", who=number, text="Try", path="optimization.learning_rate", value=0.05)
    assert anna.receive("room", lambda room: "suggestion" in room)["suggestion"]["value"] == "0.05"
    anna.send("settle", accept=True)
    wait_until(lambda: anna.visit.handle.latest.config.optimization.learning_rate == 0.05)


def test_a_suggestion_is_set_also_while_the_state_of_the_class_is_still_repeated(teacher, join):
    anna = join("Anna")
    run = live(teacher).run.handle
    wait_until(lambda: run.latest.step > 400)
    teacher.send("state")
    anna.receive("room", lambda room: room["mode"] == "free")
    number = next(iter(live(teacher).room.students))
    own = anna.visit.handle
    wait_until(lambda: own.latest.run > 1)
    teacher.send("suggest", who=number, path="optimization.learning_rate", value=0.003)
    anna.receive("room", lambda room: "suggestion" in room)
    anna.send("settle", accept=True)
    wait_until(lambda: own.latest.config.optimization.learning_rate == 0.003)
    assert own.latest.step > 400  # where the class stood, not on the way there


def test_a_lost_student_is_back_in_place_and_its_answer_with_it(teacher, join, open_page):
    anna = join("Anna")
    teacher.send("ask", question="What will it do?", options=["fall", "rise"])
    anna.receive("room", lambda room: "question" in room)
    anna.send("choose", option=0)
    anna.receive("room", lambda room: room["question"].get("mine") == 0)
    key = anna.key
    anna.leave()
    teacher.receive("room", lambda room: not room["students"][0]["here"])
    again = open_page()
    again.send("enter", code=teacher.code, key=key)
    received = again.receive("room")
    assert received["name"] == "Anna" and received["question"]["mine"] == 0 and received["follows"]
    assert len(live(teacher).room.students) == 1


def test_the_run_goes_on_without_the_teacher_who_comes_back_to_it(served, teacher, join, open_page):
    anna = join("Anna")
    run = live(teacher).run
    session = teacher.session
    teacher.leave()
    anna.receive("room", lambda room: not room["teacher_here"])
    next(x for x in served.sessions if x.id == session).request_expiration()
    wait_until(lambda: session not in VISITS)
    step = run.handle.latest.step
    anna.frame()
    wait_until(lambda: (anna.frame(), run.handle.latest.step > step)[1])
    back = open_page(f"&room={teacher.code}", teach=teacher.key)
    back.send("enter", code=teacher.code, key=teacher.key)
    assert back.receive("room")["role"] == "teacher"
    assert back.visit.run is run
    anna.receive("room", lambda room: room["teacher_here"])


def test_a_page_of_the_teacher_that_has_a_run_of_its_own_is_loaded_again(teacher, open_page):
    other = open_page()
    other.frame()
    other.send("enter", code=teacher.code, key=teacher.key)
    assert other.receive("teach") == teacher.key


def cut_while_following(teacher, anna) -> dict[str, object]:
    return {"follows": True, "mode": "follow"}


def cut_while_asked(teacher, anna) -> dict[str, object]:
    teacher.send("ask", question="What will it do?", options=["fall", "rise"])
    question = anna.receive("room", lambda room: "question" in room)["question"]
    return {"follows": True, "question": question}


def cut_after_answering(teacher, anna) -> dict[str, object]:
    cut_while_asked(teacher, anna)
    anna.send("choose", option=1)
    question = anna.receive("room", lambda room: room["question"].get("mine") == 1)["question"]
    return {"question": question | {"answered": 1}}


def cut_while_asked_what_was_seen(teacher, anna) -> dict[str, object]:
    cut_after_answering(teacher, anna)
    teacher.send("close question")
    teacher.send("ask seen")
    anna.receive("room", lambda room: room["question"]["phase"] == "seen")
    anna.send("choose", option=0)
    question = anna.receive("room", lambda room: room["question"].get("mine") == 0)["question"]
    assert question["predicted"] == 1
    return {"question": question | {"answered": 1}}


def cut_at_the_wheel(teacher, anna) -> dict[str, object]:
    anna.send("take wheel")
    anna.receive("room", lambda room: not room["follows"])
    return {"follows": False, "mode": "follow"}


PHASES = [
    *(cut_while_following, cut_while_asked, cut_after_answering),
    *(cut_while_asked_what_was_seen, cut_at_the_wheel),
]


@pytest.mark.parametrize("cut", PHASES, ids=lambda cut: cut.__name__)
def test_a_student_whose_line_is_cut_comes_back_in_place(teacher, join, cut):
    anna = join("Anna")
    expected = cut(teacher, anna)
    anna.classroom.close_socket()
    teacher.receive("room", lambda room: not room["students"][0]["here"])
    anna.classroom = anna.plug("class")
    anna.send("enter", code=teacher.code, key=anna.key)
    received = anna.receive("room")
    assert {name: received.get(name) for name in expected} == expected
    assert anna.visit.watched is (live(teacher).run if received["follows"] else None)


def test_a_saved_room_opens_again_in_a_new_server_for_the_same_browsers(teacher, join, open_page):
    anna = join("Anna")
    teacher.send("ask", question="What will it do?", options=["fall", "rise"])
    anna.receive("room", lambda room: "question" in room)
    anna.send("choose", option=1)
    anna.receive("room", lambda room: room["question"].get("mine") == 1)
    teacher.send("results", kind="room")
    teacher.receive("file")
    saved, code, key = teacher.last["text"], teacher.code, anna.key
    anna.send("reopen", room=saved)
    assert "teacher's password" in anna.receive("refused")
    teacher.send("close room")
    teacher.receive("gone")
    back = open_page()
    back.send("enter", code=code, key=key)
    assert back.receive("gone").startswith("This room is not open") and back.last["again"]
    other = open_page()
    other.frame()
    other.send("teach", password=TEACHER_PASSWORD.text)
    other.receive("may_open")
    other.send("reopen", room="{}")
    assert "holds no room that was saved here" in other.receive("refused")
    other.send("reopen", room=saved)
    assert other.receive("room")["code"] == code
    back.send("enter", code=code, key=key)
    received = back.receive("room")
    assert received["name"] == "Anna" and received["question"]["mine"] == 1


def test_all_hand_ins_are_one_archive(teacher, join, tmp_path):
    anna, _ = join("Anna"), join("Ben")
    teacher.send("results", kind="hand-ins")
    assert teacher.receive("refused") == "Nobody here has answered a lesson or pinned a run yet."
    teacher.send("mode", mode="free")
    anna.receive("room", lambda room: room["mode"] == "free")
    anna.visit.handle.send(Play())
    wait_until(lambda: anna.visit.handle.latest.step > 5 and anna.frame())
    anna.visit.handle.send(Pause())
    anna.visit.handle.send(Pin("mine"))
    wait_until(lambda: anna.visit.handle.query(lambda experiment: experiment.pinned).result())
    teacher.send("results", kind="hand-ins")
    assert teacher.receive("file") == f"hand-ins-{teacher.code}.zip"
    path = tmp_path / "all.zip"
    path.write_bytes(base64.b64decode(teacher.last["base64"]))
    made = read_files(str(path))
    assert [one.student for one in made.values()] == ["Anna", "Ben"]
    assert [run.name for run in next(iter(made.values())).runs] == ["mine"]


def test_panels_that_steer_say_why_they_do_not_while_the_class_is_followed(served, teacher, join):
    anna = join("Anna")
    layout = anna.visit.parts.layout
    document = next(x for x in served.sessions if x.id == anna.session).document
    message = {"kind": "tab", "name": "Search", "value": ""}
    document.locked_callback(lambda: layout.bridge.receive(message))()

    def held() -> bool:
        return "another one: take the wheel" in " ".join(page_text(*layout.page.sidebar).split())

    wait_until(lambda: layout.panel == "Search" and held())
    assert "Add an axis" not in labels(*layout.page.sidebar)
    assert layout.page.main[0].visible  # the plots of the run
    teacher.send("mode", mode="free")
    wait_until(lambda: "Add an axis" in labels(*layout.page.sidebar) and not held())


def test_a_removed_student_is_put_out(teacher, join, open_page):
    anna = join("Anna")
    number = next(iter(live(teacher).room.students))
    teacher.send("remove", who=number)
    anna.receive("gone")
    assert anna.visit.watched is None and not anna.visit.refuses("key", " ", "")
    anna.send("hand", up=True)
    assert anna.receive("refused") == "This page is in no room."
    anna.send("enter", code=teacher.code, key=anna.key or "x")
    assert "the teacher has removed you" in anna.receive("gone")


def test_a_password_opens_no_room_that_another_teacher_has(teacher, open_page):
    other = open_page()
    other.send("enter", code=teacher.code, key=TEACHER_PASSWORD.text)
    assert "or has opened the room with another key" in other.receive("gone")
    assert len(class_rooms.MEMBERS[live(teacher)]) == 1


def test_closing_the_room_gives_everybody_a_page_of_their_own(teacher, join):
    anna = join("Anna")
    teacher.send("results", kind="csv")
    teacher.receive("file")
    assert teacher.last["text"].startswith("student,best accuracy")
    teacher.send("close room")
    assert anna.receive("gone") == "The room is closed."
    wait_until(lambda: anna.visit.watched is None and not LIVE)
    wait_until(lambda: teacher.visit.handle.latest.status is Status.RUNNING)


def test_a_student_can_neither_be_the_teacher_nor_see_more(teacher, join):
    anna, ben = join("Anna"), join("Ben")
    teacher.send("ask", question="What will it do?", options=["fall", "rise"])
    ben.receive("room", lambda room: "question" in room)
    ben.send("choose", option=1)
    anna.receive("room", lambda room: room.get("question", {}).get("answered") == 1)
    number = next(x.number for x in live(teacher).room.students.values() if x.name == "Ben")
    for what, given in (
        *(("wall", {"on": True}), ("results", {"kind": "json"}), ("code", {"address": "x"})),
        *(("close question", {}), ("look", {"who": number}), ("show", {"who": number})),
        *(("remove", {"who": number}), ("mode", {"mode": "free"}), ("close room", {})),
        ("suggest", {"who": number, "text": "x"}),
    ):
        anna.send(what, **given)
        assert anna.receive("refused") == "Only the teacher can do this."
    texts = json.dumps(anna.last)
    assert "wall" not in anna.last and "file" not in anna.last
    assert "Ben" not in texts and teacher.key not in texts and ben.key not in texts
    assert live(teacher).room.holds


def test_hostile_messages_over_the_socket_change_nothing(teacher, join):
    anna = join("Anna")
    dice = random.Random(4)
    room = live(teacher).room
    before = room.changes
    stranger = Page(teacher.address)
    try:
        for _ in range(60):
            message = hostile(dice)
            if b'"code"' not in message and b"teach" not in message:
                stranger.classroom.send(message.decode("latin1"))
        stranger.send("hand", up=True)
        stranger.receive("refused", lambda words: words == "This page is in no room.")
    finally:
        stranger.leave()
    assert room.changes == before
    assert len(room.students) == 1 and anna.visit.watched is live(teacher).run


@pytest.mark.parametrize("hello", [{}, {"token": "x"}, "x", {"do": "open"}])
def test_a_page_without_a_token_is_closed(address, hello):
    there = f"{address.replace('http', 'ws')}/class"
    with connect(there, origin=address.removesuffix("/app")) as socket:
        socket.send(json.dumps(hello))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=PATIENCE)
        assert socket.close_code == FORBIDDEN


def test_a_run_goes_on_if_a_lost_line_ends_after_the_page_has_a_new_one(open_page, served):
    page = open_page()
    page.frame()
    wait_until(lambda: page.visit.handle.latest.status is Status.RUNNING)
    lost, page.frames = page.frames, page.plug("frames")  # which asks for nothing: it is hidden
    wait_until(lambda: len(page.visit.on_other_run) == 2)
    lost.close()
    wait_until(lambda: len(page.visit.on_other_run) == 1)
    heard = threading.Event()
    served.call(heard.set)
    assert heard.wait(PATIENCE)
    assert page.visit.presence.left is None
    step = page.visit.handle.latest.step
    page.row = -1
    wait_until(lambda: page.frame()["step"] > step)


def test_what_another_thread_sends_is_written_on_the_thread_of_the_channel(teacher, monkeypatch):
    (page,) = class_rooms.MEMBERS[live(teacher)]
    write, writers = WebSocketHandler.write_message, []

    def write_message(channel: WebSocketHandler, *given: object) -> object:
        writers.append(threading.get_ident())
        return write(channel, *given)

    monkeypatch.setattr(WebSocketHandler, "write_message", write_message)
    page.send(json.dumps({"refused": "Not now."}))
    assert teacher.receive("refused") == "Not now."
    assert writers and threading.get_ident() not in writers


def test_a_page_that_does_not_read_is_not_answered_for_ever(served, open_page, monkeypatch):
    writes: list[tuple[ClassChannel, str, asyncio.Future[None]]] = []

    def write(channel: ClassChannel, text: str) -> asyncio.Future[None]:
        writes.append((channel, text, asyncio.get_running_loop().create_future()))
        return writes[-1][2]

    monkeypatch.setattr(ClassChannel, "write_message", write)
    page = open_page()
    for _ in range(2 * UNREAD):
        page.send("nonsense")
    wait_until(lambda: writes and writes[0][0].outbox.behind)
    assert len(writes) == 1
    for n in range(2 * UNREAD):
        wait_until(lambda n=n: len(writes) > n)
        assert "refused" in writes[n][1]
        served.call(writes[n][2].set_result, None)
    wait_until(lambda: not writes[0][0].outbox.behind)
