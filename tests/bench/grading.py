"""Grades a class of made-up students; prints how long it takes.

uv run python tests/bench/grading.py --students 30
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from engine import (
    Experiment,
    LessonAnswer,
    Pin,
    Restart,
    RunConfig,
    SetKnob,
    hand_in,
    hold_blas,
    to_bytes,
)
from engine.cli.main import main
from engine.grading.grading import play_again

LESSONS = (
    "dead-relus",
    "first-loss",
    "a-good-rate",
    "the-gap-is-overfitting",
    "too-small-collapse",
)
RUBRIC = {
    "criteria": [
        {"kind": "reached", "name": "90 %", "points": 4, "accuracy": 0.9, "steps": 2000},
        {"kind": "stable", "name": "stable", "points": 1},
        {"kind": "lessons", "name": "lessons", "points": 5, "least": len(LESSONS)},
    ]
}


def student(number: int, steps: int) -> bytes:
    """Three runs, steered twice each, and five lessons."""
    experiment = Experiment(RunConfig(seed=number))
    for run in range(3):
        experiment.train(steps // 3)
        experiment.apply(SetKnob("optimization.learning_rate", 0.01 * (run + 2)))
        experiment.train(steps // 3)
        experiment.apply(Pin(f"run {run + 1}", "what I think of it"))
        experiment.apply(Restart())
    answers = [
        LessonAnswer(lesson=slug, predicted="?", seen="?", holds=True, figures=PLAYED[slug].figures)
        for slug in LESSONS
    ]
    return to_bytes(hand_in(f"student {number}", answers, experiment.pinned))


def measure() -> None:
    """Make the class, grade it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--processes", default="2")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = [place / f"{number}.json" for number in range(given.students)]
        for number, file in enumerate(files):
            file.write_bytes(student(number, given.steps))
        (place / "rubric.json").write_text(json.dumps(RUBRIC))
        begun = time.perf_counter()
        status = main(
            [
                *("grade", *map(str, files), "--rubric", str(place / "rubric.json")),
                *("--csv", str(place / "grades.csv"), "--processes", given.processes),
            ]
        )
        seconds = time.perf_counter() - begun
    steps = given.students * 3 * 2 * (given.steps // 3)
    print(f"{given.students} students, {steps:,} steps: {seconds:.1f} s, exit status {status}")


if __name__ == "__main__":
    hold_blas()
    PLAYED = {slug: play_again((slug, "")) for slug in LESSONS}
    measure()
