"""One process, started as in DEPLOY.md: prefix, password, limits, health, and shutdown."""

import contextlib
import json
import resource
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil
import pytest
from bokeh.util.token import generate_jwt_token, get_session_id
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.server.open_files import ENOUGH
from tests.deploy.conftest import SPAWNED, Server, Visitor, get
from tests.waiting import PATIENCE, wait_until

FEW = 256  # files that a process may have open at first on macOS


@pytest.mark.parametrize(("flags", "root"), [((), ""), (("--prefix", "class"), "/class")])
def test_a_class_password_keeps_strangers_out(serve, tmp_path, flags, root):
    (tmp_path / "secret").write_text("open sesame\n")
    server = serve(
        *flags, "--use-xheaders", root=root, BABYSIT_PASSWORD_FILE=str(tmp_path / "secret")
    )
    wait_until(lambda: server.ready)  # readiness needs no password
    for slash in ("", "/"):
        keeps_strangers_out(server, slash)
    assert cookie_over_tls(server).endswith("; SameSite=Lax; Secure")


def keeps_strangers_out(server, slash):
    visitor = Visitor(f"{server.root}/app")
    address = f"{visitor.address}{slash}?seed=3"

    def send(password: str) -> tuple[int, str, str]:
        fields = urllib.parse.urlencode({"password": password}).encode()
        try:
            with visitor.opener.open(address, fields) as reply:
                return reply.status, reply.url, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.url, error.read().decode()

    for closed in (address, f"{server.root}/app/static/page.js", f"{server.root}/app/ws"):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            visitor.opener.open(closed)
        with refusal.value as answer:
            assert answer.code == 401 and 'type="password"' in answer.read().decode()
            assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    status, url, page = send("open barley")
    assert status == 403 and "not the password" in page
    assert "barley" not in url + page and not visitor.cookies
    status, url, page = send("open sesame")
    # redirected to the requested page, which is found without the slash
    assert (status, url) == (200, address.replace("/?", "?"))
    assert '"token"' in page
    for file in ("app/static/page.js", "favicon.ico"):
        with visitor.opener.open(f"{server.root}/{file}") as reply:
            assert reply.status == 200
    (cookie,) = visitor.jar
    assert cookie.has_nonstandard_attr("HttpOnly") and not cookie.secure
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"
    assert visitor.open()["run"] == 1
    visitor.close()


def test_a_browser_keeps_the_cookie_in_frames_of_a_listed_site_for_that_site_alone(serve):
    allowed = {"BABYSIT_FRAME_ANCESTORS": "https://moodle.example"}
    server = serve(BABYSIT_BEHIND_PROXY="1", BABYSIT_PASSWORD="open sesame", **allowed)
    wait_until(lambda: server.ready)
    assert server.says("/liveness") == {"alive": True}
    assert cookie_over_tls(server).endswith("; SameSite=None; Partitioned; Secure")


def cookie_over_tls(server: Server) -> str:
    """The cookie for who knows the password, set behind a proxy that speaks TLS."""
    fields = urllib.parse.urlencode({"password": "open sesame"}).encode()
    request = urllib.request.Request(
        f"{server.root}/app", fields, headers={"X-Forwarded-Proto": "https"}
    )
    opener = urllib.request.build_opener(Stay)
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(request)
    with answer.value as redirect:
        assert redirect.code == 303
        assert redirect.headers["Location"] == f"{urllib.parse.urlsplit(server.root).path}/app"
        return str(redirect.headers["Set-Cookie"])


def test_a_password_file_that_is_not_there_ends_the_server_in_one_sentence(serve):
    code, output = serve(BABYSIT_PASSWORD_FILE="/nowhere").wait()
    assert code == 1 and "Traceback" not in output
    assert "babysit: BABYSIT_PASSWORD_FILE must be a file" in output


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def test_a_visitor_beyond_the_limit_waits_for_room(serve):
    server = serve(BABYSIT_MAX_VISITORS="2")
    wait_until(lambda: server.ready)
    first, second, third = (Visitor(f"{server.root}/app") for _ in range(3))
    first.open()
    second.open()
    with pytest.raises(urllib.error.HTTPError) as refusal:
        third.open()
    page = refusal.value.read().decode()
    assert refusal.value.code == 503
    assert 'http-equiv="refresh"' in page and "All 2 places" in page
    assert int(refusal.value.headers["Retry-After"]) > 0
    refusal.value.close()
    said = server.says("/readiness")
    assert (said["ready"], said["visitors"], said["most"]) == (False, 2, 2)
    assert server.says("/liveness") == {"alive": True}
    assert first.frame(3)["run"] == 1  # present visitors notice nothing
    second.close()
    wait_until(lambda: server.ready)
    get(f"{server.root}/app")  # a page that never connects loses its place
    wait_until(lambda: server.ready)
    assert third.open()["run"] == 1
    for visitor in (first, second, third):
        visitor.close()


def test_a_wrong_limit_ends_the_server_in_one_sentence(serve):
    code, output = serve(BABYSIT_MAX_VISITORS="none").wait()
    assert code == 1
    assert "Traceback" not in output
    (sentence,) = [line for line in output.splitlines() if line.startswith("babysit:")]
    assert sentence.startswith("babysit: BABYSIT_MAX_VISITORS must be ") and "'none'" in sentence


def test_the_data_folder_is_in_everybodys_menu(serve, tmp_path):
    rows = "".join(f"{n},{n % 7},{'ab'[n % 2]}\n" for n in range(60))
    (tmp_path / "pets.csv").write_text(f"x,y,label\n{rows}")
    server = serve("--setup", write(tmp_path, LOOK), BABYSIT_DATA=str(tmp_path))
    wait_until(lambda: server.ready)
    assert "60 examples of pets.csv" in server.stop()[1]


LOOK = """
import atexit
def look():
    from engine import Choice, Experiment, RunConfig
    config = RunConfig().replace("data.dataset", Choice("pets.csv"))
    data = Experiment(config).data
    print(len(data.train) + len(data.validation), "examples of pets.csv", flush=True)
atexit.register(look)
"""


def write(folder: Path, program: str) -> str:
    """A file with this program, for the server to run before the app."""
    file = folder / "setup.py"
    file.write_text(program)
    return str(file)


def test_a_session_is_counted_and_its_memory_freed_with_it(serve):
    server = serve("--unused-session-lifetime", "4000", "--check-unused-sessions", "200")

    def kept() -> tuple[object, object]:
        said = server.says("/readiness")
        return said["sessions"], said["experiments"]

    def blocks() -> int:
        return int(str(server.says("/readiness")["blocks"]))

    wait_until(lambda: server.ready)
    assert kept() == (0, 0)
    for _ in range(3):  # the first ones load what all need
        before = blocks()
        visitor = Visitor(f"{server.root}/app")
        visitor.open()
        there = blocks()
        assert kept() == (1, 1)
        visitor.close()
        wait_until(lambda: kept() == (0, 0))
        assert there > before + 3_000
        wait_until(lambda there=there: blocks() < there - 2_000)
    wait_until(lambda: blocks() < before + 1_000)


KILL = """
from engine import Experiment
advance = Experiment.advance
def killed(self, *given):
    if self.step > 3:
        raise SystemExit  # not an error: nothing catches it
    return advance(self, *given)
Experiment.advance = killed
"""


def test_a_dead_training_thread_is_reported_to_operator_and_pages(serve, tmp_path):
    server = serve("--setup", write(tmp_path, KILL))
    wait_until(lambda: server.ready)
    assert server.says("/liveness") == {"alive": True}
    visitors = [Visitor(f"{server.root}/app") for _ in range(2)]
    for visitor in visitors:
        visitor.open()
    wait_until(lambda: not server.says("/liveness")["alive"])
    assert server.says("/liveness")["reason"] == "the thread that trains has ended"
    assert not server.ready
    for visitor in visitors:  # their pages do not wait for a frame that never comes
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                visitor.frame(0)
        assert closed.value.rcvd and closed.value.rcvd.code == 4500
        visitor.close()


COUNT = """
import atexit, gc
atexit.register(lambda: print("kept", gc.get_freeze_count(), flush=True))
"""


@pytest.fixture(scope="module")
def signed():
    """A server that signs its sessions, started where a process may open few files at first.

    Bokeh reads the key when it is imported, and a spawned process has the limit of this one.
    """
    flags = "--unused-session-lifetime", "120000", "--session-ids", "signed"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FEW, hard), hard))
    try:
        server = Server(*flags, start=SPAWNED, BOKEH_SECRET_KEY="x" * 48)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: server.ready)
    yield server
    server.kill()


def test_a_forged_token_opens_nobodys_run(signed):
    visitor = Visitor(f"{signed.root}/app")
    visitor.open()
    token = visitor.token.split(".")[0]  # the session id without its signature
    forged = generate_jwt_token(get_session_id(visitor.token))
    for said in (forged, token, f"{token}.x", visitor.token[:-2]):
        with connect(f"{signed.root.replace('http', 'ws')}/app/frames") as thief:
            thief.send(json.dumps({"token": said}))
            with pytest.raises(ConnectionClosed) as closed:
                thief.recv(timeout=PATIENCE)
        assert closed.value.rcvd and closed.value.rcvd.code == 4403
    assert visitor.frame(3)["run"] == 1
    visitor.close()


def test_a_server_raises_its_limit_of_open_files(signed):
    """Beyond it nobody can connect, and the event loop tries in vain, again and again."""
    raised, hard = psutil.Process(signed.pid).rlimit(psutil.RLIMIT_NOFILE)
    if hard <= FEW:
        pytest.skip("this machine allows no more open files")
    assert raised == min(hard, ENOUGH)


def test_a_visitor_who_never_reads_delays_nobody(signed):
    visitor, greedy = Visitor(f"{signed.root}/app"), Visitor(f"{signed.root}/app")
    visitor.open()
    greedy.open(max_queue=1)
    memory = psutil.Process(signed.pid).memory_info

    def ask_and_ask() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                greedy.socket.send(json.dumps({"since": -1}))

    before = memory().rss
    asking = threading.Thread(target=ask_and_ask)
    asking.start()
    try:
        for _ in range(30):
            assert visitor.frame(3)["run"] == 1
        assert signed.ready
        assert memory().rss < before + 50 * 2**20
    finally:
        greedy.socket.socket.shutdown(socket.SHUT_RDWR)
        asking.join()
    for one in (visitor, greedy):
        one.close()


def test_a_loaded_server_stops_cleanly_on_sigterm(serve, tmp_path):
    lifetime = "--unused-session-lifetime", "120000"  # these visitors have no document socket
    server = serve(*lifetime, "--setup", write(tmp_path, COUNT))
    wait_until(lambda: server.ready)
    visitors = [Visitor(f"{server.root}/app") for _ in range(4)]
    for visitor in visitors:
        visitor.open()
    for visitor in visitors:
        wait_until(lambda visitor=visitor: visitor.frame(0)["step"] > 0)
    code, output = server.stop()
    assert code == 0
    assert "Traceback" not in output and "ERROR" not in output
    assert int(output.split("kept ")[1].split()[0]) > 100_000  # modules, not collected as garbage
    for visitor in visitors:
        visitor.close()
