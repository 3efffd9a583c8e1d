"""A hand-in made on the page holds the answers and the own pinned runs, and can be printed."""

import itertools
import re
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest

from app.sharing.hand_in_form import HandInForm, report
from app.sharing.svg_charts import Line, curves
from engine import (
    Choice,
    Conductor,
    Experiment,
    LessonAnswer,
    Pin,
    RunConfig,
    SetKnob,
    hand_in,
    read_upload,
    register_upload,
    unregister_upload,
)
from engine.grading.hand_in import read_hand_in
from tests.app.seen import control, saved
from tests.waiting import PATIENCE

FILES = ("Hand-in (JSON)", "Report (HTML)")
PRINTED = 15  # pixels: the size of type on paper (app/static/report.css)
EVIL = "<script>alert(1)</script>"
ANSWER = LessonAnswer(
    lesson="first-loss",
    predicted="0.1000",
    reason=EVIL,
    seen="2.2",
    holds=True,
    figures=(("first loss", 2.3024), ("steps", None)),
)


@pytest.fixture
def handle():
    conductor = Conductor(frame_rate=50)
    own = Experiment(RunConfig())
    own.train(30)
    own.apply(Pin("mine", f"a note {EVIL}"))
    yield conductor.add(own)
    conductor.close()


@pytest.fixture
def form(handle) -> HandInForm:
    return HandInForm(handle, {("first-loss", ""): ANSWER})


def write_name(form: HandInForm, name: str) -> None:
    control(form.view, "Your name or number").value_input = name


def allowed(form: HandInForm) -> set[bool]:
    """Whether the files can be saved."""
    return {not control(form.view, label).disabled for label in FILES}


def test_nothing_is_handed_in_without_a_name(form):
    assert allowed(form) == {False}
    write_name(form, "Ada")
    assert allowed(form) == {True}
    write_name(form, "   ")
    assert allowed(form) == {False}


def test_the_file_holds_answers_and_the_own_runs_also_during_a_lesson(form, handle):
    handle.submit(lambda slot: slot.show_lesson(Experiment(RunConfig()))).result(PATIENCE)
    write_name(form, "Ada")
    made = read_hand_in(saved(form.view, "Hand-in (JSON)"))
    assert made.intact and made.student == "Ada"
    assert made.answers == (ANSWER,)
    (run,) = made.runs
    assert run.name == "mine" and run.recording.steps == 30
    assert run.recording.digest and run.figures["train_loss"] > 0


def test_the_report_has_all_of_it_as_text(form, handle):
    page = report(hand_in("Ada", [ANSWER], handle.latest.pinned), handle.latest.pinned)
    assert EVIL not in page
    assert "What is the loss before any training?" in page and page.count("<figure") == 2
    for text in ("How large is the first loss?", "It is: 2.3026. Saw: 2.2", "<dt>first loss"):
        assert text in page

    class Scripts(HTMLParser):
        found = 0

        def handle_starttag(self, tag, attrs):
            self.found += tag == "script"

    scripts = Scripts()
    scripts.feed(page)
    assert scripts.found == 0


def test_a_run_on_an_own_file_is_in_the_report_alone_and_that_is_said(form, handle):
    rows = "".join(f"{n},{n % 7},{'ab'[n % 2]}\n" for n in range(60))
    upload = read_upload(f"x,y,kind\n{rows}".encode(), "mine.csv")
    register_upload(upload)
    handle.send(SetKnob("data.dataset", Choice(upload.name)))
    handle.send(Pin("on my table"))
    pinned = handle.query(lambda experiment: experiment.pinned).result(PATIENCE)
    assert [past.name for past in pinned] == ["mine", "on my table"]
    write_name(form, "Ada")
    raw = saved(form.view, "Hand-in (JSON)")
    told = form.view[-1].object
    assert "on my table" in told and "learns from your mine.csv" in told
    assert "on my table" in saved(form.view, "Report (HTML)").decode()
    unregister_upload(upload)
    assert [run.name for run in read_hand_in(raw).runs] == ["mine"]  # where nobody has the file


def test_a_loss_that_hardly_falls_has_numbers_on_its_axis():
    for low, high in ((0.3, 2.5), (0.61, 0.69), (1e-6, 2.0)):
        line = Line("training", "#000", "solid", np.array([0.0, 9.0]), np.array([high, low]))
        ticks = re.findall(r'text-anchor="end"[^>]*>([^<]+)<', curves("Loss", [line], [], log=True))
        assert 2 <= len(ticks) <= 8 and all(low <= float(tick) <= high for tick in ticks)


def test_the_report_writes_figures_as_the_lesson_did(handle):
    share = msgspec.structs.replace(ANSWER, figures=(("accuracy", 0.092),), written=("9.2 %",))
    page = report(hand_in("Ada", [share], ()), ())
    assert "<dt>accuracy</dt><dd>9.2 %</dd>" in page
    assert "0.092" not in page


def test_the_ends_of_two_curves_are_named_without_touching_on_paper(handle):
    page = report(hand_in("Ada", [], handle.latest.pinned), handle.latest.pinned)
    names = re.findall(r'<text x="[\d.]+" y="([\d.]+)"[^>]*>(?:training|validation)<', page)
    for training, validation in itertools.batched(map(float, names), 2):
        assert abs(training - validation) > PRINTED
