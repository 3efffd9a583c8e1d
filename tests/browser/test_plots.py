"""Labels, flags and marks at the curves; and plots saved as pictures."""

import itertools
import math
import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from app import numbers
from app.plots.plot_data import FLOOR
from engine import SetKnob, Status
from tests.browser.tab import Tab

VALUES = [0, 0.5, 0.0625, 9.9996, 99.995, 999.95, 67_657, 99_999.5, 1e-3, 1.1e-62, 1e21, 25_000]


def changed_often(tab: Tab) -> None:
    """A young run that was changed eight times in a row, and then left alone."""
    tab.press("Pause")
    tab.wait_for(lambda: tab.snapshot.status is Status.PAUSED)
    tab.press("Restart")  # in a long run the first change would move the axis
    tab.wait_for(lambda: tab.channel("run") == 2)
    for n in range(8):
        handle = tab.visit.handle
        handle.query(lambda experiment: experiment.train(5)).result()
        handle.send(SetKnob("optimization.learning_rate", 0.02 if n % 2 else 0.011 + n / 1000))
    handle.query(lambda experiment: experiment.train(400)).result()
    tab.wait_for(lambda: tab.channel("step") == tab.snapshot.step)
    tab.wait_for(lambda: tab.page.locator("[name=loss] .name").count() >= 3)


@pytest.fixture
def paused(kept_tab) -> Tab:
    return kept_tab(changed_often)


def boxes(found: Locator) -> list[dict[str, float]]:
    return [place.bounding_box() for place in found.all()]


def apart(one, other) -> bool:
    across = (
        one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
    )
    return across or (
        one["y"] + one["height"] <= other["y"] + 1 or other["y"] + other["height"] <= one["y"] + 1
    )


def test_plots_that_have_no_numbers_yet_leave_no_warning_in_the_console(open_tab):
    tab = open_tab()
    said: list[str] = []
    tab.page.on("console", lambda m: said.append(m.text) if m.type == "warning" else None)
    for name, words in (("Autopsy", "autopsy.where"), ("A | B", "between.words")):
        tab.page.get_by_role("tab", name=name).click()
        expect(tab.page.locator(f'[data-text="{words}"]')).not_to_be_empty()
        tab.wait_for_frames(2)
    assert said == []


def test_the_page_and_the_server_write_numbers_alike(shared):
    draw = random.Random(1)
    values = VALUES + [
        math.copysign(10 ** draw.uniform(-9, 9), draw.choice([-1, 1])) for _ in range(500)
    ]
    for form in ("number", "tick", "count"):
        written = shared.page.evaluate(
            "([form, values]) => values.map(window.babysit[form])", [form, values]
        )
        if form == "count":
            expected = [numbers.count(math.floor(value + 0.5)) for value in values]
        else:
            expected = [getattr(numbers, form)(value) for value in values]
        assert [x for x in zip(written, expected, strict=True) if x[0] != x[1]] == []


@pytest.mark.parametrize("pressed", [[], ["log"], ["log", "5-95 %"]], ids=["log", "linear", "all"])
def test_labels_of_lines_are_complete_and_do_not_touch(paused, pressed):
    for switch in pressed:
        paused.page.get_by_role("button", name=switch, exact=True).click()
    for view in ("loss", "accuracy", "updates"):
        card = paused.page.locator(f"babysit-view[name={view}]")
        names = card.locator(".name")
        assert names.count() >= 2
        assert names.evaluate_all("all => all.every((x) => x.scrollWidth <= x.clientWidth + 1)")
        placed, whole = boxes(names), card.bounding_box()
        assert all(box["x"] + box["width"] <= whole["x"] + whole["width"] for box in placed)
        assert all(apart(*pair) for pair in itertools.combinations(placed, 2))
    for switch in pressed:
        paused.page.get_by_role("button", name=switch, exact=True).click()


def test_changes_close_together_are_grouped_and_readable_by_keyboard(paused):
    flags = paused.page.locator("[name=loss] .flag")
    assert all(apart(*pair) for pair in itertools.combinations(boxes(flags), 2))
    told = "\n".join(flags.evaluate_all("all => all.map((x) => x.getAttribute('aria-label'))"))
    assert told.count("Learning rate") == 8
    paused.page.locator("[name=loss] .switch").last.focus()
    tip = paused.page.locator("[name=loss] .tip")
    for _ in range(3):  # past the plot itself
        if tip.is_hidden():
            paused.page.keyboard.press("Tab")
    expect(tip).to_be_visible()
    assert flags.first.get_attribute("aria-label").startswith(tip.inner_text().partition("\n")[0])
    paused.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    flags.first.hover()
    expect(tip).to_be_visible()


KEEP = """() => {
    const names = ["loss.ends", "loss.penalty", "loss.validation"]
    window.kept = names.map((name) => [name, window.babysit.model(name).data])
}"""
GIVE_BACK = """() => {
    for (const [name, data] of window.kept) window.babysit.model(name).setv({data})
}"""
# A penalty a hundred times smaller, as at the start of a run with a weak one.
WEAKEN = """() => {
    const change = (name, column, weaken) => {
        const source = window.babysit.model(name)
        source.setv({data: {...source.data, [column]: Array.from(source.data[column], weaken)}})
        return source.data
    }
    const {label} = window.babysit.model("loss.ends").data
    change("loss.ends", "y", (y, n) => label[n] == "penalty" ? y / 100 : y)
    change("loss.penalty", "penalty", (y) => y == null ? y : y / 100)
}"""


@pytest.fixture
def altered(paused) -> Iterator[Tab]:
    """The page, whose data are not those of the run until the test ends."""
    paused.page.evaluate(KEEP)
    yield paused
    paused.page.evaluate(GIVE_BACK)


def test_a_line_off_the_axis_as_a_whole_is_told_of_once(altered):
    figures = altered.page.locator("[name=loss]").get_by_text("▾")
    altered.page.evaluate(WEAKEN)
    altered.wait_for(lambda: any(x.split()[0] == "penalty" for x in figures.all_inner_texts()))
    far = [float(text.rpartition("▾")[2]) for text in figures.all_inner_texts()]
    assert sum(x < 2 * min(far) for x in far) == 1


def test_values_off_the_axis_and_zeros_are_marked(altered):
    def draw(value: float) -> None:
        altered.page.evaluate(
            """value => {
                const source = window.babysit.model("loss.validation")
                const {validation, ...rest} = source.data
                const changed = Array.from(validation, (x, n) => n == 20 ? value : x)
                source.setv({data: {...rest, validation: changed}}, {sync: false})
            }""",
            value,
        )

    marks = altered.page.locator("[name=loss] .beyond")
    draw(3e4)
    altered.wait_for(lambda: "▴ 30,000" in marks.all_inner_texts())
    draw(FLOOR)
    altered.wait_for(lambda: "▾ 0" in marks.all_inner_texts())
    marks.last.hover()
    expect(altered.page.locator("[name=loss] .tip")).to_contain_text(
        "off this axis", use_inner_text=True
    )
    altered.page.get_by_role("button", name="5-95 %", exact=True).click()
    altered.page.locator("[name=loss] .zero").wait_for()
    altered.wait_for(lambda: "▾ 0" not in marks.all_inner_texts())
    altered.page.get_by_role("button", name="5-95 %", exact=True).click()


# A curve that leaves the plot for one step, below a line whose words would lie at the same place.
LEAVES = """async () => {
    const {margin_of} = await import(`${location.origin}${location.pathname}/static/margins.js`)
    const steps = Array.from({length: 101}, (_, n) => n)
    const curve = {step: steps, x: steps, y: steps.map((n) => n == 20 ? -5 : 60)}
    const sources = {curve, "plot.levels": {y: [20], label: ["chance: 2.303"], colour: ["grey"]}}
    const {levels: [words], beyond: [far]} = margin_of({
        model: {
            name: "view:plot", x_range: {start: 0, end: 100},
            tags: [{lines: [{source: "curve", columns: ["y"], label: "train"}]}],
            below: [{major_label_text_font_size: {value: "10px"}}],
        },
        frame: {
            bbox: {left: 0, right: 300, top: 0, bottom: 100, width: 300},
            x_scale: {compute: (x) => 3 * x}, y_scale: {compute: (y) => 100 - y},
        },
        bbox: {width: 400},
    }, (name) => sources[name] && {data: sources[name]})
    return {words, far}
}"""


def test_words_along_a_line_do_not_lie_over_the_figure_of_a_value_off_the_axis(shared):
    drawn = shared.page.evaluate(LEAVES)
    words, far = drawn["words"], drawn["far"]["box"]
    assert drawn["far"]["text"] == "▾ −5.000"
    below = words["y"] >= far["bottom"] or words["y"] + 12 <= far["top"]
    assert below or words["x"] >= far["right"]


SPREAD = """async () => {
    const script = (name) => import(`${location.origin}${location.pathname}/static/${name}.js`)
    const [{spread_clear}, {Crossings}] = [await script("label_spacing"), await script("crossings")]
    const same = (value) => value
    const plot = {left: 0, right: 100, top: 0, bottom: 100, type: 10, x: same, y: same}
    const crossings = new Crossings(plot, [{x: [0, 100], y: [50, 52]}])
    const covered = (n, top, bottom) => crossings.count({top, bottom, left: 40, right: 80})
    return spread_clear([53, 50, 51], [12, 12, 12], 0, 100, covered)
}"""


def test_names_beside_a_long_curve_stand_above_or_below_it_in_their_order(shared):
    third, first, second = shared.page.evaluate(SPREAD)
    assert first + 12 <= second < second + 12 <= third
    assert all(abs(middle - 51) > 6 for middle in (first, second, third))
    assert all(abs(middle - 51) < 30 for middle in (first, second, third))


def test_names_that_cover_nothing_stand_where_their_lines_end(shared):
    placed = shared.page.evaluate(SPREAD.replace("y: [50, 52]", "y: [5, 5]"))
    middle = (53 + 50 + 51) / 3
    assert placed == pytest.approx([middle + 12, middle - 12, middle])
