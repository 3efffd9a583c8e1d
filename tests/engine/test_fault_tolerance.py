"""An injected fault ends one experiment with a message, and nothing else."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import Choice, Conductor, Experiment, Pause, Play, Restart, RunConfig, SetKnob, Status
from engine.monotonic_clock import LONGEST, Steady
from tests.waiting import PATIENCE, RUNNING, wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def conductor():
    conductor = Conductor(frame_rate=50)
    yield conductor
    conductor.close()


def fail_at(experiment: Experiment, step: int, error: BaseException) -> None:
    """Make the second layer raise during this step."""
    layer = experiment.network.layers[1]
    forward, calls = layer.forward, itertools.count(1)

    def broken(x, train):
        if train and next(calls) == step:
            raise error
        return forward(x, train)

    layer.forward = broken


@pytest.mark.parametrize("step", [1, 2, 57])
def test_a_layer_that_raises_ends_the_run_and_restart_works(conductor, config, step):
    experiment = Experiment(config)
    fail_at(experiment, step, FloatingPointError("a layer gave up"))
    broken, sound = conductor.add(experiment), conductor.add(Experiment(config))
    for handle in (broken, sound):
        handle.send(Play())
    wait_until(lambda: broken.latest.status is Status.FAILED)
    assert broken.latest.message == ("FloatingPointError: a layer gave up. Restart to try again.")
    reached = conductor.slot(sound).experiment.step
    wait_until(lambda: conductor.slot(sound).experiment.step > reached + 50)
    broken.send(Restart())
    broken.send(Play())
    wait_until(lambda: broken.latest.run == 2 and conductor.slot(broken).experiment.step > step)
    assert broken.latest.status is Status.RUNNING


def test_out_of_memory_ends_only_that_run(conductor, config):
    experiment = Experiment(config)
    fail_at(experiment, 3, MemoryError("Unable to allocate 7.00 TiB"))
    handle = conductor.add(experiment)
    handle.send(Play())
    wait_until(lambda: handle.latest.status is Status.FAILED)
    assert "Unable to allocate" in handle.latest.message
    assert conductor.alive


def test_nan_in_the_data_ends_as_a_divergence(config):
    experiment = Experiment(config.with_seed(13))  # no other test uses these data
    x = experiment.data.train.x
    x.setflags(write=True)
    x[::7, 3] = np.nan
    experiment.apply(Play())
    experiment.train(50)
    snapshot = experiment.snapshot()
    assert snapshot.status is Status.DIVERGED
    assert "step" in snapshot.message and "Traceback" not in snapshot.message
    curves = snapshot.curves["loss"]
    assert np.isfinite(curves[:-1]).all()  # the last finite frame stays


def test_a_listener_that_raises_does_not_end_the_thread(conductor, config):
    def deaf(snapshot, version=0):
        raise RuntimeError("nobody is at home")

    handle, other = conductor.add(Experiment(config)), conductor.add(Experiment(config))
    handle.on_change = deaf
    handle.send(Play())
    handle.wait("a page", 10**9, deaf)
    other.send(Play())
    wait_until(lambda: conductor.slot(handle).experiment.status is Status.FAILED)
    wait_until(lambda: conductor.slot(other).experiment.step > 50)
    assert conductor.alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_noticed(conductor, config):
    assert conductor.alive
    experiment = Experiment(config)
    fail_at(experiment, 5, SystemExit())  # not an Exception: nothing catches it
    handle = conductor.add(experiment)
    handle.send(Play())
    wait_until(lambda: not conductor.alive)
    conductor.remove(handle)
    assert not conductor.alive


JUMPS = [3600.0, -3600.0, 1e6, -1e6]  # seconds


@pytest.mark.parametrize("jump", JUMPS)
def test_a_slice_ends_though_the_clock_jumps(config, jump):
    now, looks = [0.0], itertools.count()

    def clock() -> float:
        look = next(looks)
        assert look < 5000, "a slice has no end"
        now[0] += 1e-3 + (jump if look == 60 else 0)
        return now[0]

    experiment = Experiment(config, clock=clock, work=clock)
    experiment.apply(Play())
    for _ in range(50):
        experiment.advance(0.01)
    step = experiment.step
    assert 0 < step <= 510  # 10 per slice
    for _ in range(50):
        experiment.advance(0.01)
    assert experiment.step > step
    assert experiment.status is Status.RUNNING


@pytest.mark.parametrize("jump", JUMPS)
def test_the_clock_never_goes_back(jump):
    now = [5.0]
    steady = Steady(lambda: now[0])
    now[0] += 0.25
    assert steady() == 0.25
    now[0] += jump
    passed = steady() - 0.25
    assert 0 <= passed <= LONGEST
    now[0] += 0.5
    assert steady() == 0.75 + passed


@pytest.mark.parametrize("jump", JUMPS)
def test_a_conductor_whose_clock_jumps_serves_on(config, jump):
    jumped = []

    def clock() -> float:
        return RUNNING() + jump * len(jumped)

    conductor = Conductor(frame_rate=50, clock=clock)
    try:
        handles = [conductor.add(Experiment(config, clock=clock, work=clock)) for _ in range(3)]
        for handle in handles:
            handle.send(Play())
        wait_until(lambda: min(conductor.slot(handle).experiment.step for handle in handles) > 20)
        for _ in range(3):
            jumped.append(True)
            steps = [conductor.slot(handle).experiment.step for handle in handles]
            wait_until(
                lambda steps=steps: all(
                    conductor.slot(s).experiment.step > n + 50
                    for s, n in zip(handles, steps, strict=True)
                )
            )
        handles[0].send(Pause())
        wait_until(lambda: handles[0].latest.status is Status.PAUSED)
    finally:
        jumped.clear()
        conductor.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize("flag", ["--csv", "--save"])
def test_a_full_disk_is_reported_in_one_line_after_the_run(flag):
    done = subprocess.run(
        [sys.executable, "-m", "engine", "train", "--steps", "5", flag, "/dev/full"],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "babysit: /dev/full: No space left on device"
    assert "Traceback" not in done.stderr


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from engine.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def in_room_for(size: int, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with a limit on the size of files."""
    return subprocess.run(
        [sys.executable, "-c", FULL, str(size), *argv],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="nothing limits what is written")
def test_a_full_disk_ends_a_search_in_one_line_and_with_room_it_goes_on(tmp_path):
    file = tmp_path / "trials.csv"
    argv = ["search", "--trials", "5", "--epochs", "1", "--set", "model.hidden=[8]"]
    argv += ["--csv", str(file)]
    stopped = in_room_for(3000, *argv)
    assert stopped.returncode == 2
    assert re.fullmatch(rf"babysit: {re.escape(str(file))}: .+\n", stopped.stderr)
    kept = file.read_bytes()
    assert kept.count(b"\n") > 1  # a row or two fitted
    assert in_room_for(10**6, *argv).returncode == 0
    whole = file.read_bytes()
    assert whole.startswith(kept[: kept.rfind(b"\n") + 1])  # none is lost or repeated
    assert whole.count(b"\n") == 1 + 5


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.hidden", "10000000"),
        ("model.hidden", "10000, 10000, 10000"),
        ("model.hidden", ", ".join(["10000"] * 64)),
        ("model.convolutions", "512 of 64x64 padding 63, 512 of 64x64 padding 63"),
        ("optimization.batch_size", 10**9),
    ],
)
def test_an_excessive_network_is_refused_at_once(path, value):
    experiment = Experiment(RunConfig().replace("data.dataset", Choice("Fashion-MNIST")))
    with pytest.raises(ValueError, match=r"at most|from 1 to") as refusal:
        experiment.apply(SetKnob(path, value))
    assert len(str(refusal.value)) < 1000
    experiment.train(2)
    assert experiment.step == 2
