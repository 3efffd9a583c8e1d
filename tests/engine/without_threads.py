"""Runs a conductor without threads, on a clock that the test controls."""

from engine import Conductor, Experiment
from engine.runtime.checkpoint_pool import POOL
from engine.training.checkpoints import MAX_BYTES
from tests.waiting import Clock

TICK = 0.005  # seconds that pass in an idle turn
WORK = 0.0005  # ... between two looks at the time that a turn has worked, as in a step


def conducted(config, *, checkpoints=POOL, **added):
    """A conductor, the clock that its work moves, and the handle of its one experiment."""
    clock = Clock()

    def work():
        clock.now += WORK
        return clock.now

    conductor = Conductor(10, clock, work=work, begin=lambda thread: None, checkpoints=checkpoints)
    experiment = Experiment(config, clock=clock, work=work, max_bytes=min(MAX_BYTES, checkpoints))
    return conductor, clock, conductor.add(experiment, **added)


def watch(handle):
    """Request every frame."""
    handle.wait("page", handle.version, lambda snapshot, version: watch(handle))


def serve(max_bytes, clock, seconds):
    """Let time pass while all queues are served, as their threads would do."""
    end = clock.now + seconds
    while clock.now < end:
        if not any([queue.serve() for queue in (max_bytes.main, *max_bytes.slow)]):
            clock.now += TICK
