"""The names of paces, on the page and in links."""

from app import numbers
from engine import AUTO, FULL, PACES, Pace, counted

KEPT = 0.8  # share of the pace above which the measured rate counts as kept
BY_NAME: dict[str, Pace] = {
    (pace if pace == AUTO else "full" if pace == FULL else f"{pace:g}"): pace for pace in PACES
}


def name_of(pace: Pace) -> str:
    """Its name in links: auto, full, or the number of steps a second."""
    return next(name for name, known in BY_NAME.items() if known == pace)


def in_short(pace: Pace, made: float) -> str:
    """The label of the pace button for a run that makes so many steps a second; 0 while it waits.

    The pace of a lesson may be any number.
    """
    if pace == AUTO:
        return _with_rate(AUTO, made)
    if pace == FULL:
        return _with_rate("full", made)
    held = f"{numbers.rate(pace)}/s"
    return held if not made or made > KEPT * pace else f"{numbers.rate(made)} of {held}"


def _with_rate(name: str, made: float) -> str:
    return f"{name}, {numbers.rate(made)}/s" if made else name


def in_full(pace: Pace) -> str:
    """Its name in the list of all paces."""
    if pace == AUTO:
        return "auto: slow at first, and after a change"
    if pace == FULL:
        return "full speed"
    return f"{counted(pace, 'steps')}/s"
