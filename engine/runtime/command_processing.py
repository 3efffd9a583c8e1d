"""Applies an experiment's commands and errands, in order, on the thread that serves it."""

from collections.abc import Callable

from engine.runtime.carried_run import CarriedRun, Sent
from engine.runtime.experiment_slot import ExperimentSlot
from engine.runtime.mailbox import Errand

type Refuse = Callable[[ExperimentSlot, Sent], str]  # why a command is refused; empty: it is not


def obey(slot: ExperimentSlot, refuse: Refuse, goes_on: Callable[[], bool]) -> None:
    """Process what is queued while `goes_on()`, but at least the first item."""
    if not isinstance(slot.next, Errand):
        slot.refusal = ""
    while slot.ready:
        _obey_next(slot, refuse)
        if not goes_on():
            break


def _obey_next(slot: ExperimentSlot, refuse: Refuse) -> None:
    taken = slot.take()
    if isinstance(taken, Errand):
        _run(taken, slot)
        return
    for command in reversed(taken):  # if the last is refused, the previous one applies
        try:
            if refusal := refuse(slot, command):
                raise ValueError(refusal)
            if isinstance(command, CarriedRun):
                slot.take_up(command)
            else:
                slot.experiment.apply(command)
            return
        except ValueError as error:
            slot.refusal = str(error)


def _run(errand: Errand[ExperimentSlot], slot: ExperimentSlot) -> None:
    if not errand.future.set_running_or_notify_cancel():
        return
    try:
        errand.future.set_result(errand.call(slot))
    except Exception as error:  # reported to the caller
        errand.future.set_exception(error)
