"""Holds BLAS to one thread: with another number of threads, sums are rounded in another order."""

import functools

from threadpoolctl import ThreadpoolController


def hold_blas() -> None:
    """Use one thread from now on, in the whole process, so that a run has the same bits everywhere.

    On matrices as small as ours a second thread gains nothing.
    """
    _controller().limit(limits=1)


@functools.cache
def _controller() -> ThreadpoolController:
    """Cached: finding the libraries takes milliseconds, setting their threads takes none."""
    return ThreadpoolController().select(user_api="blas")
