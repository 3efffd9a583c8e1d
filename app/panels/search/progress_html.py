"""The sentences of the search panel about its progress, as HTML."""

from app import numbers
from app.templates import refusal
from engine import SearchFrame, SearchProgress, counted


def stage(shown: SearchProgress) -> str:
    """The stage, its best trial, and the time it takes."""
    frame = shown.frame
    if frame is None:
        return ""
    name = f"Stage {frame.search.stage}: {frame.status.value}"
    best = "" if shown.best is None else f", best <b>{numbers.decimal_percent(shown.best)}</b>"
    before = ", ".join(numbers.decimal_percent(score) for score in shown.before)
    earlier = f" (before: {before})" if before else ""
    time = f"{numbers.seconds(frame.seconds)} of work"
    left = f", {numbers.seconds(frame.seconds_left)} left" if shown.busy else ""
    trials, epochs = counted(frame.search.trials, "trials"), counted(frame.search.epochs, "epochs")
    of = f"{trials} of {epochs}"
    return f"<p role='status'>{name}{best}{earlier}</p><p class='quiet'>{of}; {time}{left}</p>"


def edges(frame: SearchFrame | None, region: dict[str, tuple[float, float]]) -> str:
    """The warnings, and the selected region."""
    if frame is None:
        return ""
    warnings = "".join(refusal(edge.text) for edge in frame.edges)
    if not region:
        return warnings + "<p class='quiet'>Drag over the points to choose a region.</p>"
    axes = {axis.path: axis for axis in frame.search.space}
    ends = " × ".join(
        " to ".join(numbers.short(axes[path].at(place)) for place in sorted(pair))  # type: ignore
        for path, pair in region.items()
    )
    return warnings + f"<p>Region: {ends}</p>"


def gain(shown: SearchProgress) -> str:
    """What averaging several networks gains over the best of them."""
    together = shown.ensemble
    if together is None or not together.alone:
        return "<p class='quiet'>The average of several networks' predictions.</p>"
    size = len(together.alone)
    text = (
        f"The best alone {numbers.decimal_percent(max(together.alone))}, {size} together"
        f" <b>{numbers.decimal_percent(together.together[-1])}</b>:"
        f" {100 * together.gain:+.1f} points"
    )
    return f"<p role='status'>{text}{'' if together.finished else ' …'}</p>"


def difference(shown: SearchProgress) -> str:
    """What random and grid search have found."""
    frame = shown.comparison
    if frame is None or not frame.lines:
        return "<p class='quiet'>As many trials each, from several seeds.</p>"
    found = ", ".join(
        f"{line.strategy} <b>{numbers.decimal_percent(float(line.middle[-1]))}</b>"
        for line in frame.lines
    )
    return (
        f"<p role='status'>Best found, median of {counted(len(frame.seeds), 'seeds')}: {found}</p>"
    )
