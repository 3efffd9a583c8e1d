"""Turns class names or whole numbers into labels; refuses what no network can learn."""

from collections.abc import Sequence

import numpy as np

from engine.types import Integers

MAX_CLASSES = 100
MAX_NAME = 60  # characters in the name of a class


def labelled[T: (int, str)](answers: Sequence[T], name: str) -> tuple[Integers, tuple[str, ...]]:
    """Labels `(N,)`, and the names of their classes: the distinct answers, in order."""
    distinct = sorted(set(answers))
    if len(distinct) == 1:
        raise ValueError(
            f"{name}: expected 2 to {MAX_CLASSES} classes, found the answer"
            f" {str(distinct[0])[:MAX_NAME]!r} in every example: nothing can be learned from it"
        )
    if not 2 <= len(distinct) <= MAX_CLASSES:
        raise ValueError(
            f"{name}: expected 2 to {MAX_CLASSES} classes,"
            f" found {len(distinct):,} different answers"
        )
    position = {answer: label for label, answer in enumerate(distinct)}
    labels = np.fromiter(map(position.__getitem__, answers), np.int64, len(answers))
    return labels, class_names([str(answer) for answer in distinct], name)


def class_names(names: Sequence[str], name: str) -> tuple[str, ...]:
    """The names, if they can be shown on a page; ValueError if not."""
    for number, text in enumerate(names, 1):
        if not text.strip() or not text.isprintable() or len(text) > MAX_NAME:
            raise ValueError(
                f"{name}: class {number} is called {text[:MAX_NAME]!r};"
                f" expected a name of 1 to {MAX_NAME} printable characters"
            )
    if len(set(names)) < len(names):
        raise ValueError(f"{name}: two classes have the same name; expected different ones")
    return tuple(names)
