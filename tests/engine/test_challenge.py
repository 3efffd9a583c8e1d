"""A challenge: only runs that keep to it count, and only what they score when repeated."""

import csv
import io
import json
import math
from pathlib import Path

import msgspec
import pytest

from engine import Experiment, Pin, Play, Restart, RunConfig, SetKnob, Status, hand_in, to_bytes
from engine.cli.main import main
from engine.grading.challenge import BASELINES, Score, baseline, ranked, read_challenge
from engine.grading.hand_in import content_of

RATE = "optimization.learning_rate"
README = (Path(__file__).parents[2] / "engine" / "README.md").read_text()
TEXT = {"title": "Tame it!", "steps": 200, "seed": 5, "settings": {RATE: 0.5}}


@pytest.fixture
def challenge():
    return read_challenge(json.dumps(TEXT).encode())


def entered(challenge, steps: int, rate: float) -> Experiment:
    experiment = Experiment(challenge.config)
    experiment.apply(SetKnob(RATE, rate))
    experiment.train(steps)
    experiment.apply(Pin("mine"))
    return experiment


def test_every_baseline_keeps_to_the_budget_and_the_start(challenge):
    for name, play in BASELINES.items():
        experiment = play(challenge)
        assert experiment.step <= challenge.steps, name
        assert experiment.first_config == challenge.config
        diverged = experiment.status is Status.DIVERGED
        assert math.isnan(challenge.of(experiment)) == diverged
        assert baseline(name, challenge).note.endswith(".")


def test_the_babysitter_makes_a_bad_start_good():
    text = TEXT | {"settings": {RATE: 1e-5}, "steps": 400}
    challenge = read_challenge(json.dumps(text).encode())
    assert baseline("babysitter", challenge).value > baseline("untouched", challenge).value + 0.1


def test_the_best_comes_first_and_what_diverged_last(challenge):
    scores = [Score("a", 0.5, ""), Score("b", math.nan, ""), Score("c", 0.9, "")]
    assert [one.who for one in ranked(scores, challenge)] == ["c", "a", "b"]
    losses = msgspec.structs.replace(challenge, score="validation_loss")
    assert [one.who for one in ranked(scores, losses)] == ["a", "c", "b"]


def test_a_class_is_ranked_anonymously_and_who_cheats_has_no_score(challenge, tmp_path, capsys):
    made = hand_in("Ada", [], entered(challenge, 200, 0.05).pinned)
    (run,) = made.runs
    false = msgspec.structs.replace(run, figures=run.figures | {"validation_accuracy": 1.0})
    cheat = msgspec.structs.replace(made, student="Eve", runs=(false,))
    cheat = msgspec.structs.replace(cheat, content=content_of(cheat))
    files = {
        "ada.json": made,
        "long.json": hand_in("Bob", [], entered(challenge, 201, 0.05).pinned),
        "eve.json": cheat,
        "none.json": hand_in("Cy", [], ()),
    }
    other = Experiment(RunConfig(seed=6))
    other.train(10)
    other.apply(Pin("another start"))
    files["other.json"] = hand_in("Di", [], other.pinned)
    for name, content in files.items():
        (tmp_path / name).write_bytes(to_bytes(content))
    (tmp_path / "noise.json").write_bytes(b"\xff" * 100)
    (tmp_path / "c").write_text(json.dumps(TEXT))
    paths = [str(tmp_path / name) for name in (*files, "noise.json")]
    table = tmp_path / "ranking.csv"
    assert main(["challenge", str(tmp_path / "c"), *paths, "--csv", str(table)]) == 0
    note = capsys.readouterr()
    assert "Ada" not in note.out and not note.err
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len(rows) == len(paths) + len(BASELINES)
    students = [row for row in rows if not row["who"].startswith("baseline")]
    (scored,) = [row for row in students if row["score"]]
    assert "200 steps, settings turned: 1" in scored["remarks"]
    said = " ".join(row["remarks"] for row in students)
    for reason in ("made 201 steps", "validation accuracy handed in as 1", "no run was pinned",
                   "from the challenge in its seed", "refused"):  # fmt: skip
        assert reason in said
    assert main(["challenge", str(tmp_path / "c"), paths[0], "--names"]) == 0
    assert "Ada" in capsys.readouterr().out


def test_who_restarts_after_turning_a_live_knob_still_takes_part(challenge, tmp_path, capsys):
    experiment = Experiment(challenge.config)
    experiment.apply(SetKnob(RATE, 0.05))
    experiment.apply(Restart())
    experiment.train(200)
    experiment.apply(Pin("again"))
    assert experiment.first_config != challenge.config
    (tmp_path / "ada").write_bytes(to_bytes(hand_in("Ada", [], experiment.pinned)))
    (tmp_path / "c").write_text(json.dumps(TEXT))
    assert main(["challenge", str(tmp_path / "c"), str(tmp_path / "ada")]) == 0
    assert "'again': 200 steps" in capsys.readouterr().out
    wider = challenge.config.replace("model.hidden", "32").with_seed(7)
    assert challenge.departures(wider) == ["hidden layers", "seed"]


def test_every_run_of_an_experiment_pauses_at_its_budget():
    experiment = Experiment(RunConfig())
    experiment.pause_at(30)
    for begin in (Play(), Restart()):
        experiment.apply(begin)
        assert experiment.snapshot().until == 30
        experiment.advance(60.0, steps=100)
        assert (experiment.step, experiment.status) == (30, Status.PAUSED)
        experiment.apply(Play())
    experiment.advance(60.0, steps=5)
    assert (experiment.step, experiment.snapshot().until) == (35, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 10**9}, "steps"),
        ({"settings": {"model.hiden": "3"}}, "unknown setting 'model.hiden'"),
        ({"title": "???"}, "needs a letter or a digit"),
        ({"score": "beauty"}, "beauty"),
    ],
)
def test_an_impossible_challenge_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        read_challenge(json.dumps(TEXT | changes).encode())


def test_the_documented_challenge_can_be_read():
    blocks = [part.partition("```")[0] for part in README.split("```json\n")[1:]]
    (block,) = [block for block in blocks if '"score"' in block]
    assert read_challenge(block.encode()).slug == "tame-it"
