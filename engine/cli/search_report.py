"""The result of a search, as text or JSON."""

import dataclasses
from collections import Counter
from collections.abc import Iterator

from engine.nn.losses import in_measure
from engine.number_format import counted
from engine.search import (
    EnsembleFrame,
    SearchFrame,
    SearchRun,
    TrialFrame,
    TrialStatus,
    in_words,
    label_of,
)

SHOWN = 10  # best trials that are listed


def plain(search_run: SearchRun, together: EnsembleFrame | None) -> dict[str, object]:
    """All results except the curves; the last round of a trial shows how it ended."""
    frame = search_run.frame()
    return {
        "search": frame.search,
        "status": frame.status,
        "seconds": frame.seconds,
        "measure": frame.measure,
        "ranking": frame.ranking,
        "edges": frame.edges,
        "ensemble": together and {**dataclasses.asdict(together), "gain": together.gain},
        "trials": [
            {"point": trial.point, "config": trial.config, **_figures(search_run, trial.number)}
            for trial in frame.trials
        ],
    }


def _figures(search_run: SearchRun, number: int) -> dict[str, object]:
    result = search_run.results.get(number)
    if result is None:
        return {"number": number, "ending": None}
    names = [field.name for field in dataclasses.fields(result) if field.name != "curve"]
    return {
        **{name: getattr(result, name) for name in names},
        "ending": result.ending.name.lower(),
        "reason": result.message or result.ending,
    }


def lines(frame: SearchFrame, together: EnsembleFrame | None) -> Iterator[str]:
    """The best trials, the reasons why others ended, and the next step."""
    trials, epochs = counted(len(frame.trials), "trials"), counted(frame.search.epochs, "epochs")
    yield f"{trials} of {epochs} on {_data(frame)}"
    paths = [axis.path for axis in frame.search.space]
    yield _row("trial", frame.measure, [label_of(path) for path in paths])
    for number in frame.ranking[:SHOWN]:
        trial = frame.trials[number]
        yield _row(
            str(number),
            in_measure(trial.validation_accuracy, frame.measure),
            list(map(in_words, trial.point)),
        )
    yield from _others(frame)
    yield from (f"! {edge.text}" for edge in frame.edges)
    if together:
        yield (
            f"the best {len(together.alone)} together:"
            f" {in_measure(together.together[-1], frame.measure)},"
            f" the best of them alone: {in_measure(max(together.alone), frame.measure)}"
        )


def _data(frame: SearchFrame) -> str:
    searched = [axis for axis in frame.search.space if axis.path == "data.dataset"]
    return "several data sets" if searched else frame.search.base.data.dataset.name


def _row(number: str, accuracy: str, values: list[str]) -> str:
    return "  ".join([f"{number:>5}", f"{accuracy:>8}", *(f"{x:>14}" for x in values)])


def _others(frame: SearchFrame) -> Iterator[str]:
    yield f"{len(frame.ranking)} of {counted(len(frame.trials), 'trials')} finished"
    reasons = Counter(_why(trial) for trial in frame.trials)
    yield from (f"{count} did not: {why}" for why, count in reasons.most_common() if why)


def _why(trial: TrialFrame) -> str:
    if trial.status is TrialStatus.FINISHED:
        return ""
    return trial.reason or "there was no time for them"
