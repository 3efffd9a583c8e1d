"""JSON is read in any Unicode encoding; errors are plain sentences."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import RunConfig
from engine.cli.main import main
from engine.json_reader import from_json
from engine.lessons.written import WrittenLesson
from engine.runtime.recording import Recording
from engine.search import Search
from engine.suggestions import FEW, instead_of
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
CODES = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("code", CODES)
def test_json_in_any_encoding_is_read(code):
    config = RunConfig(seed=7)
    assert from_json(config.to_json().encode(code), RunConfig) == config


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (RunConfig, "", "is empty: expected JSON"),
        (RunConfig, " \n", "is empty: expected JSON"),
        (RunConfig, b"\xe9t\xe9", "is no text that can be read: expected UTF-8 or UTF-16"),
        (RunConfig, "[" * 100_000, "it must be an object { }, got a list [ ]"),
        (RunConfig, '{"seed": 1', "is no JSON: it ends too early"),
        (RunConfig, "seed", "is no JSON: invalid character (byte 0)"),
        (RunConfig, '{"model": {},\n\n"seed" 1}', "is no JSON: expected ':' in line 3"),
        (RunConfig, "{1: 2}", "is no JSON: expected a name in double quotes"),
        (RunConfig, '{"seed": 1.5}', "seed must be a whole number, got a number"),
        (RunConfig, '{"model": {"hidden": [1, "a"]}}', "model.hidden[1] must be a whole number"),
        (RunConfig, '{"optimization": {"learnig_rate": 1}}', "are learning_rate, "),
        (RunConfig, '{"model": {"activation": {"name": "relu"}}}', "are ReLU, leaky ReLU, PReLU"),
        (Recording, "{}", "it has no 'config'"),
        (Recording, '{"config":{},"journal":[[1,{"type":"go"}]],"steps":1}', "cannot be 'go'"),
        (Recording, '{"config":{},"journal":[],"steps":-1}', "a whole number, 0 or more"),
        (WrittenLesson, '{"title": "?"}', "title must be text, 3 letters or more"),
        (WrittenLesson, f'{{"title": "{"x" * 601}"}}', "title must be text, at most 600 letters"),
        (WrittenLesson, '{"check": []}', "check must be a list [ ] of 1 or more"),
        (Search, '{"space":[{"type":"span","path":"a","low":1,"high":0}]}', "a larger one, got 1"),
    ],
)
def test_errors_are_plain_sentences(kind, text, said):
    with pytest.raises(ValueError) as refusal:
        from_json(text, kind)
    told = str(refusal.value)
    assert said in told
    assert "$" not in told and "`" not in told and len(told) < 200


@pytest.mark.parametrize(
    "words", ["9" * 5000, "\\x1f", "\\1", "\x1f"], ids=["long", "x", "1", "raw"]
)
@pytest.mark.parametrize("path", ["data.dataset", "optimization.batch_size", "model.activation"])
def test_a_value_of_another_type_is_quoted_briefly(path, words):
    with pytest.raises(ValueError, match=r"must be|unknown") as refusal:
        RunConfig().replace(path, words)
    assert len(str(refusal.value)) < 400
    assert repr(words)[1:4] in str(refusal.value)


def test_few_names_are_all_listed_and_of_many_the_nearest():
    many = [f"thing {n}" for n in range(40)] + ["Fashion-MNIST"]
    assert instead_of("mnist", many).startswith("the nearest of 41 are Fashion-MNIST, ")
    assert instead_of("mnist", many).count(",") == 2
    assert instead_of("b", "ac") == "choose from a, c"
    assert instead_of("b", []) == "there are none"
    assert len(many) > FEW


# ---- consoles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["ascii", "cp437", "cp932", "utf-8"])
@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["list"], 0),
        (["train", "--help"], 0),
        (["lesson", "first loss"], 0),
        (["train", "--set", "data.dataset=plane", "--steps", "2"], 0),
        (["train", "--set", "data.dataset=花"], 2),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_any_console_encoding_works(monkeypatch, code, argv, status):
    said, errors = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(said, code))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(errors, code))
    try:
        ended = main(argv)
    except SystemExit as end:  # of argparse, after the help
        ended = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    assert ended == status
    assert b"codec" not in errors.getvalue()
    assert said.getvalue() if status == 0 else errors.getvalue().count(b"\n") == 1


def test_a_console_of_a_process_works_as_well():
    done = subprocess.run(
        [sys.executable, "-m", "engine", "train", "--set", "data.dataset=花"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr and b"codec" not in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("code", CODES)
def test_a_run_saved_in_another_encoding_is_replayed(code, tmp_path, capsys):
    assert main(["train", "--steps", "20", "--save", "-"]) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    file = tmp_path / "run.json"
    file.write_bytes(text.replace("\n", "\r\n").encode(code))
    assert main(["replay", str(file)]) == 0
    assert "to the bit" in capsys.readouterr().out


# ---- values to predict --------------------------------------------------------------------------

VALUES = ["--set", "data.dataset=plane", "--set", "optimization.loss=mean squared error"]


def test_regression_is_scored_by_r_squared(capsys):
    assert main(["train", *VALUES, "--steps", "100"]) == 0
    told = capsys.readouterr().out
    assert "validation R²" in told and "accuracy" not in told and "%" not in told


def test_a_regression_search_is_ranked_by_r_squared(capsys):
    argv = ["search", *VALUES, "--trials", "3", "--epochs", "2", "--ensemble", "2"]
    assert main([*argv, "--set", "model.hidden=[8]"]) == 0
    told = capsys.readouterr().out
    assert "R²" in told and "accuracy" not in told and "%" not in told
