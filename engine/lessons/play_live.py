"""Plays a lesson in front of a learner: slowly enough to watch, with the verdict at the end."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from engine.lessons.lesson import Evidence, Lesson, Run
from engine.lessons.outcome import Outcome, outcome
from engine.measure.snapshot import Status
from engine.runtime.background_results import LessonProgress
from engine.runtime.experiment import Experiment
from engine.training.commands import SetKnob

WATCHED = 12.0  # seconds for all runs of a lesson together ...
AT_LEAST, AT_MOST = 1.5, 5.0  # ... and the limits for each run


def play_live(
    experiment: Experiment, lesson: Lesson, set_pace: Callable[[float | None], None]
) -> Iterator[LessonProgress | None]:
    """The scenes of a lesson, one after another; None while there is nothing to do but wait.

    While its runs play, the lesson sets their pace; afterwards it restores the pace with None.
    """
    scene = LessonProgress(lesson.name, count=len(lesson.runs))
    for name, exhibit in lesson.exhibits.items():
        scene = replace(scene, exhibits={**scene.exhibits, name: exhibit.show()})
        yield scene
    outcomes: dict[str, Outcome] = {}
    seconds = np.clip(WATCHED / max(1, len(lesson.runs)), AT_LEAST, AT_MOST)
    try:
        for number, run in enumerate(lesson.runs, start=1):
            experiment.apply(run.begin)
            set_pace(float(run.steps / seconds) or None)  # no steps need no pace
            scene = replace(scene, playing=run.title, number=number)
            begun = experiment.run
            yield scene
            while _goes_on(experiment, run, begun):
                yield None
            if experiment.run != begun:
                yield replace(
                    scene, playing="", note="Another run was started: the lesson ends here."
                )
                return
            if _turned(experiment) != [command for _, command in run.script]:
                note = "You changed settings: the verdict is about your runs."
                scene = replace(scene, note=note)
            outcomes[run.name] = outcome(experiment)
    finally:
        set_pace(None)
    with np.errstate(invalid="ignore", divide="ignore"):
        verdict = lesson.check(Evidence(outcomes, scene.exhibits))
    yield replace(scene, playing="", verdict=verdict)


def _goes_on(experiment: Experiment, run: Run, begun: int) -> bool:
    over = experiment.status in (Status.DIVERGED, Status.FAILED)
    return experiment.run == begun and not over and experiment.step < run.steps


def _turned(experiment: Experiment) -> list[SetKnob]:
    return [command for _, command in experiment.journal if isinstance(command, SetKnob)]
