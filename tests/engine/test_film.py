"""A film shows the run's own steps, in bounded time, and leaves the run alone."""

import numpy as np
import pytest

from engine import Choice, Experiment, Film, RunConfig, SetKnob, digest
from engine.runtime import film as film_module
from engine.runtime.film import FRAMES, steps_of_film


def filmed(experiment):
    *_, film = experiment.filming()
    assert isinstance(film, Film)
    return film


def run(steps, config=None, change_at=None):
    experiment = Experiment(config or RunConfig().replace("data.dataset", Choice("spiral")))
    if change_at is not None:
        experiment.train(change_at)
        experiment.apply(SetKnob("optimization.learning_rate", 0.05))
    experiment.train(steps - experiment.step)
    return experiment


def test_the_steps_go_from_the_first_to_the_last_ever_further_apart():
    for end in (0, 1, 5, 99, 1234, 10**6):
        steps = steps_of_film(end)
        assert steps[0] == 0 and steps[-1] == end
        assert len(steps) <= FRAMES
        assert steps == sorted(set(steps))
    gaps = np.diff(steps_of_film(10**6))
    assert gaps[0] < 20 < 1000 < gaps[-1]


def test_each_frame_is_that_step_of_the_run():
    experiment = run(600, change_at=250)
    before = digest(experiment), list(experiment.journal)
    film = filmed(experiment)
    assert (digest(experiment), list(experiment.journal)) == before
    assert [frame.step for frame in film.frames] == steps_of_film(600)
    assert film.layers == tuple(x.name for x in experiment.network.shown)
    for frame in film.frames[::20] + film.frames[-1:]:
        alone = run(frame.step, change_at=250 if frame.step > 250 else None)
        seen = alone.snapshot(frozenset({"decision_surface"})).on_demand.decision_surface
        assert (frame.surface.predicted == seen.predicted).all()
        assert frame.surface.lead == pytest.approx(seen.lead, abs=1e-3)
    assert len(film.frames[0].surface.training.x) > 0
    assert all(len(frame.surface.training.x) == 0 for frame in film.frames[1:])


def test_histograms_count_activations_of_pictures(config):
    experiment = run(40, config)
    film = filmed(experiment)
    assert all(frame.surface is None for frame in film.frames)
    batch = experiment.training.evaluators[0].network.batch
    for frame in film.frames:
        assert len(frame.counts) == len(film.layers) == 3
        assert frame.counts[0].sum() <= 64 * batch
        assert len(frame.counts[0]) == len(frame.edges) - 1
    assert (film.frames[0].counts[0] != film.frames[-1].counts[0]).any()


def test_no_activation_lies_outside_of_the_histograms_though_nobody_has_looked_before(config):
    film = filmed(run(600, config))
    first, last = film.frames[0], film.frames[-1]
    assert last.edges[-1] > first.edges[-1]  # scores grow
    assert len({frame.counts[-1].sum() for frame in film.frames}) == 1


def test_what_would_take_too_long_is_shown_at_an_earlier_step(monkeypatch):
    experiment = run(3000)
    monkeypatch.setattr(film_module, "MOST_STEPS", 500)
    made = []
    update = film_module.Replay.update

    def count(self):
        made.append(self.training.step)
        return update(self)

    monkeypatch.setattr(film_module.Replay, "update", count)
    film = filmed(experiment)
    assert 0 < len(made) <= 500
    steps = [frame.step for frame in film.frames]
    assert steps == sorted(set(steps)) and steps[-1] <= 3000
    assert len(steps) > 5


def test_a_run_that_goes_on_or_restarts_meanwhile_does_not_disturb_it():
    experiment = run(300)
    work = experiment.filming()
    for _ in range(5):
        next(work)
    experiment.train(500)
    experiment.apply(SetKnob("model.hidden", "4, 4, 4, 4"))
    *_, film = work
    assert [frame.step for frame in film.frames] == steps_of_film(300)
    assert len(film.layers) == 3


def test_a_run_that_diverged_is_filmed_up_to_there():
    experiment = run(50)
    experiment.apply(SetKnob("optimization.learning_rate", 1e6))
    experiment.train(50)
    assert experiment.status == "diverged"
    film = filmed(experiment)
    assert film.frames[0].step == 0
    assert film.frames[-1].step < experiment.step <= 100
