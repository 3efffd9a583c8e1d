"""Histograms along the run: correct, few, and on edges that widen."""

import numpy as np

from engine import Experiment
from engine.measure.activation_history import BINS, COLUMNS, ActivationRecorder
from engine.measure.histogram import HistogramScale


def edges(limit):
    scale = HistogramScale()
    scale.cover(limit)
    return scale.edges


def test_the_history_has_the_recorded_histograms(config):
    experiment, taken = Experiment(config), []
    taken.append(experiment.snapshot())
    for _ in range(5):
        experiment.train(20)
        taken.append(experiment.snapshot())
    history = taken[-1].activation_history
    assert history.steps == (0, 20, 40, 60, 80, 100)
    for n, snapshot in enumerate(taken):
        if snapshot.layers[0].edges[-1] != taken[-1].layers[0].edges[-1]:
            continue  # it had other bins
        for shares, layer in zip(history.shares[:, :, n], snapshot.layers, strict=True):
            grouped = layer.counts.reshape(BINS, -1).sum(axis=1)
            np.testing.assert_allclose(shares / 255, grouped / grouped.max(), atol=1 / 255)


def test_a_long_run_has_as_many_as_a_short_one():
    recorder = ActivationRecorder()
    for step in range(0, 100_000, 7):
        recorder.note(step, edges(2), np.full((2, 48), step))
    steps = recorder.history.steps
    assert COLUMNS // 2 < len(steps) <= COLUMNS
    gaps = np.diff(steps)
    assert steps[0] == 0 and steps[-1] > 90_000
    assert gaps.max() < 3 * gaps.min()
    assert recorder.history.shares.shape == (2, BINS, len(steps))


def test_old_histograms_are_rebinned_when_bins_widen():
    recorder = ActivationRecorder()
    counts = np.zeros((1, 48), int)
    counts[0, -1] = 9  # just below 2
    recorder.note(0, edges(2), counts)
    recorder.note(1, edges(1000), np.ones((1, 48), int))
    first = recorder.history.shares[0, :, 0]
    place = np.searchsorted(edges(1000)[:: 48 // BINS], 1.95) - 1
    assert first[place] == 255 and first.sum() == 255


def test_a_way_from_an_early_step_of_a_long_run_is_recorded_as_closely_as_a_young_run():
    recorder, counts = ActivationRecorder(), np.ones((2, 4 * BINS), np.int64)
    for step in range(0, 100_001, 100):
        recorder.note(step, edges(1.0), counts)
    branch = recorder.up_to(680)
    for step in range(681, 1400):
        branch.note(step, edges(1.0), counts)
    assert branch.history.steps[-1] > 1300
    assert 5 < len(branch.history.steps) <= COLUMNS
