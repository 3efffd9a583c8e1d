"""A lesson has an experiment of its own; the visitor's run waits, and comes back to the bit."""

import pytest

from engine import AUTO, Conductor, Experiment, Pause, Play, RunConfig, SetKnob, Status, play_live
from engine.lessons.lesson import open_lesson
from engine.runtime.recording import record
from tests.engine.without_threads import watch
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def conductor():
    conductor = Conductor(frame_rate=50)
    yield conductor
    conductor.close()


def own_run() -> Experiment:
    experiment = Experiment(RunConfig())
    experiment.train(40)
    experiment.apply(SetKnob("optimization.learning_rate", 0.03))
    experiment.train(25)
    return experiment


def query(handle, function):
    return handle.query(function).result(PATIENCE)


def submit(handle, change):
    return handle.submit(change).result(PATIENCE)


def test_leaving_a_lesson_gives_the_own_run_back_to_the_bit(conductor):
    undisturbed = own_run()
    handle = conductor.add(own_run(), pace=AUTO)
    before = query(handle, record)
    played = Experiment(RunConfig())
    lesson = open_lesson("batch norm rescues")

    def begin(slot):
        slot.show_lesson(played)
        slot.jobs.begin("lesson", play_live(played, lesson, slot.lesson_pace.set))

    submit(handle, begin)
    watch(handle)
    wait_until(lambda: handle.latest.background.lesson and handle.latest.step > 5)
    handle.send(SetKnob("optimization.learning_rate", 0.5))  # is meant for the lesson's run
    wait_until(lambda: handle.latest.config.optimization.learning_rate == 0.5)
    assert conductor.slot(handle).effective_pace is not AUTO  # the lesson's pace
    submit(handle, lambda slot: slot.show_own())
    wait_until(lambda: handle.latest.step == 65)
    assert query(handle, record) == before == record(undisturbed)
    assert handle.latest.background.lesson is None
    assert conductor.slot(handle).effective_pace == AUTO
    handle.send(Play())
    wait_until(lambda: handle.latest.step > 70)
    handle.send(Pause())
    wait_until(lambda: handle.latest.status is Status.PAUSED)
    undisturbed.train(handle.latest.step - undisturbed.step)
    assert query(handle, record).digest == record(undisturbed).digest


def test_a_lesson_that_was_left_goes_on_where_it_was(conductor):
    handle = conductor.add(own_run())
    played = Experiment(RunConfig())
    submit(handle, lambda slot: slot.show_lesson(played))
    watch(handle)
    handle.send(Play())
    wait_until(lambda: handle.latest.run > 1 and handle.latest.step > 20)
    submit(handle, lambda slot: slot.show_own())
    step = played.step
    wait_until(lambda: handle.latest.step == 65 and handle.waits_at is None)
    assert played.step == step
    submit(handle, lambda slot: slot.return_to_lesson())
    wait_until(lambda: handle.latest.step > step and handle.waits_at == 65)


def test_the_page_tells_the_runs_of_lessons_and_the_own_one_apart(conductor):
    handle = conductor.add(own_run())
    numbers = [handle.latest.run]
    for _ in range(3):
        submit(handle, lambda slot: slot.show_lesson(Experiment(RunConfig())))
        numbers.append(query(handle, lambda experiment: experiment.run))
    assert len(set(numbers)) == len(numbers)


def test_leaving_without_a_lesson_changes_nothing(conductor):
    handle = conductor.add(own := own_run())
    submit(handle, lambda slot: slot.show_own())
    submit(handle, lambda slot: slot.return_to_lesson())
    assert query(handle, lambda experiment: experiment) is own and handle.waits_at is None
