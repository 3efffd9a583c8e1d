"""A playlist is made, saved, followed by key, and found again by its address; and a phone."""

import json

import pytest
from playwright.sync_api import ViewportSize, expect

from app.sharing import playlist_links
from engine import Item, Playlist
from engine.lessons import play_live, play_shared_run
from tests.browser.tab import ONE_PLOT

DEAD = "Can a dead ReLU come back?"
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture
def fast(monkeypatch):
    """Lessons and shared runs at full speed."""
    monkeypatch.setattr(play_live, "WATCHED", 0.1)
    monkeypatch.setattr(play_live, "AT_LEAST", 0.01)
    monkeypatch.setattr(play_shared_run, "WATCHED", 0.1)


def test_a_lecturer_makes_a_playlist_and_goes_through_it(open_tab, fast):
    tab = open_tab(ONE_PLOT)
    page = tab.page
    tab.press("Pause")
    page.get_by_role("tab", name="Lessons").click()
    page.get_by_text("All lessons").click()
    page.get_by_role("button", name="Make a playlist").click()
    page.get_by_label("Title", exact=True).fill("Week 3")
    page.get_by_role("button", name="Add words of your own").click()
    page.get_by_label("Title of part 1").fill("Welcome")
    page.get_by_label("Words of part 1").fill("Everything learned. Today it breaks.")
    page.get_by_label("Title of the run").fill("As we left it")
    page.get_by_role("button", name="Add the run").click()
    page.get_by_label("Title of part 2").wait_for()
    offer = page.get_by_text("no longer has the run of before")  # to repeat the visitor's own
    dismiss = page.get_by_role("button", name="Dismiss")  # which a lesson takes away by itself
    page.add_locator_handler(offer, lambda bar: dismiss.evaluate_all("(x) => x[0]?.click()"))
    page.reload()  # nothing is saved yet
    page.get_by_role("tab", name="Lessons").click()
    page.get_by_text("All lessons").click()
    page.get_by_role("button", name="Make a playlist").click()
    page.get_by_label("Title of part 2").wait_for()
    assert page.get_by_label("Words of part 1").input_value().startswith("Everything learned")
    expect(page.get_by_label("Title", exact=True)).to_have_value("Week 3")
    editor = page.get_by_label("What can be added")
    editor.get_by_text("Activation functions").click()
    for part in ("3", "4"):  # the same lesson twice
        editor.get_by_role("button", name=f"Add: {DEAD}").click()
        page.get_by_role("button", name=f"Remove part {part}").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save (JSON)").click()
    items = json.loads(saved.value.path().read_text())["items"]
    assert [item.get("lesson") or item["title"] for item in items] == [
        *("Welcome", "As we left it", "dead-relus", "dead-relus")
    ]
    page.get_by_role("button", name="Go through it").click()
    page.get_by_text("Everything learned. Today it breaks.").wait_for()
    tab.press("Projector")
    page.keyboard.press("n")
    page.get_by_text("The weights are those of the shared run").wait_for()
    expect(page.locator("babysit-view[name=loss]")).to_be_visible()
    for part in ("3", "4"):
        page.keyboard.press("n")
        page.get_by_text(f"Part {part} of 4").wait_for()
        page.wait_for_url(f"**item={part}*")
    page.reload()
    page.get_by_text("Part 4 of 4").wait_for()
    page.go_back()
    page.get_by_text("Part 3 of 4").wait_for()
    page.keyboard.press("b")
    page.get_by_text("Part 2 of 4").wait_for()


ON_A_PHONE = {"convolution": "24 x 24", "sigmoid-saturates": "all of it"}  # what is predicted


def test_on_a_phone_what_was_seen_is_asked_in_the_page_itself(page, address, fast):
    playlist = Playlist("On a phone", tuple(Item(lesson=slug) for slug in ON_A_PHONE))
    page.set_viewport_size(PHONE)
    page.goto(f"{address}#playlist={playlist_links.packed(playlist)}")
    sheet = page.get_by_label("What the lesson asks")
    for part, predicted in enumerate(ON_A_PHONE.values(), start=1):
        page.get_by_role("button", name=predicted).click()
        sheet.get_by_text("What did you see?").wait_for()
        options = sheet.get_by_role("button")
        for option in options.all():
            box = option.bounding_box()
            assert box and box["y"] >= 0 and box["y"] + box["height"] <= PHONE["height"]
        options.first.click()
        sheet.get_by_text("It holds here.").wait_for()
        if part < len(ON_A_PHONE):
            sheet.get_by_role("button", name="Go on").click()
            page.wait_for_url(f"**item={part + 1}*")
