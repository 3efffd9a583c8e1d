"""Looking along the run: one choice for all plots over it, which no frame takes back."""

import pytest

from app.page.keyboard import LOOKING
from app.plots.run_axis import CHOICES

LONG = 1000  # steps after which a change moves the axis


VIEWS = ("loss", "accuracy", "updates")
SHOWN = """() => ["loss", "accuracy", "updates"].map((view) => {
    const {x_range, y_range} = window.babysit.model(`view:${view}`)
    return [x_range.start, x_range.end, y_range.start, y_range.end]
})"""
# How high the headlines of these plots are while this is chosen in them.
HEADLINES = """(name) => ["loss", "accuracy", "updates"].map((view) => {
    const inner = (root) => [...root.querySelectorAll("*")].flatMap((e) => e.shadowRoot ?? [])
    const name_of_view = `babysit-view[name=${view}]`
    const find = (root) => root.querySelector(name_of_view) ?? inner(root).map(find).find((e) => e)
    const place = find(document)
    const headline = (place.shadowRoot ?? place).querySelector(".headline")
    const select = headline.querySelector("select")
    const before = select.value
    select.value = name
    const {height} = headline.getBoundingClientRect()
    select.value = before
    return height
})"""
DRAWN_AT = """() => {
    const {x, step} = window.babysit.model("loss").data
    return [Array.from(step), Array.from(x)]
}"""


def ranges(tab):
    """The ends of both axes of each plot."""
    return tab.page.evaluate(SHOWN)


def linked(tab):
    """From which place to which all plots go."""
    (places,) = {tuple(ends[:2]) for ends in ranges(tab)}
    return tuple(round(place, 6) for place in places)


def menus(tab):
    return tab.page.get_by_role("combobox", name="Steps shown")


def chosen(tab):
    return {menu.input_value() for menu in menus(tab).all()}


@pytest.fixture
def long(tab):
    """A page with a long run, paused."""
    tab.train(LONG)
    tab.wait_for(lambda: linked(tab) == (0, tab.snapshot.step))
    return tab


def running(tab):
    return tab.snapshot.status.value == "running"


def change(tab):
    """Change the learning rate, make the step that shows the change, and return that step."""
    before = len(tab.snapshot.markers)
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: len(tab.snapshot.markers) > before)
    tab.page.keyboard.press(".")
    tab.wait_for(lambda: len(tab.source("loss.markers")["step"]) > before)
    return tab.snapshot.markers[-1].step


def drag(tab, view, start, end, shift=False):
    """From one point between the axes of a plot to another, both as shares of it."""
    box = tab.page.evaluate(
        """view => {
            const figure = window.Bokeh.index.find_one(window.babysit.model(`view:${view}`))
            const at = figure.el.getBoundingClientRect()
            const {left, top, width, height} = figure.frame.bbox
            return [at.left + left, at.top + top, width, height]
        }""",
        view,
    )
    mouse = tab.page.mouse
    (x1, y1), (x2, y2) = ((box[0] + x * box[2], box[1] + y * box[3]) for x, y in (start, end))
    if shift:
        tab.page.keyboard.down("Shift")
    mouse.move(x1, y1)
    mouse.down()
    mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
    mouse.move(x2, y2)
    mouse.up()
    if shift:
        tab.page.keyboard.up("Shift")


def test_a_change_late_in_a_run_is_brought_into_view_and_one_choice_goes_back(long):
    step = change(long)
    long.wait_for(lambda: linked(long) == (step - 24, step + 1))
    assert chosen(long) == {"change"}
    long.press_space("Play")
    long.wait_for(lambda: linked(long)[1] > step + 100)
    first, last = linked(long)
    assert first == pytest.approx(step - 0.25 * (last - step), abs=2)  # and some steps before it
    menus(long).nth(1).select_option("all")
    long.wait_for(lambda: linked(long)[0] == 0)
    assert chosen(long) == {"all"}
    long.press("Pause")
    long.wait_for(lambda: not running(long))
    change(long)  # after going back, the axis stays
    assert linked(long)[0] == 0


@pytest.mark.parametrize("width", [1024, 1280, 1366, 1440])
def test_no_choice_of_steps_moves_a_plot(long, width):
    long.page.set_viewport_size({"width": width, "height": 900})
    long.wait_for(lambda: long.page.evaluate("innerWidth") == width)
    names = [option.get_attribute("value") for option in menus(long).first.locator("option").all()]
    heights = {tuple(long.page.evaluate(HEADLINES, name)) for name in names}
    assert len(names) == 5 and len(heights) == 1


def test_only_a_new_run_resets_the_chosen_range(long):
    menus(long).first.select_option("last")
    step = long.snapshot.step
    long.wait_for(lambda: linked(long) == (step - 500, step))
    long.press("Play")
    long.wait_for(lambda: linked(long)[1] > step + 100)
    first, last = linked(long)
    assert last - first == 500
    long.page.keyboard.press("r")
    long.wait_for(lambda: long.channel("run") == 2)
    long.wait_for(lambda: linked(long)[0] == 0)
    assert chosen(long) == {"all"}


def test_a_change_early_in_a_run_moves_no_axis(tab):
    tab.page.keyboard.press("r")
    tab.wait_for(lambda: tab.channel("run") == 2 and tab.channel("step") == 0)
    change(tab)
    assert linked(tab)[0] == 0
    assert chosen(tab) == {"all"}


def test_a_box_magnifies_all_plots_and_no_frame_takes_that_back(long):
    page, end = long.page, linked(long)[1]
    loss, accuracy, _ = ranges(long)
    drag(long, "loss", (0.25, 0.5), (0.5, 0.52))  # flat: the heights follow what is seen
    assert linked(long) == pytest.approx((0.25 * end, 0.5 * end), rel=0.02)
    assert ranges(long)[1][2] > accuracy[2]
    assert chosen(long) == {"part"}
    drag(long, "loss", (0.2, 0.2), (0.8, 0.6))
    part, (low, high) = linked(long), ranges(long)[0][2:]
    assert low < high < loss[3]
    drag(long, "updates", (0.5, 0.5), (0.7, 0.5), shift=True)  # earlier steps come from the left
    moved = linked(long)
    assert moved[0] < part[0]
    assert moved[1] - moved[0] == pytest.approx(part[1] - part[0])
    before = long.channel("frames")
    long.press_space("Play")
    long.wait_for(lambda: long.channel("frames") > before + 3)
    assert linked(long) == moved
    assert ranges(long)[0][2:] == [low, high]
    page.locator("babysit-view[name=accuracy] .figures").dblclick()
    long.wait_for(lambda: linked(long)[0] == 0)
    assert chosen(long) == {"all"}


def test_all_that_a_hand_does_keys_do_alone(long):
    keyboard, end = long.page.keyboard, linked(long)[1]
    pressed = []

    def press(key):
        pressed.append(key)
        keyboard.press(key)
        return linked(long)

    assert press("z") == pytest.approx((end / 2, end))
    assert press("{") == pytest.approx((3 / 8 * end, 7 / 8 * end))
    assert press("}") == pytest.approx((end / 2, end))
    assert press("x") == (0, end)
    press("z")
    assert press("0") == (0, end)
    assert press("u")[1] == pytest.approx(long.snapshot.epoch, rel=1e-3)
    press("u")
    for choice in [*CHOICES][1:]:
        press("s")
        assert chosen(long) == {choice}
    assert set(pressed) == set(LOOKING)


def test_log_steps_and_epochs_say_where_each_step_lies(long):
    menus(long).first.select_option("powers")
    steps, places = long.page.evaluate(DRAWN_AT)
    low = places[0]
    decade = places[steps.index(99)] - places[steps.index(9)]
    assert low == 0
    assert decade == pytest.approx(1)  # from 1 + 9 to 1 + 99
    units = long.page.get_by_role("button", name="step", exact=True)
    units.first.click()
    long.page.get_by_role("button", name="epoch", exact=True).first.wait_for()
    assert long.page.evaluate(DRAWN_AT)[1] == pytest.approx(
        places
    )  # a step is as far from the next
    menus(long).first.select_option("all")
    batch, examples = 32, long.snapshot.data.training
    steps, places = long.page.evaluate(DRAWN_AT)
    assert places == pytest.approx([step * batch / examples for step in steps])
    long.page.keyboard.press("u")


def test_where_one_points_all_plots_tell_their_values(long):
    long.page.locator("babysit-view[name=accuracy] .figures").hover()
    told = [long.page.locator(f"babysit-view[name={view}] .readout") for view in VIEWS]
    loss, accuracy, updates = [place.inner_text().splitlines() for place in told]
    assert loss[0] == accuracy[0] == updates[0]
    step = int(loss[0].removeprefix("step ").partition(" ")[0].replace(",", ""))
    row = long.snapshot.curves["step"].tolist().index(step)
    shown = float(loss[1].removeprefix("train "))
    assert shown == pytest.approx(long.snapshot.curves["loss_average"][row], abs=1e-3)
    assert accuracy[2].startswith("validation ") and updates[1].startswith("W1 ")
    long.page.mouse.move(1, 1)
    assert all(place.is_hidden() for place in told)
