"""The diagnosis bar without a browser: it shows the engine's findings and applies remedies."""

import re

import msgspec
import pytest

from app.page.buttons import Presses
from app.page.diagnosis_bar import DiagnosisBar
from engine import (
    Choice,
    Experiment,
    LookBack,
    Pause,
    Play,
    Restart,
    RunConfig,
    SetKnob,
    StartLockstep,
    Turn,
)

INITIALIZER = "model.initializer"


class Page:
    """Applies the bar's commands, as the conductor would."""

    def __init__(self, config: RunConfig) -> None:
        self.experiment = Experiment(config)
        self.sent: list = []
        self.done: list[tuple[str, ...]] = []  # by the browser
        self.presses = Presses(lambda *values: self.done.append(values))
        self.bar = DiagnosisBar(self.send, self.presses)
        self.bar.show(self.experiment.snapshot())

    def send(self, command) -> None:
        self.sent.append(command)
        self.experiment.apply(command)

    def train(self, steps: int) -> None:
        self.experiment.train(steps)
        self.bar.show(self.experiment.snapshot())

    def press(self, label: str) -> None:
        self.presses.press(self.shown[label])
        self.bar.show(self.experiment.snapshot())

    @property
    def pointed_at(self) -> list[str]:
        return [view for action, view in self.done if action == "point_at"]

    @property
    def words(self) -> str:
        return self.bar.view.object

    @property
    def buttons(self) -> list[str]:
        return list(self.shown)

    @property
    def shown(self) -> dict[str, str]:
        """The buttons by label, with the message that each sends."""
        found = re.findall(r'data-press="(\w+)".*?class="word">([^<]+)<', self.words)
        return {word: name for name, word in found}


@pytest.fixture
def broken(config) -> Page:
    return Page(config.replace(INITIALIZER, Choice("unit normal")))


def test_a_healthy_run_shows_no_finding(config):
    page = Page(config)
    page.train(50)
    assert 'role="status"' in page.words
    assert page.buttons == []


def test_the_hint_is_true_of_the_run(config):
    page = Page(config)
    assert "The run waits" in page.words and "plots move" not in page.words
    for command, hint in (
        (Play(), "These plots move because a network is learning"),
        (SetKnob("optimization.learning_rate", 0.02), "A red line marks your change"),
        (SetKnob("optimization.l2", 0.1), "Red lines mark your changes"),
        (Pause(), "The run waits"),
    ):
        page.experiment.apply(command)
        page.train(3)
        assert hint in page.words


def test_a_change_in_run_b_alone_is_marked_by_a_red_line_too(config):
    page = Page(config)
    for command in (
        Play(),
        StartLockstep(),
        Turn(SetKnob("optimization.learning_rate", 0.02), "B"),
    ):
        page.experiment.apply(command)
    page.train(3)
    assert "A red line marks your change" in page.words


def test_a_finding_has_name_number_range_cause_and_remedy(broken):
    assert 'role="alert"' in broken.words
    for words in ("First loss", "healthy", "knows nothing has 2.3", "by Xavier"):
        assert words in broken.words
    assert broken.buttons == ["Show me", "Fix it"]


def test_who_follows_a_run_is_told_to_press_nothing_that_is_refused(broken, config):
    healthy = Page(config)
    healthy.bar.show_other(healthy.experiment.snapshot())
    assert "waits until whoever steers it" in healthy.words and "Press Play" not in healthy.words
    healthy.send(Play())
    healthy.bar.show_other(healthy.experiment.snapshot())
    assert "Somebody else steers this run" in healthy.words and "Turn a knob" not in healthy.words

    broken.bar.show_other(broken.experiment.snapshot())
    assert broken.buttons == ["Show me"]
    broken.bar.show(broken.experiment.snapshot())
    assert broken.buttons == ["Show me", "Fix it"]


def test_show_me_highlights_the_plot_until_the_finding_is_fixed(broken):
    broken.press("Show me")
    assert broken.pointed_at[-1] == "loss"
    broken.press("Fix it")
    assert broken.pointed_at[-1] == ""


def with_rules(page: Page, *rules: str) -> None:
    """Make the bar show findings with these names, whatever the run's state."""
    snapshot = page.experiment.snapshot()
    first = snapshot.findings[0]
    findings = tuple(msgspec.structs.replace(first, rule=rule) for rule in rules)
    page.bar.show(msgspec.structs.replace(snapshot, findings=findings))


def test_up_to_three_findings_are_listed_most_serious_first(broken):
    with_rules(broken, "dead units", "first loss", "plateau")
    places = [broken.words.index(name) for name in ("Dead units", "First loss", "Plateau")]
    assert places == sorted(places)
    assert broken.words.count("healthy") == 3
    assert broken.words.count("knows nothing has 2.3") == 3 + 2  # and in full in tooltips
    assert broken.words.count("by Xavier") == 1  # only the first one has its remedy
    assert "more" not in broken.words


def test_further_findings_are_counted(broken):
    with_rules(broken, "dead units", "first loss", "plateau", "overfitting", "update ratio")
    assert "Overfitting" not in broken.words
    assert "(and 2 more)" in broken.words


def test_after_a_divergence_show_me_opens_the_divergence_view(config):
    page = Page(config.replace("optimization.learning_rate", 1e5))
    page.train(50)
    page.press("Show me")
    assert page.pointed_at[-1] == "autopsy"


def test_the_autopsy_is_left_when_another_run_takes_the_place_of_the_one_that_diverged(config):
    page = Page(config.replace("optimization.learning_rate", 1e5))
    page.train(50)
    page.experiment.look_back(0)
    page.bar.show(page.experiment.snapshot())
    assert ("turn_from", "autopsy") not in page.done  # it is there again after the last step
    page.send(Restart())
    page.train(0)
    assert page.done[-1] == ("turn_from", "autopsy")
    page.send(Restart())
    page.train(0)
    assert page.done.count(("turn_from", "autopsy")) == 1


def test_a_look_back_before_a_divergence_highlights_its_autopsy_no_more(config):
    page = Page(config.replace(INITIALIZER, Choice("unit normal")))
    page.train(20)
    page.send(SetKnob("optimization.learning_rate", 1e5))
    page.train(50)
    page.press("Show me")
    assert page.pointed_at == ["autopsy"]
    page.send(LookBack(10))
    page.train(0)
    assert page.experiment.snapshot().findings
    assert page.pointed_at == ["autopsy", ""]


def test_fix_it_applies_the_remedy_and_undo_reverts_it(broken):
    broken.press("Fix it")
    assert broken.experiment.config.model.initializer == Choice("Xavier")
    assert 'role="status"' in broken.words
    assert broken.buttons == ["Undo"]
    broken.press("Undo")
    assert broken.experiment.config.model.initializer == Choice("unit normal")
    assert broken.buttons == ["Show me", "Fix it"]


def test_after_a_divergence_fix_it_also_restarts(config):
    page = Page(config.replace("optimization.learning_rate", 1e6))
    page.train(50)
    assert "Exploding" in page.words
    page.press("Fix it")
    assert page.sent == [SetKnob("optimization.learning_rate", 0.1), Restart()]
    page.train(100)
    assert page.experiment.status != "diverged"


def test_a_refusal_is_shown(config):
    page = Page(config)
    page.bar.show(msgspec.structs.replace(page.experiment.snapshot(), message="No <such> thing."))
    assert "No &lt;such&gt; thing." in page.words


def test_a_remedy_of_several_settings_is_applied_and_undone_as_one(config):
    page = Page(config.replace("optimization.learning_rate", 1.0))
    page.train(300)
    assert "Dead units" in page.words
    page.press("Fix it")
    assert page.experiment.config.model.activation == Choice("leaky ReLU")
    assert page.experiment.config.optimization.learning_rate < 1
    page.press("Undo")
    assert page.experiment.config.model.activation == Choice("ReLU")
    assert page.experiment.config.optimization.learning_rate == 1


def test_after_a_divergence_fix_it_restarts_with_the_lowered_rate(config):
    page = Page(config.replace("optimization.learning_rate", 1e6))
    page.train(50)
    page.send(SetKnob("optimization.learning_rate", 0.01))
    page.train(0)
    assert "a learning rate of 0.01" in page.words
    page.press("Fix it")
    assert page.experiment.config.optimization.learning_rate == 0.01
    assert page.experiment.run == 2
