"""Histograms count every value once, on edges that only ever widen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine import Experiment
from engine.telemetry import HistogramScale, Pace, Spread, measure_layers

floats = st.floats(-1e6, 1e6, width=32)


@given(arrays.arrays(np.float32, st.integers(1, 200), elements=floats))
def test_every_value_is_counted_once_in_the_bin_it_lies_in(values):
    (frame,) = measure_layers(["layer"], [values[None]], HistogramScale())
    active = values[values != 0].astype(np.float64)
    assert frame.counts.sum() == len(active)
    assert frame.zero == 1 - len(active) / len(values)
    below = np.cumsum(frame.counts)
    for edge, count in zip(frame.edges[1:], below, strict=True):
        slack = 1e-5 * max(1.0, abs(edge))  # on an edge, float32 may round either way
        assert (active < edge - slack).sum() <= count <= (active < edge + slack).sum()


def test_edges_widen_by_doubling_and_never_shrink():
    scale = HistogramScale()
    reach = []
    for largest in (0.1, 3.0, 100.0, 0.1):
        (frame,) = measure_layers(["layer"], [np.array([[largest]])], scale)
        reach.append(float(frame.edges[-1]))
    np.testing.assert_allclose(reach, [2, 4, 128, 128])


def test_values_that_are_not_finite_do_not_spoil_the_picture():
    values = np.array([[np.nan, np.inf, -np.inf, 1.0, 3.0]])
    (frame,) = measure_layers(["layer"], [values], HistogramScale())
    assert (frame.mean, frame.std, frame.counts.sum()) == (2.0, 1.0, 2)


def test_layers_are_measured_as_they_are(config):
    experiment = Experiment(config)
    hidden, _, scores = experiment.snapshot().layers
    assert (hidden.name, scores.name) == ("hidden 1", "scores")
    assert hidden.zero > 0.3  # ReLU at the start: about half
    assert scores.zero == 0


def test_no_spike_is_lost_between_rows():
    spread = Spread()
    for loss in (1.0, 9.0, 2.0):
        spread.add(loss)
    assert spread.take() == {"loss": 4.0, "loss_low": 1.0, "loss_high": 9.0}


def test_the_pace_is_that_of_the_last_second():
    pace = Pace()
    assert pace.rate(0, 0.0) == 0
    rates = [pace.rate(step, step / 100) for step in range(10, 1000, 10)]
    np.testing.assert_allclose(rates, 100)
