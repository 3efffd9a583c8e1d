"""A class room without a page: who may do what, hidden tallies, limits, and hostile messages."""

import contextlib
import copy
import functools
import itertools
import json
import operator
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.classroom import messages as m
from app.classroom.nicknames import LONGEST, nickname
from app.classroom.participant import MOST_TRIALS, Prediction, Trial
from app.classroom.question import Phase
from app.classroom.refused import Refused
from app.classroom.results import as_csv, as_json
from app.classroom.room import WHEEL_AGAIN, Room
from app.classroom.rooms import CODE, HOUR, LETTERS, Rooms
from app.classroom.saved import (
    SavedRoom,
    as_file,
    from_file,
    reopen,
    restore,
    save,
    with_results,
)
from app.classroom.tiles import POINTS, axes_of, curve_between, note, order_of, tile_of
from app.classroom.views import student_sees, teacher_sees
from engine import (
    BackgroundResults,
    Choice,
    Experiment,
    LessonProgress,
    Limits,
    RunConfig,
    SetKnob,
)
from tests.waiting import Clock

LESSONS = {"first": 0, "second": 1, "third": 2}
OPTIONS = ("up", "down", "nothing")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock):
    return Room("BCDFG", 40, LESSONS, clock)


def joined(room: Room, *names: str):
    students = [room.join(name) for name in names]
    for student in students:
        room.page_opened(student)
    return students


def teach(room: Room, message: m.Message) -> None:
    room.receive(room.teacher_key, message)


def seen(room: Room, student) -> dict:
    return json.loads(msgspec.json.encode(student_sees(room, student, teacher_here=True)))


def taught(room: Room) -> dict:
    return json.loads(msgspec.json.encode(teacher_sees(room)))


# ---- keys and names -----------------------------------------------------------------------------


def test_a_room_is_found_by_its_code_however_it_is_written():
    rooms = Rooms(3, 40, 8, Clock())
    room = rooms.open(LESSONS)
    assert len(room.code) == CODE and set(room.code) <= set(LETTERS)
    assert rooms.find(f" {room.code[:2].lower()}-{room.code[2:]} ") is room
    with pytest.raises(Refused, match="no room with this code"):
        rooms.find("")


def test_a_teacher_may_wish_for_a_code():
    rooms = Rooms(3, 40, 8, Clock())
    assert rooms.open(LESSONS, "audi-max 1").code == "AUDIMAX1"
    with pytest.raises(Refused, match="in use by another class"):
        rooms.open(LESSONS, "Audimax1")
    for wrong in ("abc", "x" * 13, "häuser", "a/../b"):
        with pytest.raises(Refused, match="A code has 4 to 12 letters and digits"):
            rooms.open(LESSONS, wrong)


def test_rooms_have_a_limit_and_hours():
    clock = Clock()
    rooms = Rooms(1, 40, 2, clock)
    room = rooms.open(LESSONS)
    with pytest.raises(Refused, match="All 1 class rooms of this server are in use"):
        rooms.open(LESSONS)
    (student,) = joined(room, "Anna")
    clock.now = 2 * HOUR
    with pytest.raises(Refused, match="no room"):
        rooms.find(room.code)
    assert room.closed and not room.students
    with pytest.raises(Refused, match="closed"):
        room.receive(student.key, m.Hand(True))
    assert rooms.open(LESSONS) is not room


def test_keys_cannot_be_guessed_and_are_told_to_nobody_else(room):
    anna, ben = joined(room, "Anna", "Ben")
    keys = {room.teacher_key, anna.key, ben.key}
    assert len(keys) == 3 and min(map(len, keys)) >= 24
    received = json.dumps([seen(room, anna), seen(room, ben), taught(room), as_json(room)])
    assert not any(key in received for key in keys)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("  Anna  B. ", "Anna B."),
        ("Zoë", "Zoë"),
        ("李雷", "李雷"),
        ("a\u202etxt\u200b\x00", "atxt"),
        ("e" + "\u0301" * 50, "é" + "\u0301" * 2),
        ("\uff46ull\u3000width", "full width"),
        ("a\nb\tc", "a b c"),
        ("x" * 500, "x" * LONGEST),
    ],
)
def test_nicknames_are_cleaned(said, shown):
    assert nickname(said, []) == shown


@pytest.mark.parametrize("said", ["", "   ", "\u200b\u202e", "!!!", "\u0301"])
def test_a_nickname_can_be_read(said):
    with pytest.raises(Refused, match="at least one letter or digit"):
        nickname(said, [])


@given(st.lists(st.text(max_size=60), max_size=12))
def test_nicknames_differ_and_have_no_invisible_characters(said):
    taken: list[str] = []
    for name in said:
        try:
            taken.append(nickname(name, taken))
        except Refused:
            continue
        assert 0 < len(taken[-1]) <= LONGEST and taken[-1].isprintable()
    assert len({name.casefold() for name in taken}) == len(taken)


def test_students_wait_to_be_let_in_when_the_teacher_wants_that(room):
    teach(room, m.Welcome(everybody=False))
    anna, ben, carl = joined(room, "Anna", "Ben", "Carl")
    with pytest.raises(Refused, match="not let you in yet"):
        room.receive(anna.key, m.Hand(True))
    assert not seen(room, anna)["admitted"] and not room.follows(anna)
    teach(room, m.Admit(anna.number))
    assert (anna.admitted, ben.admitted) == (True, False)
    with pytest.raises(Refused, match="Ben has not been let in"):
        teach(room, m.LookAtStudent(ben.number))
    teach(room, m.Admit())
    assert all(student.admitted for student in (anna, ben, carl))


def test_a_removed_student_can_do_nothing_any_more(room):
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.ShowToAll(anna.number))
    teach(room, m.LookAtStudent(anna.number))
    teach(room, m.Remove(anna.number))
    assert (room.shown, room.looked_at) == (None, None)
    with pytest.raises(Refused, match="This key opens nothing here"):
        room.receive(anna.key, m.Hand(True))
    with pytest.raises(Refused, match="not in the room any more"):
        teach(room, m.Admit(anna.number))
    room.receive(ben.key, m.Leave())
    assert not room.students


def test_a_room_has_as_many_places_as_it_says():
    room = Room("BCDFG", 2, LESSONS, Clock())
    joined(room, "Anna", "Ben")
    with pytest.raises(Refused, match="All 2 places of this room are taken"):
        room.join("Carl")


# ---- questions ----------------------------------------------------------------------------------


def test_whoever_joins_again_and_again_keeps_nobody_out():
    room = Room("BCDFG", 4, LESSONS, Clock())
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("What?", OPTIONS))
    room.receive(ben.key, m.Choose(1))
    room.page_closed(ben)  # who comes back
    ghosts = [room.join(f"Ghost {number}") for number in range(20)]
    (carl,) = joined(room, "Carl")
    (dora,) = joined(room, "Dora")
    assert list(room.students.values()) == [anna, ben, carl, dora]
    assert not any(room.student(ghost.key) for ghost in ghosts)
    with pytest.raises(Refused, match="All 4 places of this room are taken"):
        room.join("Emil")
    assert room.question.answers[Phase.PREDICT] == {ben.number: 1}


def test_tallies_are_hidden_until_the_question_is_closed(room):
    anna, ben, carl = joined(room, "Anna", "Ben", "Carl")
    teach(room, m.Ask("What will the loss do?", OPTIONS))
    assert room.holds
    room.receive(anna.key, m.Choose(1))
    room.receive(anna.key, m.Choose(2))  # changes her mind: counted once
    room.receive(ben.key, m.Choose(1))
    for received in (seen(room, anna)["question"], seen(room, carl)["question"]):
        assert (received["answered"], received["of"]) == (2, 3)
        assert "before" not in received
    assert seen(room, anna)["question"]["mine"] == 2
    assert "mine" not in seen(room, carl)["question"]
    assert "before" not in taught(room)["question"]
    teach(room, m.CloseQuestion())
    assert not room.holds
    assert seen(room, carl)["question"]["before"] == [0, 1, 1]
    with pytest.raises(Refused, match="No question is open"):
        room.receive(carl.key, m.Choose(0))


def test_what_was_seen_stands_beside_what_was_predicted(room):
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("What will the loss do?", OPTIONS))
    with pytest.raises(Refused, match="after the predictions are closed"):
        teach(room, m.AskSeen())
    room.receive(anna.key, m.Choose(0))
    teach(room, m.CloseQuestion())
    teach(room, m.AskSeen())
    assert "after" not in seen(room, anna)["question"]
    room.receive(anna.key, m.Choose(1))
    room.receive(ben.key, m.Choose(1))
    teach(room, m.CloseQuestion())
    received = seen(room, ben)["question"]
    assert (received["phase"], received["before"], received["after"]) == (
        "compare",
        [1, 0, 0],
        [0, 2, 0],
    )
    assert seen(room, anna)["question"]["predicted"] == 0
    assert [x.answer for x in anna.predictions] == ["up", "down"]
    teach(room, m.DropQuestion())
    assert "question" not in seen(room, anna)


def test_a_curve_is_drawn_from_left_to_right(room):
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("Draw the loss of the next 500 steps."))
    room.receive(anna.key, m.Draw(((0.0, 0.9), (0.5, 0.4), (1.0, 0.1))))
    for wrong in (((0.5, 0.5), (0.5, 0.6)), ((0.9, 0.1), (0.1, 0.9))):
        with pytest.raises(Refused, match="from left to right"):
            room.receive(ben.key, m.Draw(wrong))
    with pytest.raises(Refused, match="0 options"):
        room.receive(ben.key, m.Choose(0))
    assert "curves" not in seen(room, ben)["question"]
    assert seen(room, ben)["question"]["axes"]["steps"] == 500
    teach(room, m.CloseQuestion())
    assert seen(room, ben)["question"]["curves"] == [[[0.0, 0.9], [0.5, 0.4], [1.0, 0.1]]]
    with pytest.raises(Refused, match="compared with the run itself"):
        teach(room, m.AskSeen())


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (m.Ask("Well?", ("only one",)), "at least two different options"),
        (m.Ask("Well?", ("same", "same")), "at least two different options"),
        (m.Ask("  ", OPTIONS), "needs a text"),
    ],
)
def test_a_question_is_one(room, ask, why):
    with pytest.raises(Refused, match=why):
        teach(room, ask)
    assert room.question is None


def test_only_one_question_is_open(room):
    teach(room, m.Ask("Well?", OPTIONS))
    with pytest.raises(Refused, match="close it first"):
        teach(room, m.Ask("And?", OPTIONS))


def test_forty_votes_are_all_counted_and_none_twice(room):
    students = joined(room, *(f"student {n}" for n in range(40)))
    teach(room, m.Ask("Well?", OPTIONS))
    for student in students * 2:
        room.receive(student.key, m.Choose(int(student.number[1:]) % 3))
    teach(room, m.CloseQuestion())
    assert sum(room.question.tally(Phase.PREDICT)) == 40


# ---- steering -----------------------------------------------------------------------------------


def test_who_takes_the_wheel_follows_again_when_everybody_is_called_back(room, clock):
    anna, ben = joined(room, "Anna", "Ben")
    assert room.follows(anna)
    room.receive(anna.key, m.TakeWheel())
    assert (room.follows(anna), room.follows(ben)) == (False, True)
    room.receive(anna.key, m.Follow())
    assert room.follows(anna)
    clock.now += WHEEL_AGAIN
    room.receive(anna.key, m.TakeWheel())
    teach(room, m.SetMode("follow"))
    assert room.follows(anna)
    teach(room, m.SetMode("free"))
    assert not room.follows(ben)
    teach(room, m.SetMode("pause"))
    with pytest.raises(Refused, match="paused the class"):
        room.receive(anna.key, m.TakeWheel())


def test_nobody_takes_the_wheel_while_the_class_predicts(room):
    (anna,) = joined(room, "Anna")
    teach(room, m.Ask("Well?", OPTIONS))
    with pytest.raises(Refused, match="answer first"):
        room.receive(anna.key, m.TakeWheel())


def test_whoever_takes_the_wheel_again_and_again_waits_between(room, clock):
    (anna,) = joined(room, "Anna")
    room.receive(anna.key, m.TakeWheel())
    room.receive(anna.key, m.TakeWheel())  # has it already
    room.receive(anna.key, m.Follow())
    with pytest.raises(Refused, match="a moment ago"):
        room.receive(anna.key, m.TakeWheel())
    assert room.follows(anna)
    clock.now += WHEEL_AGAIN
    room.receive(anna.key, m.TakeWheel())
    assert not room.follows(anna)


def test_everybody_is_brought_to_a_lesson_or_a_state(room):
    with pytest.raises(Refused, match="no lesson called “fourth”"):
        teach(room, m.GoToLesson("fourth"))
    teach(room, m.GoToLesson("second"))
    assert (room.order.number, room.order.lesson, room.mode) == (1, "second", "free")
    with pytest.raises(Refused, match="no run to bring the class to"):
        teach(room, m.GoToState())
    room.packed_run = lambda: b"a run"
    teach(room, m.GoToState())
    assert (room.order.number, room.order.run) == (2, b"a run")


def test_the_pace_of_the_class_is_a_last_lesson(room):
    assert room.may_open("third")
    teach(room, m.Limit("second"))
    assert [room.may_open(lesson) for lesson in LESSONS] == [True, True, False]
    teach(room, m.Limit(None))
    assert room.may_open("third")


def test_a_hand_stays_where_it_was_raised_until_it_is_lowered(room, clock):
    anna, ben = joined(room, "Anna", "Ben")
    clock.now = 5.0
    room.receive(anna.key, m.Hand(True))
    clock.now = 9.0
    room.receive(anna.key, m.Hand(True))
    assert anna.hand == 5.0 and ben.hand is None
    room.receive(anna.key, m.Hand(False))
    assert anna.hand is None


def test_a_suggestion_is_accepted_or_turned_down(room):
    (anna,) = joined(room, "Anna")
    room.receive(anna.key, m.Hand(True))
    teach(room, m.Suggest(anna.number, "Try less", "optimization.learning_rate", 0.01))
    assert anna.hand is None
    received = seen(room, anna)["suggestion"]
    assert received == {"text": "Try less", "setting": "Learning rate", "value": "0.01"}
    room.receive(anna.key, m.Settle(accept=True))
    assert anna.suggestion is None
    with pytest.raises(Refused, match="no suggestion"):
        room.receive(anna.key, m.Settle(accept=True))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("optimization.learning_rate", -1, "Learning rate must be a number"),
        ("optimization.learning_rate", "fast", "Learning rate must be a number"),
        ("model.activation", "tanhh", "tanh"),
        ("seed.of.all", 1, "no setting called"),
        ("", "", "needs a text or a setting"),
    ],
)
def test_an_impossible_suggestion_is_refused(room, path, value, why):
    (anna,) = joined(room, "Anna")
    with pytest.raises(Refused, match=why):
        teach(room, m.Suggest(anna.number, "", path, value))
    assert anna.suggestion is None


# ---- the wall and the results -------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    experiment = Experiment(RunConfig())
    experiment.train(300)
    return experiment


def test_a_tile_is_a_small_picture_of_a_run(trained):
    tile = tile_of(trained.snapshot())
    assert (tile.step, tile.state, tile.rate) == (300, "paused", 0.01)
    assert 10 < len(tile.curve) <= POINTS
    assert tile.curve[0][0] < tile.curve[-1][0] == 300
    assert tile.curve[-1][1] < tile.curve[0][1]
    assert tile.accuracy > 0.5
    json.loads(msgspec.json.encode(tile))


def test_a_curve_for_comparison_covers_its_steps(trained):
    curves = trained.snapshot().curves
    for first, last in ((100, 200), (297, 298)):  # late in a run no row lies between
        received = curve_between(curves, first, last)
        assert (received[0][0], received[-1][0]) == (first, last)
        assert all(curves["loss_average"].min() < loss < 1 for _, loss in received)
    assert curve_between(curves, 250, 900)[-1][0] == 300
    assert curve_between(curves, 300, 400) == []
    axes = axes_of(trained.snapshot(), 500)
    assert (axes.step, axes.steps) == (300, 500)
    assert axes.low * 5 < axes.now < axes.high
    assert 0 < axes.low < trained.snapshot().curves.last("loss_average") < axes.high


def test_the_wall_shows_first_who_needs_help(trained):
    broken = Experiment(RunConfig())
    broken.apply(SetKnob("optimization.learning_rate", 10.0))
    broken.apply(SetKnob("model.activation", Choice("identity")))
    broken.train(500)
    diverged, fine = tile_of(broken.snapshot()), tile_of(trained.snapshot())
    assert diverged.state == "diverged"
    order = [order_of(fine, 3.0), order_of(diverged, None), order_of(fine, None)]
    assert order == sorted(order) and order_of(None, None) > order[-1]
    (anna,) = joined(Room("BCDFG", 40, LESSONS), "Anna")
    note(anna, broken.snapshot())
    assert [trial.accuracy for trial in anna.trials.values()] == [0.0]


def test_the_room_keeps_what_was_tried_within_limits(room, trained):
    (anna,) = joined(room, "Anna")
    snapshot = trained.snapshot()
    lesson = BackgroundResults(lesson=LessonProgress("Constant weights"))
    note(anna, msgspec.structs.replace(snapshot, background=lesson))
    assert not anna.trials and anna.best is None  # its settings are the lesson's
    note(anna, snapshot)
    assert anna.best == (pytest.approx(snapshot.metrics.validation_accuracy, rel=1e-3), RunConfig())
    for run in range(2 * MOST_TRIALS):
        anna.note_trial(Trial(run, 0.1, 0.0, 0.5))
    anna.note_trial(Trial(2 * MOST_TRIALS - 1, 0.1, 0.0, 0.4))
    assert len(anna.trials) == MOST_TRIALS
    assert list(anna.trials.values())[-1].accuracy == 0.4


def test_results_are_a_table_that_no_spreadsheet_computes(room, trained):
    anna, evil = joined(room, "Anna", "=cmd|' /C calc'!A0")
    note(anna, trained.snapshot())
    anna.lessons["second"] = True
    teach(room, m.Ask("Well?", OPTIONS))
    room.receive(anna.key, m.Choose(0))
    teach(room, m.CloseQuestion())
    lines = as_csv(room).splitlines()
    assert lines[0] == "student,best accuracy,predictions,first,second,third"
    assert lines[1].startswith("Anna,0.") and lines[1].endswith(",1,,holds,")
    assert lines[2].startswith("'=cmd")
    received = json.loads(as_json(room))
    assert received["questions"][0]["predict"] == [{"name": "Anna", "answer": 0}]
    config = msgspec.convert(received["students"][0]["best"]["settings"], RunConfig)
    assert config == RunConfig()
    assert evil.name not in lines[2][:1]


@pytest.mark.parametrize("separator", ",;|\t")
def test_no_cell_of_the_results_begins_like_a_formula_wherever_a_line_is_split(room, separator):
    joined(room, f"a{separator}=1+1", f"b{separator}{separator}@SUM(A1)", "-1", "x;+1;|-1", "c;-d")
    lines = as_csv(room).splitlines()
    cells = [cell for line in lines for cell in line.split(separator)]
    assert not [cell for cell in cells if cell.lstrip('"').startswith(("=", "+", "-", "@"))]


def test_closing_deletes_everything(room):
    (anna,) = joined(room, "Anna")
    teach(room, m.Ask("Well?", OPTIONS))
    teach(room, m.CloseRoom())
    assert room.closed and not room.students and room.question is None and not room.asked
    with pytest.raises(Refused, match="closed"):
        room.receive(anna.key, m.Hand(True))


# ---- hostile messages ---------------------------------------------------------------------------

DECODER = msgspec.json.Decoder(m.Message)
KINDS = [kind.__struct_config__.tag for kind in m.ClassMessage.__subclasses__()]
VALUES = (
    None, True, False, -1, 0, 1, 1e308, "", "s1", "s2", "s999", "x" * 500, "\u202e", [], [[0, 1]],
    [[0.0, 0.5], [1.0, 2.0]], {}, "second", "optimization.learning_rate", "pause", ["a", "b"],
)  # fmt: skip
FIELDS = sorted(
    {field for kind in m.ClassMessage.__subclasses__() for field in kind.__struct_fields__}
)


def state_of(room: Room) -> bytes:
    return msgspec.json.encode(teacher_sees(room))


def hostile(dice: random.Random) -> bytes:
    """A message of a stranger: random fields and values, or no JSON at all."""
    if dice.random() < 0.1:
        return bytes(dice.randrange(256) for _ in range(dice.randrange(40)))
    fields = dice.sample(FIELDS, dice.randrange(4))
    said = {"do": dice.choice([*KINDS, "destroy", 7, None])}
    return json.dumps(said | {field: dice.choice(VALUES) for field in fields}).encode()


def test_ten_thousand_hostile_messages_change_nothing(room):
    """Neither of strangers, nor of a student who claims to be the teacher."""
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("Well?", OPTIONS))
    room.receive(ben.key, m.Choose(1))
    before, dice = state_of(room), random.Random(1)
    understood = 0
    for _ in range(10_000):
        try:
            message = DECODER.decode(hostile(dice))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        understood += 1
        key = dice.choice(["", "x", room.code, anna.number, room.teacher_key[:-1], anna.key])
        if key == anna.key and isinstance(message, m.STUDENTS):
            continue  # that is her right
        with pytest.raises(Refused):
            room.receive(key, message)
        assert room.holds
    assert understood > 200
    assert state_of(room) == before
    assert room.question.answers[Phase.PREDICT] == {ben.number: 1}


def test_a_student_changes_nothing_but_its_own(room):
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("Well?", OPTIONS))
    room.receive(ben.key, m.Choose(1))
    others = seen(room, ben) | {"question": None}
    dice = random.Random(2)
    for _ in range(10_000):
        try:
            message = DECODER.decode(hostile(dice))
            if not isinstance(message, m.Leave):
                room.receive(anna.key, message)
        except (Refused, msgspec.MsgspecError, UnicodeDecodeError):
            pass
    assert seen(room, ben) | {"question": None} == others
    assert room.question.answers[Phase.PREDICT][ben.number] == 1
    assert list(room.students) == [anna.number, ben.number]


# ---- saved rooms --------------------------------------------------------------------------------


def test_a_saved_room_opens_again_with_its_students_and_answers(room):
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("What?", OPTIONS))
    room.receive(anna.key, m.Choose(1))
    anna.lessons["first"] = True
    anna.note_trial(Trial(1, 0.1, 0.0, 0.9))
    anna.note_run(0.9, RunConfig(seed=4))
    ben.wheel = True
    text = as_file(room)
    assert room.teacher_key not in text
    again = Room("BCDFG", 40, LESSONS, Clock())
    reopen(again, from_file(text))
    back = again.student(anna.key)
    assert back and (back.name, back.lessons, back.best) == ("Anna", {"first": True}, anna.best)
    assert list(back.trials.values()) == list(anna.trials.values())
    assert again.question and again.question.answer_of(back.number, Phase.PREDICT) == 1
    assert again.holds and not again.students[ben.number].wheel
    assert again.teacher_key != room.teacher_key
    assert again.join("Carl").number == "s3"  # no number is given twice
    assert as_csv(again).splitlines()[1].startswith("Anna,0.9")


def test_the_file_of_a_large_class_can_be_opened_again(clock):
    room = Room("BCDFG", Limits().students, LESSONS, clock)
    question = "What will the validation accuracy do after that?"
    for number in range(Limits().students):
        student = room.join(f"Student with a name {number}")
        for run in range(MOST_TRIALS):
            student.note_trial(Trial(10**6 + run, 0.0123456789 + run, 1e-5, 0.9123456789))
        for phase in [Phase.PREDICT, Phase.SEEN] * 20:
            student.predictions.append(Prediction(question, phase, "It rises at first."))
    assert len(as_file(room).encode()) < m.MOST_SAVED


def test_a_room_that_was_saved_by_an_older_version_opens_with_its_question_and_suggestion():
    text = """{
        "code": "BCDFG", "came": 1, "asks": true,
        "students": [{
            "number": "s1", "key": "k", "name": "Anna", "admitted": true, "wheel": false,
            "suggestion": {"words": "Try less", "path": "", "value": ""}
        }],
        "questions": [{"words": "What?", "options": ["up", "down"], "phase": "predict"}]
    }"""
    room = Room("BCDFG", 40, LESSONS, Clock())
    reopen(room, from_file(text))
    assert room.question.text == "What?"
    assert room.student("k").suggestion.text == "Try less"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"code": 5}', '{"code": "A", "students": [{}]}', "x" * 99]
)
def test_a_file_that_holds_no_room_is_refused(text):
    with pytest.raises(Refused, match="This file holds no room that was saved here"):
        from_file(text)


SAVED = {
    "code": "BCDFG", "asks": True,
    "students": [{
        "number": "s1", "key": "k", "name": "Anna", "admitted": True, "lessons": {"first": True},
        "suggestion": {"words": "Try", "path": "optimization.learning_rate", "value": 0.01},
        "predictions": [{"question": "What?", "phase": "predict", "answer": "up"}],
        "trials": [{"run": 1, "rate": 0.1, "penalty": 0.0, "accuracy": 0.9}],
    }],
    "questions": [
        {"words": "What?", "options": ["up", "down"], "phase": "watch",
         "answers": {"predict": {"s1": 0}}},
        {"words": "Draw", "options": [], "phase": "predict",
         "axes": {"step": 0, "steps": 500, "low": 0.01, "high": 9.0, "now": 2.3},
         "answers": {"predict": {"s1": [[0.0, 0.5], [1.0, 0.2]]}}},
    ],
}  # fmt: skip
REPLACED = (
    None, True, -1, 0, 1, 7, 999, 10**30, 1e308, -1e308, "", "s1", "x" * 30_000, "s" + "9" * 5000,
    "s٣", "\u202e<b>", "seen", "no.such", "second", [], [1], [[0, 1]], [[5e300, 1]], {}, {"a": 1},
    [{}], [{"phase": 5}], 0.5, ["a", "b"],
)  # fmt: skip


def places_in(saved: object) -> list[tuple[str | int, ...]]:
    """The path to every value of a saved room."""
    inside = saved.items() if isinstance(saved, dict) else enumerate(saved)
    found: list[tuple[str | int, ...]] = []
    for key, value in inside:
        deeper = places_in(value) if isinstance(value, dict | list) else []
        found += [(key,), *((key, *path) for path in deeper)]
    return found


def used_in_all_ways(room: Room) -> None:
    """Show it to everybody, export it, and go on with its question."""
    for go_on in (None, m.CloseQuestion(), m.AskSeen(), m.DropQuestion()):
        if go_on:
            with contextlib.suppress(Refused):
                teach(room, go_on)
        taught(room)
        for student in room.students.values():
            seen(room, student)
        as_csv(room), as_json(room)
        from_file(as_file(room))


def test_a_saved_room_of_any_content_is_refused_or_can_be_used():
    opened = 0
    for path, value in itertools.product(places_in(SAVED), REPLACED):
        changed = copy.deepcopy(SAVED)
        functools.reduce(operator.getitem, path[:-1], changed)[path[-1]] = value
        room = Room("BCDFG", 40, LESSONS, Clock())
        try:
            reopen(room, from_file(json.dumps(changed)))
        except Refused:
            continue
        opened += 1
        used_in_all_ways(room)
    assert opened > 100


def test_names_of_a_saved_room_can_be_shown():
    odd = copy.deepcopy(SAVED)
    odd["students"][0]["name"] = "\u202eAn\0na" + "x" * 999
    room = Room("BCDFG", 40, LESSONS, Clock())
    reopen(room, from_file(json.dumps(odd)))
    assert room.students["s1"].name == ("Anna" + "x" * 999)[:LONGEST]


def test_a_file_with_one_key_twice_or_too_many_students_is_refused(room):
    joined(room, "Anna", "Ben")
    saved = save(room)
    with pytest.raises(Refused, match="2 students, and here 1 fit in"):
        reopen(Room("BCDFG", 1, LESSONS, Clock()), saved)
    saved.students[1].key = saved.students[0].key
    with pytest.raises(Refused, match="two students share a key"):
        from_file(msgspec.json.encode(saved))


def test_a_copy_of_a_room_keeps_its_students_as_they_are(room):
    anna, _ = joined(room, "Anna", "Ben")
    copy = Room(room.code, 40, LESSONS, Clock())
    restore(copy, save(room))
    known = copy.student(anna.key)
    room.receive(anna.key, m.TakeWheel())
    restore(copy, save(room))
    assert copy.student(anna.key) is known and known.wheel


def test_what_was_told_last_and_what_was_kept_before_make_one_room(room):
    anna, _ = joined(room, "Anna", "Ben")
    teach(room, m.Ask("What?", OPTIONS))
    room.receive(anna.key, m.Choose(1))
    teach(room, m.CloseQuestion())
    anna.note_run(0.9, RunConfig())
    teach(room, m.Ask("And now?", OPTIONS))
    kept = msgspec.json.decode(msgspec.json.encode(save(room)), type=SavedRoom)
    room.receive(anna.key, m.Choose(2))
    late = room.join("Late")
    received = save(room)
    for student in received.students:
        student.predictions, student.best = [], None
    received.questions[0].answers = {}
    copy = Room(room.code, 40, LESSONS, Clock())
    restore(copy, with_results(received, kept))
    back = copy.student(anna.key)
    assert back.best == anna.best and back.predictions == anna.predictions
    assert [x.answer_of(anna.number, Phase.PREDICT) for x in copy.asked] == [1, 2]
    assert copy.student(late.key).name == "Late"


def test_an_answer_that_comes_late_is_counted_where_it_was_given(room):
    anna, ben = joined(room, "Anna", "Ben")
    teach(room, m.Ask("What?", OPTIONS))
    room.receive(ben.key, m.Choose(0))
    teach(room, m.CloseQuestion())
    question = room.question
    room.answer_late(anna, question, Phase.PREDICT, m.Choose(1))
    assert question.tally(Phase.PREDICT) == (1, 1, 0) and question.phase is Phase.WATCH
    with pytest.raises(Refused, match="3 options"):
        room.answer_late(anna, question, Phase.PREDICT, m.Choose(5))
    with pytest.raises(Refused, match="closed"):
        room.answer_late(anna, question, Phase.WATCH, m.Choose(1))
    assert question.phase is Phase.WATCH
