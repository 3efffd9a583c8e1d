"""The film of a run as a file: an animated picture with every frame, and the way to it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from app.sharing import film, film_maker
from app.sharing.export import in_one_line, stem
from app.sharing.film_maker import FilmMaker
from engine import Choice, Experiment, Film, RunConfig, SetKnob
from tests.app.obedient_handle import ObedientHandle
from tests.app.seen import page_text
from tests.waiting import Ticking, wait_until

VALUES = {"data.dataset": Choice("plane"), "optimization.loss": Choice("mean squared error")}


def run(settings, steps=30):
    config = RunConfig()
    for path, value in settings.items():
        config = config.replace(path, value)
    experiment = Experiment(config)
    experiment.train(steps // 2)
    experiment.apply(SetKnob("optimization.learning_rate", 0.02))
    experiment.train(steps - steps // 2)
    return experiment


def frames_of(experiment) -> Film:
    *_, told = experiment.filming()
    return told


@pytest.mark.parametrize("settings", [{}, {"data.dataset": Choice("spiral")}, VALUES])
def test_a_film_has_a_picture_a_frame_and_each_moves(settings):
    experiment = run(settings)
    told, snapshot = frames_of(experiment), experiment.snapshot()
    drawn = list(film.pictures(told, snapshot, in_one_line(snapshot)))
    assert len(drawn) == len(told.frames)
    assert {image.size for image in drawn} == {(film.WIDTH, film.HEIGHT)}
    pixels = [np.asarray(image) for image in drawn]
    # The curves and what the network is: both halves of the picture move.
    for half in (np.s_[:, : film.WIDTH // 2], np.s_[50:360, film.WIDTH // 2 :]):
        assert (pixels[0][half] != pixels[-1][half]).any()
    caption = np.s_[film.HEIGHT - 44 :]
    assert (pixels[0][caption] == pixels[-1][caption]).all()
    assert (pixels[0][caption] != 255).any()


@pytest.mark.parametrize("sign", "−²×–“")
def test_signs_beyond_those_of_a_keyboard_are_drawn(sign):
    experiment = run({}, 2)
    told, snapshot = frames_of(experiment), experiment.snapshot()
    drawn = [next(film.pictures(told, snapshot, words)) for words in (sign, "?", "火", "\x81")]
    pixels = [np.asarray(image).tobytes() for image in drawn]
    assert pixels[1] == pixels[2]  # what no font has is a question mark
    assert pixels[0] not in pixels[1:]  # nor is it the box of a missing letter


def test_the_axis_of_a_film_says_that_later_steps_lie_closer():
    experiment = run({}, 1200)
    told, snapshot = frames_of(experiment), experiment.snapshot()
    numbers_below = np.s_[film.SCORE[3] + 1 : film.SCORE[3] + 16, 100:280]
    between = np.asarray(next(film.pictures(told, snapshot, "")))[numbers_below]
    assert (between != 255).any()


@pytest.mark.parametrize("kind", film.KINDS)
def test_any_program_can_play_it_for_its_time(kind):
    experiment = run({})
    told, snapshot = frames_of(experiment), experiment.snapshot()
    encoded = film.encode(film.pictures(told, snapshot, "x"), len(told.frames), kind)
    with Image.open(io.BytesIO(encoded)) as played:
        assert played.format == kind.upper()
        times = []
        for frame in ImageSequence.Iterator(played):
            frame.load()
            times.append(frame.info["duration"])
    lasts = film.LASTS // len(told.frames) * (len(told.frames) - 1) + film.ENDS
    assert sum(times) == pytest.approx(lasts, abs=10 * len(told.frames))


def test_a_film_of_a_run_without_steps_and_of_one_that_diverged():
    still = Experiment(RunConfig())
    broken = run({})
    broken.apply(SetKnob("optimization.learning_rate", 1e6))
    broken.train(50)
    assert broken.status == "diverged"
    for experiment in (still, broken):
        told, snapshot = frames_of(experiment), experiment.snapshot()
        count = len(told.frames)
        assert count >= 1
        encoded = film.encode(film.pictures(told, snapshot, "→ ∞ 火"), count, "webp")
        with Image.open(io.BytesIO(encoded)) as played:
            assert played.n_frames <= count


def _stem(now):
    return stem(now.run, now.step, now.config)


def test_a_film_is_made_on_request_and_then_there_to_be_saved():
    handle, there, shows = ObedientHandle(run({})), [], []

    def later(show):
        shows.append(show)
        return there.append

    maker = FilmMaker(handle, in_one_line, stem, later)
    begin, *saves = maker.view.select(lambda x: hasattr(x, "label"))
    maker.show(handle.latest)
    begin.clicks += 1
    assert begin.disabled
    filmed, told = _stem(handle.latest), []
    handle.experiment.train(5)  # goes on meanwhile
    while handle.jobs.busy:
        handle.jobs.advance(1.0, Ticking(0.4))  # a little at a time
        maker.show(handle.latest)
        told.append(page_text(maker.view))
    assert "Filming" in told[0] and "Drawing" in page_text(maker.view)
    wait_until(lambda: there)
    assert not film_maker.DRAWING.locked()
    shows[0](there[0])
    assert "There it is" in page_text(maker.view) and not begin.disabled
    assert handle.jobs.shown.film is None  # the engine keeps nothing
    for kind, save in zip(film.KINDS, saves, strict=True):
        assert save.callback().read() == there[0][kind][1]
        assert save.filename == f"{filmed}.{kind}" != f"{_stem(handle.latest)}.{kind}"
    assert there[0]["webp"][1][:4] == b"RIFF" and there[0]["gif"][1][:3] == b"GIF"
