"""Explains the thing on the page that is pointed at with the question mark.

Which thing is meant the browser finds out (app/static/explanations.js), and shows the answer there.
"""

import functools
import json
from collections.abc import Callable

from app.explanations.explanation import EXPLANATIONS, Reading
from app.explanations.values import value_now
from app.page.bridge import Bridge
from app.page.keyboard import NAMES
from app.templates import render
from engine import LESSONS, Snapshot, open_lesson, slug_of

KIND = "explain"  # of the requests for an explanation
BUTTON = """
<button type="button" data-explains aria-pressed="false" aria-label="What is this?"
 title="What is this? Then press on anything"
><span class="icon" aria-hidden="true">help_outline</span><span class="word">What is this?</span
></button>
"""


class QuestionMark:
    """Tells the browser which things are explained, and explains one."""

    html = BUTTON

    def __init__(self, bridge: Bridge, latest: Callable[[], Snapshot]) -> None:
        self._bridge, self._latest = bridge, latest
        bridge.on(KIND, self.answer)

    def answer(self, thing: str, key: str) -> None:
        """Explain a thing, by its name in the page and the key that is known for it.

        Without a thing, say which keys are known. A browser may ask for anything.
        """
        if not thing:
            self._bridge.do("explainable", json.dumps(list(EXPLANATIONS)))
        elif key in EXPLANATIONS:
            self._bridge.do("explained", thing, answer(thing, key, self._latest()))


def answer(thing: str, key: str, snapshot: Snapshot) -> str:
    """The answer as HTML: what it is, its value now, what is healthy, what moves it, the lesson."""
    explanation = EXPLANATIONS[key]
    kind, _, name = thing.partition(" ")
    read = explanation.now
    written = functools.partial(_written, snapshot, name)
    lesson = open_lesson(BY_SLUG[explanation.lesson]) if explanation.lesson else None
    return render(
        "explanation",
        explanation=explanation,
        now=read(snapshot, name) if read else value_now(kind, name, snapshot),
        healthy=written(explanation.healthy),
        moved_by=written(explanation.moved_by),
        shortcut=NAMES.get(explanation.shortcut, explanation.shortcut),
        lesson=lesson,
    )


def _written(snapshot: Snapshot, name: str, text: str | Reading) -> str:
    return text if isinstance(text, str) else text(snapshot, name)


BY_SLUG = {slug_of(name): name for name in LESSONS}
