"""Plays a lesson in front of a learner: slowly enough to watch, with the verdict at the end."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from engine.lessons.lesson import WATCHED, Evidence, Lesson, Run
from engine.lessons.outcome import Outcome, outcome
from engine.measure.pinned_runs import MAX_NAME, MAX_PINNED, PastRun
from engine.measure.snapshot import Status
from engine.runtime.background_results import LessonProgress
from engine.runtime.experiment import Experiment
from engine.runtime.recording import record
from engine.training.commands import Begin, Pin, SetKnob

AT_LEAST, AT_MOST = 1.5, 5.0  # limits for each run, in seconds


def play_live(
    experiment: Experiment, lesson: Lesson, set_pace: Callable[[float | None], None]
) -> Iterator[LessonProgress | None]:
    """The states of a lesson, one after another; None while there is nothing to do but wait.

    While its runs play, the lesson sets their pace; afterwards it restores the pace with None. Each
    run is pinned by its title at its end, so that the next ones are drawn beside it.
    """
    titles = tuple(lesson.titles[run.name] for run in lesson.runs)
    progress = LessonProgress(lesson.name, count=len(lesson.runs), titles=titles, asks=True)
    for name, exhibit in lesson.exhibits.items():
        progress = replace(progress, exhibits={**progress.exhibits, name: exhibit.show()})
        yield progress
    outcomes: dict[str, Outcome] = {}
    made: list[tuple[str, Begin]] = []
    seconds = np.clip(WATCHED / max(1, len(lesson.runs)), AT_LEAST, AT_MOST)
    try:
        for number, run in enumerate(lesson.runs, start=1):
            experiment.play(run.begin)
            experiment.fix_curves(until=run.steps)
            set_pace(run.pace or float(run.steps / seconds) or None)  # no steps need no pace
            title = lesson.titles[run.name]
            progress = replace(progress, playing=title, number=number, shown=title)
            begun = experiment.run
            yield progress
            while _goes_on(experiment, run, begun):
                yield None
            if experiment.run != begun:
                yield replace(
                    progress, playing="", note="Another run was started: the lesson ends here."
                )
                return
            if _turned(experiment) != run.turns:
                note = "You changed settings: the verdict is about your runs."
                progress = replace(progress, note=note)
            outcomes[run.name] = outcome(experiment)
            repeats = record(experiment)
            made.append((run.name, Begin(repeats.config, repeats.turns, repeats.steps)))
            experiment.apply(Pin(title[:MAX_NAME]))
    finally:
        set_pace(None)
    evidence = Evidence(outcomes, progress.exhibits, lesson.titles)
    with np.errstate(invalid="ignore", divide="ignore"):
        verdict, seen = lesson.check(evidence), lesson.observe(evidence)
    steered = tuple(made) if progress.note else ()
    yield replace(progress, playing="", verdict=verdict, seen=seen, steered=steered)


def to_compare(lesson: Lesson, varied: Lesson, before: Experiment) -> tuple[PastRun, ...]:
    """The runs of a lesson that a variation changes, as they were played before; or none.

    They are drawn beside the varied ones if there is space for all, under names of their own.
    """
    old, new = lesson.titles, varied.titles
    changed = [a.name for a, b in zip(lesson.runs, varied.runs, strict=True) if a != b]
    if len(changed) + len(lesson.runs) > MAX_PINNED:
        return ()
    names = {old[name]: _other(old[name], set(new.values())) for name in changed}
    played = {past.name: past for past in before.pinned}
    return tuple(
        replace(played[title], name=name, run=0) for title, name in names.items() if title in played
    )


def _other(title: str, taken: set[str]) -> str:
    return (f"before: {title}" if title in taken else title)[:MAX_NAME]


def _goes_on(experiment: Experiment, run: Run, begun: int) -> bool:
    over = experiment.status in (Status.DIVERGED, Status.FAILED)
    return experiment.run == begun and not over and experiment.step < run.steps


def _turned(experiment: Experiment) -> list[SetKnob]:
    return [command for _, command in experiment.journal if isinstance(command, SetKnob)]
