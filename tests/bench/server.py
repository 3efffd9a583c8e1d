"""Starts a server for a benchmark on a free port, and queries it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 60.0  # seconds for an answer, for it to start, to stop


@dataclass(frozen=True)
class Server:
    """A running server, seen from outside."""

    base: str  # the page's address
    process: psutil.Process
    log: Path | None = None  # its output so far

    def says(self) -> dict[str, Any]:
        """The answer of `/readiness`, whatever the status."""
        try:
            return dict(json.loads(get(self.base.replace("/app", "/readiness"))))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))

    @property
    def complaints(self) -> list[str]:
        """The errors and warnings in its log."""
        lines = self.log.read_text().splitlines() if self.log else []
        return [line for line in lines if "ERROR" in line or "WARNING" in line or "Error:" in line]

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        return float(self.process.memory_info().rss / 1e6)

    @property
    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def served(*flags: str, folder: str | None = None, **environment: object) -> Iterator[Server]:
    """`panel serve app` with these flags and variables in this folder, stopped afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "panel", "serve", "app", "--port", str(port), *flags],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=os.environ | {name: str(value) for name, value in environment.items()},
        )
        base = f"http://localhost:{port}/app"
        try:
            # Not the page: its session would be discarded in the middle of the measurement.
            _wait_until_served(f"{base}/static/frames.js")
            yield Server(base, psutil.Process(process.pid), Path(log.name))
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait_until_served(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            get(address)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def get(address: str) -> str:
    """The body of the response."""
    with urllib.request.urlopen(address, timeout=PATIENCE) as reply:
        return str(reply.read().decode())
