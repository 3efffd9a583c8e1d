"""Lessons written in JSON are checked in one sentence, played, varied."""

import copy
import json
from pathlib import Path

import pytest

from engine import LESSONS, open_lesson
from engine.cli.main import main
from engine.lessons.lesson import slug_of
from engine.lessons.play import gather, judge
from engine.lessons.written import add, read_lesson, register_lessons

README = (Path(__file__).parents[2] / "engine" / "README.md").read_text()
BLOCKS = [part.partition("```")[0] for part in README.split("```json\n")[1:]]
WRITTEN = json.loads(next(block for block in BLOCKS if '"question"' in block))


def raw(lesson: dict) -> bytes:
    return json.dumps(lesson).encode()


@pytest.fixture
def course():
    """Removes what a test adds to the course."""
    before = set(LESSONS)
    yield
    for name in set(LESSONS) - before:
        LESSONS.remove(name)


def test_the_documented_lesson_holds_and_its_variation_makes_it_false():
    lesson = read_lesson(raw(WRITTEN))
    assert judge(lesson).holds, judge(lesson)
    seen = lesson.observe(gather(lesson))
    assert seen.answer == "with momentum"
    varied = lesson.varied(lesson.variations[0])
    verdict = judge(varied)
    assert not verdict.holds and "not above" in verdict.sentence
    assert lesson.changes(lesson.variations[0]) == ("with momentum: optimizer momentum → SGD",)


def changed(path: str, value: object) -> dict:
    lesson = copy.deepcopy(WRITTEN)
    *way, last = path.split(".")
    at: object = lesson
    for key in way:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[int(last) if isinstance(at, list) else last] = value
    return lesson


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("title", "No question", "title must be a question, got 'No question'"),
        ("question.right", 7, "right counts the options from 0: it must be at most 2, got 7"),
        ("question.options", ["one"], "of 2 or more"),
        ("question.options", ["one", "one", "two"], "each option must differ"),
        ("view", "losss", "unknown view 'losss'"),
        ("runs.0.settings", {"model.hiden": "64"}, "unknown setting 'model.hiden'"),
        ("runs.0.settings", {"model.activation": "relu6"}, "unknown activation 'relu6'"),
        ("runs.0.settings", {"optimization.learning_rate": -1}, "learning rate must be"),
        ("runs.0.steps", 10**9, "steps"),
        ("runs.0.script", [[900, {"optimization.learning_rate": 0.1}]], "beyond the last step"),
        ("runs.1.name", "plain", "each run needs a name of its own"),
        ("check.0.figure", "beauty", "unknown figure 'beauty'"),
        ("check.0.of", "nobody", "unknown run 'nobody'"),
        ("check.0.than", "nobody", "unknown run 'nobody'"),
        ("check.0.side", "beside", "beside"),
        ("runs.0.titled", "{colour}", "unknown title 'colour'"),
        ("sentence", "{accuracy of nobody}", "no run is named in '{accuracy of nobody}'"),
        ("sentence", "{beauty of plain}", "unknown figure 'beauty'"),
        ("figures", [{"figure": "loss", "of": "nobody"}], "unknown run 'nobody'"),
        ("seen.which", None, "which .of several runs., or of"),
        ("variations.0.settings", {}, "changes nothing"),
        ("variations.0.of", "nobody", "unknown run 'nobody'; choose from "),
        ("seen.which", "best", "seen.which cannot be 'best'; choose from highest, lowest"),
        ("check.0.side", "over", "check\\[0\\].side cannot be 'over'; choose from above, below"),
        ("runs.0.step", 3, "runs\\[0\\] has no field 'step'; "),
        ("variations", [], "of 1 or more"),
        ("vew", "loss", "no field 'vew'"),
    ],
)
def test_an_impossible_lesson_is_refused_in_one_sentence(path, value, message):
    with pytest.raises(ValueError, match=message) as error:
        read_lesson(raw(changed(path, value)))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_figures_of_runs_are_compared_multiplied_shifted_shown_and_told():
    rich = changed("runs.0.titled", "{optimizer} ({seed})") | {
        "sentence": "{plain} made {steps of plain} and {end of plain}, {rate of with momentum}.",
        "figures": [{"figure": "steps", "of": "plain", "relative_to": "with momentum"}],
        "check": [
            {"figure": "steps", "of": "plain", "side": "above", "than": "with momentum",
             "times": 0.9, "plus": 9.5},
            {"figure": "steps", "of": "plain", "side": "below", "than": "with momentum",
             "times": 0.9, "plus": 10.5, "lecture": "100"},
        ],
    }  # fmt: skip
    rich["runs"][0] |= {"examples": 30, "seed": 3}
    lesson = read_lesson(raw(rich))
    assert lesson.runs[0].config.data.examples == 30 and lesson.runs[0].config.seed == 3
    verdict = judge(lesson)
    title = "SGD at 0.005 (the network of seed 3)"
    assert verdict.holds
    assert verdict.sentence == f"{title} made 100 and did not diverge, a rate of 0.005."
    labels = {figure.label: (figure.ours, figure.lecture) for figure in verdict.figures}
    assert labels[f"steps, {title}"] == (100, "100")
    assert labels[f"steps, {title}, beside with momentum: times as much"][0] == 1
    rich["check"][0]["plus"] = 10.5
    assert not judge(read_lesson(raw(rich))).holds


def test_a_verdict_tells_runs_apart_that_a_variation_made_alike():
    rich = changed("sentence", "{plain} {steps of plain}, {with momentum} {rate of with momentum}.")
    for run in rich["runs"]:
        run["titled"] = "{optimizer}"
    lesson = read_lesson(raw(rich))
    assert "(" not in judge(lesson).sentence
    verdict = judge(lesson.varied(lesson.variations[0]))
    first, second = lesson.varied(lesson.variations[0]).titles.values()
    assert first != second
    assert verdict.sentence.startswith(f"{first} 100, {second} ")
    assert all(f", {first}" in x.label or f", {second}" in x.label for x in verdict.figures)


@pytest.mark.parametrize("hostile", [b"", b"[" * 100_000, b"\xff\xfe\x00", b"[]", b"x" * 2_000_000])
def test_what_is_no_lesson_is_refused(hostile):
    with pytest.raises(ValueError):
        read_lesson(hostile)


def test_a_written_lesson_is_played_from_the_shell(tmp_path, capsys, course):
    file = tmp_path / "own.json"
    file.write_bytes(raw(WRITTEN))
    assert main(["lesson", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"]["holds"] is True
    file.write_bytes(raw(changed("check.0.figure", "beauty")))
    assert main(["lesson", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_lessons_of_a_folder_join_the_course(tmp_path, course):
    (tmp_path / "a.lesson.json").write_bytes(raw(WRITTEN))
    (tmp_path / "b.lesson.json").write_bytes(raw(changed("title", "Two is company?")))
    (tmp_path / "c.lesson.json").write_bytes(b"{}")
    refused = register_lessons(tmp_path)
    assert [line.partition(":")[0] for line in refused] == ["c.lesson.json"]
    own = slug_of("Two is company")
    assert open_lesson("Two is company").slug == own
    with pytest.raises(ValueError, match="already"):
        add(read_lesson(raw(WRITTEN)))
