"""Hand-ins are repeated and graded; what was altered is found, what is hostile is refused."""

import csv
import dataclasses
import io
import json
import zipfile
from pathlib import Path

import msgspec
import pytest

from engine import (
    Begin,
    Experiment,
    LessonAnswer,
    Pin,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    figures_of,
    open_lesson,
    play_live,
)
from engine.cli.grade import read_files
from engine.cli.main import main
from engine.grading.grading import Outcomes, grade, lessons_in, play_again
from engine.grading.hand_in import (
    HandIn,
    archive,
    content_of,
    hand_in,
    read_archive,
    read_hand_in,
    to_bytes,
)
from engine.grading.rubric import Rubric
from engine.json_reader import from_json
from engine.number_format import percent
from engine.runtime.recording import Recording
from tests.waiting import Clock

RATE = "optimization.learning_rate"
FIRST_LOSS = ("first-loss", "")
RUBRIC = {
    "title": "Exercise 1",
    "criteria": [
        {"kind": "reached", "name": "60 %", "points": 4, "accuracy": 0.6, "steps": 150},
        {"kind": "reached", "name": "60 % at once", "points": 2, "accuracy": 0.6, "steps": 2},
        {"kind": "stable", "name": "stable", "points": 1},
        {"kind": "runs", "name": "noted", "points": 2, "least": 2, "note": 5},
        {"kind": "lessons", "name": "done", "points": 2, "least": 1},
        {"kind": "predicted", "name": "right", "points": 1, "of": ["first-loss"]},
        {"kind": "seen", "name": "seen", "points": 1},
        {"kind": "reasons", "name": "reasons", "points": 1},
    ],
}


@pytest.fixture(scope="module")
def played() -> dict[tuple[str, str], Outcomes]:
    return {FIRST_LOSS: play_again(FIRST_LOSS)}


@pytest.fixture
def rubric() -> Rubric:
    return from_json(json.dumps(RUBRIC), Rubric)


def run_of_a_student() -> Experiment:
    experiment = Experiment(RunConfig(seed=4))
    experiment.train(30)
    experiment.apply(SetKnob(RATE, 0.02))
    experiment.train(110)
    experiment.apply(Pin("my run", "a higher rate helped"))
    return experiment


def answer(played, **changed) -> LessonAnswer:
    right = {
        "lesson": "first-loss",
        "predicted": "2.3026",
        "reason": "ln 10, as all scores are equal",
        "seen": played[FIRST_LOSS].seen,
        "holds": True,
        "figures": played[FIRST_LOSS].figures,
    }
    return LessonAnswer(**(right | changed))


@pytest.fixture
def made(played) -> HandIn:
    return hand_in("Ada", [answer(played)], run_of_a_student().pinned)


def resealed(made: HandIn, **changed) -> HandIn:
    """The hand-in with other content under a hash that fits, as a student could make it."""
    altered = msgspec.structs.replace(made, **changed)
    return msgspec.structs.replace(altered, content=content_of(altered))


def test_all_that_is_true_brings_its_points(made, rubric, played):
    read = read_hand_in(to_bytes(made))
    assert read == made and read.intact
    given = grade(read, rubric, played)
    assert given.points == {
        **{"60 %": 4, "60 % at once": 0, "stable": 1, "noted": 1},
        **{"done": 2, "right": 1, "seen": 1, "reasons": 1},
    }
    assert given.remarks == ()


def test_a_wrong_answer_is_no_fault_of_the_file(rubric, played):
    wrong = answer(played, predicted="0", seen="above 10.0", reason="")
    given = grade(hand_in("Ada", [wrong], ()), rubric, played)
    assert given.points["done"] == 2
    assert given.points["right"] == given.points["seen"] == given.points["reasons"] == 0
    assert given.remarks == ()


def test_a_file_made_when_numbers_were_written_otherwise_is_graded_alike(rubric, played):
    seen = f"−0.5 to {percent(0.1)}"
    now = Outcomes("2.3026", seen, (("slope at −2", 1.0),))
    for earlier in ("-0.5 to 10%", "−0.5 to 10 %"):
        before = answer(played, seen=earlier, figures=(("slope at -2", 1.0),))
        given = grade(hand_in("Ada", [before], ()), rubric, {FIRST_LOSS: now})
        assert (given.points["done"], given.points["seen"], given.remarks) == (2, 1, ())


def test_what_an_earlier_version_called_no_clear_difference_was_seen_rightly(rubric, played):
    now = Outcomes("2.3026", "two or more alike", ())
    before = answer(played, seen="no clear difference", figures=())
    given = grade(hand_in("Ada", [before], ()), rubric, {FIRST_LOSS: now})
    assert (given.points["seen"], given.remarks) == (1, ())


def test_a_figure_that_was_altered_is_found_even_under_a_hash_that_fits(made, rubric, played):
    (run,) = made.runs
    figures = run.figures | {"validation_accuracy": 0.99}
    altered = resealed(made, runs=(msgspec.structs.replace(run, figures=figures),))
    assert altered.intact
    given = grade(altered, rubric, played)
    (remark,) = given.remarks
    assert "validation accuracy handed in as 0.99, repeated as 0." in remark
    assert given.points["60 %"] == given.points["stable"] == 0


def test_a_change_of_the_file_is_found_by_its_hash(made, rubric, played):
    given = grade(msgspec.structs.replace(made, student="Eve"), rubric, played)
    assert given.remarks == ("the file was changed after it was handed in",)


def test_altered_figures_of_a_lesson_are_found(rubric, played):
    false = tuple((label, 0.0) for label, _ in played[FIRST_LOSS].figures)
    given = grade(hand_in("Ada", [answer(played, figures=false)], ()), rubric, played)
    assert "first-loss: first loss handed in as 0, repeated as 2.30" in given.remarks[0]
    assert given.points["done"] == 0


GAP = ("the-gap-is-overfitting", "")


def steered_answer() -> LessonAnswer:
    """The answer to a lesson in which a student lowered the rate in the second run."""
    lesson = open_lesson("the gap is overfitting")
    short = dataclasses.replace(
        lesson, runs=tuple(dataclasses.replace(run, steps=40) for run in lesson.runs)
    )
    experiment, last = Experiment(RunConfig()), None
    for progress in play_live(experiment, short, lambda pace: None):
        last = progress or last
        experiment.train(int(experiment.step < 40))
        if last.number == 2 and experiment.step == 20:
            experiment.apply(SetKnob(RATE, 0.002))
    return LessonAnswer(
        lesson=lesson.slug,
        predicted="it falls",
        seen=last.seen.answer,
        holds=last.verdict.holds,
        steered=bool(last.note),
        figures=figures_of(last.verdict),
        runs=last.steered,
    )


def test_a_lesson_that_was_steered_is_repeated_as_it_was_steered(rubric):
    answered = steered_answer()
    assert answered.steered and answered.runs[1][1].script
    elsewhere = {GAP: Outcomes("it falls", "", ())}
    made = read_hand_in(to_bytes(hand_in("Ada", [answered], ())))
    given = grade(made, rubric, elsewhere)
    assert given.points["done"] == 2 and not given.remarks
    figures = ((answered.figures[0][0], 0.5), *answered.figures[1:])
    false = msgspec.structs.replace(answered, figures=figures)
    given = grade(hand_in("Ada", [false], ()), rubric, elsewhere)
    assert "handed in as 0.5, repeated as" in given.remarks[0] and given.points["done"] == 0
    silent = msgspec.structs.replace(answered, runs=())
    given = grade(hand_in("Ada", [silent], ()), rubric, elsewhere)
    assert "the file does not say which" in given.remarks[0] and given.points["done"] == 0
    (name, begin), second = answered.runs
    other = msgspec.structs.replace(begin, config=begin.config.with_seed(5))
    swapped = msgspec.structs.replace(answered, runs=((name, other), second))
    given = grade(hand_in("Ada", [swapped], ()), rubric, elsewhere)
    assert "does not begin as in the lesson" in given.remarks[0]


def test_on_another_kind_of_machine_figures_are_compared_within_a_tolerance(made, rubric, played):
    (run,) = made.runs
    other_bits = msgspec.structs.replace(run.recording, digest="0123456789abcdef")
    near = {name: value * 1.01 for name, value in run.figures.items()}
    handed = msgspec.structs.replace(run, recording=other_bits, figures=near)
    given = grade(resealed(made, machine="Darwin arm64", runs=(handed,)), rubric, played)
    (remark,) = given.remarks
    assert "another kind of machine; its figures agree within a tolerance" in remark
    assert given.points["60 %"] == 4
    far = msgspec.structs.replace(handed, figures=near | {"train_loss": 0.01})
    given = grade(resealed(made, machine="Darwin arm64", runs=(far,)), rubric, played)
    assert given.points["60 %"] == 0


def test_a_run_that_diverged_is_repeated_but_is_not_stable(rubric, played):
    experiment = Experiment(RunConfig().replace(RATE, 1e6))
    experiment.train(200)
    assert experiment.status is Status.DIVERGED
    experiment.apply(Pin("too high"))
    given = grade(hand_in("Ada", [], experiment.pinned), rubric, played)
    assert given.points["stable"] == 0
    assert given.remarks == ()


def test_a_run_that_takes_too_long_is_given_up(made, rubric, played):
    (run,) = made.runs
    long = msgspec.structs.replace(run.recording, steps=10**9)
    clock = Clock()

    def passing() -> float:
        clock.now += 1
        return clock.now

    handed = (msgspec.structs.replace(run, recording=long),)
    given = grade(resealed(made, runs=handed), rubric, played, 5.0, passing)
    assert "takes too long to repeat" in given.remarks[0]


def test_a_journal_that_begins_other_runs_is_not_followed(made, rubric, played):
    (run,) = made.runs
    for command in (Restart(7), Begin(RunConfig(seed=9))):
        journal = ((20, command), *run.recording.journal)
        recording = Recording(run.recording.config, journal, run.recording.steps, None)
        handed = (msgspec.structs.replace(run, recording=recording),)
        given = grade(resealed(made, runs=handed), rubric, played)
        assert given.points["60 %"] == 4  # the turns alone are repeated
    other_data = ((20, SetKnob("data.dataset", {"name": "iris"})), *run.recording.journal)
    raw = msgspec.to_builtins(made)
    raw["runs"][0]["recording"]["journal"] = msgspec.to_builtins(other_data)
    given = grade(msgspec.convert(raw, HandIn), rubric, played)
    assert "begins another run" in " ".join(given.remarks)


def test_lessons_that_nobody_knows_are_not_played(played):
    unknown = answer(played, lesson="alchemy")
    odd = answer(played, variation="no such variation")
    assert lessons_in([hand_in("Ada", [answer(played), unknown, odd], ())]) == [FIRST_LOSS]


@pytest.mark.parametrize("name", ["", " \n", "x" * 101, "a\x00b"])
def test_a_name_that_cannot_be_written_is_refused(name):
    with pytest.raises(ValueError, match="Write your name or number"):
        hand_in(name, [], ())


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ([], "of 1 or more"),
        ([{"kind": "magic", "name": "a", "points": 1}], "magic"),
        ([{"kind": "stable", "name": "a", "points": -1}], "points"),
        ([{"kind": "stable", "name": "a", "points": 1}] * 2, "two criteria are named 'a'"),
        ([{"kind": "stable", "name": "a", "points": 1, "pionts": 2}], "pionts"),
    ],
)
def test_an_impossible_rubric_is_refused(criteria, message):
    with pytest.raises(ValueError, match=message):
        from_json(json.dumps({"criteria": criteria}), Rubric)


def test_the_documented_rubric_can_be_read():
    documented = (Path(__file__).parents[2] / "engine" / "README.md").read_text()
    blocks = [part.partition("```")[0] for part in documented.split("```json\n")[1:]]
    (block,) = [block for block in blocks if '"criteria"' in block]
    assert from_json(block, Rubric).points == 13


# ---- from a shell -----------------------------------------------------------------------------


HOSTILE = {
    "empty.json": b"",
    "noise.json": bytes(range(256)),
    "deep.json": b"[" * 100_000,
    "list.json": b"[1, 2, 3]",
    "large.json": b'{"student": "' + b"x" * 5_000_000 + b'"}',
    "other.json": b'{"config": {}, "journal": [], "steps": 3}',
    "wide.json": None,  # a network of a thousand layers; filled in below
}


def test_a_class_is_graded_into_a_table(tmp_path, capsys, made):
    rubric = tmp_path / "rubric.json"
    rubric.write_text(json.dumps(RUBRIC))
    files = [tmp_path / "ada.json", tmp_path / "formula.json"]
    files[0].write_bytes(to_bytes(made))
    files[1].write_bytes(to_bytes(hand_in("=cmd|' /C calc'!A0", [], ())))
    wide = json.loads(to_bytes(made))
    wide["runs"][0]["recording"]["config"]["model"]["hidden"] = [100_000] * 50
    for name, raw in HOSTILE.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(json.dumps(wide).encode() if raw is None else raw)
    files.append(tmp_path / "missing.json")
    table = tmp_path / "grades.csv"
    status = main(["grade", *map(str, files), "--rubric", str(rubric), "--csv", str(table)])
    told = capsys.readouterr()
    assert status == 1 and not told.err
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert (rows[0]["student"], rows[0]["points"], rows[0]["of"]) == ("Ada", "11.0", "14.0")
    assert rows[1]["student"] == "'=cmd|' /C calc'!A0"
    for row in rows[2:]:
        assert row["points"] == "0" or float(row["points"]) < 11
        assert row["remarks"] and "\n" not in row["remarks"] and len(row["remarks"]) < 400
    assert "Traceback" not in told.out


def test_a_whole_class_comes_as_one_archive(tmp_path, made):
    path = tmp_path / "class.zip"
    path.write_bytes(archive({"Ada": made, "../Zoë": hand_in("Zoë", [], ())}))
    read = read_files(str(path))
    assert list(read) == [f"{path}/001-Ada.json", f"{path}/002-Zoë.json"]
    assert read[f"{path}/001-Ada.json"] == made
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("bomb.json", b"0" * 5_000_000)
    assert "larger than a hand-in" in read_files(str(path))[f"{path}/bomb.json"]


def test_a_hostile_archive_is_refused_in_one_sentence(tmp_path, made, monkeypatch):
    whole = archive({"Ada": made, "Ben": made})
    path = tmp_path / "class.zip"
    for raw in (whole[: len(whole) // 2] + whole[-200:], b"x" * 500 + whole[-22:]):
        path.write_bytes(raw)
        for one in read_files(str(path)).values():
            assert isinstance(one, str) and one.startswith("refused: ") and "\n" not in one
    monkeypatch.setattr("engine.grading.hand_in.MOST_FILES", 1)
    with pytest.raises(ValueError, match="holds 2 files; at most 1"):
        read_archive(whole)
    monkeypatch.setattr("engine.grading.hand_in.MOST_FILES", 2)
    monkeypatch.setattr("engine.grading.hand_in.MOST_UNPACKED", 100)
    with pytest.raises(ValueError, match="unpacks to more than 100 bytes"):
        read_archive(whole)


def test_an_unreadable_rubric_is_one_line(tmp_path, capsys, made):
    rubric, file = tmp_path / "rubric.json", tmp_path / "ada.json"
    rubric.write_text('{"criteria": 3}')
    file.write_bytes(to_bytes(made))
    assert main(["grade", str(file), "--rubric", str(rubric)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
