"""What an experiment is told, on the thread that serves it: commands, in order, and errands."""

from collections.abc import Callable

from engine.runtime.experiment_handle import Errand, Seat
from engine.training.commands import Command

type Refuse = Callable[[Seat, Command], str]  # why a command is not to be obeyed here; empty: it is


def obey(seat: Seat, refuse: Refuse, goes_on: Callable[[], bool]) -> None:
    """Obey what waits, as long as it goes on, and the first in any case."""
    if not isinstance(seat.next, Errand):
        seat.refusal = ""
    while seat.next:
        _obey_next(seat, refuse)
        if not goes_on():
            break


def _obey_next(seat: Seat, refuse: Refuse) -> None:
    taken = seat.take()
    if isinstance(taken, Errand):
        _run(taken, seat)
        return
    for command in reversed(taken):  # if the last is refused, those hold that it would replace
        try:
            if refusal := refuse(seat, command):
                raise ValueError(refusal)
            seat.experiment.apply(command)
            return
        except ValueError as error:
            seat.refusal = str(error)


def _run(errand: Errand, seat: Seat) -> None:
    if not errand.future.set_running_or_notify_cancel():
        return
    try:
        errand.future.set_result(errand.call(seat.experiment))
    except Exception as error:  # it is whoever asked who has to know
        errand.future.set_exception(error)
