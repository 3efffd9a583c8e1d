"""Describes the settings for the page: groups of controls, each with its legal values.

As JSON, the same for everybody; app/static/settings.js renders it with Material's controls. The
values are sent separately, by parameter name (`Settings`).
"""

import functools
import json
from collections.abc import Iterator

from app.settings.parameters import PLACES, Value, value_of
from app.settings.stops import stops_of
from engine import (
    SETTINGS,
    Effect,
    Entry,
    Group,
    Range,
    Registry,
    RunConfig,
    Setting,
    Stack,
    within,
    written,
)

FACES = {Effect.LIVE: "live", Effect.REDRAW: "re-draws", Effect.NEW_RUN: "new run"}

type Control = dict[str, object]

SCALES: dict[str, int] = {}  # the stops of sliders, as text; many sliders share them


@functools.lru_cache(maxsize=64)
def schema(hidden: frozenset[str] = frozenset()) -> str:
    """All controls except those of the settings at the hidden paths."""
    groups = [_group(group, hidden) for group in Group]
    shown = [group for group in groups if group["everyday"] or group["others"]]
    return json.dumps({"groups": shown, "scales": list(SCALES)}, ensure_ascii=False)


def _group(group: Group, hidden: frozenset[str]) -> dict[str, object]:
    shown = {
        name: SETTINGS[place.path]
        for name, place in PLACES.items()
        if not place.knob and SETTINGS[place.path].group is group and place.path not in hidden
    }
    return {
        "heading": group.value,
        "everyday": [_control(name, x) for name, x in shown.items() if x.everyday],
        "others": [_control(name, x) for name, x in shown.items() if not x.everyday],
        "folded": ", ".join(within(x.label) for x in shown.values() if not x.everyday),
    }


def _control(name: str, setting: Setting) -> Control:
    """The control of a setting; its kind follows from the legal values."""
    control: Control = {
        "name": name,
        "label": f"{setting.label} · {FACES[setting.effect]}",
        "tip": f"{setting.summary} A change {setting.effect.value}.",
        "usual": in_words(value_of(PLACES[name], RunConfig())),
    }
    values = setting.values
    if isinstance(values, Registry):
        return control | {"kind": "menu", "entries": list(_entries(name, values))}
    if isinstance(values, Stack):
        layers = setting.label.lower()
        return control | {
            "kind": "layers",
            "example": values.example,
            "fewer": f"Fewer {layers}",
            "more": f"More {layers}",
        }
    return control | _slider(values)


def _slider(values: Range) -> Control:
    stops = " ".join(map(written, stops_of(values)))
    return {"kind": "slider", "scale": SCALES.setdefault(stops, len(SCALES))}


def _entries(name: str, registry: Registry[object]) -> Iterator[dict[str, object]]:
    for entry in registry.values():
        yield {
            "name": entry.name,
            "summary": entry.summary,
            "knobs": list(_knobs(name, entry)),
        }


def _knobs(name: str, entry: Entry[object]) -> Iterator[Control]:
    for knob in entry.knobs:
        label = f"{entry.name} {knob.name.replace('_', ' ')}"
        yield _slider(knob.range) | {"name": f"{name}_{knob.name}", "label": label, "tip": ""}


def in_words(value: Value | None) -> str:
    """A value as the page shows it."""
    return written(value) if isinstance(value, int | float) else value or ""
