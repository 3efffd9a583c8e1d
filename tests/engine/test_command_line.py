"""The command line lists, trains and replays; every error is one line."""

import csv
import io
import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import msgspec
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine import SETTINGS, Choice, Experiment, RunConfig, SetKnob, Step, record, replay
from engine.cli.files import to_json
from engine.cli.main import SUBCOMMANDS, main
from engine.data import DATASETS
from engine.data.preprocessing import PREPROCESSING
from engine.data.target_scaling import TARGET_SCALING
from engine.diagnosis import RULES
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.nn.losses import LOSSES
from engine.nn.normalization import NORMALIZATIONS
from engine.training.optimizers import OPTIMIZERS
from engine.training.schedules import SCHEDULES
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
MENUS = [
    *(DATASETS, PREPROCESSING, TARGET_SCALING, ACTIVATIONS, INITIALIZERS, NORMALIZATIONS),
    *(LOSSES, OPTIMIZERS, SCHEDULES, RULES),
]
RATE = "optimization.learning_rate"
PLANE_BY_HINGE = "--set", "data.dataset=plane", "--set", "optimization.loss=multiclass hinge"


class Shell:
    """Runs the command line in this process, and keeps the output of the last command."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *argv: object) -> int:
        status = main([str(x) for x in argv])
        self.out, self.err = self.capsys.readouterr()
        return status

    @property
    def json(self) -> dict:
        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture(autouse=True)
def one_core():
    """As on the command line: the number of BLAS threads decides how sums are rounded."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture
def shell(capsys) -> Shell:
    return Shell(capsys)


def steered() -> Experiment:
    experiment = Experiment(RunConfig(seed=3))
    experiment.train(40)
    experiment.apply(SetKnob(RATE, 0.03))
    experiment.apply(SetKnob("model.activation", Choice("leaky ReLU", {"slope_below": 0.2})))
    experiment.train(30)
    experiment.apply(SetKnob("optimization.l2", 0.001))
    experiment.apply(SetKnob("model.initializer", Choice("Xavier")))
    experiment.apply(Step())
    experiment.train(29)
    return experiment


@pytest.fixture
def saved(tmp_path) -> Path:
    path = tmp_path / "run.json"
    path.write_text(to_json(record(steered())))
    return path


def in_a_process(*argv: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "engine", *argv]
    return subprocess.run(command, cwd=ROOT, text=True, timeout=PATIENCE, **options)


# ---- list -----------------------------------------------------------------------------------


@pytest.mark.parametrize("menu", MENUS, ids=lambda menu: menu.kind)
def test_list_shows_every_entry_with_its_knobs(shell, menu):
    assert shell("list") == 0
    block = re.search(rf"^{menu.kind.upper()}\n(.*?)\n\n", shell.out, re.S | re.M).group(1)
    words = " ".join(block.split())
    for name, entry in menu.items():
        assert re.search(rf"^  {re.escape(name)}  ", block, re.M)
        assert entry.summary in words
        for knob in entry.knobs:
            assert f"{knob.name}: " in words


def test_list_is_readable_at_100_columns(shell):
    shell("list")
    assert max(map(len, shell.out.splitlines())) <= 100


def test_list_shows_every_setting_with_its_effect(shell):
    shell("list")
    words = " ".join(shell.out.split("SETTINGS")[1].split())
    for path, setting in SETTINGS.items():
        assert f"{path} {setting.summary}" in words
        assert setting.effect in words


def test_list_as_json_agrees_with_the_menus(shell):
    assert shell("list", "--json") == 0
    told = shell.json["menus"]
    assert {kind: [x["name"] for x in told[kind]] for kind in told} == {
        menu.kind: list(menu) for menu in MENUS
    }
    leaky = next(x for x in told["activation"] if x["name"] == "leaky ReLU")
    assert leaky["knobs"] == [
        {"name": "slope_below", "default": 0.01, "low": 0, "high": 0.5}
        | {"scale": "linear", "zero": False, "whole": False}
    ]
    settings = {x["path"]: x for x in shell.json["settings"]}
    assert list(settings) == list(SETTINGS)
    assert settings["model.activation"]["menu"] == "activation"
    assert settings[RATE]["range"]["scale"] == "log"
    assert settings[RATE]["default"] == 0.01


# ---- train ----------------------------------------------------------------------------------


def test_the_csv_holds_the_history_and_ends_at_the_last_step(shell, tmp_path):
    path = tmp_path / "curves.csv"
    assert shell("train", "--steps", 157, "--csv", path) == 0
    header, *rows = csv.reader(path.read_text().splitlines())
    same = Experiment(RunConfig())
    same.train(156)
    same.apply(Step())
    curves = same.snapshot().curves
    assert header == list(curves)
    assert [math.nan if x == "" else float(x) for x in rows[-1]] == pytest.approx(
        [curves[name][-1] for name in curves], rel=0, abs=0, nan_ok=True
    )
    assert rows[-1][0] == "157"
    assert len(rows) == curves.rows
    assert "nan" not in path.read_text()
    assert rows[0][header.index("gradient_cosine")] == ""  # no step before the first


def test_the_weights_are_those_of_an_experiment_with_as_many_steps(shell):
    shell("train", "--steps", 60, "--seed", 5, "--json")
    same = Experiment(RunConfig(seed=5))
    same.train(60)
    assert shell.json["digest"] == record(same).digest


def test_the_figures_are_those_of_the_last_row(shell):
    shell("train", "--steps", 99, "--json")
    told = shell.json
    assert (told["step"], told["status"], told["message"]) == (99, "paused", "")
    assert told["epoch"] == pytest.approx(99 * 32 / 1438, rel=0.02)
    assert 0 < told["loss"] < told["validation_loss"] < 1
    assert 0.8 < told["validation_accuracy"] < 1
    assert 0.8 < told["train_accuracy"] < 1
    assert RunConfig.from_json(json.dumps(told["config"])) == RunConfig()
    shell("train", "--steps", 99)
    assert f"validation accuracy  {100 * told['validation_accuracy']:.1f} %" in shell.out
    assert told["digest"] in shell.out


def test_no_steps_give_the_figures_of_the_start(shell):
    assert shell("train", "--steps", 0, "--json") == 0
    assert shell.json["step"] == 0
    assert shell.json["validation_loss"] > 1


def test_a_config_comes_from_a_file_or_standard_input(shell, tmp_path, monkeypatch):
    text = b'{"model": {"hidden": [7]}, "seed": 4}'
    path = tmp_path / "config.json"
    path.write_bytes(text)
    assert shell("train", "--config", path, "--steps", 1, "--json") == 0
    assert shell.json["config"]["model"]["hidden"] == [7]
    assert shell.json["config"]["seed"] == 4
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert shell("train", "--config", "-", "--seed", 9, "--steps", 1, "--json") == 0
    assert shell.json["config"]["model"]["hidden"] == [7]
    assert shell.json["config"]["seed"] == 9


@pytest.mark.parametrize(
    "assignment, expected",
    [
        ("optimization.learning_rate=1e-3", 0.001),
        ("optimization.batch_size=64", 64),
        ("model.activation=leaky ReLU", {"name": "leaky ReLU", "knobs": {}}),
        (
            'model.activation={"name":"leaky ReLU","knobs":{"slope_below":0.1}}',
            {"name": "leaky ReLU", "knobs": {"slope_below": 0.1}},
        ),
        ("model.hidden=[9,8]", [9, 8]),
        ("data.examples=200", 200),
    ],
)
def test_set_changes_one_value(shell, assignment, expected):
    assert shell("train", "--set", assignment, "--steps", 1, "--json") == 0
    part, _, name = assignment.partition("=")[0].partition(".")
    assert shell.json["config"][part][name] == expected


def test_set_can_be_repeated(shell):
    values = ("--set", "data.dataset=plane", "--set", "optimization.loss=mean squared error")
    assert shell("train", *values, "--steps", 1) == 0


def test_findings_have_cause_and_advice(shell):
    command = ("train", "--set", "model.initializer=constant", "--steps", 60)
    shell(*command, "--json")
    first = shell.json["findings"][0]
    assert first["rule"] == "symmetric weights"
    shell(*command)
    words = " ".join(shell.out.split())
    assert f"symmetric weights: {first['cause']} {first['advice']}" in words


def test_a_run_that_diverges_is_a_result(shell):
    command = ("train", "--set", f"{RATE}=1e5", "--steps", 500)
    assert shell(*command) == 0
    assert re.search(r"^status +diverged$", shell.out, re.M)
    assert "Diverged at step" in shell.out
    assert shell(*command, "--json") == 0
    assert shell.json["status"] == "diverged"
    assert shell.json["step"] < 500


def test_numbers_that_are_not_finite_are_null_in_json():
    values = [math.nan, math.inf, np.float64(0.5), np.float32("nan")]
    assert json.loads(to_json(values)) == [None, None, 0.5, None]


def test_only_one_output_goes_to_stdout(shell):
    assert shell("train", "--steps", 5, "--csv", "-") == 0
    assert len(list(csv.reader(shell.out.splitlines()))) == 1 + 6
    assert "validation loss" in shell.err
    assert shell("train", "--steps", 5, "--save", "-") == 0
    assert shell.json["steps"] == 5
    assert shell("train", "--csv", "-", "--json") == 2
    assert shell.out == ""


def test_own_data_can_be_trained_on(shell, tmp_path):
    rows = "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "command line.csv").write_text(f"p,q,kind\n{rows}")
    own = ("--data", tmp_path)
    try:
        values = ("--set", "data.dataset=command line.csv", "--steps", 20)
        assert shell("train", *values, *own, "--save", tmp_path / "run") == 0
        assert shell("replay", tmp_path / "run", *own) == 0
        assert shell("list", *own) == 0
        assert "command line.csv" in shell.out
    finally:
        DATASETS.remove("command line.csv")


def test_ctrl_c_ends_a_run_between_steps_and_writes_its_results(shell, tmp_path, monkeypatch):
    train, before = Experiment.train, signal.getsignal(signal.SIGINT)

    def interrupted(self: Experiment, steps: int) -> None:
        if self.step == 30:
            signal.raise_signal(signal.SIGINT)
        train(self, steps)

    monkeypatch.setattr(Experiment, "train", interrupted)
    table, run = tmp_path / "curves.csv", tmp_path / "run"
    assert shell("train", "--steps", 10**6, "--csv", table, "--save", run, "--json") == 130
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is before
    assert shell.json["step"] == 32
    assert table.read_text().splitlines()[-1].startswith("32,")
    assert shell("replay", run) == 0


# ---- replay ---------------------------------------------------------------------------------


def test_a_steered_run_replays_to_the_same_bits(shell, saved):
    assert shell("replay", saved) == 0
    assert "same as when it was saved" in shell.out
    assert shell("replay", saved, "--json") == 0
    assert shell.json["agrees"] is True
    assert shell.json["digest"] == shell.json["saved"] == record(steered()).digest
    assert shell.json["step"] == 100


def test_whole_numbers_survive_a_journal_in_a_file(shell, tmp_path):
    experiment = Experiment(RunConfig())
    experiment.apply(SetKnob("optimization.batch_size", 16))
    experiment.apply(SetKnob("optimization.schedule", Choice("step", {"every": 10})))
    experiment.train(20)
    (tmp_path / "run").write_text(to_json(record(experiment)))
    assert shell("replay", tmp_path / "run") == 0, shell.err


def test_a_trained_and_saved_run_replays_to_the_same_bits(shell, tmp_path):
    command = ("train", "--steps", 50, "--set", "model.dropout=0.3", "--json")
    assert shell(*command, "--save", tmp_path / "run") == 0
    trained = shell.json
    assert shell("replay", tmp_path / "run", "--json") == 0
    assert shell.json == trained | {"saved": trained["digest"], "agrees": True}


def test_a_run_that_diverged_replays(shell, tmp_path):
    command = ("train", "--steps", 50, "--set", f"{RATE}=1e5", "--save", tmp_path / "run")
    assert shell(*command) == 0
    assert shell("replay", tmp_path / "run") == 0


def test_branches_replay_too_and_one_with_other_bits_is_told(shell, tmp_path):
    experiment = Experiment(RunConfig())
    experiment.train(20)
    experiment.look_back(10)
    experiment.apply(SetKnob("optimization.learning_rate", 0.02))
    experiment.train(5)
    recording = record(experiment)
    (tmp_path / "run").write_bytes(msgspec.json.encode(recording))
    assert shell("replay", tmp_path / "run") == 0
    assert "Branch 1: the weights are the same, to the bit." in shell.out
    (branch,) = recording.branches
    other = msgspec.structs.replace(branch, digest="0" * 16)
    wrong = msgspec.structs.replace(recording, branches=(other,))
    (tmp_path / "run").write_bytes(msgspec.json.encode(wrong))
    assert shell("replay", tmp_path / "run") == 1
    assert "Branch 1: the weights are NOT the same." in shell.out


def test_a_file_as_the_engine_alone_would_write_it_replays(shell, tmp_path):
    experiment = steered()
    journal = msgspec.to_builtins(experiment.journal)
    text = {"config": msgspec.to_builtins(experiment.first_config), "journal": journal}
    (tmp_path / "run").write_text(json.dumps(text | {"steps": experiment.step}))
    assert shell("replay", tmp_path / "run", "--json") == 0
    again = replay(experiment.first_config, experiment.journal, experiment.step)
    assert shell.json["digest"] == record(again).digest
    assert shell.json["agrees"] is None


@pytest.mark.parametrize("change", [{"digest": "0" * 16}, {"steps": 101}])
def test_replay_reports_different_bits(shell, saved, change):
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    assert shell("replay", saved) == 1
    assert "NOT the same" in shell.out
    assert shell("replay", saved, "--json") == 1
    assert shell.json["agrees"] is False


# ---- errors ---------------------------------------------------------------------------------

RUN = '{"config":{},"journal":[],"steps":1}'


@pytest.mark.parametrize(
    "argv, said",
    [
        ([], "SUBCOMMAND"),
        (["fly"], "fly"),
        (["train", "--wings"], "--wings"),
        (["train", "--steps"], "--steps"),
        (["train", "--steps", "-1"], "'-1'"),
        (["train", "--steps", "many"], "'many'"),
        (["train", "--seed", "1.5"], "'1.5'"),
        (["train", "--config", "no/such/file"], "no/such/file: No such file"),
        (["train", "--config", "."], ".: Is a directory"),
        (["train", "--csv", "no/such/folder.csv"], "no/such/folder.csv: No such file"),
        (["train", "--save", "."], ".: Is a directory"),
        (["train", "--data", "no/such/folder"], "no/such/folder: is not a folder"),
        (["train", "--set", "model.activation"], "PATH=VALUE"),
        (["train", "--set", "model.wings=2"], "'model.wings'; the nearest of"),
        (["train", "--set", "seed.x=2"], "'seed.x'; the nearest of"),
        (["train", "--set", "model.activation=Relu"], "'Relu'; the nearest of"),
        (["train", "--set", 'model.activation={"name":"ReLU","wings":2}'], "no field 'wings'"),
        (["train", "--set", f"{RATE}=fast"], "must be a number, got 'fast'"),
        (["train", "--set", f"{RATE}=-1"], "must be a number from 1e-6"),
        (["train", "--set", "optimization.l2=[]"], "must be a number, got '[]'"),
        (["train", "--set", f"model.hidden={'[' * 10_000}"], "recursion"),
        (["train", *PLANE_BY_HINGE], "choose mean squared error"),
        (["replay"], "FILE"),
        (["replay", "no/such/file"], "no/such/file: No such file"),
    ],
)
def test_every_error_is_one_line(shell, argv, said):
    assert shell(*argv) == 2
    assert shell.out == ""
    assert re.fullmatch(r"babysit: .+\n", shell.err)
    assert said in shell.err


@pytest.mark.parametrize(
    "command, text, said",
    [
        ("train", "", "is empty"),
        ("train", "{", "ends too early"),
        ("train", "[]", "must be an object { }, got a list [ ]"),
        ("train", "\xff", "is no text"),
        ("train", '{"wings": 2}', "no field 'wings'"),
        ("train", '{"seed": -1}', "seed must be 0 or more"),
        ("train", '{"data": {"dataset": {"name": "circles"}}}', "'circles'; the nearest of"),
        ("train", '{"optimization": {"l2": -1}}', "L2 strength must be"),
        ("replay", "{}", "it has no 'config'"),
        ("replay", RUN[:-1] + ',"wings":2}', "no field 'wings'"),
        ("replay", RUN.replace("1}", "-1}"), "a whole number, 0 or more"),
        ("replay", RUN.replace("[]", '[[0,{"type":"fly"}]]'), "'fly'"),
        ("replay", RUN.replace("[]", '[[1,{"type":"play"}],[0,{"type":"pause"}]]'), "fall"),
        ("replay", RUN.replace("[]", '[[2,{"type":"play"}]]'), "beyond the last step"),
        ("replay", RUN.replace("[]", '[[0,{"type":"set","path":"a","value":1}]]'), "'a'"),
        (
            "replay",
            RUN.replace("[]", '[[0,{"type":"set","path":"data.dataset","value":1}]]'),
            "an object { }",
        ),
    ],
)
def test_an_invalid_file_is_refused_in_one_line(shell, tmp_path, command, text, said):
    path = tmp_path / "file.json"
    path.write_text(text, encoding="latin-1")
    assert shell(*([command, "--config"] if command == "train" else [command]), path) == 2
    assert shell.out == ""
    assert re.fullmatch(r"babysit: .+\n", shell.err)
    assert said in shell.err


def test_a_refused_run_leaves_older_files_alone(shell, tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("precious")
    assert shell("train", "--csv", path, "--save", tmp_path / "no" / "run") == 2
    assert path.read_text() == "precious"


# ---- as a process ---------------------------------------------------------------------------


def test_as_a_process_it_trains_in_silence_and_replays_from_a_pipe():
    trained = in_a_process("train", "--steps", "200", "--save", "-", capture_output=True)
    assert trained.returncode == 0
    assert "\r" not in trained.stderr and "steps/s" not in trained.stderr  # no progress bar
    replayed = in_a_process("replay", "-", "--json", input=trained.stdout, capture_output=True)
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert json.loads(replayed.stdout)["agrees"] is True


def test_a_terminal_sees_a_progress_bar():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    try:
        done = in_a_process("train", "--steps", "300", stdout=subprocess.PIPE, stderr=theirs)
        assert done.returncode == 0
        os.set_blocking(ours, False)
        assert "steps/s" in os.read(ours, 100_000).decode()
        assert "steps/s" not in done.stdout
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_closed_pipe_is_no_error():
    script = f"{sys.executable} -m engine list | head -1"
    done = subprocess.run(
        script, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.stderr) == ("DATA SET\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        done = in_a_process("list", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "babysit: No space left on device\n"


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_a_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out
