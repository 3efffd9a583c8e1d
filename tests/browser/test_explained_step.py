"""The next step, explained: opened, gone through, traced and made by keyboard and mouse."""

import re

from PIL import Image
from playwright.sync_api import expect

from engine import Status, digest
from engine.runtime import film
from tests.browser.conftest import KEPT_TAB
from tests.browser.tab import ONE_PLOT
from tests.browser.test_accessibility import shuts_nobody_out

QUERY = ONE_PLOT  # beside one plot: a step is explained in a dialog

STAGES = ("Batch", "Forward", "Loss", "Backward", "Update", "One weight")


def stage(tab):
    """The name of the open stage."""
    opened = tab.page.get_by_role("dialog").locator("[role=tab][aria-selected=true]")
    return opened.inner_text().partition(" ")[2]


def words(dialog):
    return dialog.locator(".explained").inner_text()


def test_the_film_of_a_run_goes_from_its_first_step_until_somebody_stops_it(tab):
    plays = tab.page.get_by_role("button", name="Film of this run")
    plays.click()
    expect(plays).to_have_attribute("aria-pressed", "true")
    seen = set()

    def look():
        if tab.snapshot.looking_back:
            seen.add(tab.snapshot.looking_back.step)
        return len(seen) > 5

    tab.wait_for(look)
    assert min(seen) < 100
    tab.page.keyboard.press("Escape")
    expect(plays).to_have_attribute("aria-pressed", "false")
    tab.wait_for(
        lambda: tab.snapshot.looking_back is not None and tab.snapshot.looking_back.done == 1
    )
    tab.press("Back to now")
    tab.wait_for(lambda: tab.snapshot.looking_back is None)


def test_a_film_is_made_in_the_export_dialog_and_saved(tab, monkeypatch):
    monkeypatch.setattr(film, "steps_of_film", lambda end: [0, end // 2, end])  # fewer to draw
    tab.press("Export")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Film", exact=True).click()
    saves = dialog.get_by_role("button", name="Save GIF")
    saves.wait_for()
    expect(dialog.get_by_role("status")).to_contain_text("There it is", use_inner_text=True)
    with tab.page.expect_download() as saved:
        saves.click()
    assert saved.value.suggested_filename.endswith(".gif")
    with Image.open(saved.value.path()) as played:
        assert played.n_frames == 3


def test_a_step_is_explained_in_stages_traced_and_made(tab):
    dialog = tab.page.get_by_role("dialog")
    tab.play()
    tab.page.keyboard.press("i")
    dialog.get_by_role("tab", name="1 Batch").wait_for()
    tab.wait_for(lambda: tab.snapshot.status is Status.PAUSED)
    explained = tab.snapshot.step + 1
    assert f"Step {explained:,} of run 1" in words(dialog)
    shuts_nobody_out(tab, within="role=dialog")

    dialog.get_by_role("tab", name="1 Batch").focus()
    for name in STAGES[1:5]:
        tab.page.keyboard.press("ArrowRight")
        assert stage(tab) == name
        expect(dialog.get_by_role("tabpanel", name=name)).to_be_visible()
    shuts_nobody_out(tab, within="role=dialog")
    dialog.get_by_role("button", name="Back").click()
    assert stage(tab) == "Backward"
    square = dialog.get_by_role("tabpanel", name="Backward").locator("rect[data-press]").first
    square.hover()
    tab.wait_for(lambda: "gradient" in dialog.locator(".readout").inner_text())

    square.click()  # of the first layer with weights: its first unit
    dialog.get_by_role("heading", name="Checked by trying").wait_for()
    assert stage(tab) == "One weight"
    assert "to unit 1 of dense 1 is" in words(dialog)
    assert "They agree" in words(dialog)
    shuts_nobody_out(tab, within="role=dialog")
    unit = dialog.get_by_role("spinbutton", name="unit")
    unit.fill("3")
    unit.press("Enter")
    tab.wait_for(lambda: "to unit 3 of dense 1 is" in words(dialog))
    dialog.get_by_role("combobox", name="layer").select_option("scores")
    tab.wait_for(lambda: "of scores is" in words(dialog))

    dialog.get_by_role("button", name="All stages").click()  # begins anew, and ends by itself
    tab.wait_for(lambda: stage(tab) == "Batch")
    tab.wait_for(lambda: stage(tab) == "Update")
    dialog.get_by_role("tab", name="1 Batch").click()
    dialog.get_by_role("button", name=re.compile("^example 2:")).click()
    tab.wait_for(lambda: "it is example 2:" in words(dialog))

    dialog.get_by_role("button", name="Make this step").press("Enter")
    told = f"Step {explained:,} is made: its weights are to the bit what was explained."
    tab.wait_for(lambda: told in words(dialog))
    step, _ = tab.visit.handle.query(lambda e: (e.step, digest(e))).result()
    assert step == explained == tab.snapshot.step

    def closed():  # once the step has been drawn, and the focus is back in its place
        tab.page.keyboard.press("Escape")
        return not dialog.is_visible()

    tab.wait_for(closed)
    KEPT_TAB.clear()
