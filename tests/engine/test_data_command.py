"""`python -m engine data` describes files and the data sets of the menu."""

import json

import numpy as np
import pytest

from engine.cli.main import main
from engine.data import DATASETS

ROWS = """sep=;
length;colour;day;weight;kind
1,5;red;2024-01-01;3,25;01
2,5;blue;2024-01-02;4,25;02
3,5;red;2024-01-03;5,25;01
4,5;blue;2024-01-04;6,25;02
5,5;red;2024-01-05;7,25;10
6,5;blue;2024-01-06;8,25;10
"""
KEYS = {
    *("examples", "inputs", "classes", "target", "columns"),
    *("encoding", "separator", "decimal", "notices"),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(ROWS)
    return path


def described(capsys, *argv) -> dict:
    assert main(["data", *map(str, argv), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *argv) -> str:
    assert main(["data", *map(str, argv)]) == 2
    shell = capsys.readouterr()
    assert shell.out == ""
    assert shell.err.count("\n") == 1
    return shell.err


def test_json_describes_the_whole_table(file, capsys):
    found = described(capsys, file)
    assert found.keys() >= KEYS
    assert (found["examples"], found["target"]) == (6, "kind")
    assert found["classes"] == {"01": 2, "02": 2, "10": 2}
    assert (found["encoding"], found["separator"], found["decimal"]) == ("UTF-8", ";", ",")
    kinds = {column["name"]: (column["kind"], column["use"]) for column in found["columns"]}
    assert kinds["length"] == ("number", "input")
    assert kinds["kind"] == ("class", "target")
    assert kinds["colour"][1] == "one-hot"
    assert found["inputs"] == sum(1 + (name == "colour") for name in kinds if name != "kind")


def test_text_and_json_agree(file, capsys):
    assert main(["data", str(file)]) == 0
    words = capsys.readouterr().out
    assert "6 examples of 5 inputs; target: kind" in words
    assert "3 classes: 01 (2), 02 (2), 10 (2)" in words
    assert "encoding UTF-8, separator semicolon, decimal comma" in words


def test_another_column_and_another_task_are_chosen(file, capsys):
    found = described(capsys, file, "--target", "weight", "--task", "values")
    assert (found["target"], found["classes"]) == ("weight", None)
    found = described(capsys, file, "--target", "colour")
    assert found["classes"] == {"blue": 3, "red": 3}


def test_missing_values_are_refused_with_their_place_or_filled_in(file, capsys):
    file.write_text(ROWS.replace("3,25", ""))
    assert "line 3, column 'weight'" in refused(capsys, file)
    assert described(capsys, file, "--missing", "drop")["examples"] == 5
    assert described(capsys, file, "--missing", "median")["examples"] == 6


def test_an_unreadable_file_is_one_sentence(file, tmp_path, capsys):
    assert "is no file here" in refused(capsys, tmp_path / "nothing.csv")
    assert "has no column 'size'" in refused(capsys, file, "--target", "size")
    broken = tmp_path / "broken.npz"
    np.savez(broken, pictures=np.zeros((4, 2)), words=np.zeros(3))
    assert "pictures" in refused(capsys, broken)


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_data_set_of_the_menu_is_described(name, capsys):
    found = described(capsys, name)
    assert found["examples"] > 0
    assert found["inputs"] > 0
    if found["classes"] is not None:
        assert sum(found["classes"].values()) == found["examples"]
