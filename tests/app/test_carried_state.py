"""A link can carry the state of its run: the page shows it, and says whether the run agrees."""

import msgspec
import pytest

from app.plots.plot_data import status
from app.sharing import run_links
from app.sharing.share_dialog import Sharing
from app.sharing.shared_run import SharedRun
from engine import (
    Choice,
    Conductor,
    Experiment,
    Recording,
    RunConfig,
    SetKnob,
    Status,
    digest,
    record,
)
from engine.training.checkpoints import APART
from tests.app.obedient_handle import Answer
from tests.app.seen import control, labels, page_text
from tests.engine.without_threads import serve, watch
from tests.waiting import Clock

STEPS = 1200


@pytest.fixture(scope="module")
def source() -> Experiment:
    experiment = Experiment(RunConfig())
    experiment.train(STEPS)
    return experiment


class Page:
    """A visitor who opens a link, on a conductor without threads."""

    def __init__(self, recording: Recording, state: bytes) -> None:
        self.clock = Clock()
        self.conductor = Conductor(10, self.clock, work=self._work, begin=lambda thread: None)
        experiment = Experiment(RunConfig(), clock=self.clock, work=self._work)
        self.handle = self.conductor.add(experiment)
        watch(self.handle)
        self.told: list[str] = []
        query, wait = self.handle.query, self.handle.wait

        def served(call):
            future = query(call)
            serve(self.conductor, self.clock, 0.01)
            return future

        def served_wait(*given):
            wait(*given)
            serve(self.conductor, self.clock, 0.3)

        self.handle.query, self.handle.wait = served, served_wait
        link = run_links.PageLink(recording)
        self.shared = SharedRun(link, self.handle, self.told.append, state)
        self.handle.query, self.handle.wait = query, wait
        self.handle.on_change = self.shared.show

    def _work(self) -> float:
        self.clock.now += 0.0002
        return self.clock.now

    @property
    def experiment(self) -> Experiment:
        return self.conductor.slot(self.handle).experiment

    def play(self) -> None:
        self.shared.play()
        serve(self.conductor, self.clock, 0.1)


def test_the_step_is_shown_before_the_run_is_repeated_and_then_the_page_says_that_it_agrees(source):
    recording = record(source)
    state = run_links.carried(run_links.fragment(source.packed_state()).partition("=")[2])
    page = Page(recording, state)
    first = page.shared.snapshot  # of which the page draws its first frame
    assert (first.step, first.looking_back.done, page.experiment.step) == (STEPS, 1, 0)
    page.play()
    now = page.handle.latest
    assert now.step == STEPS > page.experiment.step
    assert now.metrics.validation_loss == source.snapshot().metrics.validation_loss
    words = status(now, -1).text
    assert words["branch"].startswith("Step 1,200, as the link has it:")
    assert words["look"] == ""
    assert page.told == []
    while page.experiment.status is Status.RUNNING:
        serve(page.conductor, page.clock, 0.2)
    serve(page.conductor, page.clock, 0.5)
    assert digest(page.experiment) == recording.digest
    assert len(page.told) == 1 and "the same, to the bit" in page.told[0]


def test_what_is_no_state_is_told_and_the_run_is_repeated(source):
    page = Page(record(source), run_links.carried("no state?"))
    assert "damaged" in page.handle.latest.message
    page.play()
    while page.experiment.status is Status.RUNNING:
        serve(page.conductor, page.clock, 0.2)
    serve(page.conductor, page.clock, 0.5)
    assert "the same, to the bit" in page.told[0]


def test_other_bits_than_those_of_the_link_are_told(source):
    page = Page(msgspec.structs.replace(record(source), digest="0" * 16), b"")
    page.play()
    while page.experiment.status is Status.RUNNING:
        serve(page.conductor, page.clock, 0.2)
    serve(page.conductor, page.clock, 0.5)
    assert len(page.told) == 1 and "not the same bits" in page.told[0]


def test_what_is_wrong_with_a_link_is_told():
    told: list[str] = []
    handle = Conductor(begin=lambda thread: None).add(Experiment(RunConfig()))
    shared = SharedRun(run_links.PageLink(refusal="This link is damaged."), handle, told.append)
    assert told == ["This link is damaged."]
    assert not shared.awaits


def test_a_state_too_large_for_a_link_is_not_in_it():
    assert run_links.fragment(b"") == ""
    assert run_links.fragment(bytes(run_links.MAX_STATE)) == ""
    assert run_links.carried("A" * 10**6 + "!") != b""


@pytest.mark.parametrize("convolutions", ["", "8 of 5x5, 16 of 5x5"])
def test_a_link_carries_the_state_of_any_network_on_bundled_pictures(convolutions):
    config = RunConfig().replace("data.dataset", Choice("Fashion-MNIST"))
    config = config.replace("model.convolutions", convolutions)
    experiment = Experiment(config.replace("optimization.optimizer", Choice("Adam")))
    experiment.train(2 * APART + 2)
    state = experiment.packed_state()
    assert run_links.carried(run_links.fragment(state).removeprefix("#state=")) == state != b""


class Bridge:
    def on(self, kind, hear):
        pass


def carries(sharing: Sharing) -> str | None:
    """The label of the switch that puts the state into the link, if it is offered."""
    return next((x for x in labels(sharing.view) if x.startswith("Show this step at once")), None)


def test_the_dialog_offers_to_carry_the_state(source):
    handle = Conductor(begin=lambda thread: None).add(source)
    handle.query = lambda call: Answer(call(source))
    sharing = Sharing(handle, Bridge(), lambda: "http://x/app")
    sharing.opened()
    plain = control(sharing.view, "Link").value
    assert "#" not in plain
    control(sharing.view, carries(sharing)).value = True
    address, _, state = control(sharing.view, "Link").value.partition("#state=")
    assert (address, run_links.carried(state)) == (plain, source.packed_state())
    assert "drawn anew" not in page_text(sharing.view)


@pytest.mark.parametrize(("times", "carried"), [(1, True), (10, True), (11, False)])
def test_after_many_redraws_the_dialog_says_why_no_state_is_carried(times, carried):
    source = Experiment(RunConfig())
    source.train(100)
    for n in range(times):
        source.apply(SetKnob("model.initializer", Choice("He" if n % 2 else "Xavier")))
    source.train(2 * APART + 50)
    handle = Conductor(begin=lambda thread: None).add(source)
    handle.query = lambda call: Answer(call(source))
    sharing = Sharing(handle, Bridge(), lambda: "http://x/app")
    sharing.opened()
    assert (carries(sharing) is not None) is carried
    assert ("drawn anew 11 times" in page_text(sharing.view)) is not carried
