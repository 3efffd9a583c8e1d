"""A menu with the knobs of the chosen entry, which take effect while they are dragged."""

from collections.abc import Callable, Set

from panel import ui
from panel.layout import Column

from app import theme
from app.settings.stops import stops_of
from engine import SETTINGS, Choice, Knob, Registry, written


class ChoiceWidget:
    """A menu, and the knobs of the chosen entry; changes take effect while a slider is dragged."""

    def __init__(self, path: str, choice: Choice, turned: Callable[[], None]) -> None:
        setting = SETTINGS[path]
        if not isinstance(setting.values, Registry):
            raise TypeError(f"{path} has no menu")
        self._menu, self._turned = setting.values, turned
        self._knobs: dict[Knob, ui.DiscreteSlider] = {}
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
        """The chosen entry, with the knobs that differ from their defaults."""
        turned = {knob.name: slider.value for knob, slider in self._knobs.items()}
        defaults = {knob.name: knob.default for knob in self._knobs}
        return Choice(self._select.value, {k: v for k, v in turned.items() if v != defaults[k]})

    def put(self, choice: Choice) -> None:
        """Choose this."""
        self._select.value = choice.name
        for knob, slider in self._knobs.items():
            value = choice.knobs.get(knob.name, knob.default)
            if value not in slider.values:
                slider.options = _options({*slider.values, value})
            slider.value = value

    def _chosen(self) -> None:
        self._offer()
        self._turned()

    def _offer(self) -> None:
        name = self._select.value
        self._knobs = {knob: self._slider(name, knob) for knob in self._menu[name].knobs}
        self.view[:] = [self._select, *self._knobs.values()]

    def _slider(self, name: str, knob: Knob) -> ui.DiscreteSlider:
        slider = ui.DiscreteSlider(
            label=f"{name} {knob.name.replace('_', ' ')}",
            options=_options({*stops_of(knob.range), knob.default}),
            value=knob.default,
            size="small",
            margin=theme.KNOB_MARGIN,
            sx=theme.SLIDER_SX,
            sizing_mode="stretch_width",
        )
        slider.param.watch(lambda event: self._turned(), "value")
        return slider


def _options(stops: Set[float]) -> dict[str, float]:
    return {written(stop): stop for stop in sorted(stops)}
