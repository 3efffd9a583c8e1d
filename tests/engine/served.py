"""A conductor without threads: time passes by a clock of the test's own."""

TICK = 0.001  # seconds that pass while there is nothing to do


def watch(handle):
    """Want every frame."""
    handle.wait("page", handle._version, lambda snapshot, version: watch(handle))


def serve(room, clock, seconds):
    """Let time pass; all queues are served as their threads would."""
    end = clock.now + seconds
    while clock.now < end:
        if not any([queue.serve() for queue in (room.main, *room.beside)]):
            clock.now += TICK
