"""Addresses for the servers of tests: a free port, and whether a page is served there."""

import socket
import urllib.request


def free_port() -> int:
    """A port of this machine that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    """Whether a server answers; no page is requested, which would count as a visit."""
    try:
        with urllib.request.urlopen(f"{address}/static/frames.js", timeout=1):
            return True
    except OSError:
        return False
