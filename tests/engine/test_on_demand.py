"""Statistics measured on demand: weights, feature maps, decision surface, predictions."""

import dataclasses

import msgspec
import numpy as np
import pytest

from engine import Choice, Experiment, Play, RunConfig, SetKnob, Status
from engine.data import DATASETS, Examples
from engine.measure.on_demand import STATISTICS

ALL = frozenset(STATISTICS)
SPIRAL = RunConfig().replace("data.dataset", Choice("spiral"))
BUMPS = (
    RunConfig()
    .replace("optimization.loss", Choice("mean squared error"))
    .replace("data.dataset", Choice("bumps"))
)
FASHION = RunConfig().replace("data.dataset", Choice("Fashion-MNIST"))
CONVOLUTIONAL = FASHION.replace("model.convolutions", "4 of 5x5, 6 of 3x3")
NORMALIZED = (
    RunConfig().replace("model.normalization", Choice("batch norm")).replace("model.dropout", 0.3)
)


def seen(config: RunConfig, steps: int = 30):
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment, experiment.snapshot(ALL).on_demand


def weights_of(experiment: Experiment) -> dict[str, np.ndarray]:
    layers = experiment.network.layers
    return {layer.name: layer.params["W"] for layer in layers if "W" in layer.params}


def by_hand(experiment: Experiment, x: np.ndarray) -> np.ndarray:
    """The scores of a network of dense layers and ReLU, in float64."""
    a = x.astype(np.float64)
    *hidden, scores = [x.params for x in experiment.network.layers if "W" in x.params]
    for layer in hidden:
        a = np.maximum(0, a @ layer["W"].astype(np.float64) + layer["b"])
    return a @ scores["W"] + scores["b"]


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# ---- measuring changes nothing ------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [RunConfig(), SPIRAL, BUMPS, NORMALIZED, CONVOLUTIONAL],
    ids=["digits", "spiral", "bumps", "batch norm and dropout", "convolutional"],
)
def test_measuring_on_demand_does_not_change_a_bit(config):
    watched, alone = Experiment(config), Experiment(config)
    for _ in range(4):
        watched.train(5)
        watched.snapshot(ALL)
        watched.cached_snapshot(ALL)
        alone.train(5)
    ours, theirs = watched.network.parameters, alone.network.parameters
    assert ours.theta.tobytes() == theirs.theta.tobytes()
    assert ours.statistics.tobytes() == theirs.statistics.tobytes()


def arrays_in(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays_in(part)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from arrays_in(getattr(value, field.name))


@pytest.mark.parametrize("config", [RunConfig(), SPIRAL, BUMPS, CONVOLUTIONAL])
def test_results_are_read_only_and_do_not_change_later(config):
    experiment, on_demand = seen(config)
    names = ("weight_images", "feature_maps", "decision_surface", "predictions")
    arrays = list(arrays_in(tuple(getattr(on_demand, name) for name in names)))
    before = [array.copy() for array in arrays]
    assert arrays
    assert not any(array.flags.writeable for array in arrays)
    experiment.train(20)
    experiment.snapshot(ALL)
    for now, then in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_large_statistics_are_measured_only_after_a_pause():
    times = iter(np.arange(0, 1e4, 0.004).tolist())
    experiment = Experiment(RunConfig(), work=lambda: next(times))
    looks = frozenset({"weight_images"})
    first = experiment.cached_snapshot(looks).on_demand.weight_images
    renewed = 0
    experiment.apply(Play())
    for _ in range(100):  # of 0.1 seconds each
        experiment.advance(0.1)
        now = experiment.cached_snapshot(looks).on_demand.weight_images
        renewed += now is not first
        first = now
    assert 5 <= renewed <= 25


# ---- weights ------------------------------------------------------------------------------------


def test_filters_are_the_weights_from_each_pixel():
    experiment, on_demand = seen(RunConfig())
    filters = on_demand.weight_images.filters
    W = weights_of(experiment)["dense 1"]
    assert filters.pictures.shape == (64, 8, 8)
    assert (filters.units, filters.every, filters.turned_back) == (64, 1, False)
    for unit in (0, 17, 63):
        for row, column in ((0, 0), (3, 5), (7, 2)):
            assert filters.pictures[unit, row, column] == W[8 * row + column, unit]


def test_other_weights_are_matrices_from_the_upper_left():
    experiment, on_demand = seen(RunConfig())
    W = weights_of(experiment)
    for matrix in on_demand.weight_images.matrices:
        rows, columns = matrix.values.shape
        np.testing.assert_array_equal(matrix.values, W[matrix.layer][:rows, :columns])
        assert (matrix.inputs, matrix.outputs) == W[matrix.layer].shape
    assert [matrix.layer for matrix in on_demand.weight_images.matrices] == ["dense 2", "scores"]


def test_without_images_all_layers_are_matrices():
    experiment, on_demand = seen(SPIRAL)
    assert on_demand.weight_images.filters is None
    first = on_demand.weight_images.matrices[0]
    np.testing.assert_array_equal(first.values, weights_of(experiment)["dense 1"])


def test_filters_of_a_convolution_are_its_windows():
    experiment, on_demand = seen(CONVOLUTIONAL)
    pictures = on_demand.weight_images.filters.pictures
    W = weights_of(experiment)["conv 1"]
    assert pictures.shape == (4, 5, 5)
    np.testing.assert_array_equal(pictures[2].ravel(), W[:, 2])


def test_filters_after_pca_are_converted_to_pixels():
    experiment, on_demand = seen(RunConfig().replace("data.preprocessing", Choice("PCA")))
    filters, data = on_demand.weight_images.filters, experiment.data
    assert filters.turned_back
    pixels = data.raw.x[data.train.rows[:50]]
    centred = pixels - data.raw.x[data.train.rows].mean(axis=0)
    sums = centred @ filters.pictures.reshape(64, -1).T
    np.testing.assert_allclose(
        sums, data.train.x[:50] @ weights_of(experiment)["dense 1"], atol=1e-4
    )


def test_fewer_filters_are_shown_if_they_are_larger():
    filters = seen(FASHION)[1].weight_images.filters
    assert filters.every == 1
    assert 10 <= len(filters.pictures) < filters.units == 64


@pytest.fixture
def photographs():
    """A data set of 40 colour images of 72 x 50 pixels."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(40, 72 * 50 * 3)).astype(np.float32)
    examples = Examples(x, np.arange(40) % 2, ("cat", "dog"), (72, 50, 3))
    DATASETS.admit("photographs", lambda rng: examples)
    yield RunConfig().replace("data.dataset", Choice("photographs"))
    DATASETS.dismiss("photographs")


def test_the_largest_filters_are_averaged_over_squares(photographs):
    experiment, on_demand = seen(photographs, 3)
    filters, every = on_demand.weight_images.filters, on_demand.weight_images.filters.every
    assert every > 1
    assert filters.pictures.shape == (len(filters.pictures), 72 // every, 50 // every, 3)
    W = weights_of(experiment)["dense 1"].reshape(72, 50, 3, -1)
    square = W[every : 2 * every, 2 * every : 3 * every, 1, 4]
    assert filters.pictures[4, 1, 2, 1] == pytest.approx(square.mean(), rel=1e-4)


# ---- maps ---------------------------------------------------------------------------------------


def test_feature_maps_are_of_the_first_validation_example():
    experiment, on_demand = seen(CONVOLUTIONAL)
    data, maps = experiment.data, on_demand.feature_maps
    picture = data.raw.x[data.validation.rows[0]].reshape(28, 28)
    np.testing.assert_array_equal(maps.picture, picture)
    assert maps.name == data.validation.classes[data.validation.y[0]]
    first, second = maps.layers
    assert (first.maps.shape, first.count) == ((4, 24, 24), 4)
    conv = next(x for x in experiment.network.layers if x.name == "conv 1")
    x = data.validation.x[0].reshape(28, 28)
    for number, row, column in ((0, 0, 0), (3, 10, 20), (2, 23, 5)):
        window = x[row : row + 5, column : column + 5].ravel()
        z = window @ conv.params["W"][:, number] + conv.params["b"][number]
        assert first.maps[number, row, column] == pytest.approx(max(0, z), abs=1e-5)
    assert second.count == 6


def test_without_convolutions_there_are_no_maps():
    assert seen(RunConfig())[1].feature_maps is None


# ---- the surface --------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [SPIRAL, BUMPS], ids=["classes", "values"])
def test_the_surface_has_the_networks_predictions(config):
    experiment, on_demand = seen(config, 200)
    surface = on_demand.decision_surface
    rows, columns = surface.predicted.shape
    width = (surface.right - surface.left) / columns
    height = (surface.top - surface.bottom) / rows
    rng = np.random.default_rng(0)
    row, column = rng.integers(rows, size=60), rng.integers(columns, size=60)
    x = np.stack(
        [surface.left + (column + 0.5) * width, surface.bottom + (row + 0.5) * height], axis=1
    )
    scores = by_hand(experiment, x)
    told = surface.predicted[row, column]
    if surface.lead is None:
        np.testing.assert_allclose(told, scores[:, 0], atol=1e-4)
        return
    ranked = np.sort(softmax(scores), axis=1)
    lead = ranked[:, -1] - ranked[:, -2]
    np.testing.assert_allclose(surface.lead[row, column], lead, atol=1e-4)
    clear = lead > 1e-3
    np.testing.assert_array_equal(told[clear], scores.argmax(axis=1)[clear])


def test_the_surface_holds_all_examples_and_is_twice_as_wide_as_high():
    experiment, on_demand = seen(SPIRAL)
    surface, data = on_demand.decision_surface, experiment.data
    x = np.concatenate([data.train.x, data.validation.x])
    assert surface.left < x[:, 0].min() and x[:, 0].max() < surface.right
    assert surface.bottom < x[:, 1].min() and x[:, 1].max() < surface.top
    assert surface.right - surface.left == pytest.approx(2 * (surface.top - surface.bottom))


@pytest.mark.parametrize("part", ["training", "validation"])
def test_points_have_labels_and_predictions(part):
    experiment, on_demand = seen(SPIRAL, 100)
    points = getattr(on_demand.decision_surface, part)
    data = experiment.data.train if part == "training" else experiment.data.validation
    np.testing.assert_array_equal(points.x, data.x[: len(points.x)])
    np.testing.assert_array_equal(points.right, data.y[: len(points.x)])
    said = by_hand(experiment, points.x).argmax(axis=1)
    assert np.mean(said == points.predicted) > 0.99  # at a border float32 may decide differently


def test_a_large_network_gets_a_coarser_surface():
    surface = seen(SPIRAL.replace("model.hidden", (400,) * 8), 1)[1].decision_surface
    assert 200 <= surface.predicted.size < 2000


def test_there_is_no_surface_of_pictures_or_tables():
    assert seen(RunConfig())[1].decision_surface is None
    assert seen(RunConfig().replace("data.dataset", Choice("iris")))[1].decision_surface is None


# ---- predictions --------------------------------------------------------------------------------


def test_confusion_counts_each_validation_example_once_in_its_place():
    experiment, on_demand = seen(RunConfig(), 40)
    data, answers = experiment.data.validation, on_demand.predictions
    said = by_hand(experiment, data.x).argmax(axis=1)
    counted = np.zeros((10, 10), int)
    for right, answer in zip(data.y, said, strict=True):
        counted[right, answer] += 1
    np.testing.assert_array_equal(answers.confusion, counted)
    assert (counted - np.diag(np.diag(counted))).any()


def test_accuracy_is_that_of_the_curves():
    experiment = Experiment(RunConfig())
    experiment.train(40)
    snapshot = experiment.snapshot(ALL)
    answers = snapshot.on_demand.predictions
    assert np.mean(answers.right == answers.predicted) == pytest.approx(
        snapshot.metrics.validation_accuracy
    )


@pytest.mark.parametrize(
    "loss", ["softmax cross-entropy", "multiclass hinge", "mean squared error"]
)
def test_the_hardest_examples_have_the_largest_losses(loss):
    experiment, on_demand = seen(RunConfig().replace("optimization.loss", Choice(loss)), 60)
    data = experiment.data.validation
    z = by_hand(experiment, data.x)
    rows = np.arange(len(z))
    if loss == "softmax cross-entropy":
        losses = -np.log(softmax(z)[rows, data.y])
    elif loss == "multiclass hinge":
        losses = np.maximum(0, z - z[rows, data.y][:, None] + 1).sum(axis=1) - 1
    else:
        losses = np.square(z - np.eye(10)[data.y]).mean(axis=1)
    hardest = on_demand.predictions.hardest
    assert len(hardest) == 16
    np.testing.assert_allclose([hard.loss for hard in hardest], -np.sort(-losses)[:16], rtol=1e-3)
    for hard in hardest:
        assert losses[hard.number] == pytest.approx(hard.loss, rel=1e-3)
        assert (hard.right, hard.predicted) == (data.y[hard.number], z[hard.number].argmax())
        if loss == "softmax cross-entropy":
            assert hard.probability == pytest.approx(softmax(z)[hard.number].max(), abs=1e-4)
        else:
            assert np.isnan(hard.probability)


@pytest.mark.parametrize("preprocessing", ["standardize", "whiten"])
def test_pictures_are_those_from_before_preprocessing(preprocessing):
    config = RunConfig().replace("data.preprocessing", Choice(preprocessing))
    raw = Experiment(RunConfig().replace("data.preprocessing", Choice("none"))).data.validation
    for hard in seen(config)[1].predictions.hardest:
        np.testing.assert_array_equal(hard.picture.ravel(), raw.x[hard.number])
        assert hard.right == raw.y[hard.number]


def test_originals_are_found_among_chosen_classes_and_few_examples():
    config = RunConfig()
    chosen = msgspec.structs.replace(
        config.data, classes=("3", "7"), examples=40, preprocessing=Choice("none")
    )
    experiment = Experiment(msgspec.structs.replace(config, data=chosen))
    split = experiment.data
    for part in (split.train, split.validation):
        np.testing.assert_array_equal(split.raw.x[part.rows], part.x)
        np.testing.assert_array_equal(np.array([3, 7])[part.y], split.raw.y[part.rows])


def test_originals_of_bundled_data_are_not_copied():
    first, second = (Experiment(RunConfig(seed=n)) for n in (1, 2))
    assert first.data.raw.x is second.data.raw.x


def test_rows_of_tables_have_their_most_unusual_input():
    experiment, on_demand = seen(RunConfig().replace("data.dataset", Choice("iris")))
    data = experiment.data
    x = data.raw.x[data.validation.rows].astype(float)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    for hard in on_demand.predictions.hardest:
        assert hard.picture is None
        assert hard.unusual == np.abs(z[hard.number]).argmax()
        assert hard.deviation == pytest.approx(z[hard.number, hard.unusual], rel=1e-6)


def test_regression_predictions_are_compared_with_the_targets():
    experiment, on_demand = seen(BUMPS, 100)
    data, answers = experiment.data.validation, on_demand.predictions
    assert answers.confusion is None
    np.testing.assert_array_equal(answers.right, data.y[:, 0])
    np.testing.assert_allclose(answers.predicted, by_hand(experiment, data.x)[:, 0], atol=1e-5)
    off = np.square(answers.predicted - answers.right)
    assert on_demand.predictions.hardest[0].number == off.argmax()


def test_predictions_use_no_dropout_and_running_averages():
    experiment, on_demand = seen(NORMALIZED, 50)
    again = experiment.snapshot(ALL).on_demand
    np.testing.assert_array_equal(on_demand.predictions.predicted, again.predictions.predicted)
    accuracy = experiment.snapshot().metrics.validation_accuracy
    right = on_demand.predictions.right == on_demand.predictions.predicted
    assert np.mean(right) == pytest.approx(accuracy)


def test_a_diverged_run_keeps_the_last_results():
    experiment, on_demand = seen(SPIRAL.replace("optimization.learning_rate", 1e5), 0)
    experiment.train(50)
    assert experiment.status is Status.DIVERGED
    last = experiment.snapshot(ALL).on_demand
    assert last.decision_surface is on_demand.decision_surface
    assert last.predictions is on_demand.predictions


def test_a_change_that_causes_divergence_keeps_earlier_results():
    experiment, on_demand = seen(SPIRAL)
    experiment.apply(SetKnob("optimization.learning_rate", 1e6))
    experiment.train(50)
    assert experiment.status is Status.DIVERGED
    assert experiment.snapshot(ALL).on_demand.decision_surface is on_demand.decision_surface


def test_after_a_change_everything_is_measured_anew_at_once():
    experiment, on_demand = seen(SPIRAL)
    experiment.apply(SetKnob("model.initializer", Choice("unit normal")))
    now = experiment.cached_snapshot(ALL).on_demand
    for name in ("weight_images", "decision_surface", "predictions"):
        assert getattr(now, name) is not getattr(on_demand, name)
    assert experiment.cached_snapshot(frozenset()).on_demand.decision_surface is None
