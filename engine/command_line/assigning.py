"""One value of a config, changed by an argument such as `optimization.learning_rate=0.1`."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from engine.config import SETTINGS, RunConfig
from engine.fitting import DATASET, suit_data
from engine.registry import Registry
from engine.stacks import Stack


def assigned_all(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """This config with all these changes; other data bring what suits them, unless that is set."""
    for assignment in assignments:
        config = assigned(config, assignment)
    paths = {assignment.partition("=")[0] for assignment in assignments}
    return suit_data(config, had_classes=True, kept=paths) if DATASET in paths else config


def assigned(config: RunConfig, assignment: str) -> RunConfig:
    """This config with the field at PATH at VALUE, given "PATH=VALUE"."""
    path, equals, text = assignment.partition("=")
    if not equals:
        raise ValueError(f"--set takes PATH=VALUE, got {assignment!r}")
    plain = msgspec.to_builtins(config)
    if path not in _paths(plain):
        raise ValueError(f"unknown setting {path!r}; choose from {', '.join(_paths(plain))}")
    part, _, name = path.partition(".")
    try:
        plain[part][name] = _value(path, text)
        return RunConfig.from_json(msgspec.json.encode(plain))
    except msgspec.MsgspecError as error:
        raise ValueError(f"--set {assignment}: {error}") from None


def _paths(plain: dict[str, Any]) -> Iterator[str]:
    for part, fields in plain.items():
        if isinstance(fields, dict):
            yield from (f"{part}.{name}" for name in fields)


def _value(path: str, text: str) -> object:
    """JSON, except that an entry of a menu goes by its bare name, and layers in words."""
    setting = SETTINGS.get(path)
    if setting and isinstance(setting.values, Stack) and not text.startswith("["):
        return setting.values.read(text)
    if setting and isinstance(setting.values, Registry) and not text.startswith("{"):
        return {"name": text}
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise ValueError(f"--set {path}: {text!r} is not JSON, such as 0.1 or [64,64]") from None
