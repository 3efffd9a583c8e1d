"""The form for the search space: a row per axis, and a menu to add one."""

import functools
from collections.abc import Iterator
from typing import Any

from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML
from panel.viewable import Viewable

from app import theme
from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.stylesheets import css
from engine import (
    SETTINGS,
    Categorical,
    Continuous,
    Registry,
    RunConfig,
    Stack,
    axis_of,
    in_words,
    label_of,
    typed,
    written,
)

type Axis = Continuous | Categorical

RATE, DECAY = "optimization.learning_rate", "optimization.l2"
AROUND = 30.0  # factor above and below the visitor's own learning rate
DECAYS = 1e-6, 1.0
# Not searched: with other examples or another loss, accuracies cannot be compared.
APART = ("data.dataset", "data.held_out", "optimization.loss")
NONE = {"…": ""}  # in the menu until one is chosen


def first_axes(base: RunConfig) -> tuple[Axis, ...]:
    """The first search space: around the current learning rate, and whether a penalty helps."""
    rate = base.value(RATE)
    limits = axis_of(RATE, base)
    if not isinstance(limits, Continuous):
        raise TypeError(f"{RATE} has no range")
    low, high = max(rate / AROUND, limits.low), min(rate * AROUND, limits.high)
    return Continuous(RATE, float(f"{low:.1g}"), float(f"{high:.1g}")), Continuous(DECAY, *DECAYS)


def addable(base: RunConfig) -> dict[str, str]:
    """The paths of all settings and knobs that can be an axis, by label."""
    found = {}
    for path, setting in SETTINGS.items():
        if path in APART:
            continue
        found[setting.label] = path
        if isinstance(setting.values, Registry):
            for knob in setting.values[base.value(path).name].knobs:
                found[label_of(f"{path}.{knob.name}")] = f"{path}.{knob.name}"
    return found


WIDER = "1.5 1 0"  # than the other end's field: its label names the setting as well


class AxisRow:
    """One axis: its range, or its options."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self.path = axis.path
        label = label_of(axis.path)
        self._fields = self._make(axis, label)
        remove = HTML(
            button(f"leave out {axis.path}", f"Leave out {label}", "close"),
            stylesheets=[css("buttons")], margin=0, align="center",
        )  # fmt: skip
        self.view: Viewable = Row(
            *self._fields, remove, stylesheets=[css("search_axis")], sizing_mode="stretch_width"
        )

    def _make(self, axis: Axis, label: str) -> list[Any]:
        if isinstance(axis, Continuous):
            low = _field(f"{label} from", _editable(axis.low))
            low.styles = {"flex": WIDER}
            return [low, _field("to", _editable(axis.high))]
        if isinstance(SETTINGS.get(axis.path, None) and SETTINGS[axis.path].values, Registry):
            names = [str(in_words(option)) for option in axis.options]
            return [
                ui.MultiChoice(
                    label=label, options=names, value=names,
                    margin=theme.KNOB_MARGIN, sizing_mode="stretch_width",
                )
            ]  # fmt: skip
        return [_field(f"{label}, each of", "; ".join(in_words(x) for x in axis.options))]

    def axis(self) -> Axis:
        """The axis in the form; ValueError says what is illegal."""
        axis, values = self._axis, [field.value for field in self._fields]
        if isinstance(axis, Continuous):
            low, high = (_number(value) for value in values)
            return Continuous(axis.path, low, high, axis.scale, axis.whole)
        if isinstance(values[0], list):
            return Categorical(
                axis.path, tuple(x for x in axis.options if in_words(x) in values[0])
            )
        rows = tuple(row.strip() for row in values[0].split(";") if row.strip())
        return Categorical(axis.path, rows)


class Axes:
    """All axes of the form; none until its pieces are built."""

    def __init__(self, base: RunConfig, presses: Presses) -> None:
        self._base, self._presses = base, presses
        self._rows: list[AxisRow] = []
        self._column = Column(sizing_mode="stretch_width")
        self._menu = ui.Select(
            label="Add an axis", options=NONE, value="", size="small",
            margin=theme.KNOB_MARGIN, sizing_mode="stretch_width",
        )  # fmt: skip
        self._menu.param.watch(lambda event: self._add(event.new), "value")
        self.view: Viewable = Column(self._column, self._menu, sizing_mode="stretch_width")

    def pieces(self) -> Iterator[None]:
        """Build the first axes, one by one."""
        for axis in first_axes(self._base):
            self._show(axis)
            yield

    def space(self) -> tuple[Axis, ...]:
        """The axes in the form."""
        return tuple(row.axis() for row in self._rows)

    def _add(self, path: str) -> None:
        if not path:
            return
        values = SETTINGS[path].values if path in SETTINGS else None
        if isinstance(values, Stack):
            axis: Axis = Categorical(path, _depths(values))
        else:
            axis = axis_of(path, self._base)
        self._show(axis)

    def _show(self, axis: Axis) -> None:
        self._rows.append(AxisRow(axis))
        self._presses.on(f"leave out {axis.path}", functools.partial(self._remove, axis.path))
        self._arrange()

    def _remove(self, path: str) -> None:
        self._rows = [row for row in self._rows if row.path != path]
        self._arrange()

    def _arrange(self) -> None:
        self._column[:] = [row.view for row in self._rows]
        taken = {row.path for row in self._rows}
        free = {label: path for label, path in addable(self._base).items() if path not in taken}
        self._menu.param.update(options=NONE | free, value="")


def _depths(stack: Stack) -> tuple[str, ...]:
    """The first options for layers: those of the example, one after the other."""
    layers = stack.example.split(", ")
    return tuple(", ".join(layers[: n + 1]) for n in range(len(layers)))


def _field(label: str, value: str) -> ui.TextInput:
    return ui.TextInput(
        label=label, value=value, size="small", margin=(5, 2, 5, 10), sizing_mode="stretch_width"
    )


def _editable(value: float) -> str:
    """A number as one types it: without thousands separators, which no field accepts."""
    return typed(written(value)).replace(",", "")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"an end of a range must be a number, got {text!r}") from None


explain(
    "field Search *",
    "An axis of the search",
    "The range, or the entries, from which each trial draws this setting. Numbers are drawn by"
    " their"
    " powers of ten, where the slider has such a scale.",
    healthy="Wide at first: if the best lie at an edge, wider.",
    lesson="rates-as-powers-of-ten",
)
explain("field Search Add an axis", "Add an axis", "Lets the search try another setting, too.")
explain("button leave out *", "Leave out", "Takes this axis out: all trials have your setting.")
