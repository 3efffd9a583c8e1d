"""Plays a shared run of a playlist in front of a class, and compares its weights at the end."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from engine.lessons.lesson import WATCHED
from engine.lessons.playlists import Item
from engine.measure.snapshot import Status
from engine.runtime.background_results import LessonProgress
from engine.runtime.experiment import Experiment
from engine.runtime.recording import Recording, digest
from engine.training.commands import Begin, SetKnob

SAME = "The weights are those of the shared run, to the bit."
OTHER = (
    "The weights are not the same bits: it was shared from another version of the program, or from"
    " another kind of machine."
)


def play_shared_run(
    experiment: Experiment, item: Item, set_pace: Callable[[float | None], None]
) -> Iterator[LessonProgress | None]:
    """The states of a shared run: while it plays, and at its last step.

    It sets a pace at which all of it can be watched, and restores the pace with None.
    """
    run = item.run
    progress = LessonProgress(item.title, playing=item.title, number=1, count=1, shown=item.title)
    if run is None:
        return
    try:
        experiment.apply(Begin(run.config, run.turns, run.steps))
    except ValueError as error:
        yield replace(progress, playing="", note=f"This run is not possible here: {error}")
        return
    try:
        set_pace(run.steps / WATCHED or None)
        begun = experiment.run
        yield progress
        while _goes_on(experiment, begun, run.steps):
            yield None
    finally:
        set_pace(None)
    yield replace(progress, playing="", note=_compared(experiment, begun, run))


def _compared(experiment: Experiment, begun: int, run: Recording) -> str:
    """Whether this is the run that was shared, in one sentence; empty if that is not known."""
    if experiment.run != begun:
        return "Another run was started: the shared one ends here."
    turns = [command for _, command in experiment.journal if isinstance(command, SetKnob)]
    if turns != [turn for _, turn in run.turns]:
        return "Settings were changed on the way: this is another run now."
    if run.digest is None:
        return ""
    return SAME if digest(experiment) == run.digest else OTHER


def _goes_on(experiment: Experiment, begun: int, steps: int) -> bool:
    over = experiment.status in (Status.DIVERGED, Status.FAILED)
    return experiment.run == begun and not over and experiment.step < steps
