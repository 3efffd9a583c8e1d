"""Findings along a run are kept with their steps."""

from engine import Choice, Experiment, RunConfig, SetKnob

DEAD = (
    RunConfig()
    .replace("model.initializer", Choice("small normal"))
    .replace("model.activation", Choice("tanh"))
)


def test_a_finding_is_noted_where_it_comes_up_and_again_only_after_a_change():
    experiment = Experiment(DEAD)
    assert experiment.snapshot().findings
    experiment.train(20)
    first = experiment.snapshot()
    assert first.noticed and {x.rule for x in first.noticed} >= {x.rule for x in first.findings}
    experiment.train(20)
    again = experiment.snapshot()
    rules = [x.rule for x in again.noticed]
    assert len(rules) == len(set(rules))
    experiment.apply(SetKnob("model.initializer", Choice("zeros")))
    after = experiment.snapshot()
    assert after.findings
    new = [x for x in after.noticed if x.step == 40]
    assert {x.rule for x in new} >= {x.rule for x in after.findings}


def test_a_healthy_run_has_none_and_a_new_run_begins_without():
    assert Experiment(RunConfig()).snapshot().noticed == ()
    experiment = Experiment(DEAD)
    assert experiment.snapshot().noticed
    experiment.apply(SetKnob("model.initializer", Choice("He")))
    experiment.apply(SetKnob("model.hidden", "32"))
    healthy = experiment.snapshot()
    assert all(x.rule in {f.rule for f in healthy.findings} for x in healthy.noticed)


def test_looking_back_keeps_them_and_a_run_that_goes_on_from_there_has_the_earlier_ones():
    experiment = Experiment(RunConfig())
    experiment.train(30)
    experiment.snapshot()
    experiment.apply(SetKnob("optimization.learning_rate", 1e6))
    experiment.train(30)
    broken = experiment.snapshot()
    assert broken.noticed and all(x.step > 30 for x in broken.noticed)
    experiment.look_back(20)
    assert experiment.snapshot().noticed == broken.noticed
    experiment.train(1)
    assert experiment.snapshot().noticed == ()


def test_each_branch_keeps_its_own():
    experiment = Experiment(RunConfig())
    experiment.train(30)
    experiment.apply(SetKnob("optimization.learning_rate", 1e6))
    experiment.train(30)
    broken = experiment.snapshot().noticed
    experiment.look_back(20)
    experiment.train(5)
    assert experiment.snapshot().noticed == ()
    experiment.go_to(1)
    assert experiment.snapshot().noticed[: len(broken)] == broken
    experiment.go_to(2)
    assert experiment.snapshot().noticed == ()
