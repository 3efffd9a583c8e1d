"""Keys that steer a run from anywhere on the page, and the dialog that lists them."""

from collections.abc import Callable

from panel.pane import HTML

from app.explanations.explanation import explain
from app.page.dialogs import Dialogs
from app.page.display_mode import DisplayMode
from app.page.timeline import Timeline
from app.page.transport import SEVERAL, Transport
from app.stylesheets import css
from app.templates import render
from engine import Snapshot

SPACE = " "  # plays and pauses, as the label of the button is
KEYS = {  # as the browser calls them: what they do
    SPACE: "play and pause",
    "-": "slower",
    "=": "faster",
    ".": "one step",
    ">": "ten steps",
    "i": "the next step, explained",
    ",": "look back one step",
    "<": "look back ten steps",
    "t": "before the last change, and on from there if it runs",
    "g": "to the branch that was left last, and back",
    "v": "A | B: a second run beside this one, and alone again",
    "e": "to the end of this epoch",
    "r": "restart with the same seed",
    "[": "lower the learning rate by one stop",
    "]": "raise the learning rate by one stop",
    "n": "next lesson",
    "b": "the lesson before",
    "p": "projector: large type and thick lines, and back",
    "?": "this list",
}
LOOKING = {  # those that the browser acts on alone: app/static/plot_controls.js
    "s": "plots over the run: all steps, since the change, the last 500, log steps",
    "u": "... in steps or epochs",
    "z": "... magnify the end of what is seen",
    "x": "... and less",
    "{": "... earlier steps",
    "}": "... later steps",
    "0": "... all that was seen before",
}
ASKING = {"q": "what is this? Then press on anything"}  # app/static/question_mark.js
ANSWERING = {"1": "the first answer to what a lesson asks; 2 the second ..."}  # static/answers.js
NAMES = {SPACE: "space", ">": "shift .", "<": "shift ,"}  # of keys that go by another


class Keyboard:
    """What each key does."""

    def __init__(
        self,
        transport: Transport,
        timeline: Timeline,
        rate: Callable[[int], None],
        lesson: Callable[[int], None],
        display_mode: DisplayMode,
        dialogs: Dialogs,
    ) -> None:
        self._play_or_pause = transport.play_or_pause
        self._actions: dict[str, Callable[[], None]] = {
            "-": lambda: transport.pace.nudge(-1),
            "=": lambda: transport.pace.nudge(1),
            ".": transport.step,
            ">": lambda: transport.step(SEVERAL),
            "i": lambda: dialogs.open("Explain"),
            ",": timeline.back,
            "<": lambda: timeline.back(SEVERAL),
            "t": timeline.undo,
            "g": timeline.last_left,
            "v": timeline.lockstep,
            "e": transport.finish_epoch,
            "r": transport.restart,
            "[": lambda: rate(-1),
            "]": lambda: rate(1),
            "n": lambda: lesson(1),
            "b": lambda: lesson(-1),
            "p": display_mode.toggle,
            "?": lambda: dialogs.open("Keys"),
        }

    def press(self, key: str, label: str = "") -> None:
        """Carry out the action of a key; the browser may send any, and a label with space."""
        if key == SPACE:
            self._play_or_pause(label)
        elif action := self._actions.get(key):
            action()


class Keys:
    """The dialog that lists the keys."""

    title = "Keys"
    width = "sm"

    def __init__(self) -> None:
        keys = [
            (NAMES.get(key, key), does)
            for key, does in (KEYS | ANSWERING | LOOKING | ASKING).items()
        ]
        self.view = HTML(
            render("keys", keys=keys),
            stylesheets=[css("keys")],
            sizing_mode="stretch_width",
        )

    def opened(self) -> None:
        """Nothing to bring up to date: keys stay as they are."""

    def show(self, snapshot: Snapshot) -> None:
        """Nothing to follow."""


explain(
    ("button dialog Keys", "dialog Keys", "field Keys *"),
    "Keys",
    "All keys that steer a run from anywhere on the page.",
    shortcut="?",
)
