"""The pace button, which shows the current pace, and the list of all paces."""

import functools
from collections.abc import Callable

from app.explanations.explanation import explain
from app.pace_names import BY_NAME, in_full, in_short
from app.page.buttons import Presses
from engine import ExperimentHandle, next_pace

# The current pace changes with the run, so it comes with the frames.
BUTTON = """
<button type="button" class="outlined pace" popovertarget="paces" aria-haspopup="menu"
 title="Pace, in steps a second" data-explain="button pace">
  <span class="unseen">Pace, in steps a second:</span> <span data-text="pace">auto</span>
</button>
<div id="paces" class="paces" popover role="menu" aria-label="Pace">{choices}</div>
"""
CHOICE = """
<button type="button" role="menuitemradio" aria-checked="false" data-press="pace {name}">
  <span class="mark" aria-hidden="true" data-text="pace.is.{name}"></span
  ><span data-words>{words}</span>
</button>
"""


class PaceControl:
    """The pace button, its list and its keys."""

    def __init__(self, handle: Callable[[], ExperimentHandle], presses: Presses) -> None:
        self._handle = handle
        for name in BY_NAME:
            presses.on(f"pace {name}", functools.partial(self._choose, name))
        choices = (CHOICE.format(name=name, words=in_full(x)) for name, x in BY_NAME.items())
        self.html = BUTTON.format(choices="".join(choices))

    def _choose(self, name: str) -> None:
        self._handle().set_pace(BY_NAME[name])

    def nudge(self, by: int) -> None:
        """Switch to the next slower (-1) or faster (1) pace."""
        handle = self._handle()
        handle.set_pace(next_pace(handle.pace, handle.latest.steps_per_second, by))


explain(
    ("button pace", "button pace *"),
    "Pace",
    "How many steps a second are made, for you to watch. It changes no number of the run: at any"
    " pace it learns the same.",
    now=lambda snapshot, name: in_short(snapshot.pace, snapshot.steps_per_second),
    shortcut="=",
)
