"""The timeline: any step of a run is shown in every view, and another run goes on from there."""

import pytest
from playwright.sync_api import expect

from engine import ExperimentHandle, LookBack, SetKnob, Status, percent, replay
from tests.browser.test_accessibility import shuts_nobody_out

RATE = "optimization.learning_rate"
# At the edge of a filled button its ring, coloured as its words, would be as the page around it.
RING_WITHIN = """(button) => {
    const {outlineOffset, outlineWidth} = getComputedStyle(button)
    return parseFloat(outlineOffset) + parseFloat(outlineWidth) < 0
}"""
LONG = 400  # steps, at least, of a run that is looked back at


@pytest.fixture
def long(tab):
    """A page whose run has come some way, was changed on it, and has just gone on."""
    tab.train(LONG)
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: tab.snapshot.markers)
    tab.train(LONG)
    tab.play()
    return tab


def scrubber(tab):
    return tab.page.get_by_role("slider", name="Step that is shown")


def drag(tab, part):
    """Drag the thumb from the end to some part of the track."""
    box = scrubber(tab).bounding_box()
    y = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + box["width"] - 8, y)
    tab.page.mouse.down()
    for way in range(1, 6):
        tab.page.mouse.move(box["x"] + box["width"] * (1 - way * (1 - part) / 5), y)
    tab.page.mouse.up()


def step_shown(tab):
    """The step that the page shows, once it is there."""
    looking = tab.snapshot.looking_back
    words = tab.text("look")
    there = looking and looking.done == 1 and words.startswith("Looking") and "%" not in words
    return looking.step if there and tab.text("step") == f"{looking.step:,}" else None


def look_back(tab, part):
    drag(tab, part)
    tab.wait_for(lambda: step_shown(tab) is not None)
    asked = tab.page.evaluate(
        "(e) => Number(e.ariaValueText.split(' ')[1].replaceAll(',', ''))",
        scrubber(tab).element_handle(),
    )
    tab.wait_for(lambda: step_shown(tab) == asked)
    return asked


def running(tab):
    return tab.snapshot.status is Status.RUNNING


def test_a_drag_shows_that_step_in_every_view_and_the_end_goes_on(long):
    step = look_back(long, 0.3)
    first, journal = long.visit.handle.query(lambda e: (e.first_config, list(e.journal))).result()
    end = long.snapshot.end
    assert not running(long)
    alone = replay(first, [entry for entry in journal if entry[0] < step], step).snapshot()
    figures = alone.curves.last("validation_loss"), alone.curves.last("validation_accuracy")
    assert long.text("loss.validation") == f"{figures[0]:.3f}"
    assert long.text("accuracy.validation") == percent(figures[1], 1)
    assert long.text("epoch") == f"{alone.epoch:,.1f}"
    for view in ("loss", "accuracy", "updates"):
        assert long.source(f"{view}.cursor")["step"] == [step]
        assert long.source(f"{view}.frame")["step"][1] == end  # the curves stay those of all steps
    rate = long.page.get_by_role("slider", name="Learning rate")
    changed = long.snapshot.markers[-1].step
    wanted = first if step <= changed else long.snapshot.config
    assert long.snapshot.config.value(RATE) == wanted.value(RATE)
    assert rate.is_enabled()
    scrubber(long).press("End")
    long.wait_for(lambda: long.snapshot.looking_back is None and long.snapshot.step > end)
    long.wait_for(lambda: long.text("look") == "")
    assert long.snapshot.run == 1
    assert long.source("loss.cursor")["step"] == []


def test_keys_go_step_by_step_and_in_leaps_to_both_ends(long):
    step = look_back(long, 0.5)
    for key, wanted in {"ArrowLeft": step - 1, "ArrowRight": step, "ArrowUp": step + 1}.items():
        scrubber(long).press(key)
        long.wait_for(lambda wanted=wanted: step_shown(long) == wanted)
    scrubber(long).press("Shift+ArrowLeft")
    long.wait_for(lambda: (step_shown(long) or step) < step - 5)
    back = step_shown(long)
    scrubber(long).press("PageUp")
    long.wait_for(lambda: (step_shown(long) or back) > back + 5)
    scrubber(long).press("Home")
    long.wait_for(lambda: step_shown(long) == 0)
    expect(scrubber(long)).to_have_attribute("aria-valuetext", f"step 0 of {long.snapshot.end:,}")
    long.page.keyboard.press(",")  # there is none before
    long.page.get_by_role("button", name="Back to now").press("Enter")
    long.wait_for(lambda: long.snapshot.looking_back is None and running(long))


def test_of_all_that_a_drag_passes_the_next_step_is_asked_for_once_the_last_is_shown(
    long, monkeypatch
):
    asked, send = [], ExperimentHandle.send

    def record(handle, command):
        asked.extend([command.step] if isinstance(command, LookBack) else [])
        send(handle, command)

    monkeypatch.setattr(ExperimentHandle, "send", record)
    scrubber(long).evaluate(
        """(input) => {
            for (const part of [0.6, 0.5, 0.4, 0.3]) {  // before any answer can come
                input.value = part
                input.dispatchEvent(new Event("input", {bubbles: true, composed: true}))
            }
        }"""
    )
    long.wait_for(lambda: len(asked) > 1 and step_shown(long) == asked[-1])
    first, last = asked
    assert last < first


def tab_to(tab, control):
    """Go there by the tab key alone."""
    focused = "(e) => e == e.getRootNode().activeElement"

    def reached():
        tab.page.keyboard.press("Tab")
        return control.evaluate(focused)

    tab.wait_for(reached)


def test_by_keyboard_alone_a_look_a_fork_a_film_and_two_runs_shut_nobody_out(long):
    page, keyboard = long.page, long.page.keyboard
    long.press_space("Pause")
    long.wait_for(lambda: not running(long))
    tab_to(long, scrubber(long))
    keyboard.press("PageDown")
    long.wait_for(lambda: (step_shown(long) or 0) > 0)
    shuts_nobody_out(long)
    goes_on = page.get_by_role("button", name="Continue from here")
    tab_to(long, goes_on)
    keyboard.press("Enter")
    long.wait_for(lambda: long.snapshot.run == 2 and running(long))
    goes_on.wait_for(state="hidden")  # until then it takes the keys
    long.press_space("Pause")
    long.wait_for(lambda: not running(long))
    tab_to(long, page.get_by_role("button", name="1 other branch"))
    keyboard.press("Enter")
    page.get_by_role("menu", name="Branches").wait_for()
    shuts_nobody_out(long, within="#branches")
    keyboard.press("Escape")
    plays = page.get_by_role("button", name="Film of this run")
    tab_to(long, plays)
    keyboard.press("Enter")
    long.wait_for(lambda: long.snapshot.looking_back is not None)
    expect(plays).to_have_attribute("aria-pressed", "true")
    keyboard.press("Enter")
    expect(plays).to_have_attribute("aria-pressed", "false")
    tab_to(long, page.get_by_role("button", name="Back to now"))
    keyboard.press("Enter")
    long.wait_for(lambda: long.snapshot.looking_back is None)
    goes_on.wait_for(state="hidden")
    keyboard.press("v")
    long.wait_for(lambda: long.snapshot.other is not None)
    long.press_space("Play")
    long.wait_for(lambda: running(long))
    long.press_space("Pause")
    long.wait_for(lambda: not running(long))
    both = page.get_by_role("button", name="both", exact=True)
    tab_to(long, both)
    keyboard.press("Enter")
    long.wait_for(lambda: both.get_attribute("aria-pressed") == "true")
    assert both.evaluate(RING_WITHIN)
    shuts_nobody_out(long)
    keyboard.press("v")
    long.wait_for(lambda: long.snapshot.other is None)


def test_a_knob_turned_while_looking_back_goes_on_from_there_beside_the_future_that_was(long):
    step = look_back(long, 0.4)
    end = long.snapshot.end
    long.page.keyboard.press("]")
    long.wait_for(lambda: long.snapshot.run == 2 and running(long))
    assert long.snapshot.parent.step == step
    assert long.snapshot.previous.step == end
    long.wait_for(lambda: long.channel("run") == 2 and long.channel("step") > step)
    long.wait_for(lambda: long.text("branch") == f"Run 2 goes on from step {step:,} of run 1.")
    ghost = long.source("loss.ghosts")
    assert max(max(steps) for steps in ghost["steps"]) > step  # beyond where it was left
    assert long.source("loss.markers")["step"][-1] == step
    journal = long.visit.handle.query(lambda e: list(e.journal)).result()
    assert [x for x in journal if isinstance(x[1], SetKnob)][-1][0] == step


def test_while_an_early_step_is_looked_at_names_stand_there_and_another_runs_at_its_end(long):
    look_back(long, 0.4)
    end = long.snapshot.end
    long.page.keyboard.press("]")
    long.wait_for(lambda: long.snapshot.run == 2 and long.snapshot.step > 1.5 * end)
    look_back(long, 0.3)

    def left(name):
        names = long.page.locator("babysit-view[name=updates] .name", has_text=name)
        return names.bounding_box()["x"]

    long.wait_for(lambda: left("run 1") - left("W1") > 50)


def test_continue_from_here_runs_and_undo_leaves_the_last_change_out(long):
    changed = long.snapshot.markers[-1].step
    before = long.visit.handle.query(lambda e: e.first_config.value(RATE)).result()
    assert long.snapshot.config.value(RATE) != before
    long.page.keyboard.press("t")
    long.wait_for(lambda: long.snapshot.run == 2 and running(long))
    assert long.snapshot.parent.step == changed
    assert long.snapshot.config.value(RATE) == before
    long.press("Pause")
    long.wait_for(lambda: not running(long))
    long.page.keyboard.press("<")
    long.wait_for(lambda: step_shown(long) == long.snapshot.end - 10)
    long.press("Continue from here")
    long.wait_for(lambda: long.snapshot.run == 3 and running(long))


def test_branches_are_a_tree_and_a_press_takes_one_up_again(long):
    first = look_back(long, 0.4)
    end = long.snapshot.end
    long.page.keyboard.press("]")
    long.wait_for(lambda: long.snapshot.run == 2 and running(long))
    opens = long.page.get_by_role("button", name="1 other branch")
    opens.press("Enter")
    tree = long.page.get_by_role("menu", name="Branches")
    here = tree.get_by_role("menuitem", name="run 2")
    expect(here).to_contain_text("you are here", use_inner_text=True)
    expect(here).to_contain_text(f"left run 1 at step {first:,}", use_inner_text=True)
    expect(tree.locator("path")).to_have_count(2)
    left = tree.get_by_role("menuitem", name=f"run 1, {end:,} steps")
    long.wait_for(lambda: left.evaluate("(e) => e == e.getRootNode().activeElement"))
    long.page.keyboard.press("Enter")
    long.wait_for(lambda: long.snapshot.run == 1 and running(long))
    long.wait_for(lambda: long.channel("run") == 1 and long.channel("step") > end)
    assert long.snapshot.parent is None
    labels = long.source("loss.ghosts")["label"]
    assert "run 2" in labels
    expect(long.page.locator(".marks .left")).to_have_count(1)
    long.page.keyboard.press("Escape")
    long.page.keyboard.press("g")
    long.wait_for(lambda: long.snapshot.run == 2)
    assert long.snapshot.parent.step == first


@pytest.mark.parametrize("name", ["1 other branch", "Pace"])
def test_a_list_that_a_pointer_opened_leaves_space_to_play_when_it_is_closed(long, name):
    look_back(long, 0.4)
    long.page.keyboard.press("]")
    long.wait_for(lambda: long.snapshot.run == 2 and running(long))
    opens = long.page.locator("button[popovertarget]").filter(has_text=name)
    opens.click()
    expect(long.page.locator(":popover-open")).to_have_count(1)
    long.page.keyboard.press("Escape")
    expect(long.page.locator(":popover-open")).to_have_count(0)
    expect(opens).not_to_be_focused()
    long.page.keyboard.press(" ")
    long.wait_for(lambda: long.snapshot.status is Status.PAUSED)
    expect(long.page.locator(":popover-open")).to_have_count(0)


def test_which_run_a_change_is_for_is_chosen_and_space_still_plays(long):
    long.page.keyboard.press("v")
    long.wait_for(lambda: long.snapshot.other and running(long))
    turns = long.page.get_by_role("group", name="A change is made in")
    turns.get_by_role("button", name="both").click()
    expect(turns.get_by_role("button", name="both", pressed=True)).to_have_count(1)
    long.page.keyboard.press(" ")
    long.wait_for(lambda: long.snapshot.status is Status.PAUSED)


def test_a_list_that_a_key_opened_gives_the_focus_back_to_its_button(long):
    look_back(long, 0.4)
    long.page.keyboard.press("]")
    long.wait_for(lambda: long.snapshot.run == 2 and running(long))
    opens = long.page.get_by_role("button", name="1 other branch")
    opens.press("Enter")
    expect(long.page.locator(":popover-open")).to_have_count(1)
    long.page.keyboard.press("Escape")
    expect(opens).to_be_focused()


def test_who_presses_by_a_key_what_goes_then_is_at_the_scrubber(long):
    look_back(long, 0.4)
    long.page.get_by_role("button", name="Continue from here").press("Enter")
    expect(scrubber(long)).to_be_focused()
    long.press_space("Pause")
    long.wait_for(lambda: not running(long))


def test_two_runs_in_lockstep_are_drawn_together_and_the_line_between_them_when_they_wait(long):
    step = look_back(long, 0.5)
    rate = long.page.get_by_role("slider", name="Learning rate")
    long.press("Train a second run")
    long.wait_for(lambda: long.snapshot.other and running(long))
    assert long.snapshot.parent.step == long.snapshot.other.since == step
    before = long.snapshot.config.value(RATE)
    long.wait_for(lambda: "B (dashed)" in long.text("lockstep"))
    long.page.keyboard.press("]")
    long.wait_for(lambda: long.snapshot.other.config.value(RATE) > before)
    long.wait_for(lambda: rate.input_value() != "")
    long.press("Pause")
    long.wait_for(lambda: not running(long))
    turns = long.page.get_by_role("group", name="A change is made in")
    turns.get_by_role("button", name="both").press("Enter")
    expect(turns.get_by_role("button", name="both")).to_have_attribute("aria-pressed", "true")
    expect(turns.get_by_role("button", name="B", exact=True)).to_have_attribute(
        "aria-pressed", "false"
    )
    long.page.keyboard.press("[")
    long.wait_for(lambda: long.snapshot.config.value(RATE) < before)
    assert long.snapshot.other.config == long.snapshot.config
    assert max(long.source("loss.b.train")["step"]) > step
    assert "train" in long.text("loss.other")
    long.page.get_by_role("tab", name="A | B").click()
    long.wait_for(lambda: long.snapshot.other.line is not None)
    long.wait_for(lambda: len(long.source("between")["place"]) == 25)
    expect(long.page.get_by_role("img", name="Loss on the straight line from A's")).to_be_visible()
    b = long.snapshot.other.run
    long.press("End A | B")
    long.wait_for(lambda: long.snapshot.other is None)
    assert b in [branch.run for branch in long.snapshot.branches]
    long.wait_for(lambda: long.text("lockstep") == "")
