"""What each setting is, for the question mark: from the engine's own description of it."""

from app.explanations.explanation import Reading, explain
from app.settings.parameters import PLACES, Place, bounds_of, knob_of, value_of
from app.settings.schema import in_words
from engine import SETTINGS, Range, Snapshot, written


def explain_settings() -> None:
    """Say of each setting, and of each hyperparameter of a menu's entry, what it is."""
    for name, place in PLACES.items():
        setting = SETTINGS[place.path]
        label = place.knob.replace("_", " ")
        explain(
            f"setting {name}",
            f"{setting.label}: {label}" if label else setting.label,
            _meaning(place) if place.knob else setting.summary,
            now=_value(name, place),
            healthy=_allowed(place) if place.knob else setting.usual or _allowed(place),
            moved_by=f"you; a change {setting.effect.value}",
            lesson=setting.lesson,
        )
    explain(
        "button fold",
        "More settings",
        "Shows the settings of this group that one needs less often, or hides them again.",
    )


def _meaning(place: Place) -> str:
    """What a hyperparameter does: it means the same in all entries that have it."""
    knobs = [knob for entry in (place.entries or {}).values() for knob in entry.knobs]
    return next(knob.meaning for knob in knobs if knob.name == place.knob)


def _value(name: str, place: Place) -> Reading:
    """Its value; of a menu, also what the chosen entry does."""

    def read(snapshot: Snapshot, _: str) -> str:
        value = value_of(place, snapshot.config)
        if place.entries and not place.knob:
            return f"{value}: {place.entries[str(value)].summary}"
        return "none" if value == "" else in_words(value)  # no layers

    return read


def _allowed(place: Place) -> Reading:
    """The legal numbers, where the lecture gives no healthy ones."""

    def read(snapshot: Snapshot, _: str) -> str:
        values = SETTINGS[place.path].values
        if place.knob:
            knob = knob_of(place, snapshot.config)
            usual = f"{written(knob.default)} is usual; " if knob else ""
            return f"{usual}{_range(knob.range)}" if knob else ""
        return _range(values) if isinstance(values, Range) else ""

    return read


def _range(values: Range) -> str:
    low, high = bounds_of(values)
    return f"{written(low)} to {written(high)} can be set"
