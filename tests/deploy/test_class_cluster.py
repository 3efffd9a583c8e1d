"""A class across two processes, with a real server of Redis between them: lost, and back."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis as Client
from websockets.sync.client import connect

from tests.addresses import free_port
from tests.deploy.conftest import Server, Visitor
from tests.served_page import LONG
from tests.waiting import PATIENCE, wait_until

REDIS = shutil.which("valkey-server") or shutil.which("redis-server")
CODE, PASSWORD = "AUDIMAX1", "sesame"


class Redis:
    """A server of its own, in a folder of the test's, which keeps nothing when it ends."""

    def __init__(self, home: Path) -> None:
        self.port, self._home = free_port(), home
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert REDIS
        self._process = subprocess.Popen(
            [
                *(REDIS, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self._home), "--save", "", "--appendonly", "no"),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def kept_run(self, code: str) -> bytes | None:
        """The run of a room, as it would be gone on with."""
        with Client(port=self.port) as client:
            return client.get(f"babysit:{code}:run")

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()


class Member:
    """A page in the class: its frames, and what the room tells it."""

    def __init__(self, server: Server) -> None:
        self._visitor = Visitor(f"{server.root}/app")
        self._visitor.open()
        self.room: dict = {}
        self.key = ""
        host = server.root.partition("://")[2]
        self._ends = contextlib.ExitStack()
        self._socket = self._ends.enter_context(
            connect(f"ws://{host}/app/class", origin=server.root, open_timeout=PATIENCE)
        )
        self._socket.send(json.dumps({"token": self._visitor.token}))

    def send(self, what: str, **given: object) -> None:
        self._socket.send(json.dumps({"do": what, **given}))

    def receive(self, kind: str, fits: Callable[[dict], object] = lambda received: True):
        """The next message of a kind that fits."""
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            self.key = message.get("key", self.key)
            assert kind == "refused" or "refused" not in message, message
            if kind in message and fits(message[kind]):
                return message[kind]

    def enters(self, code: str, key: str) -> bool:
        """Whether it is not refused."""
        self.send("enter", code=code, key=key)
        return "refused" not in json.loads(self._socket.recv(timeout=PATIENCE))

    def frame(self) -> dict:
        return self._visitor.frame(-1)

    def close(self) -> None:
        self._ends.close()
        self._visitor.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if REDIS is None:
        reason = "no server of Redis on this machine: rooms across processes were not tested"
        if os.environ.get("BABYSIT_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = Redis(tmp_path)
    yield server
    server.kill()


def test_a_class_across_processes_outlives_the_loss_of_redis_and_of_its_process(redis, serve):
    flags = "--unused-session-lifetime", str(LONG)  # the members have no socket of Bokeh's
    environment = {"BABYSIT_CLUSTER": redis.url, "BABYSIT_TEACHER": PASSWORD}
    here, there = (serve(*flags, **environment) for _ in range(2))
    wait_until(lambda: here.ready and there.ready)

    # A room is found from the other process, and its run is seen there.
    teacher = Member(here)
    teacher.send("teach", password=PASSWORD)
    teacher.send("open", code=CODE)
    teacher.receive("room")
    late = Member(there)
    late.send("teach", password=PASSWORD)
    late.send("open", code=CODE)
    assert "in use by another class" in late.receive("refused")
    late.close()
    anna, ben = Member(there), Member(here)
    for page, name in ((anna, "Anna"), (ben, "Ben")):
        page.send("join", code=CODE.lower(), name=name)
        assert page.receive("room")["follows"]
    teacher.receive("room", lambda room: sum(x["here"] for x in room["students"]) == 2)
    wait_until(lambda: anna.frame()["run"] > 1_000_000)
    step = anna.frame()["step"]
    wait_until(lambda: anna.frame()["step"] > step)

    # Votes from there are counted, in time or after the loss of Redis.
    teacher.send("ask", question="What will it do?", options=["fall", "rise"])
    anna.receive("room", lambda room: "question" in room)
    anna.send("choose", option=0)
    teacher.receive("room", lambda room: room["question"]["answered"] == 1)
    redis.kill()
    anna.receive("room", lambda room: room.get("lost"))
    assert anna.frame()["run"] > 1_000_000  # the last frame stays
    anna.send("choose", option=1)
    anna.receive("room", lambda room: room["question"].get("mine") == 1)
    ben.send("choose", option=1)
    teacher.receive("room", lambda room: room["question"]["answered"] == 2)
    teacher.send("close question")
    received = teacher.receive("room", lambda room: "before" in room["question"])
    assert received["question"]["before"] == [1, 1]
    redis.start()
    received = teacher.receive("room", lambda room: room["question"]["before"] != [1, 1])
    assert received["question"]["before"] == [0, 2]
    anna.receive("room", lambda x: not x.get("lost") and x["question"].get("before") == [0, 2])
    step = anna.frame()["step"]
    wait_until(lambda: anna.frame()["step"] > step)

    # A run of one's own from that step; the teacher sees it from here, and so does the class.
    anna.send("take wheel")
    anna.receive("room", lambda room: not room["follows"])
    wait_until(lambda: 0 < anna.frame()["run"] < 1_000_000 and anna.frame()["step"] >= step)
    teacher.send("wall", on=True)
    wall = teacher.receive(
        "wall", lambda wall: any(x["name"] == "Anna" and x["tile"] for x in wall["tiles"])
    )
    number = next(x["number"] for x in wall["tiles"] if x["name"] == "Anna")
    teacher.send("show", who=number)
    wait_until(lambda: ben.frame()["run"] > 1_000_000)
    own = ben.frame()["step"]
    teacher.send("show")
    wait_until(lambda: ben.frame()["step"] != own)
    anna.send("follow")
    anna.receive("room", lambda room: room["follows"])

    # The process of the room is killed: its teacher goes on with the other, and so does the run.
    key, kept = teacher.key, redis.kept_run(CODE)
    wait_until(lambda: redis.kept_run(CODE) != kept)
    step = teacher.frame()["step"]
    here.kill()
    anna.receive("room", lambda room: room.get("lost"))
    again = Member(there)
    wait_until(lambda: again.enters(CODE, key))  # the room is the other's for some seconds more
    assert again.receive("room")["role"] == "teacher"
    words = anna.receive("notice")
    went_on = int(re.search(r"from step ([\d,]+)", words)[1].replace(",", ""))
    assert 0 < went_on <= step
    received = anna.receive("room", lambda room: not room.get("lost"))
    assert received["code"] == CODE and received["name"] == "Anna" and received["follows"]
    wait_until(lambda: anna.frame()["step"] > went_on)
    rows = again.frame()["reset"]["loss"]["step"]
    assert {*range(min(went_on, 100))} <= {*rows}  # the curves are those of before
    again.send("close room")
    assert anna.receive("gone") == "The room is closed."
    for page in (anna, again):
        page.close()
    assert "Traceback" not in there.stop()[1]
