"""The sidebar's controls: their description for the browser, and changes sent by it."""

import json

import pytest

from app.settings.component import SettingsComponent
from app.settings.schema import in_words, schema
from app.settings.settings import Settings
from engine import SETTINGS, Choice, Registry, RunConfig, SetKnob


@pytest.fixture
def sent() -> list[SetKnob]:
    return []


@pytest.fixture
def settings(sent) -> Settings:
    return Settings(sent.append, RunConfig())


@pytest.fixture
def component(settings) -> SettingsComponent:
    return SettingsComponent(settings)


def controls(described: str) -> dict[str, dict[str, object]]:
    """The controls of settings by label."""
    groups = json.loads(described)["groups"]
    found = [control for group in groups for control in group["everyday"] + group["others"]]
    return {control["label"].partition(" · ")[0]: control for control in found}


def test_every_control_shows_the_effect_of_a_change():
    groups = json.loads(schema())["groups"]
    everyday = {x["label"].partition(" · ")[0] for group in groups for x in group["everyday"]}
    assert everyday == {x.label for x in SETTINGS.values() if x.everyday}
    described = controls(schema())
    assert set(described) == {x.label for x in SETTINGS.values()}
    faces = {control["label"] for control in described.values()}
    assert {"Learning rate · live", "Initializer · re-draws", "Preprocessing · new run"} < faces
    assert {x["kind"] for x in described.values()} == {"menu", "slider", "layers"}


def test_controls_have_defaults_so_that_changed_ones_unfold(component):
    for label, control in controls(schema()).items():
        assert component.state["values"][control["name"]] == control["usual"], label


def test_menus_have_all_entries_with_hyperparameters():
    described = controls(schema())
    for setting in SETTINGS.values():
        if isinstance(setting.values, Registry):
            entries = described[setting.label]["entries"]
            assert [entry["name"] for entry in entries] == list(setting.values)
            for entry in entries:
                known = setting.values[entry["name"]]
                assert entry["summary"] == known.summary
                assert len(entry["knobs"]) == len(known.knobs)


def test_every_slider_has_its_stops():
    told = json.loads(schema())
    stops = [words.split(" ") for words in told["scales"]]
    assert stops[controls(schema())["Batch size"]["scale"]][-2:] == ["512", "1,024"]
    assert stops[controls(schema())["L2 strength"]["scale"]][:2] == ["0", "1e-6"]
    adam = next(x for x in controls(schema())["Optimizer"]["entries"] if x["name"] == "Adam")
    assert [knob["label"] for knob in adam["knobs"]] == [
        "Adam beta1", "Adam beta2", "Adam epsilon",
    ]  # fmt: skip
    assert all(len(stops[knob["scale"]]) > 20 for knob in adam["knobs"])


def test_hidden_controls_are_not_described():
    shown = controls(schema(frozenset({"optimization.l2", "optimization.l1", "data.held_out"})))
    assert not {"L2 strength", "L1 strength", "Held out"} & set(shown)
    assert "Max norm" in shown
    none = schema(frozenset(path for path in SETTINGS if path.startswith("data.")))
    assert "Data" not in [group["heading"] for group in json.loads(none)["groups"]]


def test_a_change_in_the_browser_is_applied_and_confirmed(component, sent):
    component.set_from_browser("learning_rate", "0.1")
    assert sent == [SetKnob("optimization.learning_rate", 0.1)]
    assert component.state["values"]["learning_rate"] == "0.1"
    assert component.state["answered"] == 1
    component.set_from_browser("learning_rate", "0.1")  # is confirmed too, although nothing changes
    assert len(sent) == 1 and component.state["answered"] == 2


def test_the_resulting_config_is_shown(component, sent):
    component.set_from_browser("hidden", "9999, 9999")
    assert component.state["values"]["hidden"] == "9999, 9999"  # until the engine answers
    component.follow(RunConfig())
    assert component.state["values"]["hidden"] == "64, 64"
    chosen = RunConfig().replace("model.activation", Choice("leaky ReLU", {"slope_below": 0.123}))
    component.follow(chosen.replace("optimization.batch_size", 1024))
    values = component.state["values"]
    assert values["activation"] == "leaky ReLU" and values["activation_slope_below"] == "0.123"
    assert values["batch_size"] == "1,024"
    assert len(sent) == 1


def test_an_illegal_value_is_reported_in_one_sentence(component, sent):
    component.set_from_browser("learning_rate", "fast")
    sentence = "Learning rate must be a number from 1e-6 to 1e6, got 'fast'."
    assert component.state["refused"] == {"name": "learning_rate", "sentence": sentence}
    assert component.state["values"]["learning_rate"] == "0.01" and not sent
    component.set_from_browser("hidden", "64, x")
    assert component.state["refused"]["name"] == "hidden"
    component.set_from_browser("learning_rate", "0.02")
    assert component.state["refused"] == {}
    assert component.state["answered"] == 3


@pytest.mark.parametrize("name", ["seed", "__class__", "optimization.l2", ""])
def test_an_unknown_setting_is_ignored(component, sent, name):
    component.set_from_browser(name, "1")
    assert not sent and component.state["answered"] == 0


@pytest.mark.parametrize("text", ["9" * 5000, "\ud800", "\0", "64, " * 10_000, "٣", "inf", "-0"])
@pytest.mark.parametrize("name", ["l2", "batch_size", "hidden", "convolutions", "dataset"])
def test_any_text_is_applied_or_refused(component, sent, name, text):
    component.set_from_browser(name, text)
    assert component.state["answered"] == 1
    if not sent:
        assert len(component.state["refused"].get("sentence", "")) < 400


def test_controls_and_sentences_have_the_same_number_format():
    assert [in_words(x) for x in (1e-6, 0.01, 1024, 1e6, "64, 64")] == [
        "1e-6", "0.01", "1,024", "1e6", "64, 64",
    ]  # fmt: skip


def test_modules_come_from_this_server():
    places = SettingsComponent._process_importmap()["imports"].values()
    assert places and not [place for place in places if "//" in place]


def test_hidden_controls_are_told_nothing_until_they_are_shown(component):
    before = component.state
    component.visible = False
    changed = RunConfig().replace("optimization.learning_rate", 0.3)
    component.follow(changed)
    assert component.state is before
    component.visible = True
    assert component.state["values"]["learning_rate"] == "0.3"
