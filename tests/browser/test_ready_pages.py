"""A page that was built before anybody requested it works like any other."""

import pytest

from app.server.page_request import READY, build_ahead
from engine import open_lesson


@pytest.fixture
def ready(served, address):
    """One page is ready."""
    READY.add(build_ahead(served.context))
    yield
    READY.clear()


def test_a_page_that_was_ready_moves_obeys_and_opens_its_panels_and_dialogs(ready, open_tab):
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
