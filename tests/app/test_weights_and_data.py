"""The views Weights and Data, without a browser, against independent numbers."""

import base64
import functools
import json

import msgspec
import numpy as np
import pytest

from app import numbers, palette
from app.plots import view_of
from app.plots.plot_data import Image
from app.server.frames import FrameRequest
from engine import Choice, Experiment, RunConfig, Snapshot, percent
from tests.app.composing_page import Page
from tests.app.view_contract import check_view, part
from tests.pairwise import pairwise

LOOKS = frozenset({"weight_images", "feature_maps", "decision_surface", "predictions"})


def config(dataset: str, loss: str = "softmax cross-entropy", **knobs) -> RunConfig:
    made = RunConfig().replace("optimization.loss", Choice(loss))
    made = made.replace("data.dataset", Choice(dataset))
    for path, value in knobs.items():
        made = made.replace(path.replace("__", "."), value)
    return made


SQUARES = "mean squared error"
CASES = {
    "digits": RunConfig(),
    "no hidden layer": config("digits", model__hidden=()),
    "PCA": config("digits", data__preprocessing=Choice("PCA")),
    "hinge": config("digits", "multiclass hinge"),
    "Maxout": config("digits", model__activation=Choice("Maxout")),
    "Fashion-MNIST": config("Fashion-MNIST"),
    "convolutional": config("Fashion-MNIST", model__convolutions="8 of 5x5, 16 of 5x5"),
    "spiral": config("spiral"),
    "eight classes": config("circle", data__dataset=Choice("circle", {"classes": 8})),
    "bumps": config("bumps", SQUARES),
    "iris": config("iris"),
    "64 layers": config("spiral", model__hidden=(4,) * 64),
    "diverged": config("digits", optimization__learning_rate=1e5),
}


def seen(config: RunConfig, steps: int = 60) -> Snapshot:
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment.snapshot(LOOKS)


@functools.cache
def begun(case: str, looked: bool) -> Snapshot:
    """The run of a case after a few steps: built once for all views."""
    experiment = Experiment(CASES[case])
    experiment.train(3)
    return experiment.snapshot(LOOKS if looked else frozenset())


def pixels(image: Image) -> np.ndarray:
    """The bytes of an image, highest row first."""
    flat = np.frombuffer(base64.b64decode(image.pixels), np.uint8)
    return flat.reshape(image.shape)[::-1]


@pytest.mark.parametrize(
    ("name", "case", "looked"), pairwise(["weights", "data"], CASES, [True, False])
)
def test_a_view_fills_exactly_what_it_draws(name, case, looked):
    check_view(name, begun(case, looked))


@pytest.mark.parametrize("case", ["digits", "Fashion-MNIST", "convolutional", "spiral", "iris"])
def test_a_frame_stays_small_while_the_tab_is_open(case):
    experiment, pages = Experiment(CASES[case]), {"weights": Page(), "data": Page()}
    begun = experiment.snapshot(LOOKS)
    experiment.train(50)
    trained = experiment.snapshot(LOOKS)
    experiment.cached_snapshot(LOOKS)
    again = experiment.cached_snapshot(LOOKS)
    for name, composer in pages.items():
        composer.compose(begun, FrameRequest(-1, [name]))
        frame = composer.compose(trained, FrameRequest(0, [name]))
        assert len(msgspec.json.encode(frame)) < 24_000  # twice a second; a surface: ten times
        unchanged = json.loads(
            msgspec.json.encode(composer.compose(again, FrameRequest(1, [name])))
        )
        assert not any(source.startswith(name) for source in unchanged.get("set", {}))


def test_only_the_surface_is_sent_as_often_as_it_changes():
    experiment, composer = Experiment(CASES["spiral"]), Page()
    looks = frozenset({"decision_surface"})
    composer.compose(experiment.snapshot(looks), FrameRequest(-1, ["data"]))
    experiment.train(50)
    frame = composer.compose(experiment.snapshot(looks), FrameRequest(0, ["data"]))
    assert set(frame.set["data.surface"]) == {"image"}
    assert not {"data.training", "data.validation"} & set(frame.set)
    assert len(msgspec.json.encode(frame)) < 10_000


# ---- weights ------------------------------------------------------------------------------------


def test_the_bytes_of_filters_represent_the_weights():
    snapshot = seen(RunConfig())
    told = part("weights", snapshot)
    filters = snapshot.on_demand.weight_images.filters.pictures
    scale = float(told.text["weights.scale"].removeprefix("±"))
    sheet = pixels(told.set["weights"]["image"][0]).astype(float)
    across = (sheet.shape[1] + 1) // 9
    for number in (0, 5, 63):
        row, column = divmod(number, across)
        tile = sheet[9 * row : 9 * row + 8, 9 * column : 9 * column + 8]
        back = np.clip(filters[number], -scale, scale)
        np.testing.assert_allclose((tile - 128) / 127.5 * scale, back, atol=scale / 120)
    assert np.quantile(np.abs(filters), 0.99) <= scale <= 2.5 * np.abs(filters).max()


def test_the_colour_scale_is_stable_for_small_changes():
    experiment = Experiment(RunConfig())
    experiment.train(500)
    scales = set()
    for _ in range(20):
        experiment.train(5)
        scales.add(part("weights", experiment.snapshot(LOOKS)).text["weights.scale"])
    assert len(scales) == 1


def test_colours_show_the_sign_and_are_opaque():
    assert palette.DIVERGING[0] == palette.NEGATIVE + "ff"
    assert palette.DIVERGING[255] == palette.POSITIVE + "ff"
    assert palette.DIVERGING[128].endswith("00")
    assert len(palette.DIVERGING) == len(palette.GREYS) == len(palette.COLOURS) == 256
    assert len(palette.MISTAKES) == len(palette.territory(3)) == len(palette.territory(64)) == 256


def test_matrices_are_side_by_side_with_their_names():
    told = part("weights", seen(CASES["spiral"]))
    names = told.set["weights.names"]
    assert names["size"] == ["2×64", "37×36 of 64×64", "64×3"]
    boxes = told.set["weights.matrices"]
    assert boxes["x"] == sorted(boxes["x"])
    assert [image.shape for image in boxes["image"]] == [(2, 64), (37, 36), (64, 3)]


def test_feature_maps_are_beside_their_image():
    snapshot = seen(CASES["convolutional"])
    told = part("weights", snapshot).set
    assert told["weights.layers"]["name"][1:] == ["maps 1", "maps 2"]
    assert told["weights.layers"]["name"][0] in snapshot.data.classes
    shown = pixels(told["weights.picture"]["image"][0])
    expected = 1 + 254 * snapshot.on_demand.feature_maps.picture
    np.testing.assert_allclose(shown, expected, atol=0.51)


# ---- data ---------------------------------------------------------------------------------------


def test_the_headline_counts_mistakes_and_names_the_most_confused_pair():
    snapshot = seen(RunConfig(), 30)
    told = part("data", snapshot).text
    counts = snapshot.on_demand.predictions.confusion.copy()
    wrong = counts.sum() - np.trace(counts)
    assert told["data.errors"].startswith(f"{wrong} of {counts.sum()} (")
    np.fill_diagonal(counts, 0)
    words = told["data.confused"]
    right, rest = words.split(" taken for ")
    said, times = rest.split(": ")
    assert counts[int(right), int(said)] == counts.max()
    assert times == ("once" if counts.max() == 1 else f"{counts.max()} times")
    assert told["data.errors"] in part("data", snapshot).alternative()


def test_each_count_is_in_its_cell_and_mistakes_are_red():
    snapshot = seen(RunConfig(), 30)
    drawn, counts = part("data", snapshot).set, snapshot.on_demand.predictions.confusion
    told = drawn["data.counts"]
    shown = np.zeros_like(counts)
    for x, y, count in zip(told["x"], told["y"], told["count"], strict=True):
        shown[int(-y), int(x)] = int(count)
    np.testing.assert_array_equal(shown, counts)
    cells = pixels(drawn["data.confusion"]["image"][0])
    for right, said in np.ndindex(10, 10):
        if right == said:
            assert cells[right, said] >= 128
        else:
            assert (0 < cells[right, said] < 128) == (counts[right, said] > 0)


def test_hard_images_have_true_and_predicted_class():
    snapshot = seen(RunConfig(), 30)
    drawn = part("data", snapshot).set
    captions, hardest = drawn["data.captions"], snapshot.on_demand.predictions.hardest
    assert len(hardest) == len(captions["is"]) == len(drawn["data.pictures"]["image"]) == 16
    for number, hard in enumerate(hardest):
        assert captions["is"][number] == f"is {hard.right:.0f}"
        assert captions["said"][number] == f"said {hard.predicted:.0f} {percent(hard.probability)}"
        wrong = hard.right != hard.predicted
        assert (captions["colour"][number] == palette.ACCENT) == wrong
        shown = pixels(drawn["data.pictures"]["image"][number])
        np.testing.assert_allclose(shown, 1 + 254 * hard.picture, atol=0.51)


def test_the_surface_is_coloured_by_class_and_crosses_mark_mistakes():
    snapshot = seen(CASES["spiral"], 300)
    surface, drawn = snapshot.on_demand.decision_surface, part("data", snapshot).set
    shown = pixels(drawn["data.surface"]["image"][0])[::-1]
    np.testing.assert_array_equal(shown // 85, surface.predicted)
    for said in range(3):
        here = surface.predicted == said
        np.testing.assert_allclose(shown[here] % 85 / 84, surface.lead[here], atol=0.01)
    wrong = sum(
        int(np.sum(points.right != points.predicted))
        for points in (surface.training, surface.validation)
    )
    assert len(drawn["data.wrong"]["x"]) == wrong


def test_values_on_the_plane_are_coloured_by_their_sign():
    snapshot = seen(CASES["bumps"], 300)
    surface, told = snapshot.on_demand.decision_surface, part("data", snapshot)
    shown = pixels(told.set["data.surface"]["image"][0])[::-1].astype(int)
    far = np.abs(surface.predicted) > 0.05
    np.testing.assert_array_equal(np.sign(shown - 128)[far], np.sign(surface.predicted)[far])
    off = snapshot.on_demand.predictions.predicted - snapshot.on_demand.predictions.right
    assert float(told.text["data.error"]) == pytest.approx(np.sqrt(np.mean(off**2)), rel=0.02)


def test_the_hardest_rows_of_a_table_are_described():
    snapshot = seen(CASES["iris"], 20)
    rows, hardest = part("data", snapshot).set["data.rows"], snapshot.on_demand.predictions.hardest
    names = snapshot.data.classes
    for words, hard in zip(rows["words"], hardest, strict=True):
        assert f"is {names[int(hard.right)]}, said {names[int(hard.predicted)]}" in words
        assert f"loss {numbers.number(hard.loss)}" in words


@pytest.mark.parametrize("name", ["weights", "data"])
def test_another_kind_of_data_is_redrawn(name):
    drawn_for = view_of(name).drawn_for
    keys = [
        drawn_for(Experiment(CASES[c]).snapshot()) for c in ("digits", "spiral", "convolutional")
    ]
    assert len(set(keys)) == 3
    experiment = Experiment(RunConfig())
    before = drawn_for(experiment.snapshot())
    experiment.train(10)
    assert drawn_for(experiment.snapshot(LOOKS)) == before
