"""A page that was built before anybody requested it works like any other."""

import urllib.request

import pytest

from app.server.page_request import READY, build_ahead
from app.server.session import VISITS
from engine import open_lesson
from tests.served_page import forget_the_left
from tests.waiting import wait_until


@pytest.fixture
def ready(served, address):
    """One page is ready."""
    READY.add(build_ahead(served.context))
    yield
    READY.clear()


@pytest.fixture
def returned(ready, address, monkeypatch):
    """The page was given to a request, after which nobody has connected."""
    monkeypatch.setattr(READY, "most", 1)
    (page,) = READY
    with urllib.request.urlopen(f"{address}?lesson={open_lesson('first loss').slug}"):
        wait_until(lambda: not page.ahead.waits)
    assert not len(READY) and VISITS
    forget_the_left()
    wait_until(lambda: len(READY))
    assert list(READY) == [page]


@pytest.mark.parametrize("before", ["ready", "returned"])
def test_a_page_that_was_ready_moves_obeys_and_opens_its_panels_and_dialogs(
    request, before, open_tab
):
    request.getfixturevalue(before)
    tab = open_tab()
    assert not len(READY)
    tab.wait_for(lambda: tab.snapshot.step > 0)
    rate = tab.snapshot.config.optimization.learning_rate
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: tab.snapshot.config.optimization.learning_rate > rate)
    tab.page.get_by_role("tab", name="Lab").click()
    tab.page.get_by_role("table").wait_for()
    tab.press("Share")
    tab.page.get_by_role("dialog").wait_for()


def test_a_lessons_address_opens_the_lesson_in_a_page_that_was_ready(ready, open_tab):
    lesson = open_lesson("first loss")
    tab = open_tab(f"lesson={lesson.slug}")
    assert not len(READY)
    tab.page.get_by_role("heading", name=lesson.title, level=3).wait_for()
