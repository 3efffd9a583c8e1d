"""A page that does not read is sent little: the last of each state, and few answers."""

import asyncio

from app.server.outbox import MOST, Outbox


def test_messages_are_sent_one_after_the_other():
    sent: list[str] = []
    outbox = Outbox(sent.append)
    for text in "abc":
        outbox.put(text)
    assert sent == ["a"]
    outbox.taken()
    outbox.taken()
    assert sent == ["a", "b", "c"]


def test_of_a_state_only_the_last_is_sent_and_behind_all_that_came_before_it():
    sent: list[str] = []
    outbox = Outbox(sent.append)
    for n in range(100):
        outbox.put(f"room {n}", "room")
        outbox.put(f"wall {n}", "wall")
    outbox.put("gone")
    outbox.put("room of another class", "room")
    for _ in range(100):
        outbox.taken()
    assert sent == ["room 0", "wall 99", "gone", "room of another class"]


def test_a_page_that_does_not_read_is_behind_by_its_answers_not_by_states():
    outbox = Outbox(lambda text: None)
    for n in range(100):
        outbox.put(f"room {n}", "room")
    for _ in range(MOST):
        assert not outbox.behind
        outbox.put("answer")
    assert outbox.behind
    outbox.taken()  # the first state
    outbox.taken()  # and the last one
    assert not outbox.behind


def test_whoever_waits_for_a_page_that_leaves_goes_on():
    sent: list[str] = []
    outbox = Outbox(sent.append)
    for _ in range(3 * MOST):
        outbox.put("answer")
    outbox.close()
    asyncio.run(outbox.until_read())
    outbox.put("more")
    outbox.taken()
    assert sent == ["answer"]
