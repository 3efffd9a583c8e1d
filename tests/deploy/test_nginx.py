"""DEPLOY.md's nginx in front of two processes: TLS, sockets, gzip, sticky sessions, restarts."""

import gzip
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.addresses import free_port
from tests.deploy.conftest import Server, Visitor
from tests.deploy.panel_process import ROOT
from tests.waiting import wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@dataclass
class Class:
    """Two processes behind one address."""

    address: str
    plain: str
    trusted: ssl.SSLContext
    servers: tuple[Server, Server]

    def visitor(self) -> Visitor:
        return Visitor(self.address, self.trusted)


@pytest.fixture
def school(proxied: Class) -> Class:
    """Both processes running, whatever an earlier test did to them.

    nginx may need some seconds to notice that a process is back.
    """
    for server in proxied.servers:
        if not server.ready:
            server.kill()
            server.start()
    for server in proxied.servers:
        reached(proxied, server)
    return proxied


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("no nginx or no openssl on this machine: its proxy was not tested")
    home = tmp_path_factory.mktemp("nginx")
    secure, plain = free_port(), free_port()
    environment = {
        "BOKEH_ALLOW_WS_ORIGIN": f"localhost:{secure}",
        "BABYSIT_MAX_VISITORS": "60",
        "BABYSIT_BEHIND_PROXY": "1",
    }
    servers = Server(**environment), Server(**environment)
    _certify(home)
    (home / "nginx.conf").write_text(_config(home, secure, plain, servers))
    proxy = subprocess.Popen(
        [NGINX, "-e", "stderr", "-p", home, "-c", "nginx.conf", "-g", "daemon off;"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: all(server.ready for server in servers))
        trusted = ssl.create_default_context(cafile=str(home / "class.crt"))
        address = f"https://localhost:{secure}/app"
        yield Class(address, f"http://localhost:{plain}", trusted, servers)
    finally:
        proxy.terminate()
        proxy.wait()
        for server in servers:
            server.kill()


def _certify(home: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", home / "class.key", "-out", home / "class.crt"),
        ],
        check=True,
        capture_output=True,
    )


def _config(home: Path, secure: int, plain: int, servers: tuple[Server, Server]) -> str:
    """DEPLOY.md's configuration, with the ports and files of this machine."""
    block = re.search(r"```nginx\n(.*?)```", (ROOT / "app/server/DEPLOY.md").read_text(), re.S)
    assert block
    text = block[1]
    for said, meant in {
        "babysit1:5006": f"127.0.0.1:{servers[0].port}",
        "babysit2:5006": f"127.0.0.1:{servers[1].port}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "/etc/nginx/": f"{home}/",
        "add_header Set-Cookie $greeting;": "add_header Set-Cookie $greeting;"
        " add_header X-Served-By $upstream_addr;",
        "http {": f"http {{ access_log off; client_body_temp_path {home}/body;"
        f" proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u;"
        f" scgi_temp_path {home}/s;",
    }.items():
        assert said in text
        text = text.replace(said, meant)
    return f"pid {home}/nginx.pid;\n{text}"


def test_a_class_behind_one_address_is_spread_and_each_keeps_its_process(school):
    first, second = (visitor for visitor, _ in spread(school, school.servers[0]))
    for visitor, server in zip((first, second), school.servers, strict=True):
        assert visitor.frame(-1)["run"] == 1  # page and channel reached the same process
        assert int(str(server.says("/readiness")["visitors"])) > 0
        cookie = visitor.cookies
        (kept,) = [x for x in visitor.jar if x.name == "babysit"]
        assert kept.secure and kept.get_nonstandard_attr("SameSite") == "None"
        assert kept.has_nonstandard_attr("Partitioned")  # in a frame of another site as well
        with visitor.opener.open(school.address) as reply:  # the page again
            assert "Set-Cookie" not in reply.headers
        assert visitor.cookies == cookie
        visitor.close()


def test_large_responses_are_compressed(school):
    opener = school.visitor().opener
    url = f"{school.address.removesuffix('/app')}/static/js/bokeh.min.js"
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with opener.open(request) as reply:
        packed = reply.read()
        assert reply.headers["Content-Encoding"] == "gzip"
    assert 3 * len(packed) < len(gzip.decompress(packed))


def test_plain_requests_are_sent_to_the_secure_address(school):
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments):
            return None

    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(Stay).open(f"{school.plain}/app?run=x")
    assert answer.value.code == 301
    assert answer.value.headers["Location"] == "https://localhost/app?run=x"
    answer.value.close()


def test_all_who_name_a_room_are_served_by_one_process(school):
    led = {}
    for code in (f"ROOM{n}" for n in range(8)):
        ways = set()
        for _ in range(3):
            visitor = school.visitor()
            with visitor.opener.open(f"{school.address}/static/frames.js?room={code}") as reply:
                ways.add(reply.headers["X-Served-By"])
            assert visitor.cookies == f"babysit={code}"
            with visitor.opener.open(f"{school.address}/static/frames.js") as reply:
                ways.add(reply.headers["X-Served-By"])  # later requests, by the cookie
        (led[code],) = ways
    assert len(set(led.values())) == 2  # and rooms are spread over both


def test_the_headers_come_through_and_another_origin_does_not(school):
    visitor = school.visitor()
    with visitor.opener.open(school.address) as reply:
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'self'" in reply.headers["Content-Security-Policy"]
    with pytest.raises(InvalidStatus, match="403"):
        visitor.open(origin="https://elsewhere.example")


def test_restarting_a_process_does_not_disturb_the_other(school):
    leaving, staying = spread(school, school.servers[0])
    code, said = school.servers[0].stop()
    assert code == 0 and "Traceback" not in said
    assert goes_on(*staying) and not goes_on(*leaving)
    newcomers = [school.visitor() for _ in range(3)]
    for newcomer in newcomers:  # the other process serves all of them meanwhile
        assert newcomer.open()["run"] == 1
    school.servers[0].start()
    reached(school, school.servers[0])
    late = [visitor for visitor, _ in spread(school, school.servers[0])]  # both are there again
    for visitor in [leaving[0], staying[0], *newcomers, *late]:
        visitor.close()


def test_a_killed_process_disconnects_only_its_own_visitors(school):
    lost, staying = spread(school, school.servers[1])
    school.servers[1].kill()
    assert goes_on(*staying) and not goes_on(*lost)
    newcomer = school.visitor()
    assert newcomer.open()["run"] == 1
    school.servers[1].start()
    reached(school, school.servers[1])
    # As a page that has lost its server does: with its cookie.
    assert lost[0].open()["run"] == 1
    for visitor in (lost[0], staying[0], newcomer):
        visitor.close()


def test_a_suspended_process_continues(school):
    still, moving = spread(school, school.servers[1])
    os.kill(school.servers[1].pid, signal.SIGSTOP)
    try:
        for _ in range(20):
            moving[0].frame(0)
    finally:
        os.kill(school.servers[1].pid, signal.SIGCONT)
    for visitor, step in (still, moving):
        assert goes_on(visitor, step)
        visitor.close()


def spread(school: Class, server: Server) -> tuple[tuple[Visitor, int], tuple[Visitor, int]]:
    """A visitor of this process and one of the other, each with its current step."""
    found: dict[bool, tuple[Visitor, int]] = {}
    while len(found) < 2:
        visitor = school.visitor()
        inside = served_by(visitor, server)
        if inside in found:
            continue
        found[inside] = visitor, visitor.open()["step"]
    return found[True], found[False]


def reached(school: Class, server: Server) -> None:
    """Wait until nginx has noticed, after some seconds, that a process is there again."""
    wait_until(lambda: server.ready)
    wait_until(lambda: served_by(school.visitor(), server))


def served_by(visitor: Visitor, server: Server) -> bool:
    """Whether this process serves a visitor, whose requests always go to the same one."""
    with visitor.opener.open(f"{visitor.address}/static/frames.js") as reply:  # a page costs more
        return str(reply.headers["X-Served-By"]).endswith(f":{server.port}")


def goes_on(visitor: Visitor, step: int) -> bool:
    """Whether a visitor's run passes a step; not if the connection is lost."""
    try:
        wait_until(lambda: visitor.frame(0)["step"] > step)
    except ConnectionClosed:
        return False
    return True


def test_health_is_reported_through_the_proxy(school):
    base = school.address.removesuffix("/app")
    with school.visitor().opener.open(f"{base}/liveness") as reply:
        assert json.load(reply) == {"alive": True}
