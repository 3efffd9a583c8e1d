"""Changes a config by arguments such as `optimization.learning_rate=0.1`."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from engine.number_format import within
from engine.registry import Range, Registry
from engine.search import changed
from engine.suggestions import instead_of
from engine.training.config import SETTINGS, RunConfig
from engine.training.config_for_data import DATASET, suit_data
from engine.training.layer_specs import Stack

WORDS = frozenset({"data.target", "data.task", "data.missing"})  # values that are not JSON


def assigned_all(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """This config with all these changes; new data bring their usual settings unless set."""
    for assignment in assignments:
        config = assigned(config, assignment)
    paths = {assignment.partition("=")[0] for assignment in assignments}
    return suit_data(config, had_classes=True, kept=paths) if DATASET in paths else config


def assigned(config: RunConfig, assignment: str) -> RunConfig:
    """This config with the field at PATH, or a knob of its entry, set to VALUE; else ValueError."""
    path, equals, text = assignment.partition("=")
    if not equals:
        raise ValueError(f"--set takes PATH=VALUE, got {assignment!r}")
    plain = msgspec.to_builtins(config)
    part, _, name = path.partition(".")
    try:
        if path in _paths(plain):
            plain[part][name] = _value(path, text)
            return RunConfig.from_json(msgspec.json.encode(plain))
        if ".".join(path.split(".")[:2]) in SETTINGS:
            return changed(config, path, _number(text))
    except ValueError as error:
        raise ValueError(f"--set {assignment}: {error}") from None
    raise ValueError(f"unknown setting {path!r}; {instead_of(path, _paths(plain))}")


def _paths(plain: dict[str, Any]) -> Iterator[str]:
    for part, fields in plain.items():
        if isinstance(fields, dict):
            yield from (f"{part}.{name}" for name in fields)


def _value(path: str, text: str) -> object:
    """JSON, except that entries of a menu are bare names, and layers are text."""
    setting = SETTINGS.get(path)
    if path in WORDS:
        return None if text == "null" else text
    match setting and setting.values:
        case Stack() as stack if not text.startswith("["):
            return stack.read(text)
        case Registry() if not text.startswith("{"):
            return {"name": text}
        case Range() as allowed:
            number = _number(text)
            if setting and (refusal := allowed.refusal(number)):
                raise ValueError(f"{within(setting.label)} {refusal}")
            return int(number) if allowed.whole else number
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise ValueError(f"{text!r} is not JSON, such as 3 or [64,64]") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"must be a number, got {text!r}") from None
