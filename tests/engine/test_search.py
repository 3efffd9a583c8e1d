"""A search tries what it announces, loses no result, stops hopeless trials, finds good ones."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import psutil
import pytest
from distributed import LocalCluster

from engine import Choice, Experiment, ModelConfig, OptimizationConfig, RunConfig
from engine.cli.main import main
from engine.data import DATASETS, Examples
from engine.registry import Range
from engine.runtime.recording import digest
from engine.search import (
    LECTURE_SEARCH,
    STRATEGIES,
    Categorical,
    Comparison,
    Continuous,
    Ending,
    Ensemble,
    InThread,
    Pool,
    Search,
    SearchRun,
    SearchStatus,
    TrialStatus,
    axis_of,
    cluster,
    lecture_search,
    narrow,
    on_client,
    one_matters,
    processes,
    refine,
)
from engine.search.trial import Job, Result, TrialRun
from engine.search.workers import TURN
from tests.waiting import PATIENCE, Ticking, wait_until

RATE, L2 = "optimization.learning_rate", "optimization.l2"
SMALL = Search(
    base=RunConfig(model=ModelConfig(hidden=(16,))),
    space=(Continuous(RATE, 1e-4, 1.0), Continuous(L2, 1e-5, 10.0)),
    trials=12,
    epochs=2,
)
HALVING = msgspec.structs.replace(SMALL, strategy=Choice("successive halving"))


def changed(search: Search, **fields: object) -> Search:
    return msgspec.structs.replace(search, **fields)


def outcome(hunt: SearchRun) -> dict[int, tuple]:
    """The results that must not depend on the workers."""
    return {
        n: (x.ending, x.rung, x.steps, x.digest, x.validation_accuracy)
        for n, x in hunt.results.items()
    }


def finished(search: Search, *arguments: object) -> SearchRun:
    hunt = SearchRun(search, *arguments)
    for _ in hunt:
        pass
    return hunt


@pytest.fixture(scope="module")
def small() -> SearchRun:
    return finished(SMALL)


@pytest.fixture(scope="module")
def halved() -> SearchRun:
    return finished(HALVING)


# ---- the space ----------------------------------------------------------------------------------


def test_a_log_axis_samples_each_power_of_ten_equally():
    rates = [trial.point[0] for trial in changed(LECTURE_SEARCH, trials=3000).draw()]
    assert all(1e-6 <= rate <= 1e-3 for rate in rates)
    counts, _ = np.histogram(np.log10(rates), bins=[-6, -5, -4, -3])
    assert np.abs(counts / 1000 - 1).max() < 0.1


def test_menus_knobs_and_layers_can_be_axes():
    space = (
        axis_of("model.activation", RunConfig()),
        Continuous("optimization.optimizer.mu", 0.5, 0.99, "linear"),
        Continuous("optimization.batch_size", 8, 64, "log", whole=True),
        Categorical("model.hidden", ("16", "16, 16")),
    )
    search = Search(space=space, trials=40)
    configs = [trial.config for trial in search.draw()]
    assert len({config.model.activation.name for config in configs}) > 4
    assert all(0.5 <= c.optimization.optimizer.knobs["mu"] <= 0.99 for c in configs)
    assert all(8 <= c.optimization.batch_size <= 64 for c in configs)
    assert {config.model.hidden for config in configs} == {(16,), (16, 16)}
    assert Search.from_json(search.to_json()) == search


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"space": (Continuous(RATE, 1e-9, 1.0),)}, "learning rate must be a number from 1e-6"),
        ({"space": (Continuous("optimization.optimizer.nu", 0.1, 1),)}, "has no knob 'nu'"),
        (
            {"space": (Categorical("model.activation", (Choice("RELU"),)),)},
            "unknown activation 'RELU'",
        ),
        ({"space": ()}, "needs axes"),
        ({"space": (Continuous(RATE, 0.1, 1), Continuous(RATE, 0.1, 1))}, "each of them once"),
        ({"strategy": Choice("luck")}, "choose from random, grid"),
        ({"trials": 0}, "from 1 to"),
        ({"limit": 0.5}, "above 1"),
    ],
)
def test_an_illegal_search_is_refused_in_one_sentence(fields, said):
    with pytest.raises(ValueError, match=said):
        Search(**fields)
    with pytest.raises(ValueError, match=said):
        changed(Search(), **fields)


def test_nine_trials_of_a_grid_try_three_values_and_random_ones_nine():
    for strategy, count in (("random", 9), ("grid", 3)):
        trials = changed(SMALL, trials=9, strategy=Choice(strategy)).draw()
        assert len(trials) == 9
        assert len({trial.point[0] for trial in trials}) == count


def test_a_shifted_grid_is_a_grid_with_a_random_offset():
    first = set()
    for seed in range(20):
        search = changed(SMALL, trials=9, seed=seed, strategy=Choice("shifted grid"))
        places = np.array([trial.places for trial in search.draw()])
        lines = [np.unique(places[:, i].round(9)) for i in (0, 1)]
        assert all(np.allclose(np.diff(line), 1 / 3) for line in lines)
        assert places.min() >= 0
        assert places.max() <= 1
        first.add(lines[0][0])
    assert len(first) == 20


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("trials", [1, 7, 30])
def test_every_strategy_stays_within_its_budget(name, trials):
    search = changed(SMALL, trials=trials, strategy=Choice(name))
    assert 1 <= len(search.draw()) <= trials
    assert search.rungs[-1].share == pytest.approx(1)
    assert all(0 <= place <= 1 for trial in search.draw() for place in trial.places)


# ---- a trial ------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (16, 8)])
def test_a_trial_is_the_experiment_of_its_config_to_the_bit(hidden):
    model = ModelConfig(hidden=hidden, normalization=Choice("batch norm"), dropout=0.2)
    base = RunConfig(model=model, optimization=OptimizationConfig(optimizer=Choice("Adam")))
    hunt = finished(changed(SMALL, base=base, trials=2))
    for number, result in hunt.results.items():
        experiment = Experiment(hunt.trials[number].config)
        experiment.train(result.steps)
        assert digest(experiment) == result.digest


def test_a_trial_ends_after_its_epochs(small):
    result = next(x for x in small.results.values() if x.ending is Ending.FINISHED)
    experiment = Experiment(small.trials[result.number].config)
    examples = len(experiment.data.train)
    assert result.steps == math.ceil(2 * examples / 32)


@pytest.mark.parametrize(
    ("rate", "l2", "limit", "ending"),
    [
        (1e6, 1e-6, 3.0, {Ending.COST, Ending.NOT_FINITE}),
        (1.0, 10.0, 3.0, {Ending.COST}),
        (0.05, 1e-4, 3.0, {Ending.FINISHED}),
    ],
)
def test_a_diverging_cost_ends_a_trial_early(rate, l2, limit, ending):
    config = RunConfig().replace(RATE, rate).replace(L2, l2)
    trial = TrialRun(Job(0, 0, config, 3.0, limit=limit))
    trial.advance(math.inf)
    result = trial.result
    assert result.ending in ending
    assert (result.steps < result.asked) == (result.ending is not Ending.FINISHED)
    if result.ending is Ending.COST:
        assert result.cost > limit * result.first_cost


def test_a_trial_that_cannot_be_built_is_reported_and_others_continue():
    space = (
        Categorical("model.convolutions", ("", "4 of 5x5 pool 8")),
        Continuous(RATE, 0.01, 0.1),
    )
    hunt = finished(changed(SMALL, space=space, trials=6))
    frames = hunt.frame().trials
    failed = [frame for frame in frames if frame.status is TrialStatus.FAILED]
    assert failed
    assert all(frame.reason for frame in failed)
    assert len(hunt.frame().ranking) == 6 - len(failed) > 0


# ---- control ------------------------------------------------------------------------------------


def test_slices_are_short_and_curves_grow_while_trials_run():
    clock = Ticking(TURN / 10)  # the time of a step
    hunt = SearchRun(
        changed(SMALL, epochs=20, trials=6), InThread(at_once=2, clock=clock), clock=clock
    )
    spent, running = [], []
    while not hunt.over:
        start = clock.now
        hunt.advance(0.02)
        spent.append(clock.now - start)
        frame = hunt.frame()
        running.append([x for x in frame.trials if x.status is TrialStatus.RUNNING])
    assert max(spent) <= 0.02 + 2 * TURN
    together = [x for x in running if len(x) == 2]
    assert together
    assert any(0 < x.steps < x.asked and len(x.curve.steps) > 3 for two in together for x in two)


def test_slices_change_nothing(small):
    hunt = SearchRun(SMALL, InThread(at_once=3))
    while not hunt.over:
        hunt.advance(0.003)
    assert outcome(hunt) == outcome(small)


def test_the_remaining_time_is_estimated(small):
    clock = Ticking(0.001)
    hunt = SearchRun(SMALL, InThread(clock=clock), clock=clock)
    assert math.isnan(hunt.frame().seconds_left)
    shares, left, times = [], [], []
    while not hunt.over:
        hunt.advance(0.005)
        shares.append(hunt.frame().share)
        left.append(hunt.frame().seconds_left)
        times.append(clock.now)
    assert shares[-1] == 1
    assert np.nanmin(left) == left[-1] == 0
    middle = len(left) // 2
    assert 0.3 < left[middle] / (times[-1] - times[middle]) < 3
    assert max(np.diff(shares)) < 0.3


def test_pause_resume_and_cancel():
    hunt = SearchRun(SMALL)
    hunt.advance(0.01)
    hunt.pause()
    before = hunt.frame()
    assert hunt.advance(0.01) == []
    assert before.status is SearchStatus.PAUSED
    assert hunt.frame() is before
    hunt.resume()
    found = next(iter(hunt))
    hunt.cancel()
    assert hunt.over
    assert hunt.frame().status is SearchStatus.CANCELLED
    assert found.number in hunt.results
    assert list(hunt) == []


def test_halving_keeps_the_best_of_each_round(halved):
    told = list(SearchRun(HALVING))
    for rung in (0, 1):
        score = {x.number: x.score for x in told if x.rung == rung}
        dropped = {x.number for x in told if x.rung == rung and x.ending is Ending.DROPPED}
        promoted = {x.number for x in told if x.rung == rung + 1}
        assert dropped
        assert min(score[n] for n in promoted) >= max(score[n] for n in dropped)
        for number in dropped:
            frame = halved.frame().trials[number]
            assert frame.status is TrialStatus.STOPPED
            assert "better" in frame.reason
    assert len(halved.frame().ranking) == 1
    full = max(x.asked for x in halved.results.values())
    assert sum(x.steps for x in halved.results.values()) < 0.5 * 12 * full


# ---- on executors -------------------------------------------------------------------------------


def children() -> list[psutil.Process]:
    """The processes of a pool that this process has started."""
    found = psutil.Process().children(recursive=True)
    return [x for x in found if "spawn_main" in " ".join(x.cmdline())]


def test_processes_find_the_same_even_if_one_is_killed(small, halved):
    before = {x.pid for x in children()}
    pool = processes(2)
    try:
        assert outcome(finished(HALVING, pool)) == outcome(halved)
        hunt = SearchRun(changed(SMALL, epochs=6), pool)
        coming = iter(hunt)
        first = next(coming)
        kept = hunt.results[first.number]
        next(x for x in children() if x.pid not in before).kill()
        seen = [first.number, *(result.number for result in coming)]
        assert sorted(seen) == list(range(12))  # none lost, none twice
        assert hunt.results[first.number] is kept
        assert outcome(hunt) == outcome(finished(changed(SMALL, epochs=6)))
    finally:
        pool.close()
    wait_until(lambda: {x.pid for x in children()} <= before)


DIES = """
import sys
from engine.search import LECTURE_SEARCH, SearchRun, processes
if __name__ == "__main__":
    hunt = SearchRun(LECTURE_SEARCH, processes(2))
    next(iter(hunt))
    sys.stdout.write("begun\\n")
    sys.stdout.flush()
    list(hunt)
"""


def test_workers_do_not_outlive_a_search_that_is_killed(tmp_path):
    script = tmp_path / "dies.py"
    script.write_text(DIES)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=ENVIRON) as parent:
        assert parent.stdout.readline() == b"begun\n"
        crowd = psutil.Process(parent.pid).children(recursive=True)
        assert len(crowd) >= 2
        parent.kill()
    _, alive = psutil.wait_procs(crowd, timeout=PATIENCE)
    assert not alive


@pytest.mark.filterwarnings("ignore")  # warnings of a cluster that loses a worker
def test_a_dask_cluster_finds_the_same_and_survives_the_loss_of_a_worker():
    search = changed(SMALL, epochs=6)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
        local.get_client() as client,
    ):
        hunt = SearchRun(search, on_client(client))
        coming = iter(hunt)
        first = next(coming)
        pid = client.submit(os.getpid, pure=False).result()
        os.kill(pid, signal.SIGKILL)
        seen = [first.number, *(result.number for result in coming)]
        assert sorted(seen) == list(range(12))
        assert outcome(hunt) == outcome(finished(search))


class Losing(Executor):
    """Loses every job, as if each killed its worker."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_exception(BrokenExecutor("a process died"))
        return future


def test_a_job_that_is_lost_each_time_is_given_up():
    hunt = finished(SMALL, Pool(Losing, 2))
    assert {x.ending for x in hunt.results.values()} == {Ending.FAILED}
    assert "a process died" in hunt.frame().trials[0].reason


def test_no_cluster_is_told_in_one_sentence():
    with pytest.raises(ValueError, match="no Dask scheduler answers"):
        cluster("not an address")


# ---- from coarse to fine ------------------------------------------------------------------------


def told_by(search: Search, good: int) -> list[Result]:
    """Results in which the trials nearest to the high end of axis `good` are the best."""
    trials = search.draw()
    return [
        Result(x.number, 0, Ending.FINISHED, validation_accuracy=x.places[good]) for x in trials
    ]


@pytest.mark.parametrize("good", [0, 1])
def test_best_trials_at_an_edge_give_a_warning(good):
    search = changed(SMALL, trials=100)
    hunt = SearchRun(search, done=told_by(search, good))
    (edge,) = hunt.frame().edges
    assert (edge.path, edge.side) == (search.space[good].path, "high")
    assert str(len(edge.numbers)) in edge.text


def test_a_finer_search_is_narrower_longer_and_around_the_best():
    search = changed(SMALL, trials=100)
    fine = refine(search, told_by(search, 0))
    assert fine.stage == 2
    assert fine.epochs > search.epochs
    assert fine.space[0].low > 0.1
    assert fine.space[0].high > 1.0  # it extends beyond the edge, as far as legal
    assert fine.seed != search.seed
    best = max(told_by(search, 0), key=lambda x: x.validation_accuracy)
    point = search.draw()[best.number].point
    assert all(one.low <= x <= one.high for one, x in zip(fine.space, point, strict=True))


def test_a_selected_region_becomes_a_search():
    fine = narrow(SMALL, {RATE: (0.75, 0.25)}, epochs=1, trials=5)
    assert fine.space[0].low == pytest.approx(1e-3)
    assert fine.space[0].high == pytest.approx(1e-1)
    assert fine.space[1] == SMALL.space[1]
    assert (fine.epochs, fine.trials) == (1, 5)
    space = (Categorical("model.activation", (Choice("ReLU"), Choice("tanh"), Choice("ELU"))),)
    fine = narrow(changed(SMALL, space=space), {"model.activation": (0.0, 0.6)})
    assert fine.space[0].options == (Choice("ReLU"), Choice("tanh"))
    with pytest.raises(ValueError, match="no axis of this search"):
        narrow(SMALL, {"model.hidden": (0, 1)})


def test_an_ensemble_averages_probabilities(small):
    ensemble = Ensemble(SMALL, small.results.values(), 3)
    while not ensemble.advance(0.01):
        pass
    frame = ensemble.frame()
    assert frame.alone == tuple(small.results[n].validation_accuracy for n in frame.numbers)
    assert frame.together[-1] == pytest.approx(average_of(small, frame.numbers))
    assert frame.gain == frame.together[-1] - max(frame.alone)


def average_of(hunt: SearchRun, numbers: tuple[int, ...]) -> float:
    """The same average, from whole experiments."""
    total = 0
    for number in numbers:
        experiment = Experiment(hunt.trials[number].config)
        experiment.train(hunt.results[number].steps)
        validation = experiment.data.validation
        (first, _, second) = experiment.network.layers
        hidden = np.maximum(validation.x @ first.params["W"] + first.params["b"], 0)
        scores = hidden @ second.params["W"] + second.params["b"]
        exps = np.exp(scores - scores.max(axis=1, keepdims=True))
        total = total + exps / exps.sum(axis=1, keepdims=True)
    return float(np.mean(total.argmax(axis=1) == validation.y))


def test_strategies_are_compared_at_equal_budget():
    comparison = Comparison(changed(SMALL, trials=5, epochs=0.5), [0, 1, 2], ("random", "grid"))
    while not comparison.advance(0.1):
        pass
    frame = comparison.frame()
    random, grid = frame.lines
    assert frame.seeds == (0, 1, 2)
    assert random.so_far.shape == grid.so_far.shape == (3, 4)  # a grid can use four of five
    assert len({tuple(x) for x in random.places.reshape(-1, 2)}) == 12
    assert len({tuple(x) for x in grid.places.reshape(-1, 2)}) == 4
    for line in frame.lines:
        assert not line.so_far.flags.writeable
        assert (np.diff(np.nan_to_num(line.so_far), axis=1) >= 0).all()
        assert (line.low <= line.middle).all()
        assert (line.middle <= line.high).all()


# ---- the command line ---------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]
ENVIRON = os.environ | {"PYTHONPATH": str(ROOT)}
SPEC = ["--set", "model.hidden=[16]", "--trials", "12", "--epochs", "2"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("strategy", ["random", "successive halving"])
def test_a_search_continues_from_its_csv(tmp_path, capsys, strategy):
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    argv = ["search", *SPEC, "--strategy", strategy, "--json"]
    assert main([*argv, "--csv", str(whole)]) == 0
    first = json.loads(capsys.readouterr().out)
    text = whole.read_bytes()
    for share in (0.0, 0.02, 0.4, 0.9, 1.0):  # killed while writing, at any byte
        torn.write_bytes(text[: int(share * len(text))])
        assert main([*argv, "--csv", str(torn)]) == 0
        again = json.loads(capsys.readouterr().out)
        assert again["ranking"] == first["ranking"]
        rows, known = (sorted(map(without_time, table(path))) for path in (torn, whole))
        assert rows == known


def without_time(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(value for name, value in row.items() if name != "seconds")


ENDS = """
import os, sys
from engine.cli.main import main
from engine.search import ResultsFile
def append(self, result, known=[], append=ResultsFile.append):
    append(self, result)
    known.append(result)
    if len(known) == 2:
        os.kill(os.getpid(), {end})
ResultsFile.append = append
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("executor", "end", "status"),
    [(["here"], signal.SIGKILL, -9), (["processes", "2"], signal.SIGINT, 130)],
    ids=["killed", "Ctrl-C"],
)
def test_an_interrupted_search_repeats_nothing(tmp_path, executor, end, status):
    path = tmp_path / "table.csv"
    argv = ["search", *SPEC[:2], "--trials", "14", "--epochs", "2", "--csv", str(path)]
    ends = [sys.executable, "-c", ENDS.format(end=int(end)), *argv, "--executor", *executor]
    assert subprocess.run(ends, env=ENVIRON, capture_output=True).returncode == status
    before = path.read_bytes()
    assert 2 <= len(table(path)) < 14
    again = subprocess.run(
        [sys.executable, "-m", "engine", *argv], env=ENVIRON, capture_output=True
    )
    assert (again.returncode, again.stderr) == (0, b"")
    assert path.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert sorted(int(row["trial"]) for row in table(path)) == list(range(14))


def test_another_search_does_not_continue_from_the_csv(tmp_path, capsys):
    path = tmp_path / "table.csv"
    argv = ["search", *SPEC[:2], "--trials", "2", "--epochs", "0.2", "--csv", str(path)]
    assert main(argv) == 0
    before = path.read_bytes()
    assert main([*argv, "--seed", "5"]) == 2
    said = capsys.readouterr().err
    assert "is not the table of this search" in said
    assert said.count("\n") == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (["--epochs", "0.5"], "epochs there: 0.2, here: 0.5"),
        (["--limit", "2"], "limit there: 3, here: 2"),
        (["--strategy", "grid"], "strategy there: random, here: grid"),
        (["--space", f"{RATE}=1e-6..1e-3", "--space", f"{L2}=1e-5..1"], "space there: optim"),
        (["--seed", "5"], "seed there: 0, here: 5"),
    ],
    ids=lambda x: x[0] if isinstance(x, list) else "",
)
def test_results_of_another_search_are_refused(tmp_path, capsys, other, said):
    path = tmp_path / "table.csv"
    argv = ["search", *SPEC[:2], "--trials", "2", "--epochs", "0.2", "--csv", str(path)]
    assert main(argv) == 0
    before = path.read_bytes()
    capsys.readouterr()
    assert main([*argv, *other]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.err.count("\n") == 1 and told.out == ""
    assert path.read_bytes() == before


def test_a_random_search_with_more_trials_continues_from_its_csv(tmp_path):
    path = tmp_path / "table.csv"
    argv = ["search", *SPEC[:2], "--epochs", "0.2", "--csv", str(path)]
    assert main([*argv, "--trials", "2"]) == 0
    before = path.read_bytes()
    assert main([*argv, "--trials", "3"]) == 0
    assert path.read_bytes().startswith(before) and len(table(path)) == 3


def test_a_csv_without_a_search_is_refused(tmp_path, capsys):
    path = tmp_path / "table.csv"
    argv = ["search", *SPEC[:2], "--trials", "1", "--epochs", "0.2", "--csv", str(path)]
    assert main(argv) == 0
    (row,) = table(path)
    del row["search"]  # as in files of earlier versions
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    assert main(argv) == 2
    assert "does not name its search; write to another file" in capsys.readouterr().err


def test_a_search_without_finished_trials_has_no_best(tmp_path, capsys):
    best = tmp_path / "best.json"
    argv = ["search", *SPEC[:2], "--space", f"{RATE}=1e4..1e6", "--trials", "3", "--epochs", "1"]
    for files in (["--best", str(best)], ["--refined", str(best)], ["--ensemble", "2"]):
        assert main([*argv, *files]) == 2
        told = capsys.readouterr()
        assert "0 of 3 trials finished" in told.out
        assert told.err.startswith("babysit: no trial has finished")
        assert told.err.count("\n") == 1
        assert not best.exists()


# ---- whole numbers ------------------------------------------------------------------------------

SIZE = "optimization.batch_size"


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize(("low", "high"), [(1, 4), (3, 3 + 9)])
def test_whole_numbers_have_the_share_that_rounds_to_them(scale, low, high):
    axis = Continuous(SIZE, low, high, scale, whole=True)
    places = (np.arange(100_000) + 0.5) / 100_000
    found, counts = np.unique([axis.at(x) for x in places], return_counts=True)
    assert found.tolist() == list(range(low, high + 1))
    of = np.log if scale == "log" else np.asarray
    expected = (of(found + 0.5) - of(found - 0.5)) / (of(high + 0.5) - of(low - 0.5))
    np.testing.assert_allclose(counts / 100_000, expected, atol=2e-5)
    assert (axis.at(0.0), axis.at(1.0)) == (low, high)
    assert all(axis.at(axis.place(value)) == value for value in found.tolist())


@pytest.mark.parametrize("strategy", ["grid", "shifted grid"])
@pytest.mark.parametrize(("high", "trials"), [(4, 12), (128, 12), (2, 30), (128, 150)])
def test_a_grid_has_no_duplicate_points(strategy, high, trials):
    space = (Continuous(SIZE, 1, high, "log", whole=True), Continuous(RATE, 1e-4, 1.0))
    drawn = changed(SMALL, space=space, trials=trials, strategy=Choice(strategy)).draw()
    assert 0.7 * trials < len(drawn) <= trials
    assert len({trial.point for trial in drawn}) == len(drawn)


def test_duplicate_options_and_fractional_ends_are_refused():
    with pytest.raises(ValueError, match="has the option 8 twice"):
        Categorical(SIZE, (8.0, 16.0, 8.0))
    with pytest.raises(ValueError, match=r"whole number to another, got 1\.5 to 4"):
        Continuous(SIZE, 1.5, 4, "log", whole=True)


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_the_lectures_search_uses_cifar_10_if_available(there, capsys):
    def colours(rng, *, per_class: Annotated[int, Range(1, 6000, whole=True)] = 600):
        x = rng.random((80, 12)).astype(np.float32)
        return Examples(x, np.arange(80) % 2, ("cat", "dog"), (2, 2, 3))

    name = "CIFAR-10" if there else "Fashion-MNIST"
    if there:
        DATASETS.admit(name, colours)
    try:
        for search in (lecture_search(), one_matters()):
            assert search.base.data.dataset.name == name
        assert main(["search", "--lecture", "--trials", "1", "--epochs", "0.1"]) == 0
    finally:
        if there:
            DATASETS.dismiss(name)
    assert capsys.readouterr().out.startswith(f"1 trial of 0.1 epochs on {name}\n")


def test_best_and_refined_files_are_accepted_by_other_commands(tmp_path, capsys):
    best, fine = tmp_path / "best.json", tmp_path / "fine.json"
    files = ["--best", str(best), "--refined", str(fine), "--ensemble", "2"]
    assert main(["search", *SPEC, *files]) == 0
    out = capsys.readouterr().out
    assert "together" in out
    assert "of 12 trials finished" in out
    assert main(["train", "--config", str(best), "--steps", "3"]) == 0
    capsys.readouterr()
    argv = ["search", "--search", str(fine), "--trials", "2", "--epochs", "0.2", "--json"]
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out)["search"]["stage"] == 2


def test_axes_are_parsed_from_arguments(capsys):
    space = ["optimization.learning_rate=0.01..0.1", "model.activation=ReLU|tanh"]
    space += ["model.hidden=8|8, 8", "optimization.optimizer.mu", "optimization.batch_size=8|16"]
    argv = ["search", "--trials", "3", "--epochs", "0.1", "--json"]
    assert main([*argv, *(word for one in space for word in ("--space", one))]) == 0
    told = json.loads(capsys.readouterr().out)["search"]["space"]
    assert [one["path"] for one in told] == [one.partition("=")[0] for one in space]
    assert told[0]["low"] == 0.01
    assert [option["name"] for option in told[1]["options"]] == ["ReLU", "tanh"]
    assert told[2]["options"] == ["8", "8, 8"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--space", "optimization.l3=1..2"], "unknown setting 'optimization.l3'"),
        (["--space", "optimization.l2=a..b"], "'a' is no number"),
        (["--space", "optimization.l2=1|two"], "'two' is no number"),
        (["--space", "model.activation=1..2"], "PATH=LOW..HIGH of numbers"),
        (["--space", "model.hidden"], "list its options"),
        (["--strategy", "luck"], "unknown strategy 'luck'"),
        (["--executor", "processes", "none"], "processes N or cluster ADDRESS"),
        (["--executor", "processes", "0"], "at least 1 process"),
        (["--trials", "0"], "a whole number, 1 or more, got '0'"),
        (["--trials", "10001"], "from 1 to"),
        (["--trials", "few"], "a whole number, 1 or more, got 'few'"),
        (["--epochs", "few"], "must be a number, got 'few'"),
        (["--ensemble", "0"], "a whole number, 1 or more, got '0'"),
        (["--strategy", "{"], "is no JSON: it ends too early"),
    ],
)
def test_every_search_error_is_one_line(capsys, argv, said):
    assert main(["search", *argv]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
