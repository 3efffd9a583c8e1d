"""Controls are generated from the engine and say what its config says."""

import pytest

from app.controls import Controls
from engine import SETTINGS, Choice, SetKnob


@pytest.fixture
def sent() -> list[SetKnob]:
    return []


@pytest.fixture
def controls(sent, config) -> Controls:
    return Controls(sent.append, config)


def widgets(controls: Controls) -> dict[str, object]:
    found = {}
    for view in controls.views:
        for widget in view.select(lambda w: getattr(w, "label", "")):
            found[widget.label.split(" · ")[0]] = widget
    return found


def test_every_setting_has_a_control_that_says_what_a_change_does(controls):
    labels = {s.label for s in SETTINGS.values()}
    assert labels <= set(widgets(controls))
    faces = [w.label for view in controls.views for w in view.select(lambda w: hasattr(w, "label"))]
    assert "Learning rate · live" in faces
    assert "Initializer · re-draws" in faces
    assert "Preprocessing · new run" in faces


def test_sliders_reach_both_ends_and_zero(controls):
    rate, l2 = widgets(controls)["Learning rate"], widgets(controls)["L2 strength"]
    assert (min(rate.values), max(rate.values)) == (1e-6, 1e6)
    assert l2.values[0] == 0
    batch = widgets(controls)["Batch size"]
    assert batch.values == [2**n for n in range(11)]


def test_letting_a_slider_go_sends_one_command(controls, sent):
    slider = widgets(controls)["Learning rate"]
    stop = slider.labels.index("0.1")
    for dragged in range(stop - 3, stop + 1):  # as the browser tells it
        slider._process_events({"value": dragged})
    assert sent == []
    slider._process_events({"value_throttled": stop})
    assert sent == [SetKnob("optimization.learning_rate", 0.1)]


def test_choosing_sends_one_command_and_showing_none(controls, sent, config):
    menu = widgets(controls)["Activation"]
    menu.value = "tanh"
    assert sent == [SetKnob("model.activation", Choice("tanh"))]
    sent.clear()
    chosen = config.replace("model.activation", Choice("leaky ReLU", {"slope_below": 0.123}))
    controls.show(chosen.replace("optimization.l2", 0.5))
    assert menu.value == "leaky ReLU"
    assert "no unit ever dies" in menu.description
    assert widgets(controls)["leaky ReLU slope below"].value == 0.123
    assert widgets(controls)["L2 strength"].value == 0.5
    assert sent == []
