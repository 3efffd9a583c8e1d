"""The build queue: one piece after the other, only while no page is requested."""

import math
import threading

from app.server.build_queue import BuildQueue
from tests.waiting import PATIENCE, wait_until


class Page:
    """A page that waits for its turn."""

    def __init__(self, order: list[str], name: str) -> None:
        self.begun, self.over = threading.Event(), threading.Event()
        self._order, self._name = order, name

    def begin(self) -> None:
        self._order.append(self._name)
        self.begun.set()


def test_the_next_piece_starts_when_the_previous_one_is_finished():
    order: list[str] = []
    one, other = Page(order, "one"), Page(order, "other")
    line = BuildQueue(lambda: True)
    assert not line.waited_for
    line.wait(one.begin, one.over)
    line.wait(other.begin, other.over)
    assert one.begun.wait(PATIENCE) and line.waited_for
    order.append("the first is over")
    one.over.set()
    assert other.begun.wait(PATIENCE)
    other.over.set()
    assert order == ["one", "the first is over", "other"]


def test_pieces_of_a_visitor_who_left_are_skipped():
    line = BuildQueue(lambda: False)
    gone, stays = Page([], "gone"), Page([], "stays")
    gone.over.set()
    line.wait(gone.begin, gone.over)
    line.wait(stays.begin, stays.over)
    stays.over.set()
    assert stays.begun.wait(PATIENCE)


def test_a_piece_waits_for_page_requests_but_not_for_ever():
    quiet, looks = threading.Event(), []

    def is_quiet() -> bool:
        looks.append("once more")
        return quiet.is_set()

    line, page = BuildQueue(is_quiet, math.inf), Page([], "page")
    line.wait(page.begin, page.over)
    wait_until(lambda: len(looks) > 3)
    assert not page.begun.is_set()
    quiet.set()
    assert page.begun.wait(PATIENCE)
    page.over.set()
    line, page = BuildQueue(lambda: False, 0.0), Page([], "page")
    line.wait(page.begin, page.over)
    assert page.begun.wait(PATIENCE)
    page.over.set()


def test_a_piece_that_fails_to_start_blocks_nobody():
    def fail() -> None:
        raise RuntimeError("closed")

    line, page = BuildQueue(lambda: True), Page([], "page")
    line.wait(fail, threading.Event())
    line.wait(page.begin, page.over)
    assert page.begun.wait(PATIENCE)
    page.over.set()


def test_a_piece_that_its_page_does_not_come_to_holds_up_nobody():
    line, busy, page = BuildQueue(lambda: True, held=0.0), Page([], "busy"), Page([], "page")
    line.wait(busy.begin, busy.over)
    line.wait(page.begin, page.over)
    assert page.begun.wait(PATIENCE)
    page.over.set()
    assert not busy.over.is_set()


def test_a_server_that_stops_waits_for_no_piece():
    line, pages = BuildQueue(lambda: True, held=10 * PATIENCE), [Page([], "page") for _ in range(3)]
    for page in pages:
        line.wait(page.begin, page.over)
    assert pages[0].begun.wait(PATIENCE)
    line.clear()
    wait_until(lambda: not line.waited_for)
