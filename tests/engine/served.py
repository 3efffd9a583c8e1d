"""Runs a conductor without threads, on a clock that the test controls."""

TICK = 0.001  # seconds that pass in an idle turn


def watch(handle):
    """Request every frame."""
    handle.wait("page", handle.version, lambda snapshot, version: watch(handle))


def serve(room, clock, seconds):
    """Let time pass while all queues are served, as their threads would do."""
    end = clock.now + seconds
    while clock.now < end:
        if not any([queue.serve() for queue in (room.main, *room.slow)]):
            clock.now += TICK
