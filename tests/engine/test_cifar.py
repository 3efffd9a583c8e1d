"""CIFAR-10 is read in each of its usual forms; look-alikes are refused."""

import gzip
import io
import os
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import cifar, find_cifar, read_cifar
from engine.data.cifar_pickle import read_batch

ROWS = 30
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2 strings."""

    def save_string(self, text: str | bytes) -> None:
        raw = text.encode("latin1") if isinstance(text, str) else text
        short = len(raw) < 256
        self.write(b"U" + bytes([len(raw)]) if short else b"T" + struct.pack("<i", len(raw)))
        self.write(raw)
        self.memoize(text)

    dispatch = pickle._Pickler.dispatch | {str: save_string, bytes: save_string}


def pickled(thing: object) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(thing)
    return file.getvalue().replace(b"numpy._core", b"numpy.core")


def rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(ROWS, 3072), dtype=np.uint8), np.arange(ROWS) % 10


def batch(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    names = [f"picture_{row}.png" for row in range(len(labels))]
    return pickled(
        {"batch_label": "one", "labels": labels.tolist(), "data": pixels, "filenames": names}
    )


def members(layout: str) -> dict[str, bytes]:
    """The files of a small CIFAR-10, in the unsorted order of the published archive."""
    found = {}
    for seed in (3, 5, 2, 1, 4, 0):
        pixels, labels = rows(seed)
        if layout == "py":
            raw = batch(pixels, labels)
        else:
            raw = np.column_stack([labels.astype(np.uint8), pixels]).tobytes()
        suffix = {"py": "", "bin": ".bin"}[layout]
        found[f"cifar-10-batches-{layout}/{BATCHES[seed]}{suffix}"] = raw
    return found


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
    return path


def copy(folder: Path, layout: str, packed: bool) -> Path:
    if packed:
        name = {"py": "cifar-10-python.tar.gz", "bin": "cifar-10-binary.tar.gz"}[layout]
        return archive(folder / name, members(layout))
    for name, raw in members(layout).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(raw)
    return folder / f"cifar-10-batches-{layout}"


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
@pytest.mark.parametrize("layout", ["py", "bin"])
def test_each_form_of_cifar_gives_the_same_images(tmp_path, layout, packed):
    path = copy(tmp_path, layout, packed)
    assert find_cifar(tmp_path) == path
    examples = read_cifar(path, 6000)
    assert examples.shape == (32, 32, 3)
    assert examples.classes[:2] == ("airplane", "automobile")
    assert np.bincount(examples.y).tolist() == [18] * 10
    pixels, _ = rows(0)
    first = examples.x[0].reshape(32, 32, 3)
    np.testing.assert_allclose(first[3, 7] * 255, pixels[0, [103, 1127, 2151]], rtol=1e-6)
    last, _ = rows(5)
    assert examples.x[-1].sum() * 255 == pytest.approx(last[-1].sum())
    with pytest.raises(ValueError, match="read-only"):
        examples.x[0] = 0


@pytest.mark.parametrize("layout", ["py", "bin"])
def test_the_first_of_each_class_are_those_of_the_first_batches(tmp_path, layout):
    examples = read_cifar(copy(tmp_path, layout, True), 4)
    assert np.bincount(examples.y).tolist() == [4] * 10
    expected = np.concatenate([rows(0)[0].sum(axis=1), rows(1)[0][:10].sum(axis=1)])
    np.testing.assert_allclose(examples.x.sum(axis=1) * 255, expected, rtol=1e-5)


def test_no_more_batches_are_opened_than_are_needed(tmp_path):
    folder = copy(tmp_path, "bin", False)
    (folder / "data_batch_2.bin").write_bytes(b"broken")
    assert len(read_cifar(folder, 3)) == 30
    with pytest.raises(ValueError, match=r"cifar-10-batches-bin, data_batch_2\.bin: expected rows"):
        read_cifar(folder, 4)


def test_the_form_without_pickles_is_preferred(tmp_path):
    copy(tmp_path, "py", True)
    assert find_cifar(tmp_path) == tmp_path / "cifar-10-python.tar.gz"
    assert find_cifar(tmp_path) != copy(tmp_path, "bin", True) == find_cifar(tmp_path)


def test_other_members_of_an_archive_are_skipped(tmp_path):
    files = {"../evil": b"x", "cifar-10-batches-py/../../data_batch_1": b"x", "/etc/x": b"x"}
    inner = tmp_path / "inner"
    inner.mkdir()
    path = archive(inner / "cifar-10-python.tar.gz", files | members("py"))
    assert len(read_cifar(path, 10)) == 100
    assert sorted(tmp_path.rglob("*")) == [inner, path]


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("cifar-10-batches-bin/data_batch_1.bin")
        member.type, member.linkname = tarfile.SYMTYPE, "/dev/zero"
        tar.addfile(member)
    with pytest.raises(ValueError, match="expected batches of CIFAR-10, found none"):
        read_cifar(path, 10)


@pytest.mark.parametrize(
    "raw", [b"", b"no gzip", gzip.compress(b"no tar", mtime=0), gzip.compress(b"", mtime=0)]
)
def test_a_broken_archive_is_named(tmp_path, raw):
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz: "):
        read_cifar(path, 10)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "MAX_ARCHIVE", 2**20)
    path = archive(tmp_path / "cifar-10-binary.tar.gz", {"zeros": bytes(2**24)})
    assert path.stat().st_size < 2**15
    with pytest.raises(ValueError, match="more than 1,048,576 bytes, unpacked"):
        read_cifar(path, 10)


def test_an_illegal_label_is_reported_with_its_row(tmp_path):
    folder = copy(tmp_path, "bin", False)
    raw = (folder / "data_batch_1.bin").read_bytes()
    (folder / "data_batch_1.bin").write_bytes(raw[:3073] + b"\x0a" + raw[3074:])
    with pytest.raises(ValueError, match="labels from 0 to 9, found 10 in row 1"):
        read_cifar(folder, 10)


class Attack:
    """Runs a shell command when it is unpickled."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call[0], self.call[1:]


PIXELS, LABELS = rows(0)
GLOBAL = b"\x80\x02cnumpy\ndtype\n"
REFUSED = {
    "a system call": (pickle.dumps(Attack(os.system, "touch evil"), 2), r"it asks for \w+\.system"),
    "an old system call": (pickle.dumps(Attack(os.system, "touch evil"), 0), "it uses"),
    "a new system call": (pickle.dumps(Attack(os.system, "touch evil"), 4), "it uses"),
    "eval": (pickle.dumps(Attack(eval, "open('evil', 'w')"), 2), r"it asks for \w+\.eval"),
    "nothing": (b"", "not a batch"),
    "noise": (bytes(range(256)), "not a batch"),
    "a list": (pickled([1, 2]), "it is no dictionary"),
    "no data": (pickled({"labels": [1]}), "it has no array called data"),
    "a list for data": (pickled({"labels": [1], "data": [2]}), "it has no array called data"),
    "floats": (pickled({"labels": [1], "data": np.ones((1, 3072))}), "not of unsigned bytes"),
    "narrow": (pickled({"labels": [1], "data": PIXELS[:1, :9]}), "has not 3072 columns"),
    "columns": (pickled({"labels": [1], "data": np.asfortranarray(PIXELS)}), "row by row"),
    "labels short": (batch(PIXELS, LABELS[:-1]), "it has 30 images and 29 labels"),
    "label ten": (batch(PIXELS, LABELS + 1), "labels are not all from 0 to 9"),
    "label text": (pickled({"labels": ["a"], "data": PIXELS[:1]}), "labels are not all"),
    "a distant place": (b"\x80\x02}r\xff\xff\xff\xff.", "it keeps 4,294,967,295 things"),
    "deep tuples": (b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.", "it uses TUPLE1 more than 1,000"),
    "a long text": (b"\x80\x02T\xff\xff\xff\x7f.", "not a batch"),
    "set up a class": (GLOBAL + b"}U\x04codeNsb.", "not a batch"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_pickle_of_anything_else_is_refused_and_runs_nothing(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw, sentence = REFUSED[kind]
    with pytest.raises(ValueError, match=sentence) as refusal:
        read_batch(raw, "data_batch_1")
    assert str(refusal.value).startswith("data_batch_1: ")
    assert not list(tmp_path.iterdir())


def test_the_attack_works_on_a_plain_unpickler(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(REFUSED["a system call"][0])
    assert (tmp_path / "evil").exists()


SOUND = batch(PIXELS[:2], LABELS[:2])


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_damaged_pickle_is_read_or_refused(data):
    raw = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        structure = st.integers(0, 200) | st.integers(len(raw) - 200, len(raw) - 1)
        raw[data.draw(structure)] = data.draw(st.integers(0, 255))
    try:
        pixels, labels = read_batch(bytes(raw), "batch")
    except ValueError as error:
        assert str(error).startswith("batch: ")
    else:
        assert pixels.shape == (len(labels), 3072)
