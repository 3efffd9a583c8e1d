"""The bundled data are those in the licence file, and are split correctly."""

import hashlib
from importlib import resources

import numpy as np
import pytest

from engine.data import DATASETS, Examples, bundled
from engine.registry import Choice
from engine.training.batches import Batches
from engine.training.config_sections import DataConfig
from engine.training.prepare_data import prepare


def digits() -> Examples:
    return DATASETS.build(Choice("digits"))(np.random.default_rng(0))


def test_the_digits_are_the_published_ones():
    raw = resources.files("engine.data").joinpath("bundled_arrays/digits.npz").read_bytes()
    assert hashlib.sha256(raw).hexdigest().startswith("6f801551877abf69")
    examples = digits()
    assert examples.x.shape == (1797, 64)
    assert (examples.x.min(), examples.x.max()) == (0, 1)
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(examples.y).tolist() == counts


BUNDLED = {  # sha256 begins, shape of one example, smallest and largest input, examples per class
    "digits": (
        "6f801551877abf69",
        (8, 8),
        0,
        1,
        [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
    ),
    "fashion_mnist": ("22b61c2c4606b6b8", (28, 28), 0, 1, [600] * 10),
    "iris": ("73717b8d5b5ade53", (4,), 0.1, 7.9, [50, 50, 50]),
    "wine": ("cff447a5368afbd4", (13,), 0.13, 1680, [59, 71, 48]),
    "breast_cancer": ("35546addda1380f4", (30,), 0, 4254, [212, 357]),
    "penguins": ("d0b886152b02565c", (4,), 13.1, 6300, [151, 68, 123]),
}
CLASSIFIED = ["circle", "xor", "Gaussians", "spiral"]
VALUED = ["plane", "bumps"]
TOYS = [*CLASSIFIED, "moons", *VALUED]


def drawn(name: str, seed: int = 0, **knobs: float) -> Examples:
    return DATASETS.build(Choice(name, knobs))(np.random.default_rng(seed))


@pytest.mark.parametrize("file", BUNDLED)
def test_bundled_data_is_the_published(file):
    digest, shape, low, high, counts = BUNDLED[file]
    raw = resources.files("engine.data").joinpath(f"bundled_arrays/{file}.npz").read_bytes()
    assert hashlib.sha256(raw).hexdigest().startswith(digest)
    examples = getattr(bundled, file)(np.random.default_rng(0))
    assert examples.shape == shape
    assert examples.x.shape == (sum(counts), np.prod(shape))
    assert examples.x.dtype == np.float32
    np.testing.assert_allclose((examples.x.min(), examples.x.max()), (low, high), rtol=1e-6)
    assert np.bincount(examples.y).tolist() == counts
    assert len(examples.classes) == len(counts)


def test_fashion_has_equal_parts_of_both_official_files():
    y = drawn("Fashion-MNIST").y
    assert np.bincount(y[:5000]).tolist() == [500] * 10
    assert np.bincount(y[5000:]).tolist() == [100] * 10
    assert y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]  # as in the training file


def test_tables_hold_the_published_rows():
    np.testing.assert_allclose(drawn("iris").x[[0, -1]], [[5.1, 3.5, 1.4, 0.2], [5.9, 3, 5.1, 1.8]])
    np.testing.assert_allclose(drawn("penguins").x[0], [39.1, 18.7, 181, 3750])
    assert drawn("penguins").classes == ("Adelie", "Chinstrap", "Gentoo")
    assert drawn("breast cancer").classes[drawn("breast cancer").y[0]] == "malignant"


@pytest.mark.parametrize("file", BUNDLED)
def test_bundled_data_are_read_only(file):
    examples = getattr(bundled, file)(np.random.default_rng(0))
    for array in (examples.x, examples.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_menu_begins_with_real_data_and_ends_with_values():
    names = list(DATASETS)
    assert names[:2] == ["digits", "Fashion-MNIST"]
    order = [names.index(name) for name in ("breast cancer", "circle", "moons", "plane")]
    assert order == sorted(order)


@pytest.mark.parametrize("name", TOYS)
def test_a_toy_is_drawn_anew_by_each_seed_and_alike_by_the_same(name):
    first, again, other = drawn(name), drawn(name), drawn(name, seed=1)
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)


@pytest.mark.parametrize("name", TOYS)
def test_toy_inputs_are_between_about_minus_one_and_one(name):
    examples = drawn(name, examples=321, noise=0.1)
    assert examples.x.shape == (321, 2)
    assert examples.x.dtype == np.float32
    assert 0.5 < np.abs(examples.x).max() < 2
    assert np.abs(examples.x.mean(axis=0)).max() < 0.2


@pytest.mark.parametrize("classes", [2, 3, 8])
@pytest.mark.parametrize("name", CLASSIFIED)
def test_a_toy_has_the_requested_classes_of_equal_size(name, classes):
    examples = drawn(name, classes=classes, examples=100)
    counts = np.bincount(examples.y)
    assert len(counts) == len(examples.classes) == classes
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("name", CLASSIFIED)
def test_without_noise_the_nearest_neighbour_is_of_the_same_class(name, classes):
    examples = drawn(name, classes=classes, examples=1500, noise=0.0)
    distance = np.linalg.norm(examples.x[:, None] - examples.x, axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = examples.y[distance.argmin(axis=1)]
    assert np.mean(nearest == examples.y) > 0.985  # the arms of a spiral meet at the centre


def test_a_chessboard_with_two_rows_is_xor():
    examples = drawn("xor", noise=0.0)
    np.testing.assert_array_equal(examples.y, (examples.x[:, 0] > 0) != (examples.x[:, 1] > 0))


def test_each_arm_of_the_spiral_winds_outwards_by_four_radians():
    examples = drawn("spiral", noise=0.0)
    arm = examples.x[examples.y == 0].astype(float)
    angle = np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))
    assert angle[-1] - angle[0] == pytest.approx(4, abs=0.05)
    assert np.all(np.diff(np.linalg.norm(arm, axis=1)) > 0)


def test_the_disc_lies_within_the_ring():
    examples = drawn("circle", noise=0.0)
    radius = np.linalg.norm(examples.x, axis=1)
    assert radius[examples.y == 0].max() < radius[examples.y == 1].min() - 0.1


def test_each_moon_reaches_into_the_other():
    examples = drawn("moons", noise=0.0)
    low, high = (examples.x[examples.y == label] for label in (1, 0))
    assert low[:, 0].max() > high[:, 0].max()
    assert low[:, 1].max() > high[:, 1].min()


@pytest.mark.parametrize("name", [*CLASSIFIED, "moons"])
def test_noise_mixes_the_classes(name):
    def strays(noise: float) -> float:
        examples = drawn(name, examples=1000, noise=noise)
        distance = np.linalg.norm(examples.x[:, None] - examples.x, axis=2)
        np.fill_diagonal(distance, np.inf)
        return float(np.mean(examples.y[distance.argmin(axis=1)] != examples.y))

    assert strays(0.5) > strays(0.01) + 0.02


@pytest.mark.parametrize("name", VALUED)
def test_toy_regression_has_noise_only_in_the_target(name):
    clean, noisy = drawn(name, noise=0.0), drawn(name, noise=0.2)
    assert clean.classes == ()
    assert clean.y.shape == (500, 1)
    np.testing.assert_array_equal(clean.x, noisy.x)
    assert 0.15 < np.std(noisy.y - clean.y) < 0.25


def test_the_plane_is_the_mean_of_both_coordinates():
    examples = drawn("plane", noise=0.0)
    np.testing.assert_allclose(
        examples.y[:, 0], (examples.x[:, 0] + examples.x[:, 1]) / 2, atol=1e-6
    )


def test_the_bumps_are_three_hills_and_three_hollows():
    examples = drawn("bumps", examples=5000, noise=0.0)
    high = examples.x[examples.y[:, 0] > 0.7]
    low = examples.x[examples.y[:, 0] < -0.7]
    for found, signs in ((high, [(-1, 1), (0, -1), (1, 1)]), (low, [(-1, -1), (0, 1), (1, -1)])):
        centres = np.round(found * (1.5, 2.4)).astype(int)  # centres at 2/3 and 5/12
        assert sorted(set(map(tuple, centres.tolist()))) == signs
    assert np.mean(examples.y == 0) > 0.3


def test_training_and_validation_examples_are_disjoint_and_complete():
    data = prepare(DataConfig(), np.random.default_rng(0), np.float32)
    assert (len(data.train), len(data.validation)) == (1438, 359)
    labels = np.concatenate([data.train.y, data.validation.y])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(digits().y))


def test_an_epoch_shows_every_example_once():
    x = np.arange(12.0)[:, None]
    batches = Batches(x, x, 4, np.random.default_rng(0))
    for epoch in range(1, 4):
        seen = []
        for _ in range(3):
            batches.advance()
            seen += batches.x[:, 0].tolist()
        assert sorted(seen) == list(range(12))
        assert batches.epoch == epoch


def test_a_batch_is_never_larger_than_the_data():
    x = np.arange(5.0)[:, None]
    batches = Batches(x, x, 100, np.random.default_rng(0))
    batches.advance()
    assert sorted(batches.x[:, 0]) == [0, 1, 2, 3, 4]
