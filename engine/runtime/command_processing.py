"""What an experiment is told, on the thread that serves it: commands, in order, and errands."""

from collections.abc import Callable

from engine.runtime.experiment_handle import Errand, ExperimentHandle
from engine.training.commands import Command

type Refuse = Callable[
    [ExperimentHandle, Command], str
]  # why a command is not to be obeyed here; empty: it is


def obey(handle: ExperimentHandle, refuse: Refuse, goes_on: Callable[[], bool]) -> None:
    """Obey what waits, as long as it goes on, and the first in any case."""
    if not isinstance(handle.next, Errand):
        handle.refusal = ""
    while handle.ready:
        _obey_next(handle, refuse)
        if not goes_on():
            break


def _obey_next(handle: ExperimentHandle, refuse: Refuse) -> None:
    taken = handle.take()
    if isinstance(taken, Errand):
        _run(taken, handle)
        return
    for command in reversed(taken):  # if the last is refused, those hold that it would replace
        try:
            if refusal := refuse(handle, command):
                raise ValueError(refusal)
            handle.experiment.apply(command)
            return
        except ValueError as error:
            handle.refusal = str(error)


def _run(errand: Errand, handle: ExperimentHandle) -> None:
    if not errand.future.set_running_or_notify_cancel():
        return
    try:
        errand.future.set_result(errand.call(handle.experiment))
    except Exception as error:  # it is whoever asked who has to know
        errand.future.set_exception(error)
