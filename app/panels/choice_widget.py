"""A menu with the knobs of what is chosen, for what is computed while they are dragged."""

from collections.abc import Callable

from panel import ui
from panel.layout import Column

from app import theme
from app.settings.knobs import Stops
from engine import SETTINGS, Choice, Knob, Registry


class ChoiceWidget:
    """A menu, and the knobs of what is chosen; all act at once, also while they are dragged."""

    def __init__(self, path: str, choice: Choice, turned: Callable[[], None]) -> None:
        setting = SETTINGS[path]
        if not isinstance(setting.values, Registry):
            raise TypeError(f"{path} has no menu")
        self._menu, self._turned = setting.values, turned
        self._knobs: dict[Knob, Stops] = {}
        self._select = ui.Select(
            label=setting.label,
            options=list(self._menu),
            value=choice.name,
            size="small",
            margin=theme.KNOB_MARGIN,
            sizing_mode="stretch_width",
        )
        self._select.param.watch(lambda event: self._chosen(), "value")
        self.view = Column(self._select, sizing_mode="stretch_width")
        self._offer()

    @property
    def choice(self) -> Choice:
        """What is chosen, with the knobs that differ from their defaults."""
        turned = {knob.name: stops.view.value for knob, stops in self._knobs.items()}
        defaults = {knob.name: knob.default for knob in self._knobs}
        return Choice(self._select.value, {k: v for k, v in turned.items() if v != defaults[k]})

    def put(self, choice: Choice) -> None:
        """Choose this."""
        self._select.value = choice.name
        for knob, stops in self._knobs.items():
            stops.view.value = choice.knobs.get(knob.name, knob.default)

    def _chosen(self) -> None:
        self._offer()
        self._turned()

    def _offer(self) -> None:
        name = self._select.value
        self._knobs = {knob: self._stops(name, knob) for knob in self._menu[name].knobs}
        self.view[:] = [self._select, *(stops.view for stops in self._knobs.values())]

    def _stops(self, name: str, knob: Knob) -> Stops:
        label = f"{name} {knob.name.replace('_', ' ')}"
        stops = Stops(label, "", knob.range, knob.default, lambda value: None)
        stops.view.param.watch(lambda event: self._turned(), "value")
        return stops
