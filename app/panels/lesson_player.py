"""The experiment of a lesson or shared run that the page shows in place of the visitor's own."""

import math
from collections.abc import Callable, Iterator

from engine import (
    Experiment,
    ExperimentHandle,
    ExperimentSlot,
    Item,
    Lesson,
    LessonProgress,
    RunConfig,
    Snapshot,
    play_live,
    play_shared_run,
    to_compare,
)

type Job = Callable[[ExperimentSlot], Iterator[LessonProgress | None]]


class LessonPlayer:
    """Has the engine serve experiments of lessons in place of the visitor's own."""

    def __init__(self, handle: ExperimentHandle) -> None:
        self._handle = handle
        self._first_run = math.inf  # the number of the first run of what is played

    def enter(self) -> None:
        """Go on as it was left; the visitor's own run waits."""
        self._handle.submit(lambda slot: slot.return_to_lesson())

    def leave(self) -> None:
        """Give the visitor's own run back as it was."""
        self._handle.submit(lambda slot: slot.show_own())

    def clear(self, asks: Lesson | None = None) -> None:
        """Show no run; those who follow the class see what the lesson asks."""
        experiment = Experiment(RunConfig())

        def clear(slot: ExperimentSlot) -> None:
            slot.jobs.clear("lesson")
            if asks:
                slot.jobs.ask(LessonProgress(asks.name, asks=True))
            slot.show_lesson(experiment)

        self._handle.submit(clear)

    def play(self, lesson: Lesson, varied: Lesson | None = None) -> None:
        """Play a lesson, or a variation of it beside the runs of the lesson itself."""
        played = varied or lesson
        experiment = Experiment(played.runs[0].config if played.runs else RunConfig())

        def play(slot: ExperimentSlot) -> Iterator[LessonProgress | None]:
            if varied:
                experiment.compare_with(to_compare(lesson, varied, slot.experiment))
            return play_live(experiment, played, slot.lesson_pace.set)

        self._begin(experiment, play)

    def play_shared(self, item: Item) -> None:
        """Play a shared run of a playlist."""
        experiment = Experiment(RunConfig())
        self._begin(
            experiment, lambda slot: play_shared_run(experiment, item, slot.lesson_pace.set)
        )

    def _begin(self, experiment: Experiment, job: Job) -> None:
        self._first_run = math.inf

        def begin(slot: ExperimentSlot) -> None:
            progress = job(slot)
            slot.jobs.clear("lesson")
            slot.show_lesson(experiment)
            self._first_run = experiment.run
            slot.jobs.begin("lesson", progress)

        self._handle.submit(begin)

    def shows(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is of what is played now."""
        return snapshot.run >= self._first_run

    def note_answered(self) -> None:
        """The learner has answered: nothing of the verdict need be held back any more."""
        self._handle.submit(lambda slot: slot.jobs.note_answered())
