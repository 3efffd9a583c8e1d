"""Choosing a core: the least busy one that is allowed, and no move without a reason."""

import os

import pytest

from app.server.cpu_affinity import WORTH, Core, busy_times


class Machine:
    """Two cores and their times of work; this process runs on one of them."""

    def __init__(self) -> None:
        self.busy = {0: 100.0, 1: 200.0}
        self.own = self.clock = 0.0
        self.core = Core(lambda: dict(self.busy), lambda: self.own, lambda: self.clock)

    def choose(self, ours: float, *others: float, allowed=frozenset({0, 1})) -> int | None:
        """The core chosen after a second with these times of work, ours and others' by core."""
        self.clock += 1
        self.own += ours
        for core, time in enumerate(others):
            self.busy[core] += time + (ours if core == self.core.now else 0)
        self.core.now = self.core.choose(set(allowed))
        return self.core.now


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_the_least_busy_core_is_chosen(machine):
    assert machine.choose(0, 0.9, 0.1) == 1
    assert machine.choose(0.9, 0.9, 0.1) == 1


def test_our_own_work_causes_no_move(machine):
    assert machine.choose(0, 0.0, 0.5) == 0
    for _ in range(5):
        assert machine.choose(1.0, 0.0, 0.5 * WORTH) == 0


def test_a_busy_core_is_left(machine):
    assert machine.choose(0, 0.0, 0.5) == 0
    assert machine.choose(0.5, 0.5, 0.0) == 1
    assert machine.choose(0.5, 0.0, 0.8 * WORTH) == 1  # too small a difference


def test_only_allowed_cores_are_chosen(machine):
    assert machine.choose(0, 0.0, 0.9, allowed={1}) == 1
    assert machine.choose(0, 0.0, 0.9, allowed={7}) is None


def test_without_load_figures_no_core_is_chosen():
    assert Core(dict, lambda: 0.0, lambda: 0.0).choose({0, 1}) is None


@pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="only Linux tells")
def test_the_load_of_cores_is_read_from_the_system():
    assert set(busy_times()) >= os.sched_getaffinity(0)
    assert all(time > 0 for time in busy_times().values())
