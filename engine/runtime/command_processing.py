"""Applies an experiment's commands and tasks, in order, on the thread that serves it."""

from collections.abc import Callable

from engine.runtime.experiment_slot import ExperimentSlot
from engine.runtime.mailbox import Task
from engine.runtime.run_transfer import RunTransfer, Sent

type Refuse = Callable[[ExperimentSlot, Sent], str]  # why a command is refused; empty: it is not


def process_commands(slot: ExperimentSlot, refuse: Refuse, goes_on: Callable[[], bool]) -> None:
    """Process what is queued while `goes_on()`, but at least the first item."""
    if not isinstance(slot.next, Task):
        slot.refusal = ""
    while slot.ready:
        _process_next(slot, refuse)
        if not goes_on():
            break


def _process_next(slot: ExperimentSlot, refuse: Refuse) -> None:
    taken = slot.take()
    if isinstance(taken, Task):
        _run(taken, slot)
        return
    for command in reversed(taken):  # if the last is refused, the previous one applies
        try:
            if refusal := refuse(slot, command):
                raise ValueError(refusal)
            if isinstance(command, RunTransfer):
                slot.take_up(command)
            else:
                slot.experiment.apply(command)
            return
        except ValueError as error:
            slot.refusal = str(error)


def _run(task: Task[ExperimentSlot], slot: ExperimentSlot) -> None:
    if not task.future.set_running_or_notify_cancel():
        return
    try:
        task.future.set_result(task.call(slot))
    except Exception as error:  # reported to the caller
        task.future.set_exception(error)
