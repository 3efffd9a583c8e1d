"""Plays lessons without a page: makes their runs, shows their exhibits, returns the verdict."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data import register_folder
from engine.lessons.lesson import Evidence, Lesson, Run, open_lesson
from engine.lessons.outcome import Outcome, outcome
from engine.lessons.written import register_lessons
from engine.measure.verdict import Verdict
from engine.runtime.experiment import Experiment
from engine.training.blas_threads import hold_blas


@dataclass(frozen=True)
class Played:
    """A lesson and its verdict."""

    name: str
    section: str
    claim: str
    data: str  # the names of its data sets
    verdict: Verdict
    seconds: float


def follow(run: Run) -> Experiment:
    """The experiment at the end of a run, with the same bits as when the page plays it."""
    experiment = Experiment(run.config)
    experiment.fix_curves(until=run.steps)
    for step, command in run.script:
        experiment.train(step - experiment.step)
        experiment.apply(command)
    experiment.train(run.steps - experiment.step)
    return experiment


def make(run: Run) -> Outcome:
    """The outcome of a run."""
    return outcome(follow(run))


def gather(lesson: Lesson) -> Evidence:
    """Play a lesson to its end: the results of its runs and exhibits."""
    outcomes = {run.name: make(run) for run in lesson.runs}
    exhibits = {name: exhibit.show() for name, exhibit in lesson.exhibits.items()}
    return Evidence(outcomes, exhibits, lesson.titles)


def judge(lesson: Lesson) -> Verdict:
    """Play a lesson to its end and judge it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return lesson.check(gather(lesson))


def play(name: str) -> Played:
    """Play the lesson of this name."""
    start = time.perf_counter()
    lesson = open_lesson(name)
    verdict = judge(lesson)
    seconds = time.perf_counter() - start
    return Played(name, lesson.section, lesson.claim, lesson.data, verdict, seconds)


def play_all(names: Sequence[str], processes: int, folder: Path | None = None) -> Iterator[Played]:
    """Play lessons in so many processes at once; yields them in order.

    `folder` has the user's own data sets, which each process must register.
    """
    if processes == 1:
        yield from map(play, names)
        return
    # Not forked: a fork would inherit locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, prepare_process, (folder,)) as pool:
        yield from pool.map(play, names)


def prepare_process(folder: Path | None) -> None:
    """Prepare a process: one BLAS thread, and the user's data in the menu."""
    hold_blas()
    if folder:
        register_folder(folder)
        register_lessons(folder)
