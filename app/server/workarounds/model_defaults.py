"""Bokeh computes the defaults of each model anew: here, once for a class of models."""

from collections.abc import Callable
from types import NoneType
from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.core.property.wrappers import PropertyValueContainer

from app.server.workarounds.patching import replaced

THEMED = "__themed_values__"

PLAIN = str, int, float, bool, NoneType  # types of defaults that models can share


def compute_defaults_once() -> None:
    """Compute the defaults of a class of models once, not for each of its models.

    Bokeh 3.10 validates each default anew whenever it is read, and asks of each whether it may
    change; and it reads all properties of a model to send the few that are set. That is half of
    what a plot takes (https://github.com/bokeh/bokeh/issues/15354).
    """
    replaced(HasProps, "themed_values", lambda before: lambda model: vars(model).get(THEMED))
    replaced(PropertyDescriptor, "has_unstable_default", _once_for_a_class)
    replaced(PropertyDescriptor, "instance_default", _plain_once_for_a_class)
    replaced(HasProps, "query_properties_with_values", _reading_what_is_set)


def _once_for_a_class(ask: Callable[..., bool]) -> Callable[..., bool]:
    known: dict[tuple[Any, type], bool] = {}

    def has_unstable_default(self: Any, model: HasProps) -> bool:
        key = self, type(model)
        if key not in known:
            known[key] = ask(self, model)
        return known[key]

    return has_unstable_default


def _plain_once_for_a_class(compute: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[Any, type], Any] = {}

    def instance_default(self: Any, model: HasProps) -> Any:
        if self.name in (model.themed_values() or ()):
            return compute(self, model)
        key = self, type(model)
        if key in known:
            return known[key]
        value = compute(self, model)
        if type(value) in PLAIN and not self.has_unstable_default(model):
            known[key] = value
        return value

    return instance_default


def _reading_what_is_set(read_all: Callable[..., Any]) -> Callable[..., Any]:
    def read(self: Any, query: Any, *, include_defaults: bool = True, **options: Any) -> Any:
        if include_defaults or any(options.values()):
            return read_all(self, query, include_defaults=include_defaults, **options)
        themed, unstable = self.themed_values() or {}, self._unstable_default_values
        chosen = self._property_values.keys() | unstable.keys() | themed.keys()
        found = {}
        for name in self.properties(_with_props=True):
            if name in chosen and query(descriptor := self.lookup(name)):
                value = descriptor.get_value(self)
                kept = isinstance(value, PropertyValueContainer) and name in unstable
                if name in themed or not kept:
                    found[name] = value
        return found

    return read
