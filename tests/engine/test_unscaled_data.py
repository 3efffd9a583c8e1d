"""Data in the user's own units: they are learned at once, or after the page's advice."""

import itertools

import numpy as np
import pytest

from engine import (
    Begin,
    Choice,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
    SetKnob,
    Status,
    read_upload,
    register_upload,
    unregister_upload,
)
from engine.cli.assigning import assigned_all
from engine.data import DATASETS, Examples, split, subset
from engine.data.facts import telling_index
from engine.data.target_scaling import TARGET_SCALING

MENU = ("iris", "penguins", "wine", "breast cancer")


def people() -> str:
    """Centimetres and kilograms of three groups of people."""
    rng = np.random.default_rng(1)
    kinds = rng.integers(3, size=150)
    cm, kg = 160 + 12 * kinds + rng.normal(0, 4, 150), 55 + 15 * kinds + rng.normal(0, 5, 150)
    rows = (f"{a:.1f},{b:.1f},{'abc'[k]}" for a, b, k in zip(cm, kg, kinds, strict=True))
    return "\n".join(("cm,kg,class", *rows))


def pixels() -> str:
    """The digits' pixels, from 0 to 255, as a table."""
    digits = DATASETS.build(Choice("digits"))(np.random.default_rng(0))
    rows = zip(np.round(255 * digits.x).astype(int), digits.y, strict=True)
    header = ",".join(("label", *(f"p{n}" for n in range(64))))
    return "\n".join((header, *(f"{label},{','.join(map(str, x))}" for x, label in rows)))


def prices() -> str:
    """Area, rooms and price of houses, up to half a million."""
    rng = np.random.default_rng(2)
    area, rooms = rng.uniform(40, 200, 300), rng.integers(1, 7, 300)
    price = 2400 * area + 9000 * rooms + rng.normal(0, 9000, 300)
    rows = (f"{a:.1f},{r},{p:.0f}" for a, r, p in zip(area, rooms, price, strict=True))
    return "\n".join(("area,rooms,price", *rows))


BROUGHT = {"people": people, "pixels": pixels, "prices": prices}


@pytest.fixture(params=[*MENU, *BROUGHT])
def dataset(request):
    """The name of a data set, from the menu or uploaded."""
    if request.param in MENU:
        yield request.param
        return
    upload = read_upload(BROUGHT[request.param]().encode(), f"{request.param}.csv")
    register_upload(upload)
    yield upload.name
    unregister_upload(upload)


def judged(experiment: Experiment) -> float:
    metrics = experiment.snapshot().metrics
    return min(metrics.train_accuracy, metrics.validation_accuracy)


def test_data_chosen_in_the_menu_are_learned_at_once(dataset):
    experiment = Experiment(RunConfig())
    experiment.apply(SetKnob("data.dataset", Choice(dataset)))
    experiment.train(400)
    assert judged(experiment) >= (0.9 if dataset == "iris" else 0.95)  # only 30 flowers validate


def test_data_chosen_on_the_command_line_are_learned_at_once(dataset):
    experiment = Experiment(assigned_all(RunConfig(), [f"data.dataset={dataset}"]))
    experiment.train(400)
    assert judged(experiment) >= (0.9 if dataset == "iris" else 0.95)


def advised(experiment: Experiment, most: int = 3) -> list[str]:
    """Follow the first advice so many times, each after enough steps to need it."""
    followed = []
    for steps in (7, 7, 50)[:most]:
        experiment.train(steps)
        findings = experiment.snapshot().findings
        if not findings or not findings[0].remedy:
            break
        followed.append(findings[0].rule)
        for command in findings[0].remedy:
            experiment.apply(command)
    return followed


@pytest.mark.parametrize("preprocessing", ["centre", "none"])
def test_unscaled_data_learn_after_the_first_advice_or_two(dataset, preprocessing):
    values = "prices" in dataset
    loss = "mean squared error" if values else "softmax cross-entropy"
    config = RunConfig(
        data=DataConfig(dataset=Choice(dataset), preprocessing=Choice(preprocessing)),
        optimization=OptimizationConfig(loss=Choice(loss)),
    )
    experiment = Experiment(config)
    followed = advised(experiment, 2 if values else 1)
    if dataset == "iris":  # its centimetres have a size near 1
        assert followed in ([], ["input scale"])
    else:
        assert followed == ["input scale", "target scale"][: 1 + values]
    experiment.train(400)
    assert experiment.status is not Status.DIVERGED
    assert judged(experiment) >= (0.9 if dataset == "iris" else 0.95)


def test_a_divergence_caused_by_large_inputs_is_explained():
    experiment = Experiment(RunConfig(data=DataConfig(dataset=Choice("penguins"))))
    experiment.train(50)
    now = experiment.snapshot()
    assert now.status is Status.DIVERGED
    assert now.findings[0].rule == "input scale"
    assert now.findings[0].remedy == (SetKnob("data.preprocessing", Choice("standardize")),)
    assert "for inputs of size" in now.message


def test_pixels_to_127_with_weights_to_match_are_no_finding():
    lecture = RunConfig(
        data=DataConfig(preprocessing=Choice("centre", {"scale": 255.0})),
        model=ModelConfig(hidden=(50,), initializer=Choice("small normal", {"scale": 1e-4})),
        optimization=OptimizationConfig(learning_rate=1e-4),
    )
    normalized = lecture.replace("model.normalization", Choice("batch norm"))
    for config in (lecture, normalized):
        experiment = Experiment(config)
        experiment.train(60)
        rules = [finding.rule for finding in experiment.snapshot().findings]
        assert "input scale" not in rules


def test_images_of_another_scale_are_centred_at_a_scale_that_works():
    digits = Choice("centre", {"scale": 255.0})
    experiment = Experiment(RunConfig(data=DataConfig(preprocessing=digits)))
    experiment.train(7)
    finding = experiment.snapshot().findings[0]
    assert (finding.rule, finding.remedy) == (
        "input scale",
        (SetKnob("data.preprocessing", Choice("centre")),),
    )


# ---- what somebody has set stays ---------------------------------------------------------------


def test_preprocessing_set_in_the_same_command_stays():
    both = ["data.preprocessing=none", "data.dataset=wine", "data.target_scaling=standardize"]
    for order in itertools.permutations(both):
        data = assigned_all(RunConfig(), order).data
        assert data.preprocessing.name == "none"
        assert data.target_scaling.name == "standardize"


def test_images_are_centred_again_after_a_table():
    experiment = Experiment(RunConfig())
    for name, usual in (("wine", "standardize"), ("Fashion-MNIST", "centre")):
        experiment.apply(SetKnob("data.dataset", Choice(name)))
        assert experiment.config.data.preprocessing == Choice(usual)


def test_another_knob_of_the_same_data_changes_nothing_else():
    spiral = RunConfig(data=DataConfig(dataset=Choice("spiral"), preprocessing=Choice("none")))
    experiment = Experiment(spiral)
    experiment.apply(SetKnob("data.dataset", Choice("spiral", {"noise": 0.4})))
    assert experiment.config.data.preprocessing == Choice("none")


# ---- values to predict ------------------------------------------------------------------------


def test_a_config_written_before_there_was_target_scaling_has_none():
    written = RunConfig().to_json().replace('"target_scaling":{"name":"none","knobs":{}},', "")
    assert "target_scaling" not in written
    assert RunConfig.from_json(written) == RunConfig()


def test_scaled_values_are_shown_in_their_own_units():
    plain = RunConfig(
        data=DataConfig(dataset=Choice("plane")),
        optimization=OptimizationConfig(loss=Choice("mean squared error")),
    )
    scaled = Experiment(plain.replace("data.target_scaling", Choice("standardize")))
    unscaled = Experiment(plain)
    looks = frozenset({"decision_surface", "predictions"})
    shown = []
    for experiment in (scaled, unscaled):
        experiment.train(500)
        shown.append(experiment.snapshot(looks))
    for now in shown:
        assert now.metrics.validation_accuracy > 0.9
        surface, answers = now.on_demand.decision_surface, now.on_demand.predictions
        assert np.abs(answers.predicted - answers.right).max() < 0.3
        middle = surface.predicted[len(surface.predicted) // 2, surface.predicted.shape[1] // 2]
        assert abs(middle) < 0.1  # the mean of both coordinates
    np.testing.assert_array_equal(
        shown[0].on_demand.predictions.right, shown[1].on_demand.predictions.right
    )
    assert shown[0].on_demand.decision_surface.values == shown[1].on_demand.decision_surface.values


def test_a_scaling_is_undone_exactly():
    rng = np.random.default_rng(0)
    y = np.array([1e5, 1.0]) * rng.standard_normal((50, 2)) + np.array([3e5, -2])
    scaling = TARGET_SCALING.build(Choice("standardize"))(y)
    scaled = scaling(y)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    np.testing.assert_allclose(scaling.undo(scaled), y)


def test_constant_values_can_be_standardized():
    scaling = TARGET_SCALING.build(Choice("standardize"))(np.full((5, 1), 7.0))
    np.testing.assert_array_equal(scaling(np.full((2, 1), 7.0)), 0)


# ---- batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2])
def test_batch_norm_over_hardly_any_examples_needs_larger_batches(size):
    config = RunConfig(
        model=ModelConfig(normalization=Choice("batch norm")),
        optimization=OptimizationConfig(batch_size=size),
    )
    experiment = Experiment(config)
    experiment.train(600)
    finding = experiment.snapshot().findings[0]
    assert finding.rule == "batch size"
    assert finding.remedy == (SetKnob("optimization.batch_size", 32),)
    experiment.apply(*finding.remedy)
    experiment.train(300)
    assert "batch size" not in {x.rule for x in experiment.snapshot().findings}
    assert judged(experiment) > 0.9


# ---- classes ----------------------------------------------------------------------------------


def labelled(counts: tuple[int, ...]) -> Examples:
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.random.default_rng(0).standard_normal((len(y), 2)).astype(np.float32)
    return Examples(x, y, tuple(map(str, range(len(counts)))), (2,))


@pytest.mark.parametrize("counts", [(198, 2), (2, 198), (97, 1, 2), (5, 5), (3, 2, 2, 2, 2)])
@pytest.mark.parametrize("held_out", [0.2, 0.5])
def test_each_class_is_in_both_sets_after_any_shuffle(counts, held_out):
    examples = labelled(counts)
    for seed in range(40):
        parts = split(examples, held_out, np.random.default_rng(seed))
        places = len(parts.validation)
        assert places == round(held_out * len(examples))
        rows = np.concatenate([parts.train.rows, parts.validation.rows])
        assert sorted(rows) == list(range(len(examples)))
        for part in (parts.train, parts.validation):
            np.testing.assert_array_equal(part.y, examples.y[part.rows])
        wanted = {label for label, count in enumerate(counts) if count >= 2}
        if places >= len(wanted):
            assert wanted <= set(parts.validation.y)
        assert set(parts.train.y) == set(range(len(counts)))


@pytest.mark.parametrize("counts", [(198, 2), (2, 198), (97, 1, 2), (30, 30, 30)])
def test_a_few_examples_hold_each_class(counts):
    examples = labelled(counts)
    for seed in range(40):
        train = split(examples, 0.2, np.random.default_rng(seed)).train
        few = subset(train, 12)
        assert set(few.y) == set(range(len(counts)))
        assert len(set(few.rows)) == len(few) == 12
        np.testing.assert_array_equal(few.y, examples.y[few.rows])
        if set(train.y[:12]) == set(few.y):
            np.testing.assert_array_equal(few.rows, train.rows[:12])
        assert len(subset(train, 10_000)) == len(train)


def test_a_fair_shuffle_is_not_changed():
    for name in ("digits", "penguins", "wine"):
        examples = DATASETS.build(Choice(name))(np.random.default_rng(0))
        for seed in range(20):
            rows = np.random.default_rng(seed).permutation(len(examples))
            parts = split(examples, 0.2, np.random.default_rng(seed))
            kept = round(0.2 * len(examples))
            np.testing.assert_array_equal(parts.validation.rows, rows[:kept])
            np.testing.assert_array_equal(parts.train.rows, rows[kept:])


def brought(text: str, file: str) -> Experiment:
    upload = read_upload(text.encode(), file)
    register_upload(upload)
    experiment = Experiment(RunConfig())
    experiment.apply(SetKnob("data.dataset", Choice(upload.name)))
    unregister_upload(upload)
    experiment.train(60)
    return experiment


def test_an_imbalance_is_reported_with_the_accuracy_of_always_answering_one_class():
    rng = np.random.default_rng(3)
    rows = [f"{a:.3f},{b:.3f},{'fraud' if n in (60, 140) else 'ok'}"
            for n, (a, b) in enumerate(rng.standard_normal((200, 2)))]  # fmt: skip
    now = brought("\n".join(("a,b,label", *rows)), "imbalanced.csv").snapshot()
    assert now.data.counts == (1, 159)
    finding = next(x for x in now.findings if x.rule == "imbalance")
    assert finding.remedy == ()
    assert finding.advice.startswith("Look at each class")
    assert "“ok” has an accuracy of 99\N{NO-BREAK SPACE}%" in finding.cause


def test_an_index_that_reveals_the_class_is_reported():
    rng = np.random.default_rng(4)
    rows = [f"{n + 1},{x:.3f},{'abc'[n // 50]}" for n, x in enumerate(rng.standard_normal(150))]
    now = brought("\n".join(("day,noise,label", *rows)), "leak.csv").snapshot()
    finding = next(x for x in now.findings if x.rule == "index among the inputs")
    assert "Input “day” numbers the rows" in finding.cause


def test_an_index_of_a_shuffled_table_is_not_reported():
    rng = np.random.default_rng(5)
    x = np.stack([np.arange(150), rng.standard_normal(150)], axis=1).astype(np.float32)
    labels = rng.permutation(np.repeat(np.arange(3), 50))
    assert telling_index(Examples(x, labels, ("a", "b", "c"), (2,))) is None
    assert telling_index(Examples(x, np.sort(labels), ("a", "b", "c"), (2,))) == 0
    backwards = np.concatenate([x[::-1, :1], x[:, 1:]], axis=1)
    assert telling_index(Examples(backwards, np.sort(labels), ("a", "b", "c"), (2,))) == 0


def test_no_bundled_data_get_a_notice():
    for name in DATASETS:
        experiment = Experiment(RunConfig())
        experiment.apply(SetKnob("data.dataset", Choice(name)))
        rules = {finding.rule for finding in experiment.snapshot().findings}
        assert not rules & {"imbalance", "index among the inputs", "input scale", "target scale"}


def test_a_lesson_starts_the_run_that_it_describes():
    config = RunConfig(data=DataConfig(dataset=Choice("wine"), preprocessing=Choice("none")))
    experiment = Experiment(RunConfig())
    experiment.apply(Begin(config))
    assert experiment.config == config
