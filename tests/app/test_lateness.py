"""How late the server is: measured, told, and written down once."""

import asyncio
import logging

import pytest

from app.lateness import NOTABLE, PERIOD, WINDOW, Lateness
from tests.waiting import Clock


def test_a_blocked_loop_is_measured():
    clock = Clock()
    lateness = Lateness(clock)

    async def block() -> None:
        lateness.begin()
        await asyncio.sleep(0)  # it has looked at the clock, and waits
        clock.now += PERIOD + 0.3
        while not lateness.worst:
            await asyncio.sleep(PERIOD)

    asyncio.run(block())
    assert lateness.worst == pytest.approx(0.3)


def test_what_was_long_ago_does_not_count():
    clock = Clock()
    lateness = Lateness(clock)
    assert lateness.worst == 0
    lateness.note(0.4)
    clock.now = WINDOW / 2
    lateness.note(0.1)
    assert lateness.worst == 0.4
    clock.now = WINDOW + 1
    lateness.note(0.2)
    assert lateness.worst == 0.2


@pytest.mark.parametrize("hours", [-7, 7])
def test_a_clock_that_jumps_is_believed_from_then_on(hours, caplog):
    clock = Clock()
    lateness = Lateness(clock)
    lateness.note(2 * NOTABLE)
    caplog.clear()
    for step in range(200):
        clock.now = 3600.0 * hours + step
        lateness.note(NOTABLE / 2)
    assert lateness.worst == NOTABLE / 2
    assert len(lateness._recent) <= WINDOW + 1
    with caplog.at_level(logging.WARNING):
        lateness.note(2 * NOTABLE)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("late", "lines"), [(NOTABLE / 2, 0), (2 * NOTABLE, 1)])
def test_the_log_tells_of_it_once_in_a_while(late, lines, caplog):
    clock = Clock()
    lateness = Lateness(clock)
    with caplog.at_level(logging.WARNING):
        for clock.now in (1.0, 2.0, 3.0):
            lateness.note(late)
    assert len(caplog.records) == lines
    clock.now = 3 * WINDOW
    lateness.note(late)
    assert len(caplog.records) == 2 * lines
