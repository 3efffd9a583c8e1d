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


class LessonStage:
    """Puts experiments on the stage of a visitor's slot, between two steps of the run there."""

    def __init__(self, handle: ExperimentHandle) -> None:
        self._handle = handle
        self._first_run = math.inf  # the number of the first run of what is played

    def enter(self) -> None:
        """Go on as it was left; the visitor's own run waits."""
        self._handle.submit(lambda slot: slot.return_to_stage())

    def leave(self) -> None:
        """Give the visitor's own run back as it was."""
        self._handle.submit(lambda slot: slot.leave_stage())

    def clear(self, asks: Lesson | None = None) -> None:
        """Show no run; those who follow the class see what the lesson asks."""
        stage = Experiment(RunConfig())

        def clear(slot: ExperimentSlot) -> None:
            slot.jobs.clear("lesson")
            if asks:
                slot.jobs.ask(LessonProgress(asks.name, asks=True))
            slot.put_on_stage(stage)

        self._handle.submit(clear)

    def play(self, lesson: Lesson, varied: Lesson | None = None) -> None:
        """Play a lesson, or a variation of it beside the runs of the lesson itself."""
        played = varied or lesson
        stage = Experiment(played.runs[0].config if played.runs else RunConfig())

        def play(slot: ExperimentSlot) -> Iterator[LessonProgress | None]:
            if varied:
                stage.compare_with(to_compare(lesson, varied, slot.experiment))
            return play_live(stage, played, slot.lesson_pace.set)

        self._begin(stage, play)

    def play_shared(self, item: Item) -> None:
        """Play a shared run of a playlist."""
        stage = Experiment(RunConfig())
        self._begin(stage, lambda slot: play_shared_run(stage, item, slot.lesson_pace.set))

    def _begin(self, stage: Experiment, job: Job) -> None:
        self._first_run = math.inf

        def begin(slot: ExperimentSlot) -> None:
            progress = job(slot)
            slot.jobs.clear("lesson")
            slot.put_on_stage(stage)
            self._first_run = stage.run
            slot.jobs.begin("lesson", progress)

        self._handle.submit(begin)

    def shows(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is of what is played now."""
        return snapshot.run >= self._first_run

    def note_answered(self) -> None:
        """The learner has answered: nothing of the verdict need be held back any more."""
        self._handle.submit(lambda slot: slot.jobs.note_answered())
