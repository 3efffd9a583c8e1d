"""Any config survives JSON, and its run learns, diverges, or is refused in one sentence."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import (
    SETTINGS,
    Choice,
    Convolution,
    Experiment,
    ModelConfig,
    Range,
    Registry,
    RunConfig,
    Setting,
    Stack,
    Status,
    replay,
)
from engine.training.layer_specs import CONVOLUTIONS, UNITS

SMALL = ModelConfig(hidden=(6, 5))
IMAGES = ModelConfig(hidden=(5,), convolutions=(Convolution(filters=2, size=3),))


def numbers(allowed: Range) -> st.SearchStrategy[float]:
    if allowed.whole:
        inside = st.integers(math.ceil(allowed.low), math.floor(min(allowed.high, 300)))
    elif allowed.scale == "log":
        exponents = st.floats(math.log(allowed.low), math.log(allowed.high))
        inside = exponents.map(lambda x: min(max(math.exp(x), allowed.low), allowed.high))
    else:
        inside = st.floats(allowed.low, allowed.high)
    return st.just(0) | inside if allowed.zero else inside


def choices(registry: Registry) -> st.SearchStrategy[Choice]:
    def with_knobs(name: str) -> st.SearchStrategy[Choice]:
        knobs = {knob.name: numbers(knob.range) for knob in registry[name].knobs}
        return st.fixed_dictionaries({}, optional=knobs).map(lambda k: Choice(name, k))

    return st.sampled_from(list(registry)).flatmap(with_knobs)


stacks = {
    "Hidden layers": st.lists(st.integers(1, 7), max_size=3).map(UNITS.write),
    "Convolutions": st.just(""),
}


def values(setting: Setting) -> st.SearchStrategy[object]:
    if isinstance(setting.values, Stack):
        return stacks[setting.label]
    if isinstance(setting.values, Range):
        return numbers(setting.values)
    return choices(setting.values)


def changes() -> st.SearchStrategy[dict[str, object]]:
    """A few changed settings; the data stay small, so that runs are quick."""
    paths = {path: setting for path, setting in SETTINGS.items() if path != "data.dataset"}
    return st.fixed_dictionaries({}, optional={p: values(s) for p, s in paths.items()})


def changed(model: ModelConfig, seed: int, settings: dict[str, object]) -> RunConfig:
    config = RunConfig(model=model, seed=seed)
    for path, value in settings.items():
        config = config.replace(path, value)
    return config


configs = st.builds(changed, st.sampled_from([SMALL, IMAGES]), st.integers(0, 2**32 - 1), changes())


@given(configs)
def test_any_config_survives_json(config):
    assert RunConfig.from_json(config.to_json()) == config


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs)
def test_any_run_learns_or_diverges_and_repeats_to_the_bit(config):
    experiment = Experiment(config)
    experiment.train(3)
    snapshot = experiment.snapshot()
    if snapshot.status is Status.DIVERGED:
        assert "Diverged at step" in snapshot.message
    else:
        assert math.isfinite(snapshot.curves["loss"][-1])
    again = replay(config, experiment.journal, experiment.step)
    assert again.network.parameters.theta.tobytes() == experiment.network.parameters.theta.tobytes()


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(repr)
)
def test_any_other_text_is_refused_in_one_sentence(text):
    try:
        RunConfig.from_json(text)
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error)


@given(st.data())
def test_any_value_out_of_range_is_refused(data):
    path = data.draw(
        st.sampled_from([p for p, s in SETTINGS.items() if isinstance(s.values, Range)])
    )
    allowed = SETTINGS[path].values
    value = data.draw(
        st.sampled_from([math.nan, math.inf, -math.inf, -1.0, allowed.high * 1.01 + 1])
        | st.floats(max_value=-1e-9)
    )
    with pytest.raises(ValueError, match=r"must be|Expected"):
        RunConfig().replace(path, value)


convolutions = st.builds(
    lambda size, **rest: Convolution(size=size, **rest, padding=min(2, size - 1)),
    st.integers(1, 9),
    filters=st.integers(1, 64),
    stride=st.integers(1, 3),
    pool=st.integers(1, 3),
)


@given(st.lists(st.integers(1, 10_000), max_size=8), st.lists(convolutions, max_size=5))
def test_layers_survive_being_written_in_words(units, layers):
    assert UNITS.read(UNITS.write(units)) == tuple(units)
    assert CONVOLUTIONS.read(CONVOLUTIONS.write(layers)) == tuple(layers)


@given(st.text())
def test_other_words_for_layers_are_refused_in_one_sentence(text):
    for path in ("model.hidden", "model.convolutions"):
        try:
            RunConfig().replace(path, text)
        except ValueError as error:
            assert "\n" not in str(error)
