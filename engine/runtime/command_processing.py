"""Applies an experiment's commands and queries, in order, on the thread that serves it."""

from collections.abc import Callable

from engine.runtime.carried_run import CarriedRun, Sent
from engine.runtime.experiment_handle import Errand, ExperimentHandle

type Refuse = Callable[[ExperimentHandle, Sent], str]  # why a command is refused; empty: it is not


def obey(handle: ExperimentHandle, refuse: Refuse, goes_on: Callable[[], bool]) -> None:
    """Process what is queued while `goes_on()`, but at least the first item."""
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
    for command in reversed(taken):  # if the last is refused, the previous one applies
        try:
            if refusal := refuse(handle, command):
                raise ValueError(refusal)
            if isinstance(command, CarriedRun):
                handle.take_up(command)
            else:
                handle.experiment.apply(command)
            return
        except ValueError as error:
            handle.refusal = str(error)


def _run(errand: Errand, handle: ExperimentHandle) -> None:
    if not errand.future.set_running_or_notify_cancel():
        return
    try:
        errand.future.set_result(errand.call(handle.experiment))
    except Exception as error:  # reported to the caller
        errand.future.set_exception(error)
