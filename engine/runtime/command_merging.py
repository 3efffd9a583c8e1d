"""Merges commands: one is dropped if the next one replaces all its effects."""

from engine.runtime.run_transfer import RunTransfer, Sent
from engine.training.commands import Begin, GoTo, LookAhead, LookBack, Restart, SetKnob
from engine.training.config import SETTINGS, RunConfig
from engine.training.setting import Effect

DATASET = "data.dataset"  # its change may change the loss as well


def replaces(later: Sent, earlier: Sent, config: RunConfig) -> bool:
    """Whether `earlier`, applied to `config` directly before `later`, would leave no trace.

    A run without a step is not kept for comparison, and nobody can read its journal.
    """
    match earlier, later:
        case (Begin() | Restart() | RunTransfer(), Begin() | RunTransfer()):
            return True
        case (
            LookBack() | LookAhead(),
            LookBack() | LookAhead() | GoTo() | Begin() | RunTransfer(),
        ):
            return True
        case Restart(before), Restart(after):
            return after is not None or before is None
        case SetKnob(path, before), SetKnob(same, after) if path == same != DATASET:
            return all(_begins_run(path, value, config) for value in (before, after))
    return False


def _begins_run(path: str, value: object, config: RunConfig) -> bool:
    """Whether this value of a setting differs from the current one and starts a new run."""
    setting = SETTINGS.get(path)
    if setting is None or setting.effect is not Effect.NEW_RUN:
        return False
    try:
        return bool(config.replace(path, value).value(path) != config.value(path))
    except ValueError:
        return False
