"""A run described by plain values: with its seed, a `RunConfig` determines every number of the run.

Its sections are in `config_sections.py`, with a `Setting` for each adjustable field. Every value is
checked when a config is built, so a config that exists is legal. Configs are written and read as
JSON by `to_json` and `from_json`.
"""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

import msgspec

from engine.data import Reading
from engine.json_reader import converted, from_json
from engine.number_format import within
from engine.registry import Choice, Registry
from engine.suggestions import instead_of, quoted
from engine.training.config_sections import DataConfig, ModelConfig, OptimizationConfig
from engine.training.layer_specs import Convolution, Stack
from engine.training.setting import (
    Checked,
    Rebuilds,
    Setting,
    not_a_choice,
    settings_of,
)

type SettingValue = float | Choice | tuple[int, ...] | tuple[Convolution, ...]


class Pretraining(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a network has learned before: the same run, trained for some steps on other data.

    All layers that fit are copied from it, except the last, as in fine-tuning.
    """

    data: DataConfig
    steps: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


@functools.cache
def _hints(section: type) -> Mapping[str, Any]:
    """The types of a section's fields; frames with a finding look whether its remedy is legal."""
    return get_type_hints(section)


class RunConfig(Checked, frozen=True, kw_only=True, forbid_unknown_fields=True, weakref=True):
    """Everything that determines a run."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    optimization: OptimizationConfig = OptimizationConfig()
    seed: int = 0
    start: Pretraining | None = None  # None: from randomly drawn weights

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")

    def replace(self, path: str, value: object) -> "RunConfig":
        """This config with the setting at `path`, such as "optimization.l2", set to `value`.

        Layers may be given as text, such as "64, 64".
        """
        part, name = _parts(path)
        section: Checked = getattr(self, part)
        hint = _hints(type(section))[name]
        label, values = within(SETTINGS[path].label), SETTINGS[path].values
        if isinstance(values, Stack) and isinstance(value, str):
            value = values.read(value)
        elif isinstance(values, Registry) and isinstance(value, str):
            raise ValueError(f"{label} {not_a_choice(value, values)}")
        elif isinstance(value, float) and value.is_integer() and hint is int:
            value = int(value)  # 64.0 from a slider, or from JSON, is the whole number 64
        value = converted(value, hint, label)
        changed: Checked = msgspec.structs.replace(section, **{name: value})
        if path == "data.dataset":  # which has other classes
            changed = msgspec.structs.replace(
                changed, classes=(), target=None, task=None, missing=None
            )
        return msgspec.structs.replace(self, **{part: changed})

    def with_reading(self, reading: Reading) -> "RunConfig":
        """This config with its table read in another way."""
        chosen = {name: getattr(reading, name) for name in reading.__struct_fields__}
        return msgspec.structs.replace(self, data=msgspec.structs.replace(self.data, **chosen))

    def with_seed(self, seed: int) -> "RunConfig":
        """This config with another seed."""
        return msgspec.structs.replace(self, seed=seed)

    def value(self, path: str) -> Any:
        """The value of the setting at `path`."""
        part, name = _parts(path)
        return getattr(getattr(self, part), name)

    def to_json(self) -> str:
        """This config as JSON text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "RunConfig":
        """The config that `to_json` wrote; for any other text ValueError says what is wrong."""
        return from_json(text, cls)


def _parts(path: str) -> tuple[str, str]:
    if path not in SETTINGS:
        raise ValueError(f"unknown setting {quoted(path)}; {instead_of(path, SETTINGS)}")
    part, _, name = path.partition(".")
    return part, name


SETTINGS: Mapping[str, Setting] = {
    f"{part}.{name}": setting
    for part, cls in get_type_hints(RunConfig).items()
    if isinstance(cls, type)
    for name, setting in settings_of(cls).items()
}


def rebuilt(before: RunConfig, after: RunConfig) -> frozenset[Rebuilds]:
    """What must be rebuilt for a run to continue under another config."""
    return frozenset(
        setting.rebuilds
        for path, setting in SETTINGS.items()
        if before.value(path) != after.value(path)
    )
