"""A handle of an experiment without a conductor: whatever is asked of it is done at once."""

from engine import Experiment
from engine.runtime.background_jobs import BackgroundJobs


class Answer:
    """A result that is there already, in place of a future."""

    def __init__(self, value) -> None:
        self._value = value

    def result(self, seconds: float):
        return self._value


class ObedientHandle:
    """Applies commands at once, and notes them; its background jobs the test advances."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.jobs = experiment, BackgroundJobs()
        self.sent: list = []

    @property
    def latest(self):
        now = self.experiment.snapshot()
        object.__setattr__(now, "background", self.jobs.shown)
        return now

    def send(self, command) -> None:
        self.sent.append(command)
        self.experiment.apply(command)

    def query(self, function) -> Answer:
        return Answer(function(self.experiment))

    def submit(self, change) -> Answer:
        return Answer(change(self))
