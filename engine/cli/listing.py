"""`list`: the menus and settings, as they describe themselves."""

import argparse
import dataclasses
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from engine.cli.files import tell, to_json
from engine.diagnosis import RULES
from engine.number_format import written
from engine.registry import Choice, Entry, Range, Registry
from engine.training.config import SETTINGS, RunConfig
from engine.training.layer_specs import Stack
from engine.training.setting import Setting

COLUMNS = 100
WIDEST = 30  # characters of a name in the left column


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This subcommand has no arguments of its own."""


def run(arguments: argparse.Namespace) -> int:
    """List every menu, its entries and their knobs, and every setting."""
    if arguments.json:
        sys.stdout.write(to_json(_plain()))
    else:
        tell(_lines())
    return 0


def _menus() -> Mapping[str, Registry[Any]]:
    chosen = [s.values for s in SETTINGS.values() if isinstance(s.values, Registry)]
    return {menu.kind: menu for menu in [*chosen, RULES]}


# ---- as JSON ------------------------------------------------------------------------------------


def _plain() -> dict[str, object]:
    return {
        "menus": {kind: [_entry(x) for x in menu.values()] for kind, menu in _menus().items()},
        "settings": [_setting(path, setting) for path, setting in SETTINGS.items()],
    }


def _entry(entry: Entry[Any]) -> dict[str, object]:
    knobs = [
        {"name": knob.name, "default": knob.default, **dataclasses.asdict(knob.range)}
        for knob in entry.knobs
    ]
    return {"name": entry.name, "summary": entry.summary, "knobs": knobs}


def _setting(path: str, setting: Setting) -> dict[str, object]:
    values = setting.values
    return {
        "path": path,
        "label": setting.label,
        "summary": setting.summary,
        "effect": setting.effect,
        "default": RunConfig().value(path),
        "menu": values.kind if isinstance(values, Registry) else None,
        "range": values if isinstance(values, Range) else None,
        "written": values.example if isinstance(values, Stack) else None,
    }


# ---- as text ------------------------------------------------------------------------------------


def _lines() -> Iterator[str]:
    for kind, menu in _menus().items():
        yield from _block(kind, {entry.name: _about(entry) for entry in menu.values()})
    yield from _block("settings", {path: _described(path, s) for path, s in SETTINGS.items()})


def _block(title: str, rows: Mapping[str, list[str]]) -> Iterator[str]:
    yield title.upper()
    width = min(WIDEST, max(map(len, rows)))
    indent = " " * (width + 4)
    for name, texts in rows.items():
        start = f"  {name:<{width}}  "
        for text in texts:
            yield from textwrap.wrap(text, COLUMNS, initial_indent=start, subsequent_indent=indent)
            start = indent
    yield ""


def _about(entry: Entry[Any]) -> list[str]:
    knobs = [f"{x.name}: {_span(x.range)}, {written(x.default)} by default" for x in entry.knobs]
    return [entry.summary, *knobs]


def _described(path: str, setting: Setting) -> list[str]:
    values, default = setting.values, RunConfig().value(path)
    if isinstance(values, Stack):
        default = values.write(default) or "none"
        return [
            setting.summary,
            f"such as {values.example}; {default} by default; {setting.effect}",
        ]
    span = f"one of {values.kind.upper()}" if isinstance(values, Registry) else _span(values)
    default = default.name if isinstance(default, Choice) else written(default)
    return [setting.summary, f"{span}, {default} by default; {setting.effect}"]


def _span(span: Range) -> str:
    kind = "whole number, " if span.whole else ""
    scale = " on a log scale" if span.scale == "log" else ""
    return f"{kind}{written(span.low)} to {written(span.high)}{scale}{' or 0' if span.zero else ''}"
