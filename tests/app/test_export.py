"""Exported files contain the run's data, and other programs can read them."""

import csv
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from app.sharing.export import FILES, curves_csv, report_html, run_json, weights
from app.sharing.upload import Uploads
from engine import (
    Choice,
    Experiment,
    FileReader,
    Pause,
    Play,
    RunConfig,
    SetKnob,
    Step,
    percent,
    read_upload,
)
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
EVIL = "<script>alert(1).csv"
VOID = {"meta", "br", "img", "link", "rect", "path"}


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    experiment = Experiment(RunConfig().replace("model.normalization", Choice("batch norm")))
    experiment.train(60)
    experiment.apply(SetKnob("optimization.learning_rate", 0.03))
    experiment.apply(Step())
    experiment.train(40)
    return experiment


class Page(HTMLParser):
    """Parses a page; checks that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.values: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.values += [value or "" for _, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.values += [value or "" for _, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_csv_contains_the_curves(experiment):
    rows = list(csv.DictReader(io.StringIO(curves_csv(experiment).decode())))
    curves = experiment.snapshot().curves
    assert list(rows[0]) == list(curves)
    for name in curves:
        read = [float(row[name]) if row[name] else np.nan for row in rows]
        np.testing.assert_array_equal(read, curves[name])


def test_the_command_line_repeats_the_run_to_the_bit(experiment, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(run_json(experiment))
    done = in_a_process("replay", str(path))
    assert done.returncode == 0, done.stderr
    assert "the same as when it was saved, to the bit" in done.stdout


def test_the_command_line_detects_a_different_result(experiment, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(run_json(experiment).replace(b"0.03", b"0.031"))
    assert in_a_process("replay", str(path)).returncode == 1


def test_all_weights_are_exported_by_name(experiment):
    arrays = np.load(io.BytesIO(weights(experiment)), allow_pickle=False)
    parameters = experiment.network.parameters
    named = {f"{x.layer}.{x.name}" for x in (*parameters.tensors, *parameters.running)}
    assert set(arrays.files) == named and len(parameters.running) > 0
    assert all(arrays[name].dtype == np.float32 for name in arrays.files)
    for tensor in parameters.tensors:
        array = arrays[f"{tensor.layer}.{tensor.name}"]
        assert array.shape == tensor.shape
        np.testing.assert_array_equal(array.ravel(), parameters.theta[tensor.span])


def test_the_report_loads_no_external_resource(experiment):
    text = report_html(experiment).decode()
    page = Page(text)
    assert not {"script", "link", "img", "iframe"} & set(page.seen)
    assert not re.findall(r"(?:https?:)?//[a-z]|url\(|@import", text)
    assert page.seen.count("svg") == 3 + len(experiment.snapshot().layers)


def test_the_report_has_figures_settings_and_journal(experiment):
    words = " ".join(Page(report_html(experiment).decode()).words)
    now = experiment.snapshot()
    assert percent(now.curves.last("validation_accuracy"), 1) in words
    assert (
        "batch norm" in words
        and "Learning rate = 0.03" in words
        and "step 60: 1 single step" in words
    )
    assert "?run=" in words


def test_the_report_merges_repeated_moves(config):
    experiment = Experiment(config)
    for _ in range(12):
        experiment.apply(Step())
    experiment.apply(Play())
    experiment.train(8)
    for command in (Pause(), Play(), Pause(), Pause()):  # the last one changes nothing
        experiment.apply(command)
    experiment.apply(SetKnob("optimization.learning_rate", 0.02))
    experiment.apply(Step())
    text = report_html(experiment).decode()
    assert re.findall("<li>(.*?)</li>", text) == [
        "steps 0 to 20: 12 single steps, played 2 times, paused 2 times",
        "step 20: Learning rate = 0.02",
        "step 20: 1 single step",
    ]


def test_a_report_of_a_diverged_run_says_why(config):
    experiment = Experiment(config)
    experiment.apply(SetKnob("optimization.learning_rate", 1e6))
    experiment.train(50)
    words = " ".join(Page(report_html(experiment).decode()).words)
    assert experiment.snapshot().message in words


def test_names_chosen_by_visitors_are_escaped(config):
    uploads = Uploads(FileReader())
    table = "a,label\n" + "1,<b>x\n2,y&\n" * 20
    upload = read_upload(table.encode(), EVIL)
    uploads.add(upload, "")
    try:
        experiment = Experiment(config.replace("data.dataset", Choice(upload.name)))
        experiment.train(3)
        text = report_html(experiment).decode()
    finally:
        uploads.close()
    assert "script" not in Page(text).seen
    assert "alert(1)" in " ".join(Page(text).words)


@pytest.mark.parametrize("dataset", ["digits", "plane"])
def test_every_file_can_be_exported_at_step_0(config, dataset):
    """At step 0, for classification and for regression."""
    config = config.replace("data.dataset", Choice(dataset))
    if dataset != "digits":
        config = config.replace("optimization.loss", Choice("mean squared error"))
    experiment = Experiment(config)
    for _, _, make in FILES.values():
        assert make(experiment)


# ---- a run on an uploaded file -------------------------------------------------------------


@pytest.fixture
def own_run(tmp_path, config) -> Path:
    """A saved run, in a folder with the table that it was trained on."""
    table = b"a,b,label\n" + b"".join(b"%d,%d,%d\n" % (n, n % 5, n % 2) for n in range(50))
    uploads = Uploads(FileReader())
    upload = read_upload(table, "pets.csv")
    uploads.add(upload, "")
    experiment = Experiment(config.replace("data.dataset", Choice(upload.name)))
    experiment.train(10)
    path = tmp_path / "run.json"
    path.write_bytes(run_json(experiment))
    uploads.close()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pets.csv").write_bytes(table)
    return path


def test_the_command_line_asks_for_the_file_and_repeats_the_run_with_it(own_run):
    without = in_a_process("replay", str(own_run))
    assert without.returncode == 2 and "learns from pets.csv" in without.stderr
    assert (
        in_a_process("replay", str(own_run), "--data", str(own_run.parent / "data")).returncode == 0
    )


def test_the_command_line_refuses_another_file_of_that_name(own_run):
    (own_run.parent / "data" / "pets.csv").write_text("a,label\n" + "1,0\n2,1\n" * 9)
    done = in_a_process("replay", str(own_run), "--data", str(own_run.parent / "data"))
    assert done.returncode == 2 and "another pets.csv" in done.stderr


def in_a_process(*argv: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "engine", *argv]
    return subprocess.run(command, cwd=ROOT, text=True, timeout=PATIENCE, capture_output=True)


@pytest.mark.parametrize("kind", ["Curves", "Run", "Weights"])
def test_a_file_without_measurements_measures_nothing(kind, experiment, monkeypatch):
    def measure(experiment, requested=frozenset()):
        raise AssertionError("nothing is to be measured")

    monkeypatch.setattr(Experiment, "snapshot", measure)
    assert FILES[kind][2](experiment)
