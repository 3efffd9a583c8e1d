"""The stages of an explained step as the page tells them, and what a browser may ask for."""

import re

import pytest

from app.explained_step import stages
from app.explained_step.dialog import ExplainedStepDialog
from app.numbers import exactly, number
from app.page.bridge import Bridge
from app.page.buttons import Presses
from engine import Choice, Experiment, RunConfig, Status, digest
from tests.app.obedient_handle import ObedientHandle

PICTURES = {
    "data.dataset": Choice("Fashion-MNIST"),
    "model.convolutions": "4 of 5x5",
    "model.hidden": (8,),
    "model.normalization": Choice("batch norm"),
    "model.dropout": 0.2,
    "optimization.batch_size": 8,
}
VALUES = {"data.dataset": Choice("bumps"), "optimization.loss": Choice("mean squared error")}
TABLE = {
    "data.dataset": Choice("wine"),
    "data.preprocessing": Choice("standardize"),
    "model.activation": Choice("Maxout"),
}
HINGE = {"optimization.loss": Choice("multiclass hinge"), "optimization.l2": 0.01}


class Shown:
    """The open dialog of an experiment."""

    def __init__(self, settings: dict) -> None:
        config = RunConfig()
        for path, value in settings.items():
            config = config.replace(path, value)
        self.handle, self.presses = ObedientHandle(Experiment(config)), Presses()
        self.handle.experiment.train(5)
        self.bridge = Bridge()
        self.dialog = ExplainedStepDialog(self.handle, self.bridge, self.presses)
        self.dialog.opened()
        self.follow()

    def follow(self) -> None:
        """Let the engine work, and the page follow, until there is nothing new."""
        jobs = self.handle.jobs
        while jobs.busy:
            jobs.advance(1.0, lambda: 0.0)
            self.dialog.show(self.handle.latest)

    def press(self, name: str, value: str = "") -> None:
        self.presses.press(name, value)
        self.follow()

    def turn_to(self, stage: str) -> None:
        self.bridge.receive({"kind": "stage", "name": stage, "value": self.written})
        self.follow()

    @property
    def written(self) -> str:
        """What the browser sends with a stage: how often the stages have been written for it."""
        return re.search(r'data-written="(\d+)"', self.page)[1]

    @property
    def stage(self) -> str:
        """The stage that the browser shows once the stages have been written."""
        return re.search(r'aria-selected="true"[^>]*data-tab="([^"]+)"', self.page)[1]

    @property
    def page(self) -> str:
        return self.dialog.view.object


@pytest.fixture(params=[{}, PICTURES, VALUES, TABLE, HINGE])
def shown(request) -> Shown:
    return Shown(request.param)


def test_all_stages_are_told_with_the_numbers_of_the_step(shown):
    *_, told = shown.handle.experiment.explaining()
    page = shown.page
    assert re.findall(r'role="tabpanel" aria-label="([^"]+)"', page) == list(stages.STAGES)
    assert f"<b>Step {told.step}</b> of run 1" in page
    assert told.digest in page
    assert number(told.loss) in page
    for one in told.examples:
        assert number(one.loss) in page
    for layer in told.layers:
        assert page.count(f"<figcaption><b>{layer.name}</b>") == (2 if layer.name != "image" else 1)
    for one in told.tensors:
        for value in (one.size, one.gradient, one.update, one.ratio):
            assert f"<td>{number(value)}</td>" in page
    assert page.count("aria-pressed") == len(told.examples) + 1  # and the button that plays
    assert shown.handle.jobs.shown.explained is None  # the engine keeps nothing


@pytest.mark.parametrize(
    ("settings", "told", "untold"),
    [
        ({}, ["ReLU multiplies it"], ["pool", "dropout stops", "batch norm takes"]),
        (PICTURES, ["a pool passes it", "dropout stops", "batch norm takes", "ReLU multi"], []),
        (TABLE, ["Maxout passes it"], ["its slope"]),
        ({"model.activation": Choice("tanh")}, ["tanh multiplies it"], ["ReLU"]),
        ({"model.hidden": ()}, ["depends on the way forward."], ["ReLU"]),
    ],
)
def test_the_way_back_is_told_of_the_layers_that_there_are(settings, told, untold):
    backward = re.search(r'aria-label="Backward".*?</p>', Shown(settings).page, re.DOTALL)[0]
    assert all(words in backward for words in told)
    assert not any(words in backward for words in untold)


def test_pixels_of_feature_maps_are_told_only_where_there_are_some():
    assert "in a feature map" in Shown(PICTURES).page
    assert "in a feature map" not in Shown({}).page


def test_the_units_of_the_scores_have_the_names_of_their_classes():
    shown = Shown({"data.dataset": Choice("penguins"), "data.preprocessing": Choice("standardize")})
    shown.turn_to("One weight")
    for name in shown.handle.latest.data.classes:
        assert re.search(rf"<td>{name}: \S+ × \S+</td>", shown.page)
    shown.press("trace", "dense 1||")
    assert re.search(r"<td>unit \d+: \S+ × \S+</td>", shown.page)


def test_one_weight_is_traced_when_its_stage_is_looked_at(shown):
    assert "Checked by trying" not in shown.page
    shown.turn_to("One weight")
    *_, told = shown.handle.experiment.tracing()
    assert exactly(told.gradient) in shown.page and exactly(told.difference) in shown.page
    assert "✓ They agree" in shown.page
    for one in told.would_be:
        assert f"<td>{number(one.first)}</td><td>{number(one.held)}</td>" in shown.page
    assert f"<td>{number(told.change)}</td>" in shown.page
    for link in told.chain:
        assert f"= <b>{number(link.gradient + 0.0)}</b>" in shown.page


def test_a_stage_stays_that_was_turned_to_while_the_stages_were_written_anew(shown):
    before = shown.written
    shown.turn_to("One weight")  # which is written once it is traced; meanwhile comes:
    shown.bridge.receive({"kind": "stage", "name": "Update", "value": before})
    assert shown.stage == "Update"
    page = shown.page
    shown.turn_to("Batch")  # which the browser shows by itself
    assert shown.page is page


def test_another_example_and_another_weight(shown):
    shown.press("trace", "scores|2|1")
    assert 'data-trace="1" min="1"' in shown.page
    assert re.search(r'data-trace="1"[^>]* value="2"', shown.page)
    assert re.search(r'data-trace="2"[^>]* value="1"', shown.page)
    shown.press("explain example", "3")
    assert "Example 4 goes through the layers" in shown.page
    assert "for example 4" in shown.page  # the weight follows it
    for hostile in ("", "-1", "99999999999", "x", "2²"):
        shown.press("explain example", hostile)
    for hostile in (
        "",
        "|",
        "|||",
        "nonsense|1|1",
        "scores|-5|0",
        "scores|99999999|99999999",
        "²||²",
    ):
        shown.press("trace", hostile)
        assert "Checked by trying" in shown.page
    shown.turn_to("nonsense")
    assert shown.page.count("<script") == 0


def test_the_step_is_made_as_it_was_explained(shown):
    *_, told = shown.handle.experiment.explaining()
    shown.press("make step")
    assert shown.handle.experiment.step == told.step
    assert digest(shown.handle.experiment) == told.digest
    assert f"Step {told.step} is made: its weights are to the bit what was explained." in shown.page
    assert f"<b>Step {told.step + 1}</b>" in shown.page


def test_a_second_press_makes_no_second_step():
    shown = Shown({})
    before = shown.handle.experiment.step
    for _ in range(2):
        shown.presses.press("make step")
    shown.follow()
    assert shown.handle.experiment.step == before + 1
    assert "to the bit what was explained" in shown.page


def test_a_step_that_cannot_be_explained_says_why():
    shown = Shown({})

    def fail(chosen):
        raise RuntimeError("the batch is <b>lost</b>")
        yield

    shown.handle.experiment.explaining = fail
    shown.dialog.opened()
    shown.follow()
    assert "The explanation of the step failed: the batch is &lt;b&gt;lost" in shown.page
    del shown.handle.experiment.explaining
    shown.dialog.opened()
    shown.follow()
    assert "<b>Step 6</b> of run 1" in shown.page and "failed" not in shown.page


def test_a_weight_that_cannot_be_traced_says_why_beside_the_other_stages():
    shown = Shown({})
    shown.handle.experiment.tracing = lambda place, chosen: iter(lambda: 1 / 0, None)
    shown.turn_to("One weight")
    assert "The tracing of the weight failed: division by zero" in shown.page
    assert "<b>Step 6</b> of run 1" in shown.page


def test_a_run_that_failed_says_so_in_place_of_a_step():
    shown = Shown({})
    failed = shown.handle.latest
    object.__setattr__(failed, "status", Status.FAILED)
    object.__setattr__(failed, "message", "ValueError: no. Restart to try again.")
    shown.dialog.opened()
    shown.dialog.show(failed)
    assert "no. Restart to try again." in shown.page


def test_the_probabilities_follow_from_the_scores():
    page = Shown({}).page
    rows = re.findall(r'<th scope="row">(\w+)</th><td>(\S+)</td><td>(\S+)</td><td>(\S+)</td>', page)
    powers = [float(power) for _, _, power, _ in rows]
    shares = [float(share) for _, _, _, share in rows]
    assert len(rows) == 10
    assert sum(shares) == pytest.approx(1, abs=0.01)
    assert shares == pytest.approx([power / sum(powers) for power in powers], abs=0.002)


def test_a_step_that_diverges_is_told_as_far_as_it_comes():
    shown = Shown({"optimization.learning_rate": 10.0, "optimization.optimizer": Choice("SGD"),
                   "model.initializer": Choice("unit normal")})  # fmt: skip
    for _ in range(50):
        if "the run diverges here" in shown.page:
            break
        shown.press("make step")
    assert "the run diverges here" in shown.page
    assert "no update" in shown.page.lower()
    shown.turn_to("One weight")
    shown.press("make step")
    assert "no gradient to trace" in shown.page


def test_names_of_classes_are_escaped():
    shown = Shown({})
    data = shown.handle.latest.data
    object.__setattr__(data, "classes", tuple(f"<b>{n}" for n in range(10)))
    shown.press("explain example", "1")  # all is written anew
    assert "<b>3" not in shown.page and "&lt;b&gt;3" in shown.page
