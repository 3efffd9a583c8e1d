"""Configs refuse illegal values and survive JSON."""

import pytest

from engine import SETTINGS, Choice, Experiment, Range, Registry, RunConfig, SetKnob, Stack
from engine.training.config_sections import DataConfig, ModelConfig


def test_json_round_trip():
    config = (
        RunConfig(model=ModelConfig(hidden=(10, 20, 30)), seed=7)
        .replace("model.activation", Choice("leaky ReLU", {"slope_below": 0.1}))
        .replace("optimization.l2", 0)
    )
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"seed": "one"}', "^seed must be a whole number, got text$"),
        ('{"sead": 1}', "it has no field 'sead'; choose from data, model"),
        ('{"model": {"hidden": [64, 0]}}', r"hidden must be .* got \(64, 0\)"),
        ('{"optimization": {"learning_rate": 0}}', "learning rate must be"),
        (
            '{"data": {"dataset": {"name": "MNIST"}}}',
            "unknown data set 'MNIST'; the nearest of .* are Fashion-MNIST",
        ),
        ("{", "is no JSON: it ends too early"),
    ],
)
def test_invalid_json_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        RunConfig.from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ModelConfig(hidden=(10_000_000,)),
        lambda: ModelConfig(hidden=(1,) * 1000),
        lambda: DataConfig(held_out=1.0),
        lambda: DataConfig(examples=0),
        lambda: RunConfig(seed=-1),
    ],
)
def test_constructors_refuse_illegal_values(make):
    with pytest.raises(ValueError, match="must be"):
        make()


@pytest.mark.parametrize(
    "choose",
    [
        lambda name: ModelConfig(activation=name),
        lambda name: RunConfig().replace("model.activation", name),
        lambda name: Experiment(RunConfig()).apply(SetKnob("model.activation", name)),
    ],
    ids=["built", "replaced", "applied"],
)
def test_a_bare_name_is_refused_with_the_choice_to_write(choose):
    with pytest.raises(ValueError, match=r"^activation must be a choice: Choice\('tanh'\), not "):
        choose("tanh")
    with pytest.raises(ValueError, match=r"^unknown activation 'tahn'; the nearest .* tanh"):
        choose("tahn")


def test_every_setting_describes_itself():
    for path, setting in SETTINGS.items():
        assert setting.label and setting.summary.endswith("."), path
        value = RunConfig().value(path)
        if isinstance(setting.values, Range):
            assert setting.values.refusal(value) is None, path
        elif isinstance(setting.values, Stack):
            assert setting.values.read(setting.values.example), path
        else:
            setting.values.check(value)


def test_an_unknown_entry_is_refused_with_the_known_ones():
    menu: Registry[object] = Registry("thing")

    @menu.register("one")
    def one() -> None:
        """The first."""

    assert menu["one"].summary == "The first."
    with pytest.raises(ValueError, match="unknown thing 'two'; choose from one"):
        menu["two"]
    with pytest.raises(ValueError, match="registered twice"):
        menu.register("one")
