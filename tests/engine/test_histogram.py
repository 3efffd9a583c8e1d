"""Histograms count every value once, and their edges only widen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.measure.histogram import HistogramScale

floats = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(arrays.arrays(np.float32, st.integers(0, 200), elements=floats))
def test_every_value_is_counted_once_in_the_bin_it_lies_in(values):
    finite = values[np.isfinite(values)].astype(np.float64)
    scale = HistogramScale()
    scale.cover(float(np.quantile(np.abs(finite), 0.8)) if len(finite) else 0.0)
    counts = scale.count(values)
    assert counts.broken == len(values) - len(finite)
    assert counts.inside.sum() + counts.below + counts.above == len(finite)
    below = np.cumsum([counts.below, *counts.inside])
    for edge, count in zip(scale.edges, below, strict=True):
        slack = 1e-5 * max(1.0, abs(edge))  # at an edge, float32 may round either way
        assert (finite < edge - slack).sum() <= count <= (finite < edge + slack).sum()


def test_edges_widen_by_doubling_and_never_shrink():
    scale = HistogramScale()
    reach = []
    for largest in (0.1, 3.0, 100.0, 0.1):
        scale.cover(largest)
        reach.append(float(scale.edges[-1]))
    np.testing.assert_allclose(reach, [2, 4, 128, 128])


def test_one_absurd_value_does_not_widen_them_without_end():
    scale = HistogramScale()
    scale.cover(1e38)
    counts = scale.count(np.array([1e38, -1e38, 1.0]))
    assert (counts.below, counts.inside.sum(), counts.above) == (1, 1, 1)
    assert scale.edges[-1] < 1e13


def test_the_edges_are_equally_wide_in_asinh():
    widths = np.diff(np.arcsinh(HistogramScale().edges))
    np.testing.assert_allclose(widths, widths[0])
