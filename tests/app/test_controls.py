"""Controls are generated from the engine and say what its config says."""

import re

import pytest
from panel.pane import HTML

from app.page.buttons import Pressed, Presses
from app.settings.controls import Controls
from engine import SETTINGS, Choice, SetKnob


@pytest.fixture
def sent() -> list[SetKnob]:
    return []


@pytest.fixture
def presses() -> Presses:
    return Presses()


@pytest.fixture
def controls(sent, config, presses) -> Controls:
    return Controls(sent.append, config, presses)


def widgets(controls: Controls) -> dict[str, object]:
    found = {}
    for view in controls.views:
        for widget in view.select(lambda w: getattr(w, "label", "")):
            found[widget.label.split(" · ")[0]] = widget
    return found


def buttons(controls: Controls) -> dict[str, str]:
    """The buttons by what they are called, and what each tells when it is pressed."""
    words = "".join(words.object for view in controls.views for words in view.select(HTML))
    found = re.findall(r'data-press="([^"]+)"(?: aria-label="([^"]+)")?.*?</button>', words)
    said = re.findall(r"<button.*?>([^<]*)</span></button>", words)
    return {name or word: press for (press, name), word in zip(found, said, strict=True)}


@pytest.fixture
def click(controls, presses):
    def press(label: str) -> None:
        (name,) = [press for words, press in buttons(controls).items() if label in words]
        presses.hear(Pressed(name))

    return press


@pytest.fixture
def unfold(controls, click):
    def press_all() -> None:
        for words in buttons(controls):
            if words.startswith("+ "):
                click(words)

    return press_all


def test_every_setting_has_a_control_that_says_what_a_change_does(controls, unfold):
    everyday = {s.label for s in SETTINGS.values() if s.everyday}
    others = {s.label for s in SETTINGS.values() if not s.everyday}
    assert everyday <= set(widgets(controls))
    assert not others & set(widgets(controls))
    unfold()
    assert everyday | others <= set(widgets(controls))
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


def test_what_changes_does_not_stay_folded_away(controls, config, click):
    assert "Warm-up" not in widgets(controls)
    controls.show(config.replace("optimization.warm_up", 100))
    assert widgets(controls)["Warm-up"].value == 100
    click("− schedule")
    assert "Warm-up" not in widgets(controls)
    controls.show(config.replace("optimization.warm_up", 100))
    assert "Warm-up" not in widgets(controls)


def test_what_a_link_brings_is_unfolded(sent, config):
    controls = Controls(sent.append, config.replace("optimization.l1", 0.01), Presses())
    assert widgets(controls)["L1 strength"].value == 0.01


def test_hidden_controls_are_not_there_folded_or_not(controls, unfold):
    controls.hide({"optimization.l2", "optimization.l1", "data.held_out"})
    unfold()
    assert not {"L2 strength", "L1 strength", "Held out"} & set(widgets(controls))
    assert "Max norm" in widgets(controls)


def test_buttons_add_a_layer_like_the_last_and_take_it_away(click, unfold, sent):
    click("More hidden layers")
    click("More hidden layers")  # before the engine has answered
    click("Fewer hidden layers")
    assert [command.value for command in sent] == ["64, 64, 64", "64, 64, 64, 64", "64, 64, 64"]
    unfold()
    sent.clear()
    click("Fewer convolutions")
    assert sent == []
    click("More convolutions")
    assert sent == [SetKnob("model.convolutions", "8 of 5x5")]


def test_a_slider_moves_by_stops_and_stays_within_its_ends(controls, sent, config):
    stops = controls.slider("optimization.learning_rate").stops
    controls.show(config.replace("optimization.learning_rate", 0.01))
    stops.move(1)
    stops.move(-2)
    assert [command.value for command in sent] == [0.012, 0.008]
    controls.show(config.replace("optimization.learning_rate", 1e-6))
    sent.clear()
    stops.move(-1)
    assert sent == []
