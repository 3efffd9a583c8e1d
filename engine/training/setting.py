"""What a setting is: an adjustable field of a config, with all that a learner is told of it."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import msgspec

from engine.number_format import within
from engine.registry import Choice, Range, Registry
from engine.suggestions import quoted
from engine.training.layer_specs import Stack


class Effect(StrEnum):
    """When a change of a setting takes effect on a running network."""

    LIVE = "acts at the next step"
    REDRAW = "draws new weights, keeps the curves"
    NEW_RUN = "starts a new run"


class Rebuilds(StrEnum):
    """What a change of a setting rebuilds within a run."""

    NOTHING = "nothing"  # its value is read at each step, or when weights are drawn
    OPTIMIZER = "the optimizer"
    LOSS = "the loss and its evaluators"
    NETWORK = "the network over the same parameters"  # if these do not fit, a new run begins


class Group(StrEnum):
    """The topics of settings, in the order in which a learner meets them."""

    DATA = "Data"
    NETWORK = "Network"
    TRAINING = "Training"
    REGULARIZATION = "Regularization"


@dataclass(frozen=True)
class Setting:
    """An adjustable field of a config: its label, its meaning for a learner, its legal values.

    `usual` says which values are healthy, and `lesson` is the slug of the lesson about it; empty
    where the lecture claims nothing: of data sets, of values to predict, and of max norm.
    """

    label: str
    summary: str
    effect: Effect
    values: Registry[Any] | Range | Stack
    group: Group
    everyday: bool = True  # False: for advanced learners; the page may fold it away
    rebuilds: Rebuilds = Rebuilds.NOTHING  # unless the change starts a new run
    usual: str = ""
    lesson: str = ""


@functools.cache
def settings_of(cls: type) -> Mapping[str, Setting]:
    """The settings among the fields of a config, by their names."""

    def find() -> Iterator[tuple[str, Setting]]:
        for name, hint in get_type_hints(cls, include_extras=True).items():
            for extra in get_args(hint):
                if isinstance(extra, Setting):
                    yield name, extra

    return dict(find())


class Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refuses illegal values of described fields as soon as the object is created."""

    def __post_init__(self) -> None:
        for name, setting in settings_of(type(self)).items():
            value = getattr(self, name)
            if isinstance(setting.values, Range):
                if refusal := setting.values.refusal(value):
                    raise ValueError(f"{within(setting.label)} {refusal}")
            elif isinstance(setting.values, Stack):
                continue  # its layers check themselves, and the config how many there are
            elif isinstance(value, Choice):
                setting.values.check(value)
            else:
                raise ValueError(f"{within(setting.label)} {not_a_choice(value, setting.values)}")


def not_a_choice(value: object, menu: Registry[Any]) -> str:
    """Why a value that is no `Choice` is refused; ValueError if it names no entry of the menu."""
    if not isinstance(value, str):
        return f"must be a choice, got {quoted(value)}"
    menu.check(Choice(value))
    return f"must be a choice: Choice({value!r}), not {value!r}"
