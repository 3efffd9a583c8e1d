"""Links, pinned runs, exports and uploads, in a real browser."""

import csv
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from app.server.session import VISITS
from app.sharing import run_links
from engine import FULL, Choice, Experiment, Recording, RunConfig, SetKnob, Status, digest, record
from engine.data import DATASETS
from tests.browser.conftest import ROOT
from tests.browser.tab import ONE_PLOT, Tab
from tests.served_page import forget_the_left
from tests.waiting import PATIENCE, wait_until

QUERY = ONE_PLOT  # beside one plot, which is the one that is saved as a picture

HIDDEN = ONE_PLOT.removeprefix("hide=").split(",")
TABLE = b"a,b,label\n" + b"".join(b"%d,%d,%s\n" % (n, n % 7, b"xy"[n % 2 :][:1]) for n in range(60))


class Guest(Tab):
    """A visitor who opens a link, with the messages of the page."""

    def told(self) -> str:
        """The messages of the page."""
        alert = self.page.locator(".notistack-Snackbar, .notistack-SnackbarContainer")
        return alert.first.inner_text()


@pytest.fixture
def come_by(chromium: Browser, address: str) -> Iterator[Callable[[str], Guest]]:
    """Opens the page by a link; afterwards checks that it had no errors and left nothing."""
    guests: list[Guest] = []

    def come(query: str) -> Guest:
        guests.append(Guest(chromium, f"{address}{query}"))
        return guests[-1]

    yield come
    for guest in guests:
        guest.window.close()
    forget_the_left()
    for guest in guests:
        assert guest.strangers == []
        assert guest.errors == []
    wait_until(lambda: not VISITS.keys() & {guest.session for guest in guests})


def steered(config: RunConfig, steps: int = 400) -> Experiment:
    experiment = Experiment(config.with_seed(5))
    experiment.train(50)
    experiment.apply(SetKnob("optimization.learning_rate", 0.05))
    experiment.apply(SetKnob("model.activation", Choice("tanh")))
    experiment.train(steps - 50)
    return experiment


def bits(tab: Tab) -> tuple[int, str]:
    return tab.visit.handle.query(lambda experiment: (experiment.step, digest(experiment))).result(
        PATIENCE
    )


def open_dialog(tab: Tab, name: str) -> None:
    tab.page.get_by_role("button", name=name, exact=True).click()
    tab.page.get_by_role("dialog").wait_for()


def close_dialog(tab: Tab) -> None:
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("dialog").wait_for(state="hidden")


def saved(tab: Tab, button: str) -> tuple[str, bytes]:
    """The file that a click on a button downloads."""
    with tab.page.expect_download() as download:
        tab.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


# ---- links ----------------------------------------------------------------------------------


def test_a_link_repeats_the_run_to_the_bit(come_by, config):
    made = record(steered(config))
    guest = come_by(run_links.query(made, False, HIDDEN))
    guest.wait_for(lambda: guest.snapshot.status is Status.PAUSED and guest.snapshot.step)
    assert bits(guest) == (made.steps, made.digest)
    guest.wait_for(lambda: "the same, to the bit" in guest.told())
    assert guest.menu("Activation") == "tanh"
    guest.wait_for(lambda: guest.text("step") == "400")
    assert guest.source("loss")["step"][-1] <= 400
    expect(guest.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert guest.snapshot.previous is None  # the page's default run was not started


def test_a_link_that_carries_its_state_shows_it_at_once_and_verifies_it(come_by, config):
    source = Experiment(config)
    source.train(15_000)
    address = run_links.query(record(source), False, HIDDEN, FULL)
    guest = come_by(address + run_links.fragment(source.packed_state()))
    guest.wait_for(lambda: "as the link has it" in guest.text("branch"))
    assert guest.text("step") == "15,000"
    guest.wait_for(lambda: guest.snapshot.looking_back is None)
    guest.wait_for(lambda: "the same, to the bit" in guest.told())
    assert bits(guest) == (15_000, digest(source))


def test_a_link_can_go_on_from_there(come_by, config):
    made = record(steered(config))
    guest = come_by(run_links.query(made, True, HIDDEN))
    guest.wait_for(lambda: guest.snapshot.step > 400 and guest.snapshot.status is Status.RUNNING)
    guest.wait_for(lambda: "the same, to the bit" in guest.told())


def test_a_long_replay_is_visible(come_by, config):
    guest = come_by(run_links.query(Recording(config, (), 200_000), False, HIDDEN))
    guest.wait_for(lambda: guest.text("until") == "of 200,000")
    step = guest.channel("step")
    guest.wait_for(lambda: guest.channel("step") > step)
    guest.press("Restart")  # ends the repetition
    guest.wait_for(lambda: guest.text("until") == "")


def test_an_invalid_link_opens_the_page_with_a_message(come_by, config):
    table = config.replace("data.dataset", Choice("iris")).replace("model.convolutions", "8 of 3x3")
    guest = come_by(run_links.query(Recording(table, (), 10), False, HIDDEN))
    guest.wait_for(lambda: "not possible here" in guest.told())
    guest.wait_for(lambda: guest.snapshot.step > 0 and guest.text("status") == "running")
    assert (guest.snapshot.run, guest.snapshot.config) == (1, config)


def test_the_dialog_makes_the_link_and_copies_it(tab, come_by):
    tab.window.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.slide("Learning rate", "Home")
    tab.wait_for(lambda: tab.snapshot.markers)
    open_dialog(tab, "Share")
    dialog = tab.page.get_by_role("dialog")
    field = dialog.get_by_role("textbox", name="Link")
    tab.wait_for(lambda: "?run=" in field.input_value())
    dialog.get_by_role("button", name="Copy").click()
    dialog.get_by_role("button", name="Copied").wait_for()
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert copied == field.input_value()
    guest = come_by(copied[copied.index("?") :])
    guest.wait_for(lambda: guest.snapshot.status is Status.PAUSED)
    guest.wait_for(lambda: guest.snapshot.step == tab.snapshot.step)
    assert guest.snapshot.run == tab.snapshot.run
    assert bits(guest) == bits(tab)
    assert guest.snapshot.config == tab.snapshot.config


def test_the_dialog_hides_what_is_chosen(tab):
    open_dialog(tab, "Share")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    tab.page.get_by_text("Knob: Learning rate", exact=True).click()
    field = dialog.get_by_role("textbox", name="Link")
    tab.wait_for(lambda: field.input_value().endswith("&hide=learning-rate"))


# ---- pinned runs -----------------------------------------------------------------------------


def test_a_run_is_pinned_compared_and_restarted(tab, config):
    open_dialog(tab, "Runs")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name of this run").fill("baseline")
    dialog.get_by_role("button", name="Pin this run").click()
    dialog.get_by_role("columnheader", name="baseline").wait_for()
    close_dialog(tab)
    tab.choose("Activation", "tanh")
    tab.wait_for(lambda: tab.snapshot.config.model.activation.name == "tanh")
    open_dialog(tab, "Runs")
    dialog.get_by_role("row", name="Activation tanh ReLU").wait_for()
    dialog.get_by_role("button", name="Load baseline").click()
    tab.wait_for(lambda: tab.snapshot.run == 2 and tab.snapshot.config == config)
    dialog.get_by_role("button", name="Unpin baseline").click()
    tab.wait_for(lambda: not tab.snapshot.pinned)
    dialog.get_by_role("columnheader", name="baseline").wait_for(state="detached")


# ---- exports --------------------------------------------------------------------------------


def test_exported_files_contain_the_current_run(tab, tmp_path):
    open_dialog(tab, "Export")
    step, digested = bits(tab)
    name, table = saved(tab, "Curves (CSV)")
    assert name == f"babysit-digits-run1-step{step}.csv"
    assert int(list(csv.DictReader(io.StringIO(table.decode())))[-1]["step"]) <= step
    assert saved(tab, "Curves (CSV)") == (name, table)  # again, although nothing has changed
    _, text = saved(tab, "Run (JSON)")
    assert json.loads(text)["digest"] == digested
    (tmp_path / "run.json").write_bytes(text)
    command = [sys.executable, "-m", "engine", "replay", str(tmp_path / "run.json")]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE).returncode == 0
    _, weights = saved(tab, "Weights (NPZ)")
    assert (
        sum(x.size for x in np.load(io.BytesIO(weights)).values())
        == 64 * 64 + 64 * 65 + 65 * 10 + 64
    )


def test_the_report_opens_without_a_server_or_network(tab, tmp_path):
    open_dialog(tab, "Export")
    _, text = saved(tab, "Report (HTML)")
    path = tmp_path / "report.html"
    path.write_bytes(text)
    page = tab.window.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    expect(page.get_by_role("heading", name="He + ReLU on digits")).to_be_visible()
    expect(page.get_by_role("img", name="Loss")).to_be_visible()
    assert asked == [path.as_uri()]
    page.close()


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_plot_is_saved_as_a_picture(tab, kind):
    open_dialog(tab, "Export")
    name, picture = saved(tab, kind)
    assert name == f"babysit-loss.{kind.lower()}"
    if kind == "PNG":
        assert picture.startswith(b"\x89PNG")
        card = tab.page.locator("babysit-view[name=loss] .figures").bounding_box()
        assert int.from_bytes(picture[16:20]) >= 3 * math.floor(card["width"])  # width in pixels
    else:
        assert b"<svg" in picture and picture.count(b"<path") > 5
        assert b"rect" in picture.partition(b"<path")[0]  # the background
        written = " ".join(re.findall(">([^<]*)</text>", picture.decode()))  # may span lines
        for words in ("Loss", "validation", "Learning rate 0.01", "Optimizer momentum"):
            assert words in written


# ---- uploads --------------------------------------------------------------------------------


def bring(tab: Tab, name: str, raw: bytes) -> None:
    tab.page.get_by_role("dialog").locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": raw}
    )


def learn_from(tab: Tab, name: str, raw: bytes) -> None:
    open_dialog(tab, "Data")
    bring(tab, name, raw)
    tab.page.get_by_role("button", name="Learn from it").click()
    tab.wait_for(lambda: tab.snapshot.config.data.dataset.name.startswith(f"{name} #"))


REFUSED = {  # what arrives of a file, and what is said of it
    "pets.csv": (b"", "The file is empty"),
    "pets.pdf": (b"%PDF-1.4", "pets.pdf: expected a file that ends in .csv"),
    "large.csv": (b"1,a\n" * 2**22 + b"2,b\n", "exceeds maximum file size of 16 MB"),
    "page.csv": (b"<!doctype html><html>", "page.csv: expected a table, found a web page"),
}


def test_each_file_that_is_not_read_is_refused_in_a_sentence(tab):
    run = tab.snapshot.run
    open_dialog(tab, "Data")
    for name, (raw, told) in REFUSED.items():
        bring(tab, name, raw)
        expect(tab.page.get_by_role("dialog").get_by_role("alert")).to_contain_text(told)
    assert tab.page.get_by_text("Something failed").count() == 0
    assert [error for error in tab.errors if "exceeds maximum file size" not in error] == []
    tab.errors.clear()  # the field tells the browser's console, too
    assert tab.snapshot.run == run


def test_an_upload_is_previewed_trained_on_and_freed_with_its_visitor(open_tab):
    mine, yours = open_tab(ONE_PLOT), open_tab(ONE_PLOT)
    open_dialog(mine, "Data")
    dialog = mine.page.get_by_role("dialog")
    bring(mine, "bad.csv", b"a,b\n1,2\n1\n")
    dialog.get_by_role("alert").filter(has_text="bad.csv, line 3").wait_for()
    expect(dialog.get_by_role("button", name="Learn from it")).to_be_hidden()
    bring(mine, "pets.csv", TABLE)
    dialog.get_by_text("60 examples of 2 inputs").wait_for()
    assert mine.snapshot.config.data.dataset.name == "digits"  # not before Learn is pressed
    dialog.get_by_role("button", name="Learn from it").click()
    mine.wait_for(lambda: mine.snapshot.data.classes == ("x", "y") and mine.snapshot.step > 10)
    mine.wait_for(lambda: mine.menu("Data set") == "pets.csv (yours)")
    yours.page.get_by_role("combobox", name=re.compile("^Data set ·")).click()
    offered = yours.page.get_by_role("option").all_inner_texts()
    assert "digits" in offered and not [name for name in offered if "pets" in name]
    yours.page.keyboard.press("Escape")
    name = mine.snapshot.config.data.dataset.name
    assert name in DATASETS
    mine.window.close()
    forget_the_left()
    wait_until(lambda: name not in DATASETS)


def test_a_link_to_a_run_on_a_file_waits_for_that_file(tab, come_by):
    learn_from(tab, "pets.csv", TABLE)
    tab.train(50)
    open_dialog(tab, "Share")
    dialog = tab.page.get_by_role("dialog").filter(has_text="Share this run")
    dialog.get_by_text("It learns from pets.csv").wait_for()
    field = dialog.get_by_role("textbox", name="Link")
    tab.wait_for(lambda: "?run=" in field.input_value())
    link = field.input_value()
    guest = come_by(link[link.index("?") :])
    guest.wait_for(lambda: "upload the file" in guest.told())
    guest.wait_for(lambda: guest.snapshot.status is Status.RUNNING)
    assert guest.snapshot.config == RunConfig()
    learn_from(guest, "pets.csv", TABLE)
    guest.wait_for(lambda: guest.snapshot.step == tab.snapshot.step)
    guest.wait_for(lambda: guest.snapshot.status is Status.PAUSED)
    assert bits(guest) == bits(tab)
