"""A visitor's own data: previewed first, seen by nobody else, and freed with the visitor."""

import base64
import gc
import io
import re
import weakref
import zlib

import numpy as np
import pytest
from panel.ui import LinearProgress

from app.settings.component import SettingsComponent
from app.settings.settings import Settings
from app.sharing.upload import KEPT, Data, Uploads, learn_from
from app.sharing.upload_preview import preview
from engine import Choice, Experiment, FileReader, Reading, RunConfig, SetKnob, limits, read_upload
from engine.data import DATASETS
from tests.app.seen import control, labels, page_text, visible
from tests.waiting import wait_until

TABLE = b"a,b,label\n" + b"".join(b"%d,%d,%s\n" % (n, n % 7, b"xy"[n % 2 :][:1]) for n in range(60))


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.fixture
def uploads():
    uploads = Uploads(FileReader())
    yield uploads
    uploads.close()


def test_a_table_is_described_with_its_first_rows():
    told = preview(read_upload(TABLE, "pets.csv"))
    assert "60 examples of 2 inputs" in told and "2 classes: x (30), y (30)" in told
    assert "<td>a</td><td>number</td><td>0 to 59</td><td>input</td>" in told
    assert "Read as UTF-8, separator comma, decimal point." in told
    assert told.count("<tr>") == 4 + 7 and "<td>4</td><td>4</td><td>x</td>" in told


def test_a_regression_table_is_described():
    table = "a,y\n" + "".join(f"{n},{n / 7:.3f}\n" for n in range(60))
    assert "values to predict" in preview(read_upload(table.encode(), "v.csv"))


def test_pictures_are_shown_as_they_are():
    x = np.zeros((30, 4, 6), np.uint8)
    x[:, 1, 2] = 200
    told = preview(read_upload(npz(x=x, y=np.arange(30) % 3), "dots.npz"))
    assert "30 examples of 4 x 6 pixels" in told
    first = base64.b64decode(re.search(r"base64,([^\"]+)", told)[1])
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    start = first.index(b"IDAT")
    size = int.from_bytes(first[start - 4 : start])
    lines = np.frombuffer(zlib.decompress(first[start + 4 : start + 4 + size]), np.uint8)
    lines = lines.reshape(4, 1 + 6 * 3)
    assert (lines[:, 0] == 0).all()
    shown = lines[:, 1:].reshape(4, 6, 3)
    assert (shown[1, 2] == 255).all() and shown.sum() == 3 * 255


def test_names_and_targets_are_escaped():
    told = preview(read_upload(b"a,label\n" + b"1,<b>x\n2,y\n" * 9, "<i>.csv"))
    assert "<b>x" not in told and "<i>" not in told and "&lt;b&gt;x" in told


@pytest.mark.parametrize(
    ("raw", "file", "told"),
    [
        (b"", "a.csv", "found an empty file"),
        (b"a,b\n1,2\n1\n", "a.csv", "line 3"),
        (b"PK nonsense", "a.npz", "expected an NPZ archive"),
        (TABLE, "a.xls", "expected a file that ends in .csv, .tsv"),
        (b" " * (limits().upload + 1), "a.csv", "at most"),
    ],
)
def test_an_unreadable_file_is_refused_in_one_sentence(raw, file, told):
    assert_refused(raw, file, told)


@pytest.mark.parametrize(
    ("shape", "told"), [((9, 9, 2**20), "unpacks to"), ((16, 600_000), "numbers")]
)
def test_an_archive_of_too_many_numbers_is_refused_in_one_sentence(shape, told):
    x = np.zeros(shape, np.uint8)
    assert_refused(npz(x=x, y=np.arange(len(x)) % 2), "a.npz", told)


def assert_refused(raw: bytes, file: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)) as refusal:
        read_upload(raw, file)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "file",
    ["../../etc/pets.csv", "C:\\pets.csv", "pe\x00ts\n.csv", 'p"ets.csv', "p" * 300 + ".csv"],
)
def test_a_file_is_called_by_its_plain_name(file):
    name = read_upload(TABLE, file).file
    assert name.isprintable() and not set('/\\"') & set(name) and len(name) <= 41


def test_a_kept_file_can_be_trained_on_but_is_in_no_menu(uploads, config):
    upload = read_upload(TABLE, "pets.csv")
    uploads.add(upload, "")
    assert upload.name not in list(DATASETS) and upload.name in DATASETS
    with pytest.raises(ValueError) as refusal:
        config.replace("data.dataset", Choice("nothing"))
    assert "pets" not in str(refusal.value)
    experiment = Experiment(config)
    experiment.apply(SetKnob("data.dataset", Choice(upload.name)))
    experiment.train(5)
    assert experiment.data.train.classes == ("x", "y")


def test_only_the_page_that_shows_it_offers_it(uploads, config):
    upload = read_upload(TABLE, "pets.csv")
    uploads.add(upload, "")
    mine, yours = (SettingsComponent(Settings(lambda x: None, config)) for _ in range(2))
    mine.follow(config.replace("data.dataset", Choice(upload.name)))
    assert list(mine.state["own"]["dataset"]) == [upload.name]
    assert yours.state["own"] == {}
    mine.follow(config)
    assert list(mine.state["own"]["dataset"]) == [upload.name]  # to choose it again
    later = SettingsComponent(Settings(lambda x: None, config))
    assert later.state["own"] == {} and "pets" not in later.schema


def test_an_upload_is_freed_when_its_last_visitor_leaves(config):
    mine, yours = Uploads(FileReader()), Uploads(FileReader())
    upload = read_upload(TABLE, "pets.csv")
    mine.add(upload, "")
    mine.add(upload, "")  # adding it twice counts once
    yours.add(read_upload(TABLE, "pets.csv"), "")
    mine.close()
    mine.close()
    assert upload.name in DATASETS
    yours.close()
    assert upload.name not in DATASETS
    with pytest.raises(ValueError, match="unknown data set"):
        config.replace("data.dataset", Choice(upload.name))
    mine.add(upload, "")  # arrives after the visitor has left
    assert upload.name not in DATASETS


def test_an_upload_is_freed_with_its_last_run(config):
    visitor = Uploads(FileReader())
    visitor.add(upload := read_upload(TABLE, "pets.csv"), "")
    experiment = Experiment(config.replace("data.dataset", Choice(upload.name)))
    held = weakref.ref(upload.source), weakref.ref(experiment.data)
    visitor.close()
    del visitor, upload, experiment
    gc.collect()
    assert [what() for what in held] == [None, None]


def test_few_files_are_kept_including_the_one_in_use(uploads):
    files = [read_upload(TABLE, f"{n}.csv") for n in range(KEPT + 2)]
    for upload in files:
        uploads.add(upload, files[0].name)
    assert uploads.names == [files[0].name, *(x.name for x in files[-KEPT + 1 :])]
    assert files[1].name not in DATASETS


class UploadDialog:
    """A dialog, and the data that it was told to use."""

    def __init__(self, uploads: Uploads) -> None:
        self.used: list = []
        self.handle = type("Handle", (), {"latest": Experiment(RunConfig()).snapshot()})
        self.data = Data(self.handle, uploads, self.use, lambda found: found)

    def use(self, upload, reading) -> None:
        self.used.append(upload)
        self.reading = reading

    def bring(self, raw: bytes, file: str) -> str:
        self.control("Choose a file, or drop it here").param.update(
            value=raw, filename=file, mime_type=""
        )
        return self.preview()

    def control(self, label: str):
        return control(self.data.view, label)

    def preview(self) -> str:
        """What is shown of the file, once it has been read."""
        wait_until(lambda: not any(isinstance(x, LinearProgress) for x in visible(self.data.view)))
        return page_text(self.data.view)

    @property
    def can_learn(self) -> bool:
        return "Learn from it" in labels(self.data.view)


def test_a_file_is_previewed_before_it_is_used(uploads):
    dialog = UploadDialog(uploads)
    assert "60 examples" in dialog.bring(TABLE, "pets.csv")
    assert uploads.names == [] and dialog.used == []
    dialog.control("Learn from it").clicks += 1
    (used,) = dialog.used
    assert uploads.names == [used.name]


def test_only_a_readable_file_can_be_learned_from(uploads):
    dialog = UploadDialog(uploads)
    assert 'role="alert"' in dialog.bring(b"1,2\nx,y\n", "bad.csv")
    assert not dialog.can_learn
    dialog.bring(TABLE, "pets.csv")
    assert dialog.can_learn
    dialog.bring(TABLE, "pets.csv")  # the same file again
    assert dialog.can_learn


def test_target_and_task_are_chosen_before_it_is_used(uploads):
    dialog = UploadDialog(uploads)
    dialog.bring(TABLE, "pets.csv")
    dialog.control("Target").value = "a"
    assert "Target “a”: values to predict" in dialog.preview()
    dialog.control("It holds").value = "classes"
    assert "60 classes" in dialog.preview()
    dialog.control("Learn from it").clicks += 1
    assert dialog.reading == Reading("a", "classes")


def test_an_ambiguous_task_is_asked_about(uploads):
    dialog = UploadDialog(uploads)
    rows = b"".join(b"%d.5,%d\n" % (n % 9, n % 26) for n in range(260))
    assert "Choose whether" in dialog.bring(b"a,label\n" + rows, "letters.csv")
    assert not dialog.can_learn
    dialog.control("It holds").value = "classes"
    assert "26 classes" in dialog.preview() and dialog.can_learn


def test_missing_values_are_asked_about(uploads):
    dialog = UploadDialog(uploads)
    told = dialog.bring(TABLE + b",3,x\n", "gaps.csv")
    assert "1 row has a missing value" in told and "left out" not in told and not dialog.can_learn
    dialog.control("Missing values").value = "drop"
    assert "1 row with a missing value is left out" in dialog.preview()
    assert dialog.can_learn


def test_a_run_starts_with_the_chosen_reading(uploads, config):
    upload = read_upload(TABLE, "pets.csv")
    uploads.add(upload, "")
    experiment = Experiment(config)
    handle = type("Handle", (), {"latest": experiment.snapshot(), "send": experiment.apply})
    learn_from(handle, upload, Reading("a", "values"))
    assert experiment.config.data.target == "a" and not experiment.data.train.classes
    assert experiment.data.train.columns == ("b", "label=x", "label=y")
    experiment.train(3)
