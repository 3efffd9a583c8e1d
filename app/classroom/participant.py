"""One student of a room: a key that proves who it is, a nickname, and what the room keeps."""

import math
import secrets
from dataclasses import dataclass, field

import msgspec

from app.classroom.question import Curve, Phase
from engine import RunConfig

MOST_TRIALS = 60  # settings of one student that the room keeps


def new_key() -> str:
    """A key that cannot be guessed."""
    return secrets.token_urlsafe(18)


class Suggestion(msgspec.Struct, frozen=True):
    """What a teacher suggests to a student; without a path it is only a text."""

    text: str = msgspec.field(name="words")  # in files that were saved before, too
    path: str = ""
    value: float | str = ""


class Prediction(msgspec.Struct, frozen=True):
    """What a student answered to a question of the class."""

    question: str
    phase: Phase
    answer: str | Curve  # the option's text, or the curve


@dataclass(frozen=True)
class Trial:
    """The last validation accuracy that a student had with a learning rate and a penalty."""

    run: int
    rate: float
    penalty: float
    accuracy: float


@dataclass
class Participant:
    """A student; `number` names it to the teacher, `key` is its own secret."""

    number: str
    name: str
    admitted: bool
    key: str = field(default_factory=new_key)
    pages: int = 0  # that are connected
    elsewhere: int = 0  # ... to other processes of the server
    wheel: bool = False  # whether it steers a run of its own while the class follows
    took_wheel: float = -math.inf  # when it last did
    hand: float | None = None  # when it was raised
    suggestion: Suggestion | None = None
    pointed_at: str = ""  # the plot that the teacher points at
    lessons: dict[str, bool] = field(default_factory=dict)  # finished, and whether the claim held
    predictions: list[Prediction] = field(default_factory=list)
    best: tuple[float, RunConfig] | None = None  # accuracy, and the settings
    trials: dict[tuple[int, float, float], Trial] = field(default_factory=dict)

    @property
    def here(self) -> bool:
        """Whether a page of the student is connected."""
        return self.pages + self.elsewhere > 0

    def note_trial(self, trial: Trial) -> None:
        """Keep the last accuracy of these settings in this run; the oldest settings go first."""
        key = trial.run, trial.rate, trial.penalty
        self.trials.pop(key, None)
        self.trials[key] = trial
        while len(self.trials) > MOST_TRIALS:
            del self.trials[next(iter(self.trials))]

    def note_run(self, accuracy: float, settings: RunConfig) -> None:
        """Keep the settings of the best run."""
        if self.best is None or accuracy > self.best[0]:
            self.best = accuracy, settings
