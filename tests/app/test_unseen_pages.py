"""Who only requests pages, and never connects, has few of them built."""

import logging

import pytest

from app.server.unseen_pages import ALL, EACH, SOON, WARNED, UnseenPages
from tests.waiting import Clock

CLASS = 40


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(clock) -> UnseenPages:
    return UnseenPages(CLASS, clock)


def built(pages: UnseenPages, times: int, address: str = "school") -> int:
    """How many of so many requests have a page built."""
    return sum(pages.may_build(address) for _ in range(times))


def test_a_class_behind_one_address_comes_at_once_and_again(pages):
    for lesson in range(3):
        assert built(pages, CLASS) == CLASS
        for n in range(CLASS):
            pages.add(f"{lesson}.{n}", "school")
            pages.give_back(pages.connect(f"{lesson}.{n}"))


def test_who_never_connects_has_one_page_built_a_second(pages, clock):
    built(pages, CLASS)
    begun = 0
    for _ in range(100):
        clock.now += 0.1
        begun += built(pages, 2)
    assert begun == pytest.approx(10 * EACH, abs=1)
    assert pages.may_build("home")


def test_many_addresses_together_have_a_bound_of_their_own(pages, clock):
    begun = sum(built(pages, 2, f"{n}") for n in range(CLASS))
    assert begun == CLASS
    clock.now += 5.0
    assert sum(built(pages, 2, f"{n}") for n in range(CLASS)) == 5 * ALL


def test_a_refusal_costs_the_address_nothing(pages, clock):
    built(pages, CLASS)
    built(pages, 1000, "home")
    clock.now += 10.0
    assert built(pages, 3, "home") == 3


def test_whose_right_a_browser_brings_back_is_told_once(pages):
    pages.add("gone", "school")
    assert pages.drop("gone") and not pages.drop("gone")
    assert not pages.connect("gone")
    pages.add("ready")  # no page was built for it
    assert not pages.connect("ready")
    pages.add("seen", "school")
    assert [pages.connect("seen"), pages.connect("seen")] == ["school", ""]  # by another socket


def test_the_oldest_page_is_given_up_for_a_new_one(pages):
    for n in range(CLASS):
        assert pages.add(f"{n}") == []
    pages.connect("0")
    assert pages.add("other") == []
    assert pages.add("more") == ["1"] and len(pages) == CLASS
    assert not pages.drop("1")


def test_a_page_is_given_up_for_who_is_refused_once_no_browser_is_likely_to_come(pages, clock):
    assert pages.give_up() == []
    pages.add("first")
    clock.now += 1.0
    pages.add("second")
    assert pages.give_up() == []
    clock.now += SOON - 1.0
    assert [pages.give_up(), pages.give_up()] == [["first"], []]


def test_the_operator_reads_whose_requests_are_refused_now_and_then(pages, clock, caplog):
    built(pages, CLASS)
    with caplog.at_level(logging.WARNING):
        built(pages, 5)
        clock.now += WARNED
        built(pages, 20, "home")
        built(pages, 20, "school")
    assert len(caplog.messages) == 2
    assert "of school" in caplog.messages[0] and caplog.messages[1].startswith("5 ")
