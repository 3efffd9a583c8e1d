"""The class password: where it is read from, how often one may guess, who gets in."""

import itertools

import pytest

from app.server import password
from app.server.password import (
    FORGOTTEN,
    FREE,
    LASTS,
    MOST,
    WAITING,
    Attempts,
    Lock,
    local_address,
    read_password,
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_password_comes_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "secret").write_text("open sesame\n")
    assert read_password({}) == ""
    assert read_password({"BABYSIT_PASSWORD": " with blanks "}) == " with blanks "
    assert read_password({"BABYSIT_PASSWORD_FILE": str(tmp_path / "secret")}) == "open sesame"


@pytest.mark.parametrize("written", [None, "", "\nsecond line", b"\xff\xfe"])
def test_a_file_without_a_password_is_refused(tmp_path, written):
    path = tmp_path / "secret"
    if written is not None:
        path.write_bytes(written if isinstance(written, bytes) else written.encode())
    with pytest.raises(ValueError, match="must be a file whose first line is the password"):
        read_password({"BABYSIT_PASSWORD_FILE": str(path)})


def test_two_passwords_are_refused():
    with pytest.raises(ValueError, match="both set"):
        read_password({"BABYSIT_PASSWORD": "a", "BABYSIT_PASSWORD_FILE": "b"})


def tried(attempts: Attempts, clock: Clock, right: bool = False, who: str = "school") -> float:
    pause = attempts.wait(who)
    assert pause is not None
    clock.now += pause
    attempts.end(who, right)
    return pause


class Counted(Clock):
    """A clock that counts how often it is read."""

    calls = 0

    def __call__(self) -> float:
        self.calls += 1
        return super().__call__()


def test_only_the_guesser_waits_longer_and_longer():
    clock = Clock()
    attempts = Attempts(clock)
    pauses = [tried(attempts, clock) for _ in range(FREE + 20)]
    assert pauses[:FREE] == [0.0] * FREE
    assert all(b >= a - 1e-6 for a, b in itertools.pairwise(pauses))
    assert pauses[-1] == pytest.approx(MOST)
    assert sum(pauses) > 10  # thirty guesses take more than ten seconds
    assert tried(attempts, clock, who="elsewhere") == 0.0
    assert tried(attempts, clock, right=True) == pytest.approx(
        MOST
    )  # the class behind the same address is not locked out
    clock.now += FORGOTTEN + 1
    assert tried(attempts, clock) == 0.0


def test_simultaneous_guesses_are_serialized_and_limited():
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(FREE + 20):
        tried(attempts, clock)
    pauses = [attempts.wait("school") for _ in range(WAITING + 1)]
    assert pauses[:-1] == pytest.approx([MOST * n for n in range(1, WAITING + 1)])
    assert pauses[-1] is None
    attempts.end("school", False)
    assert attempts.wait("school") is not None


def test_whoever_has_endless_addresses_costs_no_more_than_the_last_of_them(monkeypatch):
    monkeypatch.setattr(password, "KNOWN", 100)
    clock = Counted()
    attempts, costs = Attempts(clock), []
    for number in range(400):
        for _ in range(FREE + 1):
            tried(attempts, clock, who=f"{number}")
        calls = clock.calls
        tried(attempts, clock, who=f"{number}")
        costs.append(clock.calls - calls)
    assert max(costs[200:]) <= max(costs[:10])
    assert tried(attempts, clock, who="0") == 0.0
    assert tried(attempts, clock, who="399") > 0.0
    clock.now += FORGOTTEN + 1
    tried(attempts, clock, right=True)
    assert not any(kept for kept in vars(attempts).values() if isinstance(kept, dict))


def test_a_cookie_is_valid_for_a_month_and_one_password():
    clock = Clock()
    lock = Lock("open sesame", clock)
    cookie = lock.cookie()
    assert lock.knows(cookie) and Lock("open sesame", clock).knows(cookie)
    assert not Lock("another", clock).knows(cookie)
    until, _, signature = cookie.partition(".")
    for forged in (
        "",
        ".",
        "x",
        f"{int(until) + 1}.{signature}",
        until,
        f"{until}.é",
        f"é.{until}",
    ):
        assert not lock.knows(forged)
    clock.now += LASTS + 1
    assert not lock.knows(cookie)


def test_only_the_password_grants_access():
    lock = Lock("öffne dich")
    assert lock.opens("öffne dich")
    assert not any(lock.opens(word) for word in ("", "öffne", "öffne dich ", "offne dich"))


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/app/?seed=3", "/app/?seed=3"),
        ("//evil.example/app", "/evil.example/app"),
        ("/\\evil.example", "/evil.example"),
        ("/", "/"),
    ],
)
def test_the_login_never_redirects_to_another_server(asked, led):
    assert local_address(asked) == led
