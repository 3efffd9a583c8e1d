"""Lets this process have as many sockets open as it is allowed to.

Many systems begin a process with 1024, some with 256. Beyond it none can be accepted, and the event
loop tries again and again: clients that connect and say nothing shut a class out.
"""

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

ENOUGH = 10_000  # macOS refuses more than 10,240


def raise_limit() -> None:
    """Raise the soft limit of open files to the hard one, or to enough."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
