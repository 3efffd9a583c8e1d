"""The lessons and the checklist in a real browser: each is played to its verdict."""

import pytest

from engine import LESSONS, open_lesson
from engine.lessons import conduct


@pytest.fixture
def fast(monkeypatch):
    """Nobody watches."""
    monkeypatch.setattr(conduct, "WATCHED", 0.1)
    monkeypatch.setattr(conduct, "AT_LEAST", 0.01)


def choose(tab, lesson: str) -> None:
    tab.page.get_by_role("combobox", name="Lesson").click()
    tab.page.get_by_role("menuitem", name=lesson, exact=True).click()
    tab.page.get_by_role("heading", name=LESSONS[lesson].summary).wait_for()
    tab.page.locator(".holds, .fails").wait_for(state="detached")


def predict(tab, answer: str) -> None:
    tab.page.get_by_role("button", name=answer, exact=True).click()


def test_every_lesson_is_played_to_its_verdict(tab, fast):
    tab.page.get_by_role("tab", name="Lessons").click()
    for name in LESSONS:
        choose(tab, name)
        question = open_lesson(name).question
        predict(tab, question.options[question.right])
        tab.page.locator(".holds").wait_for()  # some are made of six runs
        assert tab.page.get_by_text("You predicted it:").is_visible()
        figures = tab.visit.seat.latest.beside.lesson.verdict.figures
        rows = tab.page.locator("tbody tr").all_inner_texts()
        for figure, row in zip(figures, rows, strict=True):
            assert row.split("\t")[:2] == [figure.label, figure.text], name


def test_a_lesson_is_broken_by_one_click(tab, fast):
    tab.page.get_by_role("tab", name="Lessons").click()
    choose(tab, "first loss")
    predict(tab, "0")
    tab.page.get_by_text("You expected: 0. It is: 2.3026.").wait_for()
    tab.press(open_lesson("first loss").breaks[0].label)
    tab.page.locator(".fails").wait_for()
    assert "does not hold here" in tab.page.locator(".fails").inner_text()


def test_another_run_ends_a_lesson(tab):
    tab.page.get_by_role("tab", name="Lessons").click()
    choose(tab, "a good rate")
    predict(tab, open_lesson("a good rate").question.options[0])
    tab.page.get_by_text("watch the plots").wait_for()
    tab.press("Restart")
    tab.page.get_by_text("the lesson ends here").wait_for()


def test_the_checks_tick_or_explain_and_leave_the_run_alone(tab):
    run = tab.snapshot.run
    tab.page.get_by_role("tab", name="Checks").click()
    tab.press("Run all checks")
    tab.wait_for(lambda: len(tab.visit.seat.latest.beside.checks or ()) == 5)
    tab.wait_for(lambda: tab.page.locator(".holds, .fails").count() == 5)
    assert tab.page.locator(".holds").count() == 5
    assert tab.snapshot.run == run and not tab.snapshot.markers
