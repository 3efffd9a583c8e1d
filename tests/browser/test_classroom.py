"""A class in real browsers: one teacher and three students, one of them on a phone."""

import pytest
from playwright.sync_api import ViewportSize, expect

from app.classroom.messages import MOST_SAVED
from app.panels.classroom.live_room import LiveRoom
from app.server import class_rooms
from app.server.class_rooms import LIVE
from app.server.session import CONDUCTOR, VISITS
from app.server.shown_run import ShownRun
from app.server.teacher_password import TEACHER_PASSWORD
from engine import Status
from tests.browser.conftest import KEPT_TAB
from tests.browser.explanations import ELEMENTS
from tests.browser.tab import ONE_PLOT, Tab, close, wait_for
from tests.browser.test_accessibility import shuts_nobody_out
from tests.waiting import wait_until

PHONE = ViewportSize(width=390, height=844)
SMALL = ViewportSize(width=600, height=400)  # few plots to draw: four pages share the machine
CLASS = ".babysit-class"  # the rest of the page is the same without a class
NAMES = {"Anna": (f"&{ONE_PLOT}", None), "Zoë": ("", PHONE), "Ben": (f"&{ONE_PLOT}", SMALL)}


@pytest.fixture
def tabs(chromium, served, monkeypatch):
    """Opens tabs at addresses; closes them and their room afterwards."""
    KEPT_TAB.clear()
    monkeypatch.setattr(CONDUCTOR, "period", 2.0)  # four pages draw each frame
    opened: list[Tab] = []

    def open_one(query: str = "", screen: ViewportSize | None = None) -> Tab:
        opened.append(Tab(chromium, f"{served.address}?pace=auto{query}", screen))
        return opened[-1]

    yield open_one
    for live in list(LIVE.values()):  # after a failure
        served.call(class_rooms.close, live)
    wait_until(lambda: not LIVE)
    close(opened)


def press(tab: Tab, words: str) -> None:
    tab.page.get_by_role("button", name=words, exact=True).click()


def strip(tab: Tab) -> str:
    return tab.page.locator(".babysit-class .strip").inner_text()


def load_again(tab: Tab) -> None:
    """Load the page anew; the visit is another one from then on."""
    before = set(VISITS)
    tab.page.reload()
    tab.wait_for_the_first_frame()
    (tab.session,) = set(VISITS) - before


def draw(tab: Tab) -> None:
    """Draw a falling curve with the mouse."""
    box = tab.page.locator("svg.draws").bounding_box()
    assert box
    x, y = box["x"] + 0.15 * box["width"], box["y"] + 0.3 * box["height"]
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    for part in range(1, 11):
        tab.page.mouse.move(x + 0.08 * part * box["width"], y + 0.05 * part * box["height"])
    tab.page.mouse.up()


def join(tab: Tab, name: str) -> None:
    tab.page.get_by_label("Nickname").fill(name)
    tab.page.keyboard.press("Enter")


def open_room(teacher: Tab) -> LiveRoom:
    """Open a room, whose key is in the address where no log has it."""
    press(teacher, "Open a room")
    teacher.page.locator("dialog.code .qr svg").wait_for()
    (live,) = LIVE.values()
    expect(teacher.page.locator("dialog.code .letters")).to_have_text(
        live.room.code, use_inner_text=True
    )
    assert live.run is teacher.visit.run
    shuts_nobody_out(teacher, within="dialog[open]")
    teacher.page.keyboard.press("Escape")
    logged, _, secret = teacher.page.url.partition("#")
    assert f"room={live.room.code}" in logged and secret == f"teach={live.room.teacher_key}"
    assert "teach" not in logged
    return live


def let_in(teacher: Tab, students: list[Tab], run: ShownRun) -> None:
    """All join by code and nickname; the last one waits until the teacher lets it in."""
    *others, last = students
    for student, name in zip(others, NAMES, strict=False):
        join(student, name)
    press(teacher, "Students")
    teacher.page.get_by_label("Let in at once").uncheck()
    join(last, "Ben")
    last.page.get_by_text("Wait until your teacher lets you in.").wait_for()
    assert last.visit.watched is None
    press(teacher, "Let in")
    for student in students:
        student.page.get_by_text("You follow your teacher's run.").wait_for()
        wait_for(student.page, lambda student=student: student.visit.watched is run)
        student.page.wait_for_function("window.babysit.run > 1000000")
        student.wait_for_frames(1)


def test_a_lesson_from_the_first_code_to_the_results(tabs, address):
    teacher = tabs(f"&{ONE_PLOT}#teach={TEACHER_PASSWORD.text}")
    live = open_room(teacher)
    code = live.room.code
    students = [tabs(f"{query}&room={code}", screen) for query, screen in NAMES.values()]
    anna, phone, ben = students
    let_in(teacher, students, live.run)

    # They see each knob that the teacher turns, and cannot turn it.
    teacher.slide("Learning rate", "ArrowRight")
    rate = anna.page.get_by_role("slider", name="Learning rate")
    anna.wait_for(lambda: rate.get_attribute("aria-valuetext") == "0.012")
    anna.slide("Learning rate", "ArrowRight")
    anna.page.get_by_text("You follow the class.").first.wait_for()
    expect(rate).to_have_attribute("aria-valuetext", "0.012")
    anna.page.get_by_role("tab", name="Search").click()
    anna.page.get_by_text("This panel acts on a run of your own").wait_for()
    anna.page.get_by_role("tab", name="Knobs").click()

    # Predict before, hidden, then what was seen.
    press(teacher, "Ask first")
    press(teacher, "Ask")
    for student in (anna, phone):
        press(student, "rise or diverge")
    ben.page.get_by_role("button", name="rise or diverge").focus()  # by keys alone
    ben.page.keyboard.press("Enter")
    teacher.page.get_by_text("3 of 3 have answered.").wait_for()
    wait_until(lambda: live.run.handle.latest.status is Status.PAUSED)
    expect(phone.page.locator(".tallies")).to_have_count(0)
    shuts_nobody_out(phone, within=CLASS)
    load_again(ben)  # and is back in place, with the answer
    ben.page.get_by_text("Your answer is in").wait_for()
    press(teacher, "Close and run")
    phone.page.locator(".tallies").wait_for()
    press(teacher, "What did you see?")
    press(anna, "fall faster")
    press(teacher, "Close")
    anna.page.locator(".bar.seen").first.wait_for()
    shuts_nobody_out(anna, within=CLASS)
    press(teacher, "Done")

    # Draw the loss to come, by mouse and by keys.
    teacher.page.get_by_label("Let them draw").check()
    press(teacher, "Ask")
    phone.page.locator("svg.draws").wait_for()
    draw(phone)
    anna.page.locator("svg.draws").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowRight"):
        anna.page.keyboard.press(key)
    teacher.page.get_by_text("2 of 3 have answered.").wait_for()
    press(teacher, "Close and run")
    # A run that has converged draws a flat line, which Playwright takes for hidden.
    teacher.page.locator("polyline.truth").wait_for(state="attached")
    expect(teacher.page.locator("polyline.drawn")).to_have_count(2)
    press(teacher, "Done")

    # Who wants takes the wheel, steers at once, and comes back.
    step = live.run.handle.latest.step
    press(ben, "Take the wheel")
    ben.page.get_by_text("This is your own run.").wait_for()
    ben.wait_for(lambda: ben.snapshot.step >= step and ben.snapshot.status is Status.PAUSED)
    step = ben.snapshot.step
    ben.page.keyboard.press(".")
    ben.wait_for(lambda: ben.snapshot.step == step + 1)
    press(ben, "Back to the class")
    ben.page.get_by_text("You follow your teacher's run.").wait_for()

    # Everybody in a lesson, which opens on a phone, too.
    press(teacher, "Steer")
    title = "What if all weights start with the same value?"
    lessons = teacher.page.get_by_label("Lesson", exact=True)
    slug = lessons.locator("option", has_text=title).get_attribute("value")
    lessons.select_option(slug)
    press(teacher, "Bring everybody to this lesson")
    for student in (ben, phone):
        student.page.get_by_role("heading", name=title, level=2).wait_for()

    # Everybody on a run of their own; the wall shows them; help comes by a suggestion.
    press(teacher, "To the state of my run")
    wait_for(phone.page, lambda: phone.visit.parts.layout.panel == "Knobs")
    for student in students:
        student.page.get_by_text("Work on your own.").wait_for()
        student.page.wait_for_function("window.babysit.run < 1000000")
    press(anna, "Ask for help")
    press(teacher, "Wall")
    tile = teacher.page.locator(".tile", has_text="Student 1")
    tile.locator("polyline").wait_for()
    assert "Anna" not in teacher.page.locator("dialog").inner_text()
    shuts_nobody_out(teacher, within="dialog[open]")
    for tab in ("All curves", "Random search"):
        teacher.page.get_by_role("tab", name=tab).click()
        teacher.page.locator("dialog figure svg").wait_for()
    teacher.page.get_by_role("tab", name="Runs").click()
    tile.click()
    teacher.page.get_by_text("You look at Anna's run").wait_for()
    wait_for(teacher.page, lambda: teacher.visit.watched is anna.visit.run)
    teacher.page.get_by_label("Point Anna at a plot").select_option("loss")
    anna.page.locator(".pointed-at").wait_for()
    press(teacher, "Suggest …")
    teacher.page.get_by_label("Setting", exact=True).select_option("optimization.learning_rate")
    teacher.page.get_by_label("Value", exact=True).fill("0.003")
    press(teacher, "Send")
    press(anna, "Accept")
    anna.wait_for(lambda: anna.snapshot.config.optimization.learning_rate == 0.003)

    # It is shown to all, without the name.
    press(teacher, "Show to all")
    press(teacher, "Back to my run")
    press(teacher, "Steer")
    press(teacher, "Everybody follows me")
    ben.page.get_by_text("You see the run of a student.").wait_for()
    assert "Anna" not in strip(ben)

    # The teacher's page is loaded again: it has the room and its run.
    load_again(teacher)
    teacher.page.get_by_text("3 here. They follow you.").wait_for()
    assert teacher.visit.run is live.run and teacher.page.locator("dialog[open]").count() == 0

    # The results, and the end.
    press(teacher, "Results")
    with teacher.page.expect_download() as download:
        press(teacher, "Table (CSV)")
    assert "Anna" in download.value.path().read_text()
    with teacher.page.expect_download() as download:
        press(teacher, "Save the room")
    saved = download.value.path()
    ben.page.close()  # a laptop that is shut
    teacher.page.on("dialog", lambda dialog: dialog.accept())
    press(teacher, "Close the room")
    anna.page.get_by_text("The room is closed.").wait_for()
    wait_until(lambda: not LIVE)
    anna.page.wait_for_function("window.babysit.run < 1000000")

    # The saved room opens again, and whoever was in it is back by the same browser.
    teacher.page.goto(f"{address}?{ONE_PLOT}#teach={TEACHER_PASSWORD.text}")
    with teacher.page.expect_file_chooser() as chooser:
        press(teacher, "Open a saved room …")
    chooser.value.set_files(saved)
    teacher.page.get_by_text("0 here. They follow you.").wait_for()
    back = ben.window.new_page()
    back.goto(f"{address}?only=loss")
    back.get_by_text(f"Class {code} · Ben").wait_for()
    teacher.page.get_by_text("1 here. They follow you.").wait_for()


def test_the_password_added_to_an_open_page_opens_it_anew(open_tab):
    page = open_tab(ONE_PLOT).page
    page.wait_for_function("window.babysit_page.then(({opened}) => opened)")
    with page.expect_event("domcontentloaded"):
        page.evaluate(f"location.hash = 'teach={TEACHER_PASSWORD.text}'")
    page.get_by_role("button", name="Open a room").wait_for()


def test_escape_closes_what_the_strip_opened_by_pointer_or_by_key(tabs):
    teacher = tabs(f"&{ONE_PLOT}#teach={TEACHER_PASSWORD.text}")
    open_room(teacher)
    keys, sheet = teacher.page.keyboard, teacher.page.locator(".babysit-class .sheet")
    press(teacher, "Steer")
    press(teacher, "Everybody works freely")
    keys.press("Escape")
    expect(sheet).to_be_hidden()
    steer = teacher.page.get_by_role("button", name="Steer", exact=True)
    steer.focus()
    for inside in (False, True):
        keys.press("Enter")
        expect(sheet).to_be_visible()
        if inside:
            sheet.get_by_role("button", name="Pause everybody").focus()
        keys.press("Escape")
        expect(sheet).to_be_hidden()
        expect(steer).to_be_focused()


def test_the_strip_says_that_a_question_is_open_also_when_it_is_hidden(tabs):
    teacher = tabs(f"&{ONE_PLOT}#teach={TEACHER_PASSWORD.text}")
    open_room(teacher)
    press(teacher, "Ask first")
    press(teacher, "Ask")
    teacher.page.keyboard.press("Escape")
    told = teacher.page.locator(".babysit-class .strip").get_by_text("a question is open")
    told.wait_for()
    load_again(teacher)
    told.wait_for()
    teacher.page.locator("dialog.code").press("Escape")  # shown as long as nobody has come
    press(teacher, "Ask first")
    press(teacher, "Drop it")
    expect(told).to_have_count(0)


def test_what_the_strip_of_a_class_is_can_be_asked_for(tabs):
    teacher = tabs(f"&{ONE_PLOT}#teach={TEACHER_PASSWORD.text}")
    page, strip = teacher.page, teacher.page.locator(".babysit-class .strip")
    message = page.get_by_text("You can open a room for your class.")
    message.wait_for()
    page.keyboard.press("q")
    hint = page.locator("babysit-question-mark .hint")
    hint.wait_for()
    teacher.wait_for(lambda: page.evaluate(ELEMENTS)[0][0])  # the server has said what is known
    box, below, place = hint.bounding_box(), strip.bounding_box(), message.bounding_box()
    assert box["y"] + box["height"] <= below["y"]
    page.mouse.click(place["x"] + 5, place["y"] + 5)
    page.get_by_role("heading", name="Class", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    open_room(teacher)
    press(teacher, "Wall")  # modal: nothing outside of it can be pressed
    curves = page.get_by_role("tab", name="All curves").bounding_box()
    page.keyboard.press("q")
    page.mouse.click(curves["x"] + 5, curves["y"] + 5)
    page.get_by_role("heading", name="Wall", exact=True).wait_for()
    page.locator("dialog.wall-dialog").evaluate("(wall) => wall.close()")
    page.locator("body > babysit-question-mark").wait_for(state="attached")  # it has ended there
    page.keyboard.press("q")
    hint.wait_for()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"x" * (MOST_SAVED + 1), "none has more than 4 MB"),
        (b"x" * MOST_SAVED, "This file holds no room that was saved here"),
        (b"\xff" * MOST_SAVED, "none has more than 4 MB"),  # of 3 bytes each
    ],
)
def test_a_file_that_is_no_saved_room_is_refused_in_a_sentence(tabs, raw, told):
    teacher = tabs(f"&{ONE_PLOT}#teach={TEACHER_PASSWORD.text}")
    with teacher.page.expect_file_chooser() as chooser:
        press(teacher, "Open a saved room …")
    chooser.value.set_files({"name": "room.json", "mimeType": "application/json", "buffer": raw})
    expect(teacher.page.locator(f"{CLASS} .notice")).to_contain_text(told)
    open_room(teacher)  # the page goes on
