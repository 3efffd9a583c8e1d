"""What each thing on the page is said to be, without a browser."""

import functools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import app.server.session  # noqa: F401  each part of the whole page brings its explanations
from app import numbers, theme
from app.explanations.explanation import EXPLANATIONS
from app.explanations.question_mark import KIND, QuestionMark, answer
from app.page.branch_tree import tree
from app.page.buttons import Presses
from app.page.diagnosis_bar import DiagnosisBar
from app.page.keyboard import ASKING, KEYS, LOOKING
from app.page.timeline import Timeline
from app.page.transport import Transport
from app.panels import KNOBS, PANELS
from app.panels.classroom.explanations import STUDENT, TEACHER
from app.plots import VIEWS, plot_data, view_of
from app.plots.view import switches
from app.settings.parameters import PLACES
from engine import (
    CHECKS,
    LESSONS,
    RULES,
    SETTINGS,
    Choice,
    Experiment,
    ModelConfig,
    RunConfig,
    SetKnob,
    StartLockstep,
    lesson_of_rule,
    slug_of,
)
from engine.training.config_sections import OptimizationConfig

SLUGS = {slug_of(name) for name in LESSONS}
CONFIGS = {
    "classes": RunConfig(),
    "values": RunConfig(optimization=OptimizationConfig(loss=Choice("mean squared error"))).replace(
        "data.dataset", Choice("plane")
    ),
    "images": RunConfig()
    .replace("data.dataset", Choice("Fashion-MNIST"))
    .replace("model.convolutions", "8 of 5x5"),
    "many layers": RunConfig(model=ModelConfig(hidden=(20,) * 9)),
}


def key_of(thing: str) -> str | None:
    """The key of a thing, by the rule of app/static/explanations.js."""
    words = re.sub(r"\d+", "#", thing).split(" ")
    wider = [" ".join([*words[:-n], "*"]) for n in range(1, len(words) + 1)]
    return next((key for key in [thing, " ".join(words), *wider] if key in EXPLANATIONS), None)


@functools.cache
def seen(case: str):
    """The run of a case after a few steps: built once for all that is explained of it."""
    experiment = Experiment(CONFIGS[case])
    experiment.train(3)
    return experiment.snapshot()


def sentences(text: str) -> int:
    return len(re.findall(r"[.?!](?=\s|$)", text))


class Bridge:
    """Hears what a browser would, and keeps what it is made to do."""

    def __init__(self) -> None:
        self.hears: dict = {}
        self.done: list = []

    def on(self, kind, hear) -> None:
        self.hears[kind] = hear

    def do(self, *words) -> None:
        self.done.append(words)


# ---- every thing has an explanation ------------------------------------------------------------


@pytest.mark.parametrize("name", PLACES)
def test_every_setting(name):
    assert key_of(f"setting {name}") == f"setting {name}"


@pytest.mark.parametrize("name", [name for name, place in PLACES.items() if not place.knob])
def test_what_is_healthy_for_a_setting_is_not_all_that_can_be_set(name):
    snapshot = Experiment(RunConfig()).snapshot()
    key = f"setting {name}"
    assert "can be set" not in answer(key, key, snapshot)


def test_the_laboratory_speaks_of_no_run_where_it_trains_none():
    told = answer(
        "field Lab Activation", "field Lab Activation", Experiment(RunConfig()).snapshot()
    )
    assert "new run" not in told


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("case", CONFIGS)
def test_every_plot_with_its_numbers_its_lines_and_its_buttons(name, case):
    snapshot = seen(case)
    view = view_of(name)(snapshot, theme.DESK)
    tags = [tag for figure in view.figures for tag in figure.tags if isinstance(tag, dict)]
    tab = view_of(name).tab
    things = [f"tab {tab}"] if tab else []
    things += [f"number {text}" for text, _, _ in view.keys if text]
    things += [f"number {name}.{line['label']}" for tag in tags for line in tag.get("lines", ())]
    things += [f"button switch {switch}" for switch, _ in switches(view)]
    missing = [f"view {name}"] if key_of(f"view {name}") != f"view {name}" else []
    missing += [thing for thing in things if key_of(thing) is None]
    assert not missing, f"call explain(key, title, what) in the file of the plot: {missing}"


def test_every_line_of_a_second_run():
    experiment = Experiment(RunConfig())
    experiment.train(3)
    experiment.apply(StartLockstep())
    experiment.train(3)
    snapshot = experiment.snapshot()
    assert tree(snapshot), "there is no second run"
    for name in ("loss", "accuracy", "updates"):
        view = view_of(name)(snapshot, theme.DESK)
        labels = {line["label"] for line in view.figures[0].tags[0]["lines"]}
        assert any(label.startswith("B ") for label in labels)
        assert all(key_of(f"number {name}.{label}") for label in labels), labels
        assert all(key_of(f"number {text}") for text, _, _ in view.keys if text)


@pytest.mark.parametrize("rule", RULES)
def test_every_finding(rule):
    assert EXPLANATIONS[f"finding {rule}"].what == RULES[rule].summary


@pytest.mark.parametrize("panel", [KNOBS, *PANELS])
def test_every_panel(panel):
    assert key_of(f"tab {panel}")


@pytest.mark.parametrize("check", CHECKS)
def test_every_check(check):
    assert key_of(f"button check {check}")


class Elements(HTMLParser):
    """The things that a template names by its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.things: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, given) -> None:
        named = dict(given)
        kinds = {"data-explain": "", "data-press": "button ", "data-text": "number "}
        found = [f"{kind}{named[data]}" for data, kind in kinds.items() if named.get(data)]
        if tag in ("button", "input", "select") or "data-text" in named:
            self.things |= {" | ".join(found)} if found else set()


WITHIN_BUTTONS = {"number play", "number play.icon", "number pace"}


def test_every_button_and_number_of_the_header_the_timeline_and_the_diagnosis_bar():
    def handle():
        raise AssertionError("nothing is asked of the run")

    presses = Presses()
    transport = Transport(lambda command: None, handle, presses)
    timeline = Timeline(lambda command: None, handle, presses)
    bar = DiagnosisBar(lambda command: None, presses)
    experiment = Experiment(RunConfig().replace("model.initializer", Choice("unit normal")))
    experiment.train(3)
    bar.show(experiment.snapshot())
    html = transport.html + timeline.view.object + bar.view.object
    things = Elements(html).things
    assert len(things) > 20, things
    for thing in things - WITHIN_BUTTONS:
        if not thing.startswith("number pace.is"):
            assert any(map(key_of, thing.split(" | "))), thing
    for name in plot_data.status(experiment.snapshot(), -1).text:
        if f"number {name}" not in WITHIN_BUTTONS and not name.startswith("pace"):
            assert key_of(f"number {name}"), name


# ---- and it is true ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", EXPLANATIONS)
def test_an_explanation_is_short_and_names_what_exists(key):
    it = EXPLANATIONS[key]
    assert it.title
    assert 1 <= sentences(it.what) <= 2, it.what
    assert it.what.endswith((".", "?"))
    assert len(it.what) < 260, len(it.what)
    assert not it.lesson or it.lesson in SLUGS
    assert not it.shortcut or it.shortcut in KEYS | LOOKING | ASKING


def test_lessons_are_known_for_settings_and_findings():
    taught = [lesson_of_rule(rule) for rule in RULES]
    assert "dead-relus" in taught
    assert {lesson for lesson in taught if lesson} <= SLUGS
    assert {setting.lesson for setting in SETTINGS.values()} - {""} <= SLUGS


def test_every_hyperparameter_says_what_it_does():
    for path, setting in SETTINGS.items():
        for entry in getattr(setting.values, "values", dict)():
            for knob in entry.knobs:
                assert sentences(knob.meaning) == 1, (path, entry.name, knob.name)


def test_the_value_is_that_of_the_snapshot():
    experiment = Experiment(RunConfig())
    experiment.train(30)
    snapshot = experiment.snapshot()
    loss = numbers.number(snapshot.metrics.validation_loss)
    assert f"<dd>{loss}</dd>" in shown("number loss.validation", snapshot)
    assert "<dd>0.01</dd>" in shown("setting learning_rate", snapshot)
    assert "<dd>healthy</dd>" in shown("number health", snapshot)
    assert "<dd>30</dd>" in shown("number step", snapshot)
    assert "<dd>64, 64</dd>" in shown("setting hidden", snapshot)
    alternative = view_of("accuracy").columns(snapshot, -1).alternative()
    assert alternative in shown("view accuracy", snapshot)
    experiment.apply(SetKnob("optimization.learning_rate", 0.5))
    assert "<dd>0.5</dd>" in shown("setting learning_rate", experiment.snapshot())


def test_a_finding_tells_its_number_its_band_and_what_to_do():
    experiment = Experiment(RunConfig().replace("model.initializer", Choice("unit normal")))
    experiment.train(3)
    snapshot = experiment.snapshot()
    finding = snapshot.findings[0]
    text = shown(f"finding {finding.rule}", snapshot)
    assert numbers.number(finding.number) in text
    assert finding.advice in text
    assert f'data-lesson="{lesson_of_rule(finding.rule)}"' in text
    other = next(rule for rule in RULES if rule not in {x.rule for x in snapshot.findings})
    assert "not found here" in shown(f"finding {other}", snapshot)


def test_a_hyperparameter_of_another_entry_has_no_value():
    snapshot = seen("classes")
    assert "<dt>Now</dt><dd>0.9</dd>" in shown("setting optimizer_mu", snapshot)
    assert "<dt>Now</dt>" not in shown("setting optimizer_beta1", snapshot)


def shown(thing: str, snapshot) -> str:
    return answer(thing, key_of(thing) or "", snapshot)


@pytest.mark.parametrize("case", CONFIGS)
def test_everything_can_be_explained_of_any_run(case):
    snapshots = [seen(case), Experiment(CONFIGS[case]).snapshot()]
    for snapshot in snapshots:
        for key in EXPLANATIONS:
            thing = key.replace("#", "1").replace("*", "anything")
            assert EXPLANATIONS[key].title.split("'")[0] in answer(thing, key, snapshot)


# ---- whatever a browser asks for ---------------------------------------------------------------


def test_the_browser_is_told_which_things_are_known_and_what_one_is():
    bridge, snapshot = Bridge(), seen("classes")
    QuestionMark(bridge, lambda: snapshot)
    ask = bridge.hears[KIND]
    ask("", "")
    assert set(json.loads(bridge.done[0][1])) == set(EXPLANATIONS)
    ask("number updates.W2", "number updates.W#")
    name, thing, html = bridge.done[1]
    assert (name, thing) == ("explained", "number updates.W2")
    assert "Update / weight of a layer" in html


@pytest.mark.parametrize(
    ("thing", "key"),
    [
        ("view loss", "view nothing"),
        ("view nothing", "view loss"),
        ("setting <b>", "setting l2"),
        ("number loss.<script>", "number loss.train"),
        ("finding " + "x" * 3000, "finding overfitting"),
        ("number", "number step"),
        (" ", "setting l2"),
    ],
)
def test_a_browser_may_ask_for_anything(thing, key):
    bridge, snapshot = Bridge(), seen("classes")
    QuestionMark(bridge, lambda: snapshot)
    bridge.hears[KIND](thing, key)
    assert len(bridge.done) == (key in EXPLANATIONS)
    for _, _, html in bridge.done:
        assert "<script>" not in html
        assert "<b>" not in html


def test_each_control_of_a_class_is_explained_by_its_name():
    folder = Path(__file__).parents[2] / "app" / "static" / "classroom"
    scripts = "".join(script.read_text() for script in folder.glob("*.js"))
    for name in TEACHER | STUDENT:
        assert f'"{name}"' in scripts or f" {name}: " in scripts
        assert key_of(f"field Class {name}") == f"field Class {name}"
