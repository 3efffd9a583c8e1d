"""Opening a panel in the sidebar, without delaying others."""

import asyncio
import contextlib

from playwright.sync_api import expect

from app.panels.open_panels import OpenPanels
from app.server.piecewise_build import Building
from tests.browser.tab import ONE_PLOT

QUERY = ONE_PLOT  # beside one plot: a panel is as long in coming


def test_checks_are_not_built_on_the_event_loop_and_leave_the_run_alone(tab, monkeypatch):
    calls, loops = [], []
    run = tab.snapshot.run

    def noted(real):
        def call(*args):
            with contextlib.suppress(RuntimeError):  # there is none on this thread
                loops.append(asyncio.get_running_loop())
            calls.append(real)
            return real(*args)

        return call

    monkeypatch.setattr(OpenPanels, "enter", noted(OpenPanels.enter))
    monkeypatch.setattr(Building, "build_next", noted(Building.build_next))
    tab.page.get_by_role("tab", name="Checks").click()
    tab.page.get_by_text("A moment").wait_for(state="detached")
    tab.page.get_by_role("button", name="Learning rate", exact=True).wait_for()
    assert len(calls) > 3 and not loops
    tab.press("Run all checks")
    tab.wait_for(lambda: len(tab.visit.handle.latest.background.checks or ()) == 5)
    tab.wait_for(lambda: tab.page.locator(".holds, .fails").count() == 5)
    expect(tab.page.locator(".holds")).to_have_count(5)
    assert tab.snapshot.run == run and not tab.snapshot.markers


def test_a_half_built_lab_is_finished_when_it_is_reopened_and_shows_what_it_showed_before(tab):
    for name in ("Lab", "Knobs", "Search", "Lab"):
        tab.page.get_by_role("tab", name=name).click()
    table = tab.page.get_by_role("table")
    table.wait_for()
    words = table.inner_text()
    tab.page.get_by_role("tab", name="Search").click()
    tab.page.get_by_role("button", name="Compare them").wait_for()
    expect(tab.page.get_by_text("A moment")).to_be_hidden()
    tab.page.get_by_role("tab", name="Knobs").click()
    tab.page.get_by_role("heading", name="Loss").wait_for()
    table.wait_for(state="hidden")
    tab.page.get_by_role("tab", name="Lab").click()
    table.wait_for()
    expect(table).to_have_text(words, use_inner_text=True)
    tab.page.get_by_role("heading", name="Loss").wait_for(state="hidden")
