"""The lateness of the server: measured, reported, and logged at most once in a while."""

import asyncio
import logging

import pytest

from app.server.http_handlers import HANGS, why_restart
from app.server.loop_lag import BEHIND, NOTABLE, PERIOD, WINDOW, Lateness
from engine import Delay
from engine.runtime.thread_lag import WINDOW as KEPT
from engine.runtime.thread_lag import Overdue
from tests.waiting import Clock


def test_a_blocked_loop_is_measured():
    clock = Clock()
    lateness = Lateness(clock)

    async def block() -> None:
        lateness.begin()
        await asyncio.sleep(0)  # it has read the clock, and waits
        clock.now += PERIOD + 0.3
        while not lateness.worst:
            await asyncio.sleep(PERIOD)

    asyncio.run(block())
    assert lateness.worst == pytest.approx(0.3)


def test_a_loop_is_behind_while_it_is_late():
    clock = Clock()
    lateness = Lateness(clock)
    assert not lateness.behind

    async def block() -> None:
        lateness.begin()
        await asyncio.sleep(0)
        clock.now += PERIOD
        assert not lateness.behind
        clock.now += 2 * BEHIND  # not measured yet
        assert lateness.behind

    asyncio.run(block())
    lateness.note(2 * BEHIND)
    assert lateness.behind


def test_a_loop_that_is_in_time_again_is_not_behind():
    lateness = Lateness(Clock())
    lateness.note(2 * BEHIND)
    assert lateness.behind
    lateness.note(BEHIND / 2)
    assert not lateness.behind


def test_old_delays_are_forgotten():
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
def test_after_a_jump_the_clock_is_believed(hours, caplog):
    clock = Clock()
    lateness = Lateness(clock)
    lateness.note(2 * NOTABLE)
    caplog.clear()
    for step in range(200):
        clock.now = 3600.0 * hours + step
        lateness.note(NOTABLE / 2)
    assert lateness.worst == NOTABLE / 2
    assert len(lateness.recent) <= WINDOW + 1
    with caplog.at_level(logging.WARNING):
        lateness.note(2 * NOTABLE)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("late", "lines"), [(NOTABLE / 2, 0), (2 * NOTABLE, 1)])
def test_delays_are_logged_once_per_period(late, lines, caplog):
    clock = Clock()
    lateness = Lateness(clock)
    with caplog.at_level(logging.WARNING):
        for clock.now in (1.0, 2.0, 3.0):
            lateness.note(late)
    assert len(caplog.records) == lines
    clock.now = 3 * WINDOW
    lateness.note(late)
    assert len(caplog.records) == 2 * lines


def test_the_delay_names_who_waited_and_who_caused_it():
    clock = Clock()
    overdue = Overdue(clock)
    overdue.begin("quick", 0.0)
    overdue.end()
    overdue.begin("greedy", 0.0)
    clock.now = 2.0
    assert overdue.held == 2.0
    assert overdue.worst == Delay(2.0, "", "greedy")  # while it lasts
    overdue.end()
    overdue.begin("patient", 1.9)
    overdue.end()
    assert overdue.held == 0
    assert overdue.worst == Delay(1.9, "patient", "greedy")
    clock.now += KEPT + 0.1
    assert overdue.worst == Delay()


def test_the_log_names_both_visitors_once_per_period(caplog):
    clock = Clock()
    lateness = Lateness(clock)
    with caplog.at_level(logging.WARNING):
        for clock.now in (1.0, 2.0, 3.0):
            lateness.note_engine(Delay(2 * NOTABLE, "patient", "greedy"))
            lateness.note_engine(Delay(NOTABLE / 2, "x", "y"))
    (line,) = caplog.messages
    assert "of visitor patient was 1.0 s late" in line and "that of visitor greedy" in line


def test_a_turn_without_end_fails_the_liveness_check():
    assert why_restart(True, HANGS - 1) == ""
    assert why_restart(True, HANGS + 4) == "the training hangs: one visitor's turn has lasted 34 s"
    assert "has ended" in why_restart(False, 0.0)
