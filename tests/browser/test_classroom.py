"""A class in real browsers: one teacher and three students, one of them on a phone."""

import panel as pn
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ViewportSize

from app.server import class_rooms
from app.server.class_rooms import LIVE
from app.server.teacher_word import WORD
from engine import Restart, Status
from tests.browser.conftest import SERVER, Tab, close, wait_for
from tests.browser.test_accessibility import GRAVE, shuts_nobody_out
from tests.waiting import wait_until

PHONE = ViewportSize(width=390, height=844)
SMALL = ViewportSize(width=600, height=400)  # few plots to draw: four pages share the machine
NAMES = {"Anna": None, "Ben": SMALL, "Zoë": PHONE}


@pytest.fixture
def tabs(chromium, address):
    """Opens tabs at addresses; closes them and their room afterwards."""
    opened: list[Tab] = []

    def open_one(query: str = "", screen: ViewportSize | None = None) -> Tab:
        opened.append(Tab(chromium, f"{address}?pace=auto{query}", screen))
        return opened[-1]

    yield open_one
    loop = pn.state._servers[SERVER][0].io_loop
    for live in list(LIVE.values()):  # after a failure
        loop.add_callback(class_rooms.close, live)
    wait_until(lambda: not LIVE)
    close(opened)


def press(tab: Tab, words: str) -> None:
    tab.page.get_by_role("button", name=words, exact=True).click()


def strip(tab: Tab) -> str:
    return tab.page.locator(".babysit-class .strip").inner_text()


def violations(tab: Tab) -> list[str]:
    """What axe finds in the parts of the class alone."""
    tab.settle()
    found = Axe().run(tab.page, context=".babysit-class").response["violations"]
    return [f"{x['id']}: {x['nodes'][0]['html'][:200]}" for x in found if x["impact"] in GRAVE]


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


def test_a_lesson_from_the_first_code_to_the_results(tabs):
    teacher = tabs(f"#teach={WORD.word}")
    press(teacher, "Open a room")
    teacher.page.locator("dialog.code .qr svg").wait_for()
    code = teacher.page.locator("dialog.code .letters").inner_text()
    (live,) = LIVE.values()
    assert live.room.code == code and live.run is teacher.visit.run
    shuts_nobody_out(teacher)
    teacher.page.keyboard.press("Escape")
    address, _, secret = teacher.page.url.partition("#")
    assert f"room={code}" in address and secret == f"teach={live.room.teacher_key}"
    assert "teach" not in address  # which logs would have

    # Everybody joins, by code and nickname.
    students = [tabs(f"&room={code}", screen) for screen in NAMES.values()]
    for student, name in zip(students, NAMES, strict=True):
        student.page.get_by_label("Nickname").fill(name)
        student.page.keyboard.press("Enter")
        student.page.get_by_text("You follow your teacher's run.").wait_for()
    anna, ben, phone = students
    for student in students:
        wait_for(student.page, lambda student=student: student.visit.watched is live.run)
        student.page.wait_for_function("window.babysit.run > 1000000")
        student.wait_for_frames(3)

    # They see each knob that the teacher turns, and cannot turn it.
    teacher.slide("Learning rate", "ArrowRight")
    rate = anna.page.get_by_role("slider", name="Learning rate")
    anna.wait_for(lambda: rate.get_attribute("aria-valuetext") == "0.012")
    anna.slide("Learning rate", "ArrowRight")
    anna.page.get_by_text("You follow the class.").first.wait_for()
    assert rate.get_attribute("aria-valuetext") == "0.012"
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
    assert phone.page.locator(".tallies").count() == 0
    assert violations(phone) == []
    press(teacher, "Close and run")
    phone.page.locator(".tallies").wait_for()
    press(teacher, "What did you see?")
    press(anna, "fall faster")
    press(teacher, "Close")
    anna.page.locator(".bar.seen").first.wait_for()
    shuts_nobody_out(anna)
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
    teacher.page.locator("polyline.truth").wait_for()
    assert teacher.page.locator("polyline.drawn").count() == 2
    press(teacher, "Done")

    # Who wants takes the wheel, and comes back.
    press(ben, "Take the wheel")
    ben.page.get_by_text("This is your own run.").wait_for()
    ben.wait_for(lambda: ben.snapshot.step > 0 and ben.snapshot.status is Status.PAUSED)
    press(ben, "Back to the class")
    ben.page.get_by_text("You follow your teacher's run.").wait_for()

    live.run.handle.send(Restart())  # a young run: each repeats it, to verify what is shown
    wait_until(lambda: 0 < live.run.handle.latest.step < 300)

    # Everybody on a run of their own; the wall shows them; help comes by a suggestion.
    press(teacher, "Steer")
    press(teacher, "To the state of my run")
    for student in students:
        student.page.get_by_text("Work on your own.").wait_for()
        student.page.wait_for_function("window.babysit.run < 1000000")
    press(anna, "Ask for help")
    press(teacher, "Wall")
    tile = teacher.page.locator(".tile", has_text="Student 1")
    tile.locator("polyline").wait_for()
    assert "Anna" not in teacher.page.locator("dialog").inner_text()
    shuts_nobody_out(teacher)
    for tab in ("All curves", "Random search"):
        teacher.page.get_by_role("tab", name=tab).click()
        teacher.page.locator("dialog figure svg").wait_for()
    teacher.page.get_by_role("tab", name="Runs").click()
    tile.click()
    teacher.page.get_by_text("You look at Anna's run").wait_for()
    wait_for(teacher.page, lambda: teacher.visit.watched is anna.visit.run)
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

    # The results, and the end.
    press(teacher, "Results")
    with teacher.page.expect_download() as download:
        press(teacher, "Table (CSV)")
    assert "Anna" in download.value.path().read_text()
    teacher.page.on("dialog", lambda dialog: dialog.accept())
    press(teacher, "Close the room")
    ben.page.get_by_text("The room is closed.").wait_for()
    wait_until(lambda: not LIVE)
    ben.page.wait_for_function("window.babysit.run < 1000000")
