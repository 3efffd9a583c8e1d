"""Lessons with runs of a few steps, for tests of what does not depend on what is learned."""

import dataclasses

from engine import Lesson, open_lesson


def open_short(name: str) -> Lesson:
    """The lesson of this name, in place of `open_lesson`."""
    return short(open_lesson(name))


def short(lesson: Lesson, steps: int = 5) -> Lesson:
    """The lesson with runs of a few steps."""
    runs = tuple(
        dataclasses.replace(
            run,
            steps=min(run.steps, steps),
            script=tuple((min(step, steps - 1), command) for step, command in run.script),
        )
        for run in lesson.runs
    )
    return dataclasses.replace(lesson, runs=runs)
