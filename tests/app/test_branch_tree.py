"""The branches of a run: in the tree, as ghosts, in the link, in the report, and in the table."""

import re
from types import SimpleNamespace

import pytest

from app.page.branch_tree import BESIDE, HERE, REPEATED, Twig, tree
from app.page.buttons import Presses
from app.page.timeline import Timeline
from app.plots.ghost_runs import ghosts
from app.server.frames import Composer, FrameRequest
from app.sharing import packed_runs
from app.sharing.export import report_html
from app.sharing.pinned import table
from engine import Experiment, GoTo, Lockstep, Pin, RunConfig, SetKnob, digest, record

RATE = "optimization.learning_rate"


@pytest.fixture
def experiment(config: RunConfig) -> Experiment:
    """Run 4, which left run 1 at step 50; run 2 left it before, and was left for run 3."""
    experiment = Experiment(config)
    experiment.train(80)
    for run, step, rate in [(1, 20, 0.02), (2, 30, 0.03), (1, 50, 0.04)]:
        experiment.go_to(run)
        experiment.look_back(step)
        experiment.apply(SetKnob(RATE, rate))
        experiment.train(20)
    return experiment


def test_the_tree_has_each_branch_below_its_parent(experiment):
    twigs = tree(experiment.snapshot())
    assert [(x.run, x.parent, x.since, x.step) for x in twigs] == [
        (1, 0, 0, 80),
        (2, 1, 20, 40),
        (3, 2, 30, 50),
        (4, 1, 50, None),
    ]
    assert [twig.status for twig in twigs] == ["", "", "", HERE]
    assert [re.sub(".* → ", "", twig.change) for twig in twigs] == ["", "0.02", "0.03", "0.04"]


def test_a_run_without_branches_has_no_tree(config):
    assert tree(Experiment(config).snapshot()) == []


def test_a_frame_has_the_tree_only_if_it_is_another_than_before(experiment):
    composer, ask = Composer(), FrameRequest(views=[])
    first = composer.compose(experiment.snapshot(), ask)
    assert first.tree == tree(experiment.snapshot())
    ask.since = first.row
    experiment.train(10)
    assert composer.compose(experiment.snapshot(), ask).tree is None
    experiment.go_to(1)
    assert (
        Twig(4, 1, 50, 80, first.tree[-1].change, "")
        in composer.compose(experiment.snapshot(), ask).tree
    )


def test_all_branches_are_ghosts_under_their_names_each_once(experiment):
    def named() -> list[str]:
        return ghosts(experiment.snapshot(), "view", {"loss_average": "solid"})["view.ghosts"][
            "label"
        ]

    assert sorted(named()) == ["run 1", "run 2", "run 3"]
    experiment.go_to(2)
    assert sorted(named()) == ["run 1", "run 3", "run 4"]
    experiment.apply(Pin("kept"))
    experiment.go_to(4)
    assert sorted(named()) == ["kept", "run 1", "run 3"]
    heads = re.findall(r'<th scope="col">(.*?)</th>', table(experiment.snapshot()))
    assert sorted(heads) == ["kept", "run 1", "run 3", "this run"]


def test_a_link_brings_the_branches_and_the_page_says_which_are_to_be_repeated(experiment):
    recording = packed_runs.unpacked(packed_runs.packed(record(experiment)))
    guest = Experiment(RunConfig())
    guest.apply(recording.begin)
    guest.advance(60.0)
    assert digest(guest) == digest(experiment)
    twigs = tree(guest.snapshot())
    assert [(x.run, x.parent, x.status) for x in twigs] == [
        (1, 0, REPEATED),
        (2, 1, REPEATED),
        (3, 2, REPEATED),
        (4, 1, HERE),
    ]
    guest.go_to(3)
    bits = {branch.run: branch.digest for branch in recording.branches}
    assert digest(guest) == bits[3]


def test_a_link_that_is_too_long_leaves_out_the_branches_left_longest_ago(experiment, monkeypatch):
    recording = record(experiment)
    assert packed_runs.branches_held(recording) == 3
    whole = packed_runs.packed(recording)
    monkeypatch.setattr(packed_runs, "MAX_LINK", len(whole) - 1)
    held = packed_runs.branches_held(recording)
    assert held < 3
    text = packed_runs.packed(recording)
    monkeypatch.undo()
    kept = packed_runs.unpacked(text)
    assert kept.branches == recording.branches[3 - held :]
    assert kept.digest == recording.digest


def test_the_report_tells_the_other_branches(experiment):
    text = report_html(experiment).decode()
    lines = re.findall(r"<li>(run .*?)</li>", text)
    assert len(lines) == 3
    assert any(line.startswith("run 3, which left run 2 at step 30, 50 steps") for line in lines)
    for branch in record(experiment).branches:
        assert branch.digest in text


@pytest.mark.parametrize("wrong", ["", "-1", "x", "²", "1e3"])
def test_a_page_that_asks_for_no_branch_sends_nothing(wrong):
    sent = []
    timeline = Timeline(sent.append, lambda: None, presses := Presses())
    presses.press("branch", wrong)
    assert sent == []
    presses.press("branch", "3" * 50)
    assert sent == [GoTo(int("3" * 12))]
    assert timeline.view is not None


def test_from_the_first_step_no_key_leads_further_back(config):
    sent, held = [], SimpleNamespace(latest=Experiment(config).snapshot())
    timeline = Timeline(sent.append, lambda: held, Presses())
    timeline.back()
    assert sent == []  # or the next step would go on from step 0, in a run of its own


def test_run_b_is_in_the_tree_and_in_the_link(experiment):
    pair = Lockstep(experiment)
    pair.apply(SetKnob(RATE, 0.2), "B")
    pair.train(10)
    twig = tree(experiment.snapshot())[-1]
    assert twig == Twig(5, 4, 70, None, "Learning rate 0.04 → 0.2", BESIDE)
    recording = packed_runs.unpacked(packed_runs.packed(record(experiment)))
    assert recording.branches[-1].run == 5
    pair.end()
    assert record(experiment).branches == recording.branches
    assert tree(experiment.snapshot())[-1].status == ""
