"""Limits for one connection: messages, page requests, and lines in the log."""

import logging
from types import SimpleNamespace

import pytest

from app.server.connection_limits import (
    CROWD,
    PULLED,
    RATE,
    SAVED,
    TOGETHER,
    Addresses,
    Budget,
    Crowd,
    wait_of,
)
from app.server.log_limits import LONGEST, MOST, PERIOD, Brief, install


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_normal_use_is_never_throttled():
    clock = Clock()
    budget = Budget(clock=clock)
    for _ in range(600):  # a slider dragged for ten seconds
        clock.now += 1 / 60
        assert budget.spend(1) == 0


def test_a_flood_is_throttled():
    clock = Clock()
    budget = Budget(clock=clock)
    waits = [budget.spend(PULLED) for _ in range(300)]
    free = SAVED // PULLED
    assert waits[:free] == [0.0] * free
    assert waits[-1] == pytest.approx((300 - free) * PULLED / RATE)
    clock.now += waits[-1] + 2 * SAVED / RATE
    assert budget.spend(SAVED) == 0  # no more than that is saved
    assert budget.spend(1) > 0


class Page:
    """Stands for a connection."""


def test_in_a_crowd_those_wait_who_send_most():
    clock = Clock()
    crowd = Crowd(clock)
    quiet, held = [Page() for _ in range(20)], [Page() for _ in range(20)]
    served, free_at = dict.fromkeys(held, 0), dict.fromkeys(held, 0.0)
    for tick in range(600):  # for twenty seconds, a key repeats thirty times a second
        clock.now += 1 / 30
        for page in held:
            if free_at[page] <= clock.now:
                free_at[page] = clock.now + crowd.spend(page, 1)
                served[page] += 1
        if tick % 30 == 0:
            assert all(crowd.spend(page, 1) == 0 for page in quiet)
    assert max(served.values()) < 1.1 * min(served.values())  # nobody is preferred
    assert sum(served.values()) < 1.2 * TOGETHER * 20  # 12,000 were sent


def test_one_page_alone_has_its_own_rate():
    clock = Clock()
    crowd = Crowd(clock)
    page, others = Page(), [Page() for _ in range(39)]
    for other in others:
        crowd.spend(other, 1)
    for _ in range(300):  # a key held for ten seconds
        clock.now += 1 / 30
        assert crowd.spend(page, 1) == 0


def test_pages_that_send_nothing_take_no_share():
    """Two hundred who follow a class must not slow down the next ten who open the page."""
    clock = Clock()
    crowd = Crowd(clock)
    followers, comers = [Page() for _ in range(200)], [Page() for _ in range(10)]
    for page in followers:
        clock.now += 1.0
        crowd.spend(page, 1)
    clock.now += 10.0
    waits = [crowd.spend(page, 1) for _ in range(40) for page in comers]
    assert max(waits) == 0.0


def test_a_page_gets_its_document_once_for_nothing_on_whichever_socket(monkeypatch):
    costs = []
    monkeypatch.setattr(CROWD, "spend", lambda page, cost: costs.append(cost) or 0.0)
    session = Page()
    sockets = [SimpleNamespace(connection=SimpleNamespace(session=session)) for _ in range(3)]
    for socket in sockets:
        wait_of(socket, "PULL-DOC-REQ")
    wait_of(SimpleNamespace(connection=SimpleNamespace(session=Page())), "PULL-DOC-REQ")
    assert costs == [1, PULLED, PULLED, 1]


def test_a_class_is_admitted_at_once_and_one_address_gets_half_at_most():
    clock = Clock()
    addresses = Addresses(60, 10.0, clock)
    assert all(addresses.lets_in("school") for _ in range(60))
    assert not addresses.lets_in("school")
    assert addresses.lets_in("home")
    let_in = 0
    for _ in range(300):  # for thirty seconds, ten requests a second too many
        clock.now += 0.1
        let_in += sum(addresses.lets_in("school") for _ in range(2))
    assert let_in == pytest.approx(300, abs=2)  # ten a second
    clock.now += 6.0
    assert addresses.lets_in("school")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log(clock, caplog):
    for installed in [x for x in caplog.handler.filters if isinstance(x, Brief)]:
        caplog.handler.removeFilter(installed)  # installed by a server of an earlier test
    brief = Brief(clock)
    caplog.handler.addFilter(brief)
    yield logging.getLogger("babysit.test")
    caplog.handler.removeFilter(brief)


def test_a_long_log_line_is_cut(log, caplog):
    log.warning("got %r", "x" * 20_000_000)
    (line,) = caplog.messages
    assert len(line) < LONGEST + 100
    assert line.startswith("got 'xxx") and "characters" in line


def test_the_key_of_a_teacher_is_not_in_the_log(log, caplog):
    log.warning("200 GET /app?room=ABCDE&teach=%s (127.0.0.1) 3 ms", "secret")
    (line,) = caplog.messages
    assert line == "200 GET /app?room=ABCDE&teach=… (127.0.0.1) 3 ms"


def test_a_lone_surrogate_is_escaped_in_the_log(log, caplog):
    log.warning("a page sent %s", "\ud800")
    assert caplog.messages == ["a page sent \\ud800"]


def test_a_long_error_message_is_cut(log, caplog):
    try:
        raise ValueError("y" * 20_000_000)
    except ValueError:
        log.exception("failed")
    assert len(caplog.text) < 3 * LONGEST
    assert "Traceback" in caplog.text


def test_repeated_log_lines_are_limited_and_others_written(log, clock, caplog):
    def complain():
        log.warning("again")

    for _ in range(1000):
        complain()
    log.warning("something else")
    assert caplog.messages.count("again") == MOST
    assert caplog.messages[-1] == "something else"
    clock.now += PERIOD
    complain()
    assert (
        caplog.messages[-1]
        == f"again (and {1000 - MOST:,} lines more from there in the last minute)"
    )


def test_several_log_handlers_get_the_same_lines(monkeypatch):
    root, lines = logging.Logger("root"), [[], []]
    for kept in lines:
        handler = logging.Handler()
        handler.emit = lambda record, kept=kept: kept.append(record.getMessage())
        root.addHandler(handler)
    monkeypatch.setattr(logging, "getLogger", lambda: root)
    install()
    for _ in range(MOST + 5):
        root.warning("again")
    assert [len(kept) for kept in lines] == [MOST, MOST]
