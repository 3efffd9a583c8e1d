"""What a teacher takes home: progress, predictions and best runs, as JSON and as CSV."""

import csv
import io

import msgspec

from app.classroom.question import Phase
from app.classroom.room import Room
from app.classroom.views import best_first
from engine import RunConfig, as_text


def as_json(room: Room) -> str:
    """All results of a room; keys are not among them."""
    students = [
        {
            "name": student.name,
            "lessons": student.lessons,
            "predictions": student.predictions,
            "best": _best(student.best),
            "trials": [msgspec.to_builtins(trial) for trial in student.trials.values()],
        }
        for student in room.students.values()
    ]
    questions = [
        {
            "question": question.text,
            "options": question.options,
            **{
                phase.value: [
                    {"name": room.students[who].name, "answer": answer}
                    for who, answer in answers.items()
                    if who in room.students
                ]
                for phase, answers in question.answers.items()
            },
        }
        for question in room.asked
    ]
    content = {"room": room.code, "students": students, "questions": questions}
    return msgspec.json.format(msgspec.json.encode(content)).decode()


def _best(best: tuple[float, RunConfig] | None) -> object:
    return None if best is None else {"accuracy": best[0], "settings": best[1]}


def as_csv(room: Room) -> str:
    """A row a student: best accuracy, answers given, and a column for each lesson."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    lessons = sorted(room.lessons, key=lambda slug: room.lessons[slug])
    table.writerow(["student", "best accuracy", "predictions", *lessons])
    for student in best_first(room.students):
        predicted = [x for x in student.predictions if x.phase is Phase.PREDICT]
        table.writerow(
            [
                as_text(student.name),
                f"{student.best[0]:.4g}" if student.best else "",
                len(predicted),
                *(_verdict(student.lessons.get(slug)) for slug in lessons),
            ]
        )
    return text.getvalue()


def _verdict(holds: bool | None) -> str:
    return "" if holds is None else "holds" if holds else "does not hold"
