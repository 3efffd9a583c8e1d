"""The history only grows at its end, and slowly."""

import numpy as np

from engine import Experiment
from engine.training.history import ROWS_ADDED, History


def test_written_rows_never_change(config):
    experiment = Experiment(config)
    kept = []
    for _ in range(30):
        experiment.train(40)
        curves = experiment.snapshot().curves
        kept.append({name: (curves[name], curves[name].copy()) for name in curves})
    last = experiment.snapshot().curves
    for earlier in kept:
        for name, (view, copy) in earlier.items():
            np.testing.assert_array_equal(view, copy)
            np.testing.assert_array_equal(last[name][: len(copy)], copy)


def test_a_million_steps_make_about_a_thousand_rows():
    history = History(["loss"])
    for step in range(1_000_001):
        if history.due(step):
            history.append(step, {"loss": 1.0})
    steps = history.curves()["step"]
    assert 900 < len(steps) < 1100
    gaps = np.diff(steps)
    assert (gaps <= np.maximum(1, 0.011 * steps[1:])).all()


def test_a_table_has_little_room_beyond_its_rows():
    history = History(["loss"])
    for step in range(1100):
        history.append(step, {"loss": 1.0})
        table = history.curves()["loss"].base
        assert len(table.T) <= step + 1 + max(ROWS_ADDED, step // 4)


def test_rows_as_plain_numbers_are_those_of_the_columns():
    history = History(["loss"])
    for step in range(5):
        history.append(step, {"loss": step / 10})
    assert history.curves().since(3) == {"step": [3.0, 4.0], "loss": [0.3, 0.4]}


def test_a_column_without_a_value_is_not_a_number():
    history = History(["loss", "accuracy"])
    history.append(0, {"loss": 1.0})
    assert np.isnan(history.curves()["accuracy"][0])


def test_after_a_change_rows_are_close_again():
    history = History(["loss"])
    steps = []
    for step in range(20_001):
        if step == 10_000:
            history.make_due()
        if history.due(step):
            history.append(step, {"loss": 0.0})
            steps.append(step)
    after = [step for step in steps if step >= 10_000]
    assert after[:10] == list(range(10_000, 10_010))
    assert max(np.diff(after)) <= 200  # and return to the usual spacing
    assert len(after) < 200


def test_a_young_run_at_full_speed_has_a_row_at_each_step_but_judges_fewer(config):
    experiment = Experiment(config)
    experiment.train(100)
    curves = experiment.snapshot().curves
    np.testing.assert_array_equal(curves["step"], np.arange(101))
    for name in ("validation_loss", "train_accuracy", "validation_accuracy"):
        judged = np.flatnonzero(np.isfinite(curves[name]))
        np.testing.assert_array_equal(judged[:20], np.arange(20))
        assert len(judged) < 50
        assert (np.diff(judged) <= 1 + judged[:-1] / 20).all()  # as close as rows are later


def test_a_judged_row_names_the_weights_once_and_leaves_the_training_loss(config, monkeypatch):
    experiment = Experiment(config)
    digests, losses = [], []
    parameters, evaluator = experiment.network.parameters, experiment.training.evaluators[0]
    named = type(parameters).state_digest.fget
    monkeypatch.setattr(
        type(parameters), "state_digest", property(lambda x: digests.append(x) or named(x))
    )
    loss_under = evaluator.loss_under
    monkeypatch.setattr(evaluator, "loss_under", lambda x: losses.append(x) or loss_under(x))
    experiment.train(10)
    assert np.isfinite(experiment.snapshot().curves["train_accuracy"]).all()
    assert [x is parameters for x in digests].count(True) <= 10 + len(
        experiment.training.evaluators
    )
    assert len(losses) <= 1  # of the snapshot


def total(known, begin, rows):
    """The sum of the losses, and of how many rows it was computed at once each time."""
    before, pieces = known or (0.0, ())
    assert begin == sum(pieces)
    return before + sum(rows["loss"]), (*pieces, len(rows["loss"]))


def grown_to(history, losses):
    for loss in losses:
        history.append(len(history), {"loss": loss})
    return history.curves()


def test_what_grows_with_the_rows_is_computed_from_the_new_ones():
    history = History(["loss"])
    assert grown_to(history, [1.0, 2.0]).grown(total) == (3.0, (2,))
    assert grown_to(history, [4.0]).grown(total) == (7.0, (2, 1))
    assert history.curves().grown(total) == (7.0, (2, 1))


def test_an_older_reader_gets_what_its_own_rows_make():
    history = History(["loss"])
    older = grown_to(history, [1.0, 2.0])
    newer = grown_to(history, [4.0])
    assert newer.grown(total)[0] == 7.0
    assert older.grown(total)[0] == 3.0
    assert grown_to(history, [8.0]).grown(total) == (15.0, (3, 1))


def test_a_branch_shares_nothing_that_grows_with_the_rows():
    history = History(["loss"])
    grown_to(history, [1.0])
    mark = history.mark()
    grown_to(history, [2.0, 3.0]).grown(total)
    branch = history.rewound(mark)
    branch.forget_later_rows()
    assert grown_to(branch, [40.0, 50.0]).grown(total)[0] == 91.0
    assert history.curves().grown(total)[0] == 6.0
