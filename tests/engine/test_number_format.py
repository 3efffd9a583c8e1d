"""Numbers in sentences have the same form as in the plots."""

import re
from pathlib import Path

import pytest

from app import numbers
from app.templates import render
from engine.measure.verdict import Metric
from engine.number_format import JOINED, counted, joined, percent, typed, written

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.001, 6, "0.001"),
        (1e-6, 6, "1e-6"),
        (1e6, 6, "1e6"),
        (12345.0, 6, "12,345"),
        (7.9234e13, 3, "7.92e13"),
        (1e-10, 1, "1e-10"),
        (1e100, 6, "1e100"),
        (-2.5e-7, 2, "−2.5e-7"),
        (-3.0, 6, "−3"),
        (0.0, 6, "0"),
        (64, 6, "64"),
    ],
)
def test_numbers_are_written_as_in_text(value, digits, text):
    assert written(value, digits) == text
    assert float(typed(text).replace(",", "")) == pytest.approx(value, rel=10.0 ** (1 - digits))


def test_the_figures_of_a_verdict_have_that_form_too():
    assert Metric("slope", 4.54e-5).text == "4.54e-5"
    assert Metric("error", 2e10, form=".2g").text == "2e10"
    assert Metric("gap", -0.021, form=".1%").text == "−2.1 %".replace(" ", JOINED)


@pytest.mark.parametrize(
    ("share", "whole", "decimal"),
    [(0.42, "42 %", "42.0 %"), (0.022, "2 %", "2.2 %"), (-0.021, "−2 %", "−2.1 %")],
)
def test_shares_are_written_in_one_way(share, whole, decimal):
    assert percent(share) == numbers.percent(share) == whole.replace(" ", JOINED)
    assert percent(share, 1) == numbers.decimal_percent(share) == decimal.replace(" ", JOINED)


def test_no_line_breaks_between_a_number_and_its_unit():
    parted = re.compile(r"\d (?:%|s\b|min\b)")
    made = [percent(0.284, 1), Metric("gap", 0.2, form=".1%").text, numbers.percent(1e9)]
    made += [numbers.seconds(30), numbers.seconds(300), joined("84 % in 30 s, 12 steps each")]
    assert not any(map(parted.search, made)), made
    assert made[-1].endswith(" 12 steps each")
    verdict = "It reaches 28.4 %."  # as the file of a lesson has it
    shown = [render("sentence", text=verdict, kind="", role="")]
    assert not any(map(parted.search, shown)), shown


def test_a_share_just_below_zero_is_zero():
    assert percent(-0.001) == numbers.percent(-0.001) == "0 %".replace(" ", JOINED)


def test_no_share_is_written_by_a_form_of_its_own():
    own = re.compile(r"\{[^{}\n]*:[^{}\n]*%\}")  # such as {share:.0%}
    found = {
        f"{path.parent.name}/{path.name}"
        for folder in ("app", "engine")
        for path in (ROOT / folder).rglob("*.py")
        if own.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"app/theme.py"}  # a size in a style sheet


@pytest.mark.parametrize(
    ("count", "things", "text"),
    [
        (0, "steps", "0 steps"),
        (1, "steps", "1 step"),
        (1.0, "epochs", "1 epoch"),
        (0.5, "epochs", "0.5 epochs"),
        (1, "pinned runs", "1 pinned run"),
        (12_345_678, "steps", "12,345,678 steps"),
    ],
)
def test_one_of_a_kind_is_not_told_in_the_plural(count, things, text):
    assert counted(count, things) == text
