"""The Search panel in a real browser: from the form to the losses, and a trial as the run."""

import re

import pytest
from playwright.sync_api import expect

from app.panels.search.search_controller import search_progress
from engine import SearchStatus
from tests.browser.tab import ONE_PLOT

QUERY = ONE_PLOT  # beside one plot: it is hidden by what a search draws


@pytest.fixture
def panel(tab):
    """The open Search panel."""
    tab.play()
    tab.page.get_by_role("tab", name="Search").click()
    tab.page.get_by_role("button", name="Start a search").wait_for()
    return tab


def state(tab):
    return search_progress(tab.snapshot)


def asked(tab):
    """The search that the form describes, as the server has it."""
    return tab.visit.parts.panels["Search"].described()


def refused(tab) -> bool:
    try:
        return asked(tab) is None
    except ValueError:
        return True


def count(tab, field: str, value: int) -> None:
    box = tab.page.get_by_label(field, exact=True)
    box.fill(str(value))
    box.press("Enter")
    tab.page.keyboard.press("Tab")


def begin(tab, trials: int = 8) -> None:
    count(tab, "Trials", trials)
    count(tab, "Epochs", 2)
    tab.wait_for(lambda: asked(tab).trials == trials and asked(tab).epochs == 2)
    tab.press("Start a search")
    tab.wait_for(lambda: state(tab).frame.search.epochs == 2)  # it is another search
    assert len(state(tab).frame.trials) == trials


def finished(tab) -> bool:
    return state(tab).frame.status is SearchStatus.FINISHED and not state(tab).busy


def cells(tab) -> dict[int, str]:
    """The text in each cell of loss curves, by trial."""
    found = {}
    names = tab.page.evaluate(
        "Bokeh.documents.flatMap((d) => [...d.all_models]).map((m) => m.name)"
    )
    for name in filter(None, names):
        if re.fullmatch(r"losses\.\d+", name):
            data = tab.source(name)
            found |= dict(zip(data["number"], data["label"], strict=True))
    return found


def an_illegal_range_is_refused(panel) -> None:
    box = panel.page.get_by_role("textbox", name=re.compile("from", re.IGNORECASE)).first
    least = box.input_value()
    box.fill("much")
    box.press("Enter")
    panel.wait_for(lambda: refused(panel))
    panel.press("Start a search")
    panel.page.get_by_text("must be a number, got 'much'").wait_for()
    assert state(panel).frame is None
    box.fill(least)
    box.press("Enter")
    panel.wait_for(lambda: not refused(panel))


def a_search_is_paused_resumed_and_cancelled(panel) -> None:
    count(panel, "Epochs", 90)
    panel.wait_for(lambda: asked(panel).epochs == 90)
    panel.press("Start a search")
    panel.wait_for(lambda: state(panel).frame is not None)
    panel.press("Pause search")
    panel.wait_for(lambda: state(panel).frame.status is SearchStatus.PAUSED)
    panel.press("Resume search")
    panel.wait_for(lambda: state(panel).frame.status is SearchStatus.RUNNING)
    step = panel.snapshot.step
    panel.press("Cancel search")
    panel.wait_for(lambda: state(panel).frame.status is SearchStatus.CANCELLED)
    panel.wait_for(lambda: panel.snapshot.step > step)
    assert panel.snapshot.run == 1


def a_search_shows_every_loss_and_goes_on_finer(panel) -> None:
    begin(panel)
    panel.wait_for(lambda: finished(panel))
    panel.wait_for(lambda: len(cells(panel)) == 8 and all(cells(panel).values()))
    frame = state(panel).frame
    shown = cells(panel)
    for number in frame.ranking:
        accuracy = frame.trials[number].validation_accuracy
        assert shown[number] == f"{100 * accuracy:.0f}"

    panel.press("Finer stage around the best")
    panel.wait_for(lambda: state(panel).frame.search.stage == 2)
    panel.wait_for(lambda: finished(panel))
    finer = state(panel).frame
    assert finer.search.epochs > frame.search.epochs and finer.search.space != frame.search.space
    panel.press("Ensemble")
    panel.page.get_by_text("together").first.wait_for()
    panel.wait_for(lambda: state(panel).ensemble and state(panel).ensemble.finished)


def a_trial_becomes_the_run(panel) -> None:
    finer = state(panel).frame
    panel.press("Table of trials")
    panel.page.get_by_role("button", name=f"Load trial {finer.ranking[0] + 1}", exact=True).click()
    best = finer.trials[finer.ranking[0]].config
    panel.wait_for(lambda: panel.snapshot.config == best)
    panel.press("Watch it learn")
    panel.page.get_by_role("heading", name="Loss").wait_for()
    expect(panel.page.get_by_role("tab", name="Knobs")).to_have_attribute("aria-selected", "true")


def test_a_search_from_an_illegal_form_to_the_losses_and_a_trial_as_the_run(panel):
    an_illegal_range_is_refused(panel)
    a_search_is_paused_resumed_and_cancelled(panel)
    a_search_shows_every_loss_and_goes_on_finer(panel)
    a_trial_becomes_the_run(panel)
