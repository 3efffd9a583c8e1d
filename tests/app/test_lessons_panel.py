"""The lessons on the page, without a browser: predict, see, verdict, vary."""

import html
import json
import random
import string
from collections.abc import Iterator

import pytest
from panel.pane import Bokeh

from app.page.buttons import Presses
from app.page.diagnosis_bar import DiagnosisBar
from app.panels import lesson_list, lessons
from app.panels.lessons import Lessons
from app.plots import VIEWS, plot_data
from app.sharing import packed_runs, packing, playlist_drafts, playlist_links
from app.sharing.playlist_drafts import Draft
from app.sharing.reconnect import Reconnect
from engine import (
    FAILS,
    HOLDS,
    LESSONS,
    Conductor,
    Experiment,
    Item,
    Limits,
    Playlist,
    RunConfig,
    open_lesson,
    read_playlist,
    record,
    slug_of,
    write_playlist,
)
from engine.lessons import combining, play_live, play_shared_run
from engine.lessons.written import VIEWS as WRITTEN_VIEWS
from tests.app.seen import control, labels, page_text, saved
from tests.short_lessons import open_short
from tests.waiting import wait_until

FEW = 5  # steps


class Browser:
    """The page's buttons, and what the browser was told to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.presses = Presses(lambda *words: self.done.append(words))

    def press(self, name: str, value: str = "") -> None:
        self.presses.press(name, value)


@pytest.fixture
def handle():
    conductor = Conductor(frame_rate=50)
    yield conductor.add(Experiment(RunConfig()))
    conductor.close()


@pytest.fixture
def browser() -> Browser:
    return Browser()


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Make runs short, and none that takes seconds to be watched."""
    patch.setattr(lessons, "open_lesson", open_short)
    patch.setattr(combining, "PRETRAINING", FEW)
    patch.setattr(play_live, "WATCHED", 0.1)
    patch.setattr(play_live, "AT_LEAST", 0.01)
    patch.setattr(play_shared_run, "WATCHED", 0.1)


@pytest.fixture
def panel(handle, browser, monkeypatch) -> Lessons:
    hurry(monkeypatch)
    return built(handle, browser)


def built(handle, browser: Browser) -> Lessons:
    panel = Lessons(handle, handle.latest, browser.presses)
    panel.covered = []
    panel.cover = panel.covered.append
    for _ in panel.pieces():
        pass
    return panel


@pytest.fixture(scope="module")
def course() -> Iterator[tuple[Lessons, object, Browser]]:
    """A page on which one lesson is played after another, as a student does."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        conductor, browser = Conductor(frame_rate=50), Browser()
        handle = conductor.add(Experiment(RunConfig()))
        yield built(handle, browser), handle, browser
        conductor.close()


def told(panel: Lessons) -> str:
    return html.unescape(page_text(panel.sidebar))


def play(panel: Lessons, handle) -> None:
    """Wait until the lesson has been played to its end, showing what comes."""

    def over() -> bool:
        panel.show(handle.latest)
        return "Say what you saw" in told(panel)

    wait_until(over)


@pytest.mark.parametrize("name", LESSONS)
def test_the_view_that_a_lesson_speaks_of_is_one_of_the_page(name):
    assert open_lesson(name).view in VIEWS


def test_the_verdict_is_told_only_after_what_was_seen_was_said(panel, handle, browser):
    browser.press("lesson", "the-gap-is-overfitting")
    lesson = open_lesson("the gap is overfitting")
    assert panel.covered[-1] is True
    browser.press("reason", "there are few examples")
    browser.press("predict", "it rises")
    assert panel.covered[-1] is False
    assert ("point_at", "loss") in browser.done
    play(panel, handle)
    verdict = handle.latest.background.lesson.verdict
    for text in (lesson.claim, lesson.why, verdict.sentence):
        assert text and text not in told(panel)
    seen = handle.latest.background.lesson.seen
    browser.press("saw", seen.options[0])
    for text in (lesson.claim, lesson.why, verdict.sentence):
        assert text in told(panel)
    assert f"You expected: it rises. It is: {lesson.question.answer}." in told(panel)
    (answer,) = panel.answers.values()
    assert (answer.predicted, answer.reason) == ("it rises", "there are few examples")
    assert answer.seen == seen.options[0] and answer.holds == verdict.holds
    assert ("tick_lesson", lesson.slug) in browser.done


def test_no_finding_answers_the_question_of_a_lesson_before_its_verdict(panel, handle, browser):
    bar = DiagnosisBar(lambda command: None, browser.presses)
    panel.prompt = bar.prompt
    lesson = open_lesson("rate too high: NaN")
    browser.press("lesson", lesson.slug)
    browser.press("predict", lesson.question.options[0])
    play(panel, handle)
    end = handle.latest
    assert [finding.rule for finding in end.findings] == ["exploding"]
    bar.show(end)
    assert "Exploding" not in bar.view.object and "The runs are over" in bar.view.object
    text = plot_data.status(end, 0).text
    assert (text["health"], text["noticed"]) == ("", "")
    browser.press("saw", end.background.lesson.seen.answer)

    def told_now() -> bool:
        bar.show(handle.latest)
        return "Exploding" in bar.view.object

    wait_until(told_now)
    assert plot_data.status(handle.latest, 0).text["health"] == "exploding"


def test_who_follows_a_lesson_is_told_what_it_asks_then_what_plays_then_the_verdict(
    panel, handle, browser
):
    bar = DiagnosisBar(lambda command: None, browser.presses)
    lesson = open_lesson("the gap is overfitting")

    def followed(words: str) -> None:
        def shown() -> bool:
            bar.show_other(handle.latest)
            return words in html.unescape(bar.view.object)

        wait_until(shown)

    browser.press("lesson", lesson.slug)
    followed(f"A lesson asks: {lesson.question.text}")
    browser.press("predict", lesson.question.options[0])
    play(panel, handle)
    followed("The runs are over. What do they show?")
    progress = handle.latest.background.lesson
    assert progress.verdict.sentence not in html.unescape(bar.view.object)
    browser.press("saw", progress.seen.answer)
    followed(progress.verdict.sentence)


def test_a_variation_asks_for_a_prediction_and_is_judged_by_its_own_verdict(panel, handle, browser):
    browser.press("lesson", "first-loss")
    browser.press("predict", "0.1000")
    play(panel, handle)
    browser.press("saw", "2.2 to 2.4")
    assert "initializer small normal (scale 0.0001) → unit normal" in page_text(panel.sidebar)
    browser.press("vary", f"0 {HOLDS}")
    assert "Now vary it" not in told(panel)  # its keys are those of the question now
    play(panel, handle)
    browser.press("saw", "2.2 to 2.4")
    assert "Now vary it" in told(panel)
    assert "The plots show: above 10.0" in told(panel)
    assert f"You expected: {HOLDS}. It is: {FAILS}." in told(panel)
    assert len(panel.answers) == 2


@pytest.mark.parametrize("name", LESSONS)
def test_each_variation_of_a_lesson_ends_in_a_verdict_of_its_own(course, name):
    panel, handle, browser = course
    lesson = open_lesson(name)
    browser.press("lesson", lesson.slug)
    browser.press("predict", lesson.question.options[0])
    play(panel, handle)
    browser.press("saw", handle.latest.background.lesson.seen.options[0])
    for number, by in enumerate(lesson.variations):
        assert by.label in html.unescape(page_text(panel.sidebar))
        browser.press("vary", f"{number} {HOLDS}")
        play(panel, handle)
        progress = handle.latest.background.lesson
        assert progress.verdict.sentence not in told(panel)
        browser.press("saw", progress.seen.answer)
        assert f"You saw it: {progress.seen.answer}." in told(panel)
        assert progress.verdict.sentence in told(panel) and f"with “{by.label}”" in told(panel)
        assert ("You predicted it:" in told(panel)) == progress.verdict.holds
        for figure in progress.verdict.figures:
            assert figure.label in told(panel) and figure.text in told(panel)
        assert bool(progress.exhibits) == bool(panel.main.select(Bokeh))
    answered = [variation for slug, variation in panel.answers if slug == lesson.slug]
    assert len(answered) == 1 + len(lesson.variations)


def test_a_picture_is_called_what_it_shows_also_after_a_variation(panel, handle, browser):
    lesson = open_lesson("ELU keeps noise out")
    browser.press("lesson", lesson.slug)
    browser.press("predict", lesson.question.answer)
    play(panel, handle)
    assert [name.partition(":")[0] for name in pictured(panel)] == ["leaky ReLU", "ELU"]
    browser.press("saw", handle.latest.background.lesson.seen.answer)
    browser.press("vary", f"0 {HOLDS}")  # leaky ReLU in ELU's place
    play(panel, handle)
    assert [name.partition(":")[0] for name in pictured(panel)] == ["leaky ReLU", "leaky ReLU"]


def pictured(panel: Lessons) -> list[str]:
    """The accessible names of the pictures in the main area."""
    return [pane.object.html_attributes["aria-label"] for pane in panel.main.select(Bokeh)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("predict", "no such option"),
        ("saw", "2.2 to 2.4"),
        ("vary", "0 the claim holds perhaps"),
        ("vary", "99 the claim holds"),
        ("vary", "-1 the claim holds"),
        ("vary", "²"),
        ("answers kept", "[" * 3000),
        ("answers kept", '{"lesson": "first-loss"}'),
        ("answers kept", "null"),
    ],
)
def test_what_no_page_would_send_changes_nothing(panel, browser, name, value):
    browser.press("lesson", "first-loss")
    words = told(panel)
    browser.press(name, value)
    assert told(panel) == words and not panel.answers


def test_a_reason_is_written_as_text_and_no_longer_than_allowed(panel, handle, browser):
    browser.press("lesson", "first-loss")
    browser.press("reason", "<script>alert(1)</script>" + "x" * 4000)
    browser.press("predict", "0.1000")
    assert "<script>" not in page_text(panel.sidebar)
    play(panel, handle)
    browser.press("saw", "2.2 to 2.4")
    assert len(panel.answers["first-loss", ""].reason) == 500


@pytest.mark.parametrize("written", ["few weights", "because few weights", " Because  few weights"])
def test_because_is_said_once(panel, browser, written):
    browser.press("lesson", "first-loss")
    browser.press("reason", written)
    browser.press("predict", "0.1000")
    assert "because few weights" in told(panel)
    assert told(panel).lower().count("because") == 1


def test_answers_of_an_earlier_visit_are_kept_unless_answered_anew(panel, handle, browser):
    kept = {"lesson": "first-loss", "predicted": "1", "seen": "up to 1.0", "holds": False}
    browser.press("answers kept", json.dumps(kept))
    assert panel.answers["first-loss", ""].predicted == "1"
    browser.press("answers kept", json.dumps(kept | {"predicted": "2.3026"}))
    assert panel.answers["first-loss", ""].predicted == "1"
    browser.press("lesson", "first-loss")
    browser.press("predict", "0.1000")
    play(panel, handle)
    browser.press("saw", "2.2 to 2.4")
    assert panel.answers["first-loss", ""].predicted == "0.1000"


def test_a_lesson_that_is_named_before_the_panel_is_built_is_the_one_that_opens(handle, browser):
    panel = Lessons(handle, handle.latest, browser.presses)
    browser.press("lesson", "dead-relus")  # of a class, or of an impatient browser
    for _ in panel.pieces():
        pass
    assert "Can a dead ReLU come back?" in page_text(panel.sidebar)


def test_leaving_the_panel_gives_the_own_run_back(panel, handle):
    wait_until(lambda: handle.waits_at is not None)
    panel.left()
    wait_until(lambda: handle.waits_at is None)
    panel.entered()
    wait_until(lambda: handle.waits_at is not None)


def test_a_playlist_has_its_own_order_and_words(panel, browser, tmp_path, monkeypatch):
    items = [
        {"lesson": "first-loss", "words": "Welcome <b>."},
        {"lesson": "dead-relus"},
        {"lesson": "sigmoid-saturates"},
    ]
    (tmp_path / "a.playlist.json").write_text(json.dumps({"title": "Week 1", "items": items}))
    monkeypatch.setattr(lesson_list, "LIMITS", Limits(data=tmp_path))
    browser.press("playlist", "week-2")
    assert "There is no playlist “week-2”" in page_text(panel.main)
    browser.press("playlist", "week-1")
    assert "Part 1 of 3" in page_text(panel.sidebar)
    assert "Welcome &lt;b&gt;." in page_text(panel.main)
    browser.press("next lesson")
    assert "Can a dead ReLU come back?" in page_text(panel.sidebar)
    browser.press("next lesson")
    browser.press("next lesson")  # there is none after the last
    assert "Part 3 of 3" in page_text(panel.sidebar)
    browser.press("lesson", "no-such")
    assert "There is no lesson “no-such”" in page_text(panel.main)
    browser.press("lesson", "A-Good-Rate")  # the playlist does not have it, but the course does
    assert panel.slug == "a-good-rate" and f"of {len(LESSONS)}" in page_text(panel.sidebar)


def follow(browser, *items: Item) -> None:
    browser.press("playlist packed", playlist_links.packed(Playlist("Week 1", items)))


def test_the_same_lesson_twice_has_two_places(panel, browser):
    follow(browser, Item(lesson="first-loss"), Item(lesson="dead-relus"), Item(lesson="first-loss"))
    for heard in ("Part 1 of 3", "Part 2 of 3", "Part 3 of 3"):
        assert heard in page_text(panel.sidebar)
        browser.press("next lesson")
    assert panel.slug == "first-loss"  # after the last there is none
    browser.press("previous lesson")
    assert "Part 2 of 3" in page_text(panel.sidebar)
    assert ("show_address", "item", "2") in browser.done
    browser.press("place", "2")
    assert panel.slug == "first-loss" and "Part 3 of 3" in page_text(panel.sidebar)
    for wrong in ("3", "-1", "²", ""):
        browser.press("place", wrong)
    assert "Part 3 of 3" in page_text(panel.sidebar)
    browser.press("whole course")
    assert f"Lesson 1 of {len(LESSONS)}" in page_text(panel.sidebar)


def test_words_and_a_shared_run_stand_between_lessons(panel, handle, browser):
    experiment = Experiment(RunConfig())
    experiment.train(20)
    run = record(experiment)
    follow(browser, Item(title="<Welcome>", words="One.\nTwo."), Item(run=run, title="Mine"))
    assert "&lt;Welcome&gt;" in page_text(panel.main) and panel.covered[-1] is True
    browser.press("predict", "2.3026")  # there is no lesson
    browser.press("next lesson")
    assert panel.covered[-1] is False

    def over() -> bool:
        panel.show(handle.latest)
        return "the shared run, to the bit" in page_text(panel.sidebar)

    wait_until(over)
    assert handle.latest.step == 20 and handle.waits_at is not None


@pytest.mark.parametrize("packed", ["", "x", "eJw", "²", "A" * 15_000])
def test_a_damaged_playlist_is_refused_in_a_sentence(panel, browser, packed):
    browser.press("playlist packed", packed)
    assert "The playlist of this link is damaged" in page_text(panel.main)
    assert panel.slug == open_lesson(next(iter(LESSONS))).slug


def test_the_page_says_what_a_lesson_asks_also_where_the_sidebar_is_closed(panel, handle, browser):
    prompts = []
    panel.prompt = prompts.append
    browser.press("lesson", "dead-relus")
    browser.press("predict", "they stay dead")
    play(panel, handle)
    assert "The runs are over" in prompts[-1].line
    seen = handle.latest.background.lesson.seen
    assert seen.text in prompts[-1].sheet and 'data-press="saw"' in prompts[-1].sheet
    browser.press("saw", seen.options[0])
    assert 'data-press="saw"' not in prompts[-1].sheet
    assert handle.latest.background.lesson.verdict.sentence in html.unescape(prompts[-1].sheet)
    panel.left()
    assert prompts[-1] is None
    panel.entered()
    assert prompts[-1].sheet


def test_lessons_are_built_once_for_a_list_that_is_drawn_again(monkeypatch):
    built: list[str] = []
    monkeypatch.setattr(lesson_list, "open_lesson", lambda x: built.append(x) or open_lesson(x))
    course = lesson_list.whole_course()
    assert 'aria-label="done"' not in course.listed(0, set())
    assert course.listed(1, {slug_of(next(iter(LESSONS)))}).count('aria-label="done"') == 1
    assert built == list(LESSONS)


# ---- a playlist that is made --------------------------------------------------------------------


def made(panel: Lessons) -> Playlist:
    """The playlist of the editor, as its file has it."""
    return read_playlist(saved(panel.main, "Save (JSON)"))


def open_file(panel: Lessons, raw: bytes) -> None:
    control(panel.main, "Open a playlist").param.update(value=raw, filename="w.json")


def test_a_playlist_is_made_saved_and_opened_again(panel, handle, browser):
    browser.press("edit playlist")
    assert "Save (JSON)" not in labels(panel.main)
    browser.press("follow playlist")
    assert "Add a lesson, a run or words first" in page_text(panel.main)
    browser.press("add lesson", "dead-relus")
    browser.press("follow playlist")
    assert "Give the playlist a title" in page_text(panel.main)
    browser.press("playlist title", "Week 3")
    assert "Save (JSON)" in labels(panel.main)
    browser.press("item words", "0 Today it <breaks>.")
    browser.press("add words")
    browser.press("item title", "1 A break")
    browser.press("run title", "As we left it")
    browser.press("add run")
    browser.press("earlier", "2")
    browser.press("later", "2")  # there is none after it
    browser.press("remove", "7")
    playlist = made(panel)
    assert [item.lesson or item.title for item in playlist.items] == [
        *("dead-relus", "As we left it", "A break")
    ]
    assert playlist.items[0].words == "Today it <breaks>." and playlist.items[1].run is not None
    browser.press("remove", "0")
    assert len(made(panel).items) == 2
    open_file(panel, write_playlist(playlist))
    assert made(panel) == playlist
    assert "&lt;breaks&gt;" in page_text(panel.main)
    browser.press("copy playlist")
    action, link = browser.done[-1]
    assert action == "copy"
    assert playlist_links.unpacked(link.partition("#playlist=")[2]) == playlist
    browser.press("follow playlist")
    assert "Part 1 of 3" in page_text(panel.sidebar) and "Save (JSON)" not in labels(panel.main)
    browser.press("edit playlist")  # it is still there
    assert "As we left it" in page_text(panel.main)


@pytest.mark.parametrize(
    ("presses", "message"),
    [
        ([("run link", "https://example.org/"), ("add run", "")], "This is no link to a run"),
        ([("run link", "x?run=abc"), ("add run", "")], "This link is damaged"),
        ([("add lesson", "first-loss")] * 101, "holds 100 items at most"),
    ],
)
def test_what_a_playlist_cannot_hold_is_refused_in_a_sentence(panel, browser, presses, message):
    browser.press("edit playlist")
    for press in presses:
        browser.press(*press)
    assert message in html.unescape(page_text(panel.main))


def test_a_run_is_added_by_its_link(panel, browser):
    browser.press("edit playlist")
    browser.press("playlist title", "Week 3")
    experiment = Experiment(RunConfig(seed=7))
    experiment.train(5)
    browser.press("run link", f"http://host/app?run={packed_runs.packed(record(experiment))}")
    browser.press("add run")
    (item,) = made(panel).items
    assert item.run.config.seed == 7 and item.run.steps == 5 and "5 steps" in item.title


def kept_by(browser: Browser) -> str:
    """The draft of a playlist that the browser keeps."""
    return next(words[1] for words in reversed(browser.done) if words[0] == "store_draft")


def test_a_playlist_that_is_not_saved_survives_a_reload(panel, browser):
    browser.press("edit playlist")
    assert ("recall_draft",) in browser.done
    browser.press("playlist title", "We")  # too short to be saved
    browser.press("add lesson", "dead-relus")
    browser.press("item words", "0 Today it breaks.")
    browser.press("add run")
    kept = kept_by(browser)
    browser.press("new playlist")
    assert kept_by(browser) == "" and "Nothing in it yet" in page_text(panel.main)
    browser.press("draft kept", kept)
    board = page_text(panel.main)
    assert 'value="We"' in board and "Today it breaks." in board and "A run of" in board
    browser.press("draft kept", playlist_drafts.packed(Draft("Another")))
    assert "Today it breaks." in page_text(panel.main)  # what is being made stays
    browser.press("playlist title", "Week 3")
    made(panel)  # it is saved
    assert kept_by(browser) == ""


@pytest.mark.parametrize("reloaded", [True, False])
def test_an_unsaved_playlist_is_not_replaced_without_asking(panel, browser, reloaded):
    mine = Draft("Mine", (Item(title="Words"),))
    other = Playlist("Week 3", (Item(lesson="dead-relus"),))
    if not reloaded:
        browser.press("edit playlist")
        browser.press("draft kept", playlist_drafts.packed(mine))
    browser.press("playlist packed", playlist_links.packed(other))
    browser.press("edit playlist")  # "Change this playlist"
    if reloaded:
        browser.press("draft kept", playlist_drafts.packed(mine))
    assert 'value="Mine"' in page_text(panel.main)
    assert "Change “Week 3”" in page_text(panel.main)
    browser.press("change other playlist")
    assert 'value="Week 3"' in page_text(panel.main)
    assert "you were making" not in page_text(panel.main)


def test_a_saved_playlist_makes_room_for_another(panel, browser):
    browser.press("edit playlist")
    browser.press("draft kept", "")
    browser.press("playlist title", "Mine")
    browser.press("add words")
    made(panel)  # it is saved
    other = Playlist("Week 3", (Item(lesson="dead-relus"),))
    browser.press("playlist packed", playlist_links.packed(other))
    browser.press("edit playlist")
    assert 'value="Week 3"' in page_text(panel.main)


def test_nothing_can_be_written_before_the_browser_has_told_what_it_keeps(panel, browser):
    browser.press("edit playlist")
    assert "playlist title" not in page_text(panel.main)
    browser.press("draft kept", "")
    assert "playlist title" in page_text(panel.main)
    assert "Nothing in it yet" in page_text(panel.main)


@pytest.mark.parametrize("kept", ["no such thing", "[" * 9000, packing.packed(b"{}]")])
def test_a_draft_that_cannot_be_read_is_said_to_be_none(panel, browser, kept):
    browser.press("edit playlist")
    browser.press("draft kept", kept)
    assert "has kept cannot be read" in page_text(panel.main)


def test_what_is_too_long_to_be_kept_is_said(panel, browser):
    browser.press("edit playlist")
    numbers = random.Random(0)
    for place in range(40):
        browser.press("add words")
        browser.press(
            "item words", f"{place} " + "".join(numbers.choices(string.ascii_letters, k=600))
        )
    browser.press("later", "0")
    assert "too long for the browser to keep" in page_text(panel.main)
    assert kept_by(browser) == ""


def test_a_file_that_is_no_playlist_is_refused(panel, browser):
    browser.press("edit playlist")
    open_file(panel, b'{"title": "Week", "items": []}')
    assert "w.json: " in page_text(panel.main)
    assert "Save (JSON)" not in labels(panel.main)  # nothing is in it


def test_a_lesson_can_be_started_again(panel, handle, browser):
    browser.press("lesson", "first-loss")
    browser.press("predict", "0.1000")
    play(panel, handle)
    browser.press("again")
    assert "The runs are over" not in told(panel) and panel.covered[-1] is True
    assert "Predict, and it runs." in page_text(panel.main)
    browser.press("predict", "1.0000")
    play(panel, handle)


def test_the_link_to_reconnect_is_that_of_the_own_run(panel, handle):
    link = Reconnect()
    wait_until(lambda: handle.waits_at is not None)
    link.follow(handle, handle.latest)
    assert link.fields(handle) == {"visit": link.name, "link": "", "own": "0"}
    panel.left()
    wait_until(lambda: handle.waits_at is None)
    link.follow(handle, handle.latest)
    wait_until(lambda: link.fields(handle)["link"])
    assert link.fields(handle)["own"] == ""


def test_a_written_lesson_can_point_at_views_that_there_are():
    assert set(WRITTEN_VIEWS) <= set(VIEWS)
    missing = {open_lesson(name).view for name in LESSONS} - set(WRITTEN_VIEWS)
    assert not missing, f"add to VIEWS of engine/lessons/written.py: {missing}"
