"""Building in pieces: in turns with others, and only as long as somebody needs the result."""

import threading

import pytest
from bokeh.document import Document

from app.page.parts import PageParts
from app.panels import PANELS, lab
from app.server.build_queue import BuildQueue
from app.server.piecewise_build import Building
from app.sharing.run_links import PageLink
from app.sharing.upload import Uploads
from engine import Conductor, Experiment, FileReader, RunConfig, Snapshot, open_lesson
from tests.waiting import PATIENCE, wait_until


def at_once(change):
    """Applies a change of a page at once, as nobody else changes it."""
    return change


class Steps:
    """Pieces that record when they are built, and wait for permission."""

    def __init__(self, order: list[str], name: str, number: int = 3) -> None:
        self.free = threading.Event()
        self._order, self._name, self._number = order, name, number

    def __iter__(self):
        for number in range(self._number):
            self.free.wait(PATIENCE)
            self._order.append(f"{self._name}{number}")
            yield


@pytest.fixture
def order() -> list[str]:
    return []


def test_others_get_a_turn_between_two_pieces(order):
    turns = BuildQueue(lambda: True)
    ours, theirs = Steps(order, "a"), Steps(order, "b")
    one, other = (Building(iter(steps), turns, at_once) for steps in (ours, theirs))
    one.go_on()
    other.go_on()
    ours.free.set()
    theirs.free.set()
    wait_until(lambda: one.done and other.done)
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]
    wait_until(lambda: not turns.waited_for)


def test_a_stopped_build_continues_when_it_is_needed_again(order):
    turns = BuildQueue(lambda: True)
    pieces = Steps(order, "a")
    building = Building(iter(pieces), turns, at_once)
    building.go_on()
    building.stop()  # its first piece may have started
    pieces.free.set()
    wait_until(lambda: not turns.waited_for)
    assert len(order) < 2 and not building.done
    building.go_on()
    wait_until(lambda: building.done)
    assert order == ["a0", "a1", "a2"]


def test_continuing_before_a_pending_piece_does_not_build_it_twice(order):
    pieces = Steps(order, "a")
    building = Building(iter(pieces), BuildQueue(lambda: True), at_once)
    for _ in range(3):
        building.go_on()
    pieces.free.set()
    wait_until(lambda: building.done)
    building.go_on()
    assert order == ["a0", "a1", "a2"]


def test_a_visitor_who_left_does_not_block_others(order):
    turns, never = BuildQueue(lambda: True), []
    gone = Building(iter(Steps(order, "gone")), turns, lambda change: lambda: never.append(change))
    stays = Steps(order, "a")
    stays.free.set()
    building = Building(iter(stays), turns, at_once)
    gone.go_on()
    building.go_on()
    gone.end()
    wait_until(lambda: building.done)
    assert order == ["a0", "a1", "a2"]


def test_a_failing_piece_ends_the_build():
    def fail():
        yield
        raise RuntimeError("no such menu")

    failed = []

    def noted(change):
        def attempt() -> None:
            try:
                change()
            except RuntimeError as error:
                failed.append(str(error))

        return attempt

    turns = BuildQueue(lambda: True)
    building = Building(fail(), turns, noted)
    building.go_on()
    wait_until(lambda: building.done)
    wait_until(lambda: not turns.waited_for)
    building.go_on()
    assert failed == ["no such menu"]


# ---- panels -------------------------------------------------------------------------------------


@pytest.fixture
def handle():
    conductor = Conductor()
    yield conductor.add(Experiment(RunConfig()))
    conductor.close()


class Steering:
    """A visit without a server: it steers a run, and refuses nothing."""

    def __init__(self, handle) -> None:
        self.handle, self.send = handle, handle.send
        self.refuses = lambda kind, name, value: ""

    def seen(self) -> Snapshot:
        return self.handle.latest

    def learn_from(self, upload, reading) -> None: ...


class Page:
    """A page without a server, on which a visitor opens panels."""

    def __init__(self, handle) -> None:
        self._handle = handle
        self.parts = PageParts(PageLink(), Steering(handle), Uploads(FileReader()), self._build)
        self.layout, self.presses = self.parts.layout, self.parts.presses
        self.document = Document()
        self.document.add_root(self.layout.page.get_root(self.document))
        self.buildings: list[Building | Stepwise] = []
        self.kind = lambda pieces: Building(pieces, BuildQueue(lambda: True), at_once)

    def _build(self, pieces) -> "Building | Stepwise":
        self.buildings.append(self.kind(pieces))
        return self.buildings[-1]

    def open(self, panel: str) -> set[str]:
        """The models of the page once the panel is complete."""
        self.parts.panels.enter(panel, self._handle)
        wait_until(lambda: all(building.done for building in self.buildings))
        return {model.id for model in self.document.models}


@pytest.fixture
def opened(handle, monkeypatch) -> Page:
    class Silent:
        def locked_callback(self, change, policy):
            return lambda told: None

    monkeypatch.setattr(lab, "document_of_now", Silent)
    return Page(handle)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_is_built_once(opened, panel):
    first = opened.open(panel)
    assert opened.open("Knobs") == first  # it stays, hidden
    assert opened.open(panel) == first
    assert len(opened.buildings) == 1


def test_no_run_can_be_steered_while_a_lesson_shows_none(opened):
    def refuses() -> bool:
        told = {opened.parts.transport.refuses(*act) for act in (("press", "play"), ("key", "e"))}
        assert len(told) == 1 and not opened.parts.transport.refuses("key", "n")
        return told != {""}

    assert not refuses()
    opened.open("Lessons")  # which asks first
    assert refuses()
    opened.open("Knobs")
    assert not refuses()
    opened.open("Lessons")
    opened.presses.press("lesson", "dead-relus")
    opened.presses.press("predict", "they stay dead")
    assert not refuses()
    opened.presses.press("lesson", "sigmoid-saturates")  # it has a picture alone
    opened.presses.press("predict", open_lesson("sigmoid saturates").question.answer)
    assert refuses()


@pytest.mark.parametrize("panel", ["Lab", "Search"])
def test_no_piece_is_most_of_a_panel(opened, handle, panel):
    before = len(opened.document.models)
    opened.kind = Stepwise
    opened.parts.panels.enter(panel, handle)
    (stepwise,), sizes = opened.buildings, []
    base = len(opened.document.models)
    while stepwise.step():
        sizes.append(len(opened.document.models))
    grown = [after - now for now, after in zip([base, *sizes], sizes, strict=False)]
    assert base - before < 30 and max(grown) < 0.4 * sum(grown)


class Stepwise:
    """Builds when told to."""

    def __init__(self, pieces) -> None:
        self._pieces, self.done = pieces, False

    def go_on(self) -> None: ...

    def step(self) -> bool:
        self.done = next(self._pieces, self) is self
        return not self.done


def test_only_the_open_panel_is_visible(opened):
    def seen() -> list[bool]:
        return [main.visible for main in opened.layout.page.main]

    assert seen() == [True]
    opened.open("Lab")
    assert seen() == [False, True] and opened.layout.views == []
    opened.open("Search")
    assert seen() == [False, False, True] and "losses" in opened.layout.views
    opened.open("Checks")
    assert seen() == [True, False, False] and "loss" in opened.layout.views
