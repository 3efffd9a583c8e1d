"""The class rooms of this process: opened, found, taken over, closed, and their pages informed."""

from collections.abc import Callable
from typing import Protocol

import msgspec
from tornado.ioloop import IOLoop, PeriodicCallback

from app.classroom.refused import Refused
from app.classroom.room import Room
from app.classroom.rooms import Rooms
from app.limits import LIMITS
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.remote_room import RemoteRoom
from app.panels.lesson_list import whole_course
from app.server.class_cluster import CLUSTER
from app.server.session import Visit
from app.server.teacher_password import TEACHER_PASSWORD
from engine import Play, RunTransfer

TOGETHER = 0.1  # seconds in which changes of a room are sent together
TICK = 1.0  # seconds between two checks of all runs
GOES_ON = (
    "The server of this class has ended. Another one goes on from step {step:,} of the run,"
    " where that was kept last."
)
ANEW = "The server of this class has ended. Its run was not kept, so another one is begun."
MOVED = "The room goes on with another process of the server: join again with the same code."


class Member(Protocol):
    """A page that is connected to a room."""

    wants_wall: bool

    def update(self) -> None:
        """Send the page what it may see of its room, if that has changed."""

    def move(self, live: LiveRoom) -> None:
        """Connect the page to this process's room, which has replaced a copy of another's."""

    def put_out(self, reason: str) -> None:
        """Take the page out of its room."""

    def send(self, text: str, state: str = "") -> None:
        """Send text; if it tells a state, in place of what waits to tell an earlier one."""


ROOMS = Rooms(LIMITS.rooms, LIMITS.students, LIMITS.room_hours)
LIVE: dict[Room, LiveRoom] = {}
MEMBERS: dict[LiveRoom, set[Member]] = {}
SOON: set[LiveRoom] = set()  # rooms whose pages will be sent a change


# ---- a room is opened, found or taken over ------------------------------------------------------


async def open_room(code: str, fill: Callable[[Room], None], visit: Visit) -> LiveRoom:
    """A new room under this code, filled by `fill`, with the run of its teacher."""
    room = ROOMS.open(whole_course().places, code)
    try:
        fill(room)
    except Refused:
        room.closed = True
        raise
    if CLUSTER and not await CLUSTER.claim(room):
        room.closed = True
        raise Refused(f"The code {room.code} is in use by another class.")
    return _begin_room(room, visit)


def _begin_room(room: Room, visit: Visit) -> LiveRoom:
    live = LIVE[room] = LiveRoom(room, visit.run)
    live.changed = lambda: _update_soon(live)
    if CLUSTER:
        CLUSTER.share(live)
    return live


def find(code: str) -> LiveRoom:
    """The room of a code, of this process or a copy of another's; Refused says that none is."""
    remote = CLUSTER.remote(code) if CLUSTER else None
    return remote or LIVE[ROOMS.find(code)]


async def fetch_from_elsewhere(code: str) -> None:
    """Copy another process's room of this code, so that `find` finds it."""
    if CLUSTER and not ROOMS.has(code) and (live := await CLUSTER.fetch(code, ROOMS)):
        LIVE[live.room] = live
        live.changed = lambda: _update_soon(live)


async def take_over(remote: RemoteRoom, visit: Visit) -> LiveRoom:
    """Take over a room whose process has ended, with all pages of this process."""
    if CLUSTER is None or not await CLUSTER.inherit(remote):
        raise Refused(
            "The run of your class is with another process of this server:"
            f" open the address with ?room={remote.room.code}."
        )
    if visit.over:  # its page was closed meanwhile
        raise Refused("This page is over: open the address again.")
    await CLUSTER.recall(remote)
    notice = _go_on(visit, await CLUSTER.run_of(remote.room))
    room, members = remote.room, MEMBERS.pop(remote, set())
    CLUSTER.leave(remote)
    del LIVE[room]
    for student in room.students.values():
        student.pages = student.elsewhere = 0  # they are counted again
    live = _begin_room(ROOMS.adopt(room), visit)
    MEMBERS[live] = members
    visit.page.notify(notice)
    for member in members:
        member.move(live)
        member.send(msgspec.json.encode({"notice": notice}).decode())
    live.update()
    return live


def _go_on(visit: Visit, kept: tuple[RunTransfer, bool] | None) -> str:
    """Continue the stored run of the room's former process; returns a message about it."""
    if kept is None:
        return ANEW
    run, plays = kept
    visit.take_up(run)
    if plays:
        visit.handle.send(Play())
    return GOES_ON.format(step=run.begin.until or 0)


# ---- its pages ----------------------------------------------------------------------------------


def enter(live: LiveRoom, member: Member) -> None:
    """Connect a page to a room."""
    MEMBERS.setdefault(live, set()).add(member)


def leave(live: LiveRoom, member: Member) -> None:
    """Disconnect a page from a room."""
    MEMBERS.get(live, set()).discard(member)


def _update_soon(live: LiveRoom) -> None:
    if live not in SOON:
        SOON.add(live)
        IOLoop.current().call_later(TOGETHER, _update_all, live)


def _update_all(live: LiveRoom) -> None:
    SOON.discard(live)
    if CLUSTER:
        CLUSTER.publish(live)
    for member in list(MEMBERS.get(live, ())):
        member.update()


def close(live: LiveRoom, reason: str = "The room is closed.") -> None:
    """Delete a room, and take its pages out of it."""
    if CLUSTER:
        CLUSTER.leave(live)
    live.end()
    LIVE.pop(live.room, None)
    ROOMS.close_old()
    for member in list(MEMBERS.pop(live, ())):
        member.put_out(reason)


# ---- each second --------------------------------------------------------------------------------


def _tick() -> None:
    """Check all runs, and close the rooms that have expired."""
    ROOMS.close_old()
    for live in [live for room, live in LIVE.items() if room.closed]:
        close(live)
    for live in list(LIVE.values()):
        if CLUSTER and CLUSTER.lacks(live):
            close(live, MOVED)
            continue
        live.update()
        live.rest()
        _show_wall(live)
        if CLUSTER:
            CLUSTER.tick(live)


def _show_wall(live: LiveRoom) -> None:
    """Send the wall to the teacher's pages that show it; without one, only note the best runs."""
    watching = [member for member in MEMBERS.get(live, ()) if member.wants_wall]
    if watching:
        wall = msgspec.json.encode({"wall": live.wall()}).decode()
        for member in watching:
            member.send(wall, "wall")
    else:
        live.tiles()


TICKS: list[PeriodicCallback] = []


def begin() -> None:
    """Start the periodic checks; called on the thread of the event loop."""
    TICKS.append(PeriodicCallback(_tick, 1000 * TICK))
    TICKS[-1].start()
    if CLUSTER:
        CLUSTER.begin()
    TEACHER_PASSWORD.announce()


def end() -> None:
    """Close all rooms: the server stops."""
    for tick in TICKS:
        tick.stop()
    TICKS.clear()
    for live in list(LIVE.values()):
        close(live)
