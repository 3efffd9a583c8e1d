"""The lessons in a real browser: each is played to its verdict.

So is one variation of each kind, which finds what fails on the page for a kind of exhibit, or when
the runs of a plot change. What fails for a single variation is found by `-m slow`, which plays all
of them, and without a browser by tests/app/test_lessons_panel.py. The page has one plot of the run
meanwhile: drawing the others takes longest, and they are looked at in lessons played in full.
"""

import re
from collections import Counter
from itertools import batched

import pytest
from playwright.sync_api import expect

from app.panels import lessons
from app.panels.lesson_figures import words
from engine import FAILS, HOLDS, LESSONS, Lesson, Status, Variation, open_lesson
from engine.lessons import combining, play_live
from tests.app.test_lessons_panel import FEW
from tests.browser.tab import ONE_PLOT, PACE, whole
from tests.short_lessons import open_short

STEPS_SHOWN = """() => {
    const {start, end} = window.babysit.model("view:loss").x_range
    return [start, end]
}"""


@pytest.fixture
def fast(monkeypatch):
    """Lessons at full speed."""
    monkeypatch.setattr(play_live, "WATCHED", 0.1)
    monkeypatch.setattr(play_live, "AT_LEAST", 0.01)


def choose(tab, lesson: str) -> None:
    title = open_lesson(lesson).title
    tab.page.get_by_text("All lessons").click()
    tab.page.get_by_role("listitem").get_by_role("button", name=title).click()
    tab.page.get_by_role("heading", name=title, level=3).wait_for()
    tab.page.locator(".holds, .fails").wait_for(state="detached")


def predict(tab, answer: str) -> None:
    tab.page.get_by_role("button", name=answer, exact=True).click()


def press_to_the_verdict(tab, button: str) -> None:
    """Press a button of the lesson, say what was seen, and wait for a new verdict."""
    tab.page.locator(".holds, .fails").evaluate_all("all => all.map(x => x.dataset.before = true)")
    tab.page.get_by_role("button", name=button, exact=True).click()
    tab.page.get_by_text("Say what you saw").wait_for()
    expect(tab.page.locator(":is(.holds, .fails):not([data-before])")).to_have_count(0)
    seen = tab.snapshot.background.lesson.seen
    tab.page.get_by_role("button", name=seen.answer, exact=True).click()
    tab.page.get_by_text(f"You saw it: {seen.answer}.").wait_for()
    verdict = tab.page.locator(":is(.holds, .fails):not([data-before])")
    verdict.wait_for()
    told = tab.snapshot.background.lesson.verdict
    expect(verdict).to_have_attribute("class", ("holds" if told.holds else "fails"))
    expect(verdict).to_contain_text(told.sentence, use_inner_text=True)
    figures = [[figure.label, figure.text] for figure in told.figures]
    rows = tab.page.locator("tbody tr")
    tab.wait_for(lambda: [row.split("\t")[:2] for row in rows.all_inner_texts()] == figures)


def expect_prediction_told(tab) -> None:
    tab.page.get_by_text("You predicted it:").or_(tab.page.get_by_text("You expected:")).wait_for()


def kind(lesson: Lesson, by: Variation) -> tuple[str, ...]:
    """What a variation has in common with others, as far as the page is concerned."""
    if by.exhibit is not None:
        return (type(by.exhibit).__name__,)
    return lesson.view, *(type(command).__name__ for command in by.commands)


def one_of_each_kind() -> dict[str, list[Variation]]:
    """The first variation of each kind, by the lesson's name."""
    chosen: dict[str, list[Variation]] = {name: [] for name in LESSONS}
    kinds = set()
    for lesson in map(open_lesson, LESSONS):
        for by in lesson.variations:
            if kind(lesson, by) not in kinds:
                kinds.add(kind(lesson, by))
                chosen[lesson.name].append(by)
    return chosen


def expect_exhibits(tab) -> None:
    """Wait until the exhibits of what is played are drawn, and nothing else beside them.

    A variation may make two of them alike.
    """
    exhibits = tab.snapshot.background.lesson.exhibits.values()
    for told, count in Counter(map(words, exhibits)).items():
        tab.wait_for(lambda told=told, n=count: tab.page.get_by_text(told).count() == n)
    for name, count in Counter(exhibit.name for exhibit in exhibits).items():
        drawn = tab.page.get_by_role("img", name=re.compile(f"^{re.escape(name)}: "))
        tab.wait_for(lambda drawn=drawn, n=count: drawn.count() == n)


def offered(tab) -> list[str]:
    """The predictions that can be made of variations."""
    buttons = tab.page.locator("[data-press=vary]")
    return buttons.evaluate_all("all => all.map((button) => button.ariaLabel)")


def walk(tab, names: tuple[str, ...], varied: dict[str, list[Variation]]) -> None:
    """Play these lessons with these variations, one after another by key, as a student does."""
    if names[0] == next(iter(LESSONS)):
        tab.page.keyboard.press("n")  # from the knobs: to the lessons
    else:
        tab.page.get_by_role("tab", name="Lessons").click()
        choose(tab, names[0])
    for name in names:
        lesson = open_lesson(name)
        tab.page.get_by_role("heading", name=lesson.title, level=3, exact=True).wait_for()
        tab.page.locator(".holds, .fails").wait_for(state="detached")
        press_to_the_verdict(tab, lesson.question.options[0])
        expect_prediction_told(tab)
        expect_exhibits(tab)
        expected = [f"{by.label}: {x}" for by in lesson.variations for x in (HOLDS, FAILS)]
        tab.wait_for(lambda expected=expected: offered(tab) == expected)
        for by in varied[name]:
            press_to_the_verdict(tab, f"{by.label}: {HOLDS}")
            expect_prediction_told(tab)
            expect_exhibits(tab)
            expect(tab.page.locator(".holds, .fails")).to_contain_text(
                f"here with “{by.label}”.", use_inner_text=True
            )
        tab.page.keyboard.press("n")
    expect(tab.page.get_by_text("Something failed on this page")).to_have_count(0)


PARTS = list(batched(LESSONS, -(-len(LESSONS) // 2)))  # for two processes


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_every_lesson_ends_in_a_verdict_and_the_next_is_a_key_away(
    open_tab, fast, monkeypatch, part
):
    monkeypatch.setattr(lessons, "open_lesson", open_short)
    monkeypatch.setattr(combining, "PRETRAINING", FEW)
    tab = open_tab(ONE_PLOT)
    whole(tab)
    walk(tab, PARTS[part], one_of_each_kind())


@pytest.mark.slow
@pytest.mark.parametrize("part", range(len(PARTS)))
def test_every_variation_ends_in_a_verdict_of_its_own(tab, fast, monkeypatch, part):
    monkeypatch.setattr(lessons, "open_lesson", open_short)
    walk(tab, PARTS[part], {name: list(open_lesson(name).variations) for name in LESSONS})


def test_a_lesson_is_played_in_full_and_a_variation_is_one_click(tab, fast):
    tab.page.get_by_role("tab", name="Lessons").click()
    choose(tab, "a good rate")
    question = open_lesson("a good rate").question
    press_to_the_verdict(tab, question.options[question.right])
    expect(tab.page.locator(".holds")).to_be_visible()
    expect(tab.page.get_by_text("You predicted it:")).to_be_visible()
    choose(tab, "first loss")
    press_to_the_verdict(tab, "0.1000")
    expect(tab.page.get_by_text("You expected: 0.1000. It is: 2.3026.")).to_be_visible()
    by = open_lesson("first loss").variations[0]
    press_to_the_verdict(tab, f"{by.label}: {FAILS}")
    verdict = tab.page.locator(".fails").inner_text()
    assert "does not hold here" in verdict and f"with “{by.label}”" in verdict


def test_all_that_was_to_be_seen_can_be_chosen_without_scrolling(open_tab, fast, monkeypatch):
    monkeypatch.setattr(lessons, "open_lesson", open_short)
    tab = open_tab(ONE_PLOT)
    whole(tab)
    tab.page.set_viewport_size({"width": 1280, "height": 480})
    tab.page.get_by_role("tab", name="Lessons").click()
    choose(tab, "dead ReLUs")
    tab.page.keyboard.press("1")
    options = tab.page.locator("[data-press=saw]:visible")
    expect(options).to_have_count(5)
    expect(options.last).to_be_in_viewport(ratio=1)
    tab.page.keyboard.press("1")
    expect(tab.page.locator(".holds, .fails")).to_be_in_viewport(ratio=1)


def test_a_lesson_has_the_page_to_itself_and_gives_the_own_run_back(tab, fast, monkeypatch):
    play = tab.page.locator(".play")
    steps = tab.page.locator('[data-text="step"]')
    step, own = int(tab.text("step").replace(",", "")), tab.snapshot.run
    tab.page.get_by_role("tab", name="Lessons").click()
    choose(tab, "dead ReLUs")
    board = tab.page.get_by_role("heading", name="Can a dead ReLU come back?", level=2)
    board.wait_for()
    expect(tab.page.locator("babysit-view[name=loss]")).to_be_hidden()
    tab.page.get_by_role("textbox", name="Because").fill("because their gradient is 0")
    predict(tab, "they stay dead")
    tab.page.get_by_text("Say what you saw").wait_for()
    expect(tab.page.locator("babysit-view[name=health].pointed-at")).to_be_visible()
    labels = tab.source("loss.ghosts")["label"] + tab.source("loss.ends")["label"]
    assert {"ReLU", "leaky ReLU"} <= set(labels)  # each run by its name, none of before
    assert "before" not in labels
    tab.page.get_by_role("tab", name="Knobs").click()
    tab.wait_for(lambda: tab.snapshot.run == own)
    tab.wait_for(lambda: tab.text("step") == f"{step:,}")
    tab.page.get_by_role("tab", name="Lessons").click()
    tab.page.get_by_text("Say what you saw").wait_for()

    # While a lesson shows no run, nothing can be steered.
    choose(tab, "sigmoid saturates")
    predict(tab, open_lesson("sigmoid saturates").question.answer)
    tab.page.get_by_text("Say what you saw").wait_for()
    expect(play).to_be_disabled()
    expect(play).to_have_attribute("title", re.compile("no run here"))
    expect(tab.page.get_by_role("button", name="Restart")).to_be_disabled()
    expect(steps).to_be_hidden()
    tab.page.keyboard.press(" ")
    tab.page.get_by_text("There is no run here to steer").wait_for()
    assert tab.snapshot.step == 0

    # Another run ends a lesson that is still played.
    monkeypatch.undo()
    choose(tab, "a good rate")
    predict(tab, open_lesson("a good rate").question.options[0])
    tab.page.get_by_text("watch the plots").wait_for()
    expect(play).to_be_enabled()
    expect(play).to_have_attribute("title", "")
    expect(steps).to_be_visible()
    tab.press("Restart")
    tab.page.get_by_text("the lesson ends here").first.wait_for()


def test_lessons_are_gone_through_by_key_by_address_and_by_the_browsers_way_back(open_tab, fast):
    tab = open_tab(f"{ONE_PLOT}&pace={PACE}&lesson=no-such")
    tab.page.get_by_role("alert").get_by_text("There is no lesson “no-such”").wait_for()
    tab.page.get_by_role("tab", name="Knobs").click()
    whole(tab)
    first, second = [open_lesson(name) for name in LESSONS][:2]
    heading = tab.page.locator("h3:not(.title)")
    tab.page.keyboard.press("n")  # from the knobs: to the lessons
    expect(heading).to_be_visible()
    tab.wait_for(lambda: heading.inner_text() == first.title)
    tab.page.keyboard.press("n")
    tab.wait_for(lambda: heading.inner_text() == second.title)
    tab.page.wait_for_url(f"**lesson={second.slug}")
    expect(tab.page.get_by_text(second.claim)).to_have_count(0)  # it would be the answer
    tab.page.keyboard.press("1")
    tab.page.get_by_text("Say what you saw").wait_for()
    seen = tab.snapshot.background.lesson.seen
    tab.page.keyboard.press(str(seen.options.index(seen.answer) + 1))
    tab.page.get_by_text(f"You saw it: {seen.answer}.").wait_for()
    expect(tab.page.get_by_text(second.claim)).to_be_visible()
    choose(tab, first.name)
    tab.page.wait_for_url(f"**lesson={first.slug}")
    tab.page.go_back()
    tab.wait_for(lambda: heading.inner_text() == second.title)
    tab.page.reload()
    tab.wait_for(lambda: heading.inner_text() == second.title)
    tab.page.get_by_text("All lessons · 1 done").click()
    done = tab.page.get_by_role("listitem").filter(has=tab.page.get_by_role("img", name="done"))
    expect(done).to_contain_text(second.title, use_inner_text=True)


def test_the_lesson_of_an_address_is_open_before_anything_of_its_panel_is_built(
    open_tab, monkeypatch
):
    monkeypatch.setattr(lessons.Lessons, "pieces", lambda panel: iter(()))
    last = open_lesson(list(LESSONS)[-1])
    tab = open_tab(f"{ONE_PLOT}&lesson={last.slug}")
    tab.wait_for(lambda: tab.visit.lesson == last.slug)


def test_the_way_back_leads_out_of_the_lessons_to_the_own_run_and_forward_into_them(open_tab):
    tab = open_tab(ONE_PLOT)
    first, second = [open_lesson(name) for name in LESSONS][:2]
    knobs, lessons = (tab.page.get_by_role("tab", name=name) for name in ("Knobs", "Lessons"))
    heading = tab.page.locator("h3:not(.title)")
    lessons.click()
    expect(heading).to_have_text(first.title)
    tab.page.keyboard.press("n")
    tab.page.wait_for_url(f"**lesson={second.slug}")
    tab.page.go_back()
    expect(heading).to_have_text(first.title)
    tab.page.go_back()
    expect(knobs).to_have_attribute("aria-selected", "true")
    expect(tab.page.locator("babysit-view[name=loss]")).to_be_visible()
    tab.page.go_forward()
    expect(lessons).to_have_attribute("aria-selected", "true")
    expect(heading).to_have_text(first.title)


def test_the_address_names_a_lesson_while_it_is_open_and_none_beside_the_own_run(open_tab):
    tab = open_tab(f"{ONE_PLOT}&lesson=dead-relus")
    knobs, lessons = (tab.page.get_by_role("tab", name=name) for name in ("Knobs", "Lessons"))
    heading = tab.page.locator("h3:not(.title)")
    title = open_lesson("dead ReLUs").title
    expect(heading).to_have_text(title)
    predict(tab, "they stay dead")
    tab.page.get_by_text("watch the plots").wait_for()
    knobs.click()
    expect(tab.page).not_to_have_url(re.compile("lesson="))
    lessons.click()
    expect(tab.page).to_have_url(re.compile("lesson=dead-relus"))
    knobs.click()
    expect(tab.page).not_to_have_url(re.compile("lesson="))
    tab.page.go_back()
    expect(lessons).to_have_attribute("aria-selected", "true")
    expect(heading).to_have_text(title)
    expect(tab.page.get_by_text("You expect: they stay dead")).to_be_visible()  # as it was left
    tab.page.go_forward()
    expect(knobs).to_have_attribute("aria-selected", "true")
    tab.page.reload()
    expect(knobs).to_have_attribute("aria-selected", "true")


def test_what_was_looked_at_of_the_own_run_is_looked_at_again_after_a_lesson(open_tab, fast):
    tab = open_tab(ONE_PLOT)
    tab.wait_for(lambda: tab.snapshot.step > 200)
    tab.press("Pause")
    tab.wait_for(lambda: tab.snapshot.status is Status.PAUSED)
    tab.wait_for(lambda: tab.channel("step") == tab.snapshot.step)
    tab.page.keyboard.press("z")
    menu = tab.page.get_by_role("combobox", name="Steps shown").first
    expect(menu).to_have_value("part")
    looked_at = tab.page.evaluate(STEPS_SHOWN)
    tab.page.get_by_role("tab", name="Lessons").click()
    choose(tab, "small batches")
    predict(tab, open_lesson("small batches").question.options[0])
    tab.page.get_by_text("Say what you saw").wait_for()
    expect(menu).to_have_value("all")
    for key in ("z", "{"):  # where the line goes on behind what is seen, its name stands, too
        tab.page.keyboard.press(key)
    expect(menu).to_have_value("part")
    last = tab.snapshot.step
    tab.wait_for(lambda: tab.page.evaluate(STEPS_SHOWN)[1] < last)
    name = tab.page.locator("babysit-view[name=loss] .name").get_by_text("batches of 10")
    expect(name).to_be_visible()
    tab.page.get_by_role("tab", name="Knobs").click()
    expect(menu).to_have_value("part")
    tab.wait_for(lambda: tab.page.evaluate(STEPS_SHOWN) == looked_at)


def test_a_lesson_that_is_done_in_another_window_is_ticked_here_too(open_tab, address):
    tab = open_tab(ONE_PLOT)
    tab.page.get_by_role("tab", name="Lessons").click()
    tab.page.get_by_text("All lessons").wait_for()
    other = tab.window.new_page()
    other.goto(f"{address}/static/main.css")
    done = f'["{open_lesson(next(iter(LESSONS))).slug}"]'
    expect(tab.page.locator("[data-press=predict]").first).to_be_visible()
    other.evaluate("slugs => localStorage.setItem('babysit lessons', slugs)", done)
    expect(tab.page.get_by_text("All lessons · 1 done")).to_be_visible()
