"""Components of Panel are in reference cycles: here, those of a closed page are broken."""

import functools
from collections import defaultdict
from collections.abc import Iterable
from types import FunctionType, MethodType
from typing import Any

import panel as pn
from bokeh.document import Document
from panel.pane import PaneBase
from panel.reactive import Syncable
from param import Parameterized

BESIDE = "_locations", "_notifications", "_browsers"


def components_beside(made: Document) -> list[Parameterized]:
    """What Panel 1.10.0 adds to a page by itself."""
    state: Any = pn.state
    found = [getattr(state, kind, {}).get(made) for kind in BESIDE]
    return [component for component in found if component]


CALLS = FunctionType, MethodType, functools.partial

HEARD = "watchers", "dynamic_watchers", "ref_watchers", "refs", "async_refs", "params"


def cut_components(roots: Iterable[Parameterized]) -> None:
    """Let the components of a closed page, these and all that they hold, be freed at once.

    They keep their values, for whoever still reads them, but lose their watchers: a component that
    watches its own parameters is in a reference cycle (Param 2.4).
    """
    for component in components_below(roots):
        private = component._param__private
        for name in HEARD:
            setattr(private, name, _emptied(getattr(private, name)))
        private.values.update({x: None for x, y in private.values.items() if isinstance(y, CALLS)})
        if isinstance(component, PaneBase):
            vars(component).pop("layout", None)  # which holds the pane
        let_go(component)


def components_below(roots: Iterable[Parameterized]) -> list[Parameterized]:
    """These components, and all that they hold, however deep; designs and themes are shared."""
    found = {id(root): root for root in roots}
    left: list[Any] = [x for root in found.values() for x in _held_by(root)]
    while left:
        held = left.pop()
        if isinstance(held, Syncable) and id(held) not in found:
            found[id(held)] = held
            left += _held_by(held)
        elif type(held) in (list, tuple):
            left += held
        elif type(held) is dict:
            left += held.values()
    return list(found.values())


def _held_by(component: Parameterized) -> list[Any]:
    return [*vars(component).values(), *component._param__private.values.values()]


def let_go(owner: object) -> None:
    """Drop what an object holds in containers, which others may hold too."""
    for name, held in list(vars(owner).items()):
        vars(owner)[name] = _emptied(held)


def _emptied(held: Any) -> Any:
    if isinstance(held, defaultdict):
        return defaultdict(held.default_factory)
    return type(held)() if type(held) in (dict, list, set) else held
