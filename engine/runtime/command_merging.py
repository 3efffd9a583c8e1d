"""Which commands need not be obeyed because the next one does away with all that they do."""

from engine.training.commands import Begin, Command, LookAhead, LookBack, Restart, SetKnob
from engine.training.config import SETTINGS, Effect, RunConfig

DATASET = "data.dataset"  # its change may change the loss as well


def replaces(later: Command, earlier: Command, config: RunConfig) -> bool:
    """Whether `earlier`, obeyed under `config` with `later` right behind it, would leave no trace.

    A run that no step was made in is compared with nothing, and has no journal that anybody reads.
    """
    match earlier, later:
        case (Begin() | Restart(), Begin()):
            return True
        case (LookBack() | LookAhead(), LookBack() | LookAhead() | Begin()):
            return True
        case Restart(before), Restart(after):
            return after is not None or before is None
        case SetKnob(path, before), SetKnob(same, after) if path == same != DATASET:
            return all(_begins_run(path, value, config) for value in (before, after))
    return False


def _begins_run(path: str, value: object, config: RunConfig) -> bool:
    """Whether a setting has to begin a new run to have another value, and has it by this one."""
    setting = SETTINGS.get(path)
    if setting is None or setting.effect is not Effect.NEW_RUN:
        return False
    try:
        return bool(config.replace(path, value).value(path) != config.value(path))
    except ValueError:
        return False
