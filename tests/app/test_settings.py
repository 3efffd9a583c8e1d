"""The param object of all settings: it sends what is set, and shows the engine's config."""

import re
from pathlib import Path

import panel as pn
import pytest

from app.settings.parameters import OUT_OF_USE, PLACES, Place, bounds_of, range_of
from app.settings.settings import Settings
from app.settings.stops import moved, stops_of
from engine import (
    SETTINGS,
    Choice,
    Convolution,
    Experiment,
    Range,
    Registry,
    RunConfig,
    SetKnob,
    Stack,
)

SINGLE = {name: place for name, place in PLACES.items() if not place.knob}
NUMBERS = [name for name, place in SINGLE.items() if range_of(place, RunConfig())]
MENUS = [name for name, place in SINGLE.items() if place.entries]
ENTRIES = [
    (path, entry.name)
    for path, setting in SETTINGS.items()
    if isinstance(setting.values, Registry)
    for entry in setting.values.values()
    if entry.knobs
]


@pytest.fixture
def sent() -> list[SetKnob]:
    return []


@pytest.fixture
def settings(sent) -> Settings:
    return Settings(sent.append, RunConfig())


def test_every_setting_is_a_parameter_with_the_engines_description(settings):
    assert {place.path for place in SINGLE.values()} == set(SETTINGS)
    for name, place in SINGLE.items():
        setting, parameter = SETTINGS[place.path], settings.param[name]
        assert parameter.label == setting.label
        assert parameter.doc == f"{setting.summary} A change {setting.effect.value}."
    shown = [name for name in SINGLE if settings.param[name].precedence != OUT_OF_USE]
    assert shown == sorted(SINGLE, key=lambda name: settings.param[name].precedence)


def other_value(name: str) -> object:
    """A value that differs from the one at the start."""
    place, now = PLACES[name], RunConfig()
    values = SETTINGS[place.path].values
    if isinstance(values, Range):
        return values.high if now.value(place.path) != values.high else values.low
    if isinstance(values, Stack):
        return values.example if values.example != "64, 64" else "100, 50"
    return next(entry for entry in values if entry != now.value(place.path).name)


@pytest.mark.parametrize("name", SINGLE)
def test_setting_a_parameter_sends_a_command_and_shows_the_result(name, settings, sent):
    path, value = PLACES[name].path, other_value(name)
    setattr(settings, name, value)
    (command,) = sent
    config = RunConfig().replace(path, command.value)
    assert command.path == path and config != RunConfig()
    settings.show(RunConfig())
    assert getattr(settings, name) != value
    settings.show(config)
    assert getattr(settings, name) == value
    assert sent == [command]  # showing sends nothing


@pytest.mark.parametrize(("path", "entry"), ENTRIES)
def test_hyperparameters_can_be_set_while_their_entry_is_chosen(path, entry, settings, sent):
    place = next(place for place in SINGLE.values() if place.path == path)
    for knob in place.entries[entry].knobs:
        settings.show(RunConfig().replace(path, Choice(entry)))
        name = f"{path.partition('.')[2]}_{knob.name}"
        assert getattr(settings, name) == knob.default
        assert settings.param[name].bounds == bounds_of(knob.range)
        assert settings.param[name].precedence > 0
        value = knob.range.high if knob.default != knob.range.high else knob.range.low
        setattr(settings, name, value)
        assert sent.pop() == SetKnob(path, Choice(entry, {knob.name: value}))
        settings.show(RunConfig().replace(path, Choice(entry, {knob.name: value})))
        assert getattr(settings, name) == value and not sent


def test_hyperparameters_change_with_their_entry(settings, sent):
    settings.optimizer = "Adam"
    assert settings.optimizer_beta1 == 0.9
    settings.optimizer_beta1 = 0.5
    settings.optimizer_beta2 = 0.9
    assert sent[-1].value == Choice("Adam", {"beta1": 0.5, "beta2": 0.9})
    settings.optimizer = "SGD"
    assert settings.param.optimizer_beta1.precedence == OUT_OF_USE
    with pytest.raises(ValueError, match="has no knob 'beta1'"):
        settings.optimizer_beta1 = 0.7
    assert settings.optimizer_beta1 == 0.5
    assert sent[-1].value == Choice("SGD")


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_exceeds_its_bounds(name, settings, sent):
    values = range_of(PLACES[name], RunConfig())
    low, high = bounds_of(values)
    before = getattr(settings, name)
    for beyond in (low - 1, 2 * high, float("nan") if not values.whole else high + 1):
        with pytest.raises(ValueError):
            setattr(settings, name, beyond)
        assert getattr(settings, name) == before and not sent
    for bound in (low, high):
        setattr(settings, name, bound)
        assert getattr(settings, name) == bound
    assert len(sent) >= 1


REFUSED = [
    ("warm_up", 3, "warm-up must be a whole number from 10 to 10,000 or 0, got 3"),
    ("hidden", "64, x", "layers are written like “64, 64”, got “x”"),
    ("hidden", "1," * 65, "hidden must be at most 64 layers"),
    ("convolutions", "8 of 5x4", "layers are written like"),
    ("convolutions", "8 of 5x5", "convolutions need images"),  # which only the engine knows
]


@pytest.mark.parametrize(("name", "value", "why"), REFUSED)
def test_a_refused_value_is_reverted(name, value, why):
    experiment = Experiment(RunConfig().replace("data.dataset", Choice("moons")))
    settings = Settings.of(experiment)
    before, config = getattr(settings, name), experiment.config
    with pytest.raises(ValueError) as refusal:
        setattr(settings, name, value)
    assert why in str(refusal.value) and "\n" not in str(refusal.value)
    assert getattr(settings, name) == before
    assert settings.config == experiment.config == config


def test_text_is_parsed_by_the_kind_of_setting(settings, sent):
    settings.set_text("warm_up", "1,000")
    settings.set_text("learning_rate", "1e-3")
    settings.set_text("hidden", "100, 50")
    settings.set_text("activation", "tanh")
    values = [1000, 0.001, "100, 50", Choice("tanh")]
    assert [command.value for command in sent] == values and type(sent[0].value) is int
    sentence = "Learning rate must be a number from 1e-6 to 1e6, got"
    for words in ("abc", "1e9", "", "nan", "1 000"):
        with pytest.raises(ValueError, match=re.escape(sentence)):
            settings.set_text("learning_rate", words)
    assert len(sent) == 4 and settings.learning_rate == 0.001


def test_a_run_is_steered_without_a_page():
    experiment = Experiment(RunConfig())
    settings = Settings.of(experiment)
    experiment.train(3)
    settings.learning_rate = 0.1
    settings.hidden = "32"
    settings.convolutions = "4 of 3x3"
    assert experiment.config.optimization.learning_rate == 0.1
    assert experiment.config.model.hidden == (32,)
    assert experiment.config.model.convolutions == (Convolution(4, 3),)
    settings.convolutions = ""
    settings.dataset = "bumps"  # a regression: the loss changes too
    assert settings.loss == experiment.config.optimization.loss.name == "mean squared error"
    experiment.apply(SetKnob("optimization.l2", 0.5))  # by another client
    settings.show(experiment.config)
    assert settings.l2 == 0.5


def test_several_are_set_at_once(settings, sent):
    settings.param.update(learning_rate=0.1, batch_size=64)
    assert {(x.path, x.value) for x in sent} == {
        ("optimization.learning_rate", 0.1),
        ("optimization.batch_size", 64),
    }


def test_a_nudge_moves_by_stops_within_the_range(settings, sent):
    for by, to in ((1, 0.012), (-2, 0.008), (-200, 1e-6), (500, 1e6)):
        settings.nudge("learning_rate", by)
        assert settings.learning_rate == to
    assert len(sent) == 4
    settings.nudge("learning_rate", 1)
    assert len(sent) == 4  # the end of the range


def test_sliders_stop_at_both_ends_at_zero_and_at_round_values():
    def stops(name: str) -> tuple[float, ...]:
        return stops_of(range_of(PLACES[name], RunConfig()))

    rates = stops("learning_rate")
    assert (rates[0], rates[-1]) == (1e-6, 1e6) and {0.01, 0.012, 0.015} < set(rates)
    assert stops("l2")[:2] == (0, 1e-6)
    assert stops("batch_size") == tuple(2**n for n in range(11))
    assert stops_of(Range(2, 5, whole=True)) == (2, 3, 4, 5)
    assert moved(0.0123, 1, Range(1e-3, 1, "log")) == 0.015
    assert moved(0.0123, -1, Range(1e-3, 1, "log")) == 0.012


def test_stock_widgets_show_and_change_the_settings():
    experiment = Experiment(RunConfig())
    settings = Settings.of(experiment)
    slider = pn.widgets.FloatSlider.from_param(settings.param.learning_rate)
    assert (slider.value, slider.start, slider.end) == (0.01, 1e-6, 1e6)
    slider.value = 0.1
    assert experiment.config.optimization.learning_rate == 0.1
    experiment.apply(SetKnob("optimization.learning_rate", 0.2))
    settings.show(experiment.config)
    assert slider.value == 0.2
    pane = pn.Param(settings)

    def drawn() -> set[str]:
        return {x.label for x in pane.layout.select(lambda x: hasattr(x, "label"))}

    assert {SETTINGS[place.path].label for place in SINGLE.values()} <= drawn()
    assert "Optimizer: mu" in drawn() and "Optimizer: beta1" not in drawn()
    settings.optimizer = "Adam"
    assert "Optimizer: mu" not in drawn() and "Optimizer: beta1" in drawn()


def test_the_examples_of_the_readme_run():
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    examples = [block for block in blocks if "experiment" in block]
    ran: dict[str, object] = {}
    exec("\n".join(examples).replace("1000", "20"), ran)
    assert len(examples) == 2 and ran["experiment"].step == 60
    assert ran["experiment"].config.optimization.learning_rate == 0.1


def test_parameters_and_engine_settings_match():
    assert PLACES["learning_rate"] == Place("optimization.learning_rate")
    assert PLACES["activation_slope_below"] == Place("model.activation", "slope_below")


def test_a_whole_hyperparameter_of_a_choice_may_be_written_as_in_json(config):
    settings = Settings(lambda command: None, config)
    settings.show(config.replace("optimization.schedule", Choice("cosine", {"length": 300.0})))
    assert settings.schedule_length == 300 and isinstance(settings.schedule_length, int)
