"""Playlists: lessons, shared runs and words in order; read, refused, and played from the shell."""

import json
from pathlib import Path

import msgspec
import pytest

from engine import (
    Choice,
    Experiment,
    Item,
    Playlist,
    RunConfig,
    SetKnob,
    play_shared_run,
    playlists_in,
    read_playlist,
    read_upload,
    record,
    register_upload,
    unregister_upload,
    write_playlist,
)
from engine.cli.main import main
from engine.lessons.play_shared_run import OTHER, SAME
from engine.runtime.recording import Recording

README = (Path(__file__).parents[2] / "engine" / "README.md").read_text()
BLOCKS = [part.partition("```")[0] for part in README.split("```json\n")[1:]]
PLAYLIST = next(block for block in BLOCKS if '"items"' in block)
TANH = SetKnob("model.activation", Choice("tanh"))


def shared(steps: int = 30) -> Recording:
    """A short run with one change on the way."""
    experiment = Experiment(RunConfig())
    experiment.train(10)
    experiment.apply(TANH)
    experiment.train(steps - 10)
    return record(experiment)


def raw(*items: dict, title: str = "Week 1") -> bytes:
    return json.dumps({"title": title, "items": items}).encode()


def test_the_documented_playlist_can_be_read():
    assert [bool(item.lesson) for item in read_playlist(PLAYLIST.encode()).items].count(True) >= 2


def test_what_is_written_is_read_again():
    items = (Item(lesson="dead-relus", words="Today."), Item(run=shared(), title="Mine"))
    playlist = Playlist("Week 1", (*items, items[0], Item(title="Break")))
    again = read_playlist(write_playlist(playlist))
    assert again == playlist and again.slug == "week-1"
    assert again.lessons == ["dead ReLUs"]  # twice in order, once in what is played


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "without a lesson needs a title"),
        ({"words": "only words"}, "without a lesson needs a title"),
        ({"lesson": "alchemy"}, "unknown lesson 'alchemy'"),
        ({"lesson": "dead-relus", "title": "Mine"}, "those are the lesson's"),
        ({"title": "A" * 121}, "at most 120 letters"),
        ({"title": "A", "words": "w" * 601}, "at most 600 letters"),
        ({"title": "A", "run": {"steps": 3}}, "config"),
        ({"tittle": "A"}, "no field 'tittle'; choose from lesson, run, title, words"),
    ],
)
def test_an_impossible_item_is_refused_in_one_sentence(item, message):
    with pytest.raises(ValueError, match=message) as error:
        read_playlist(raw(item))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_run_that_no_playlist_can_repeat_is_refused():
    other = SetKnob("data.dataset", Choice("iris"))
    begins_another = Recording(RunConfig(), ((5, other),), 9)
    with pytest.raises(ValueError, match="begins another run"):
        Item(run=begins_another, title="Mine")
    rows = "".join(f"{n},{n % 7},{'ab'[n % 2]}\n" for n in range(60))
    upload = read_upload(f"x,y,kind\n{rows}".encode(), "mine.csv")
    register_upload(upload)
    own = RunConfig().replace("data.dataset", Choice(upload.name))
    with pytest.raises(ValueError, match=r"learns from mine\.csv, which no playlist contains"):
        Item(run=Recording(own, (), 9), title="Mine")
    unregister_upload(upload)


@pytest.mark.parametrize("hostile", [b"", b"[" * 100_000, b"\xff\xfe\x00", b"[]", b"x" * 2_000_000])
def test_what_is_no_playlist_is_refused(hostile):
    with pytest.raises(ValueError):
        read_playlist(hostile)
    with pytest.raises(ValueError):
        read_playlist(raw(title="Week 1"))
    with pytest.raises(ValueError, match="letter or a digit"):
        read_playlist(raw({"title": "A"}, title="???"))


def test_the_playlists_of_a_folder(tmp_path):
    items = [{"lesson": "first-loss", "words": "Welcome."}, {"lesson": "dead-relus"}]
    (tmp_path / "w.playlist.json").write_bytes(raw(*items))
    (tmp_path / "x.playlist.json").write_bytes(raw({"lesson": "no"}, title="Week 2"))
    (tmp_path / "y.playlist.json").write_bytes(raw(*items))
    found, refused = playlists_in(tmp_path)
    assert found["week-1"].lessons == ["first loss", "dead ReLUs"]
    assert "unknown lesson 'no'" in refused[0] and "already" in refused[1]


def test_a_playlist_is_checked_from_the_shell(tmp_path, capsys):
    file, run = tmp_path / "week.json", msgspec.to_builtins(shared())
    items = [{"lesson": "first-loss"}, {"title": "Mine", "run": run}, {"lesson": "first-loss"}]
    file.write_bytes(raw(*items))
    assert main(["lessons", "--playlist", str(file), "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert "1 of 1 claims hold" in told and "the same, to the bit" in told
    file.write_bytes(raw({"title": "Mine", "run": {**run, "digest": "0" * 16}}))
    assert main(["lessons", "--playlist", str(file), "--processes", "1"]) == 1
    assert "NOT the same" in capsys.readouterr().out
    assert main(["lessons", "--playlist", str(file), "--processes", "1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["other"] == ["Mine"]
    file.write_bytes(raw({"lesson": "alchemy"}))
    assert main(["lessons", "--playlist", str(file)]) == 2
    assert "unknown lesson 'alchemy'" in capsys.readouterr().err


# ---- in front of a class ------------------------------------------------------------------------


def played(item: Item, on_the_way=lambda experiment: None) -> tuple[Experiment, str, list]:
    """Play a shared run to its end as the page does; its note, and the paces that were set."""
    experiment, paces = Experiment(RunConfig()), list[float | None]()
    last = None
    for progress in play_shared_run(experiment, item, paces.append):
        last = progress or last
        experiment.train(int(experiment.step < item.run.steps))
        on_the_way(experiment)
    return experiment, last.note, paces


def test_a_shared_run_is_played_to_its_last_step_and_compared():
    run = shared()
    experiment, note, paces = played(Item(run=run, title="Mine"))
    assert experiment.step == run.steps and note == SAME
    assert paces[0] == run.steps / 12 and paces[-1] is None
    changed = msgspec.structs.replace(run, digest="0" * 16)
    assert played(Item(run=changed, title="Mine"))[1] == OTHER
    unknown = msgspec.structs.replace(run, digest=None)
    assert played(Item(run=unknown, title="Mine"))[1] == ""


def test_whoever_steers_a_shared_run_has_another():
    def steer(experiment: Experiment) -> None:
        if experiment.step == 20:
            experiment.apply(SetKnob("optimization.learning_rate", 0.3))

    assert "Settings were changed" in played(Item(run=shared(), title="Mine"), steer)[1]
