"""A challenge: the same start for all, a budget of steps, and who steers best; with baselines.

Scores are those of runs that are repeated here from their journals, never the claimed ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from engine.grading.hand_in import HandedRun
from engine.json_reader import from_json
from engine.lessons.lesson import slug_of
from engine.lessons.written import MOST_BYTES, Sentence, Settings, with_settings
from engine.measure.snapshot import Status
from engine.number_format import within
from engine.registry import Choice
from engine.runtime.experiment import Experiment
from engine.training.commands import SetKnob
from engine.training.config import SETTINGS, RunConfig
from engine.training.setting import Effect

CHALLENGE_FILES = "*.challenge.json"
RATE, SCHEDULE = "optimization.learning_rate", "optimization.schedule"
RATES = 8  # that the search tries
LOOKS = 20  # times that the babysitter looks at its run
LATE = (0.6, 0.85)  # of the budget, after which it lowers the rate ...
LOWER = 0.3  # ... by this factor

type Budget = Annotated[int, msgspec.Meta(ge=10, le=20_000)]


class Challenge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where everybody starts, how many steps there are, and what counts at the end."""

    title: Sentence
    steps: Budget
    settings: Settings = {}
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    score: Literal["validation_accuracy", "validation_loss"] = "validation_accuracy"

    def __post_init__(self) -> None:
        _ = self.config  # refuses impossible settings
        if not slug_of(self.title):
            raise ValueError("the title of a challenge needs a letter or a digit")

    @property
    def config(self) -> RunConfig:
        """The first config of every run."""
        return with_settings(RunConfig(seed=self.seed), self.settings)

    @property
    def slug(self) -> str:
        """What a link calls it: `?challenge=...`."""
        return slug_of(self.title)

    @property
    def invitation(self) -> str:
        """The task, in a sentence or two."""
        goal = "highest accuracy" if self.score == "validation_accuracy" else "lowest loss"
        title = self.title if self.title.endswith((".", "!", "?")) else f"{self.title}:"
        return (
            f"{title} Reach the {goal} on validation within {self.steps:,} steps. Turn any knob but"
            " those that start a new run; then pin the run in Runs, and hand it in from Lessons."
        )

    def departures(self, config: RunConfig) -> list[str]:
        """The settings that make a run another than the challenge's, as the page calls them."""
        mine = self.config
        fixed = [path for path, x in SETTINGS.items() if x.effect is Effect.NEW_RUN]
        other = [path for path in fixed if config.value(path) != mine.value(path)]
        said = [within(SETTINGS[path].label) for path in other]
        if (config.seed, config.start) != (mine.seed, mine.start):
            said.append("seed")
        return said or (["reading of the data"] if config.data != mine.data else [])

    def of(self, experiment: Experiment) -> float:
        """The score of a run as it stands; NaN if it has diverged."""
        if experiment.status is Status.DIVERGED:
            return float("nan")
        return float(getattr(experiment.snapshot().metrics, self.score))

    @property
    def sign(self) -> int:
        """1 if more is better, else -1."""
        return 1 if self.score == "validation_accuracy" else -1


@dataclass(frozen=True)
class Score:
    """A place in the ranking."""

    who: str
    value: float  # NaN: none
    note: str  # how it came about, or why there is none


def read_challenge(raw: bytes) -> Challenge:
    """The challenge in JSON text; ValueError says in one sentence what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"is larger than a challenge: {len(raw):,} bytes")
    return from_json(raw, Challenge)


def challenges_in(folder: Path) -> tuple[dict[str, Challenge], list[str]]:
    """The challenges of a folder by the names that links call them, and why some are left out."""
    found, refused = dict[str, Challenge](), []
    for path in sorted(folder.glob(CHALLENGE_FILES)):
        try:
            challenge = read_challenge(path.read_bytes())
        except (ValueError, OSError) as error:
            refused.append(f"{path.name}: {error}")
        else:
            found[challenge.slug] = challenge
    return found, refused


# ---- what was handed in -----------------------------------------------------------------------


def check_entry(run: HandedRun, challenge: Challenge) -> None:
    """Raise ValueError if a run does not keep to the challenge."""
    recording = run.recording
    if other := challenge.departures(recording.config):
        raise ValueError(f"it differs from the challenge in its {' and '.join(other)}")
    if recording.steps > challenge.steps:
        raise ValueError(f"it made {recording.steps:,} steps; there are {challenge.steps:,}")


def ranked(scores: Iterable[Score], challenge: Challenge) -> list[Score]:
    """The best first; those without a score last."""
    return sorted(
        scores,
        key=lambda one: -challenge.sign * one.value if one.value == one.value else float("inf"),
    )


# ---- baselines --------------------------------------------------------------------------------


def untouched(challenge: Challenge) -> Experiment:
    """Train to the end, and touch nothing."""
    experiment = Experiment(challenge.config)
    experiment.train(challenge.steps)
    return experiment


def schedule(challenge: Challenge) -> Experiment:
    """Let the rate fall along a cosine over the whole budget."""
    length = {"length": float(challenge.steps)}
    experiment = Experiment(challenge.config)
    experiment.apply(SetKnob(SCHEDULE, Choice("cosine", length)))
    experiment.train(challenge.steps)
    return experiment


def search(challenge: Challenge) -> Experiment:
    """Try eight rates with half of the budget together, and train on at the best with the rest."""
    rates = np.geomspace(1e-3, 1.0, RATES)
    each = challenge.steps // (2 * RATES)
    tries = []
    for rate in rates:
        experiment = Experiment(challenge.config)
        experiment.apply(SetKnob(RATE, float(f"{rate:.3g}")))
        experiment.train(each)
        tries.append(experiment)
    scores = [challenge.sign * challenge.of(one) for one in tries]
    best = tries[int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))]
    best.train(challenge.steps // 2)
    return best


def babysitter(challenge: Challenge) -> Experiment:
    """Look again and again: follow the diagnosis, and lower the rate towards the end."""
    experiment = Experiment(challenge.config)
    lower = [int(share * challenge.steps) for share in LATE]
    for look in range(LOOKS):
        end = challenge.steps * (look + 1) // LOOKS
        experiment.train(end - experiment.step)
        if experiment.status is Status.DIVERGED:
            break
        for turn in _advised(experiment):
            experiment.apply(turn)
        if lower and end >= lower[0] and end < challenge.steps:
            lower.pop(0)
            rate = experiment.config.optimization.learning_rate
            experiment.apply(SetKnob(RATE, float(f"{LOWER * rate:.3g}")))
    return experiment


def _advised(experiment: Experiment) -> list[SetKnob]:
    """The live settings that the diagnosis advises to change; not at the very end."""
    findings = experiment.snapshot().findings
    remedy = findings[0].remedy if findings else ()
    turns = [command for command in remedy if isinstance(command, SetKnob)]
    live = all(SETTINGS[turn.path].effect is Effect.LIVE for turn in turns)
    return turns if live and len(turns) == len(remedy) else []


BASELINES: Mapping[str, Callable[[Challenge], Experiment]] = {
    "untouched": untouched,
    "schedule": schedule,
    "search": search,
    "babysitter": babysitter,
}


def baseline(name: str, challenge: Challenge) -> Score:
    """The score of a baseline, with the first line of its documentation."""
    play = BASELINES[name]
    note = (play.__doc__ or "").partition("\n")[0]
    return Score(f"baseline: {name}", challenge.of(play(challenge)), note)
