"""Limits of a process, set by environment variables; read once, checked at the start.

BABYSIT_MAX_VISITORS    visitors at once
BABYSIT_MAX_PARAMETERS  parameters of one network
BABYSIT_MAX_UPLOAD_MB   size of an uploaded file
BABYSIT_CHECKPOINTS_MB  checkpoints of all runs, from which their steps are rebuilt
BABYSIT_FRAME_RATE      frames a second for a page, at most
BABYSIT_PIN_CORE        1: all threads stay on one core, the least busy; 0: on any
BABYSIT_BEHIND_PROXY    1: a proxy says whose a request is (X-Forwarded-For); 0: whoever sends it
BABYSIT_READY_PAGES     pages that are built before anybody requests them; 0: none
BABYSIT_DATA            a folder of data sets for everybody's menu
BABYSIT_ROOMS           class rooms at once
BABYSIT_ROOM_STUDENTS   students in one room
BABYSIT_ROOM_HOURS      hours after which a room is closed
BABYSIT_FRAME_ANCESTORS origins whose pages may show this one in a frame, besides its own
"""

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.registry import Range
from engine.runtime.checkpoint_pool import POOL

MEGABYTE = 2**20
BUFFERED = 8  # numbers in the buffers of the layers, for each parameter allowed


@dataclass(frozen=True)
class Limits:
    """The limits and their defaults, which suit a laptop."""

    visitors: int = 60
    parameters: int = 20_000_000  # 80 MB as float32, and as much each for gradient and update
    upload: int = 16 * MEGABYTE  # bytes
    frame_rate: float = 10.0  # a second
    pin_core: bool = True
    data: Path | None = None
    checkpoints: int = POOL  # bytes, of all visitors together
    rooms: int = 20
    students: int = 200  # in one room
    room_hours: float = 8.0
    frame_ancestors: tuple[str, ...] = ()  # such as https://moodle.example
    ready_pages: int = 40  # a class; of 1.4 MB each
    behind_proxy: bool = False

    @property
    def buffers(self) -> int:
        """Numbers that the buffers of one network's layers may hold."""
        return BUFFERED * self.parameters


@functools.cache
def limits() -> Limits:
    """The limits of this process."""
    return read_limits(os.environ)


def read_limits(environment: Mapping[str, str]) -> Limits:
    """The limits that an environment sets; ValueError says in one sentence which is illegal."""
    usual = Limits()
    megabytes = _number(environment, "MAX_UPLOAD_MB", usual.upload // MEGABYTE, UPLOAD)
    usual_mb = usual.checkpoints // MEGABYTE
    checkpoints = _number(environment, "CHECKPOINTS_MB", usual_mb, CHECKPOINTS)
    return Limits(
        visitors=int(_number(environment, "MAX_VISITORS", usual.visitors, VISITORS)),
        parameters=int(_number(environment, "MAX_PARAMETERS", usual.parameters, PARAMETERS)),
        upload=int(megabytes * MEGABYTE),
        checkpoints=int(checkpoints * MEGABYTE),
        frame_rate=_number(environment, "FRAME_RATE", usual.frame_rate, FRAME_RATE),
        pin_core=bool(_number(environment, "PIN_CORE", usual.pin_core, PIN_CORE)),
        behind_proxy=bool(_number(environment, "BEHIND_PROXY", usual.behind_proxy, BEHIND_PROXY)),
        ready_pages=int(_number(environment, "READY_PAGES", usual.ready_pages, READY_PAGES)),
        data=_folder(environment, "DATA"),
        rooms=int(_number(environment, "ROOMS", usual.rooms, ROOMS)),
        students=int(_number(environment, "ROOM_STUDENTS", usual.students, STUDENTS)),
        room_hours=_number(environment, "ROOM_HOURS", usual.room_hours, ROOM_HOURS),
        frame_ancestors=_origins(environment, "FRAME_ANCESTORS"),
    )


VISITORS = Range(1, 10_000, whole=True)
PARAMETERS = Range(1_000, 1e9, whole=True)
UPLOAD = Range(0.001, 512)
CHECKPOINTS = Range(0, 10_000)
FRAME_RATE = Range(0.5, 60)
PIN_CORE = Range(0, 1, whole=True)
BEHIND_PROXY = Range(0, 1, whole=True)
READY_PAGES = Range(0, 1000, whole=True)
ROOMS = Range(1, 1000, whole=True)
STUDENTS = Range(1, 1000, whole=True)
ROOM_HOURS = Range(0.1, 72)


def _number(environment: Mapping[str, str], name: str, usual: float, allowed: Range) -> float:
    """The number in a variable; the default if it is empty."""
    name = f"BABYSIT_{name}"
    text = environment.get(name, "").strip()
    if not text:
        return usual
    try:
        value: object = float(text.replace("_", ""))
    except ValueError:
        value = text
    if refusal := allowed.refusal(value):
        raise ValueError(f"{name} {refusal.rpartition(', got')[0]}, got {text[:40]!r}")
    return float(str(value))


ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(\d{1,5}|\*))?", re.I)


def _origins(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The origins in a variable, separated by spaces or commas."""
    name = f"BABYSIT_{name}"
    text = environment.get(name, "").replace(",", " ").split()
    for origin in text:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{name} must be origins such as https://moodle.example, got {origin[:100]!r}"
            )
    return tuple(text)


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    name = f"BABYSIT_{name}"
    text = environment.get(name, "").strip()
    if not text:
        return None
    try:
        path = Path(text)
        if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            return path
    except (OSError, ValueError):  # an illegal file name
        pass
    raise ValueError(f"{name} must be a folder that can be read, got {text[:200]!r}")
