"""Arrays and images of users are read correctly, or refused with a sentence that says why."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import (
    DATASETS,
    Examples,
    files,
    folder,
    read_csv,
    read_idx,
    read_idx_folder,
    read_npz,
    register_folder,
)
from engine.registry import Choice

FLOWERS = b"length,width,species\n1,2,rose\n3,4.5,tulip\n-5e-1,6,rose\n"


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def arrays(raw: bytes) -> Examples:
    return read_npz(raw, "a.npz")


def idx(array: np.ndarray) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


# ---- NPZ ------------------------------------------------------------------------------------

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 2, 1, 2])


def test_arrays_give_classes_or_values():
    examples = arrays(npz(x=X, y=Y))
    np.testing.assert_array_equal(examples.x, X)
    assert (examples.y.tolist(), examples.classes) == ([0, 2, 1, 2], ("0", "1", "2"))
    assert arrays(npz(x=X, y=Y, classes=list("abcd"))).classes == tuple("abcd")
    assert arrays(npz(x=X, y=list("baca"))).y.tolist() == [1, 0, 2, 0]
    assert arrays(npz(x=np.asfortranarray(X), y=Y / 2)).y.tolist() == [[0], [1], [0.5], [1]]
    np.testing.assert_array_equal(arrays(npz(x=np.asfortranarray(X), y=Y)).x, X)
    assert arrays(npz(x=X, y=X / 2)).outputs == 3


@pytest.mark.parametrize(
    ("given", "kept"), [((4, 5, 6), (5, 6)), ((4, 5, 6, 3), (5, 6, 3)), ((4, 5, 6, 1), (5, 6))]
)
def test_pictures_keep_their_shape_and_bytes_are_scaled(given, kept):
    examples = arrays(npz(x=np.full(given, 51, np.uint8), y=Y))
    assert examples.shape == kept
    np.testing.assert_allclose(examples.x, np.full((4, np.prod(kept)), 0.2), rtol=1e-6)


def announced(header: str, data: bytes = b"\0" * 32) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        head = header.encode()
        raw = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data
        archive.writestr("x.npy", raw)
        archive.writestr("y.npy", raw)
    return file.getvalue()


def packed(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x.npy", b"x")
        archive.writestr("y.npy", b"y")
    return file.getvalue()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "expected an NPZ archive, found other bytes"),
        (b"PK\x03\x04 and more", "expected an NPZ archive, found other bytes"),
        (npz(x=X), "expected arrays x and y, or x_train and y_train, found x"),
        (npz(a=X), "expected arrays x and y, or x_train and y_train, found a"),
        (npz(x=X, y=Y[:3]), "x holds 4 examples, but y 3 answers"),
        (npz(x=X[0], y=Y[:3]), "expected numbers (N, ...) in x, found float64 (3,)"),
        (npz(x=X.astype(str), y=Y), "expected numbers (N, ...) in x"),
        (npz(x=np.array([[{}]] * 4), y=Y), "x is not an array of numbers or text"),
        (npz(x=X * 1j, y=Y), "x is not an array of numbers or text"),
        (npz(x=np.zeros((4, 3, 8, 8)), y=Y), "expected 1 or 3 colours, last"),
        (npz(x=X[:0], y=Y[:0]), "x says it has the shape (0, 3), which its size denies"),
        (npz(x=np.where(X == 7, np.nan, X), y=Y), "x[2] holds a number not below 1e18, or NaN"),
        (npz(x=X, y=np.where(Y == 1, np.inf, Y)), "y[2] holds a number not below 1e18"),
        (npz(x=X, y=np.zeros((4, 3), int)), "expected one label an example"),
        (npz(x=X, y=np.zeros((4, 101))), "expected 1 to 100 values"),
        (npz(x=X, y=Y * 0), "found the answer '0' in every example"),
        (npz(x=X, y=Y, classes=["a", "b"]), "y goes from 0 to 2; 2 classes are named"),
        (npz(x=X, y=Y, classes=["a", "a", "b"]), "two classes have the same name"),
        (npz(x=X, y=Y, classes=[1, 2, 3]), "classes must name the whole numbers of y"),
        (announced("{'descr': '<f8', 'fortran_order': False, 'shape': (9, 9), }"), "size denies"),
        (
            announced(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**11}, 9), }}"),
            "x says it has the shape (100000000000, 9), which its size denies",
        ),
        (announced("{'descr': '<f3', 'fortran_order': False, 'shape': (4, 1), }"), "unknown kind"),
        (announced("-" * 60_000 + "1"), "x is not an array of numbers or text as NumPy saves it"),
        (packed(zipfile.ZIP_LZMA), "expected the compression of NumPy, found another"),
    ],
)
def test_bad_arrays_are_refused_by_name(raw, sentence):
    with pytest.raises(ValueError) as refusal:
        arrays(raw)
    assert sentence in str(refusal.value)
    assert str(refusal.value).startswith("a.npz: ") and "\n" not in str(refusal.value)


def test_arrays_that_do_not_fit_into_memory_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "MAX_NUMBERS", 11)
    with pytest.raises(ValueError, match="holds 4 examples and 12 numbers; at most"):
        arrays(npz(x=X, y=Y))
    monkeypatch.setattr(files, "MAX_BYTES", 11)
    (tmp_path / "large.csv").write_bytes(b"1,2\n" * 3)
    with pytest.raises(ValueError, match=r"large\.csv: has 12 bytes; at most 11 can be read"):
        files.contents(tmp_path / "large.csv")


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    raw = packed(zipfile.ZIP_DEFLATED)
    at = raw.index(b"PK\x01\x02") + 24  # the declared size
    bomb = raw[:at] + struct.pack("<I", 2**31) + raw[at + 4 :]
    with pytest.raises(ValueError, match=r"unpacks to 2,147,483,649 bytes; at most 536,870,912"):
        arrays(bomb)


# ---- IDX ------------------------------------------------------------------------------------

IMAGES = np.arange(24).reshape(4, 2, 3) * 10


def put(path: Path, part: str, images: np.ndarray, labels: object, packed: bool = False) -> None:
    for name, array in (("images-idx3", images), ("labels-idx1", np.array(labels))):
        raw = idx(array)
        file = path / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
        file.write_bytes(gzip.compress(raw) if packed else raw)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_idx_file_is_read_packed_or_not(pack):
    np.testing.assert_array_equal(read_idx(pack(idx(IMAGES)), "i"), IMAGES)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files_begins_with_training(tmp_path, packed):
    put(tmp_path, "t10k", IMAGES[:1], [7], packed)
    put(tmp_path, "train", IMAGES[::-1], [3, 7, 3, 9], not packed)
    examples = read_idx_folder(tmp_path)
    assert examples.classes == ("3", "7", "9")
    assert examples.y.tolist() == [0, 1, 0, 2, 1]
    assert examples.shape == (2, 3)
    np.testing.assert_allclose(examples.x[-1] * 255, IMAGES[0].ravel(), rtol=1e-6)


GOOD = idx(IMAGES)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "i: expected an IDX file"),
        (b"\0\0\x0d\3" + GOOD[4:], "it starts with [0, 0, 13, 3]"),
        (b"\0\0\x08\0", "it starts with [0, 0, 8, 0]"),
        (GOOD[:9], "ends within the header"),
        (GOOD[:-1], "announces 24 bytes for (4, 2, 3), but holds 23"),
        (GOOD + b"\0", "announces 24 bytes for (4, 2, 3), but holds more"),
        (b"\0\0\x08\4" + b"\xff" * 16, "at most 134,217,728 are read"),
        (gzip.compress(GOOD, mtime=0)[:-9], "expected a gzip file, found a broken one"),
        (b"\x1f\x8bno gzip", "expected a gzip file, found a broken one"),
        (gzip.compress(GOOD + bytes(10**7), mtime=0), "but holds more"),
    ],
)
def test_a_bad_idx_file_is_refused(raw, sentence):
    with pytest.raises(ValueError) as refusal:
        read_idx(raw, "i")
    assert sentence in str(refusal.value) and str(refusal.value).startswith("i: ")


def test_images_and_labels_must_fit(tmp_path):
    with pytest.raises(ValueError, match="expected files"):
        read_idx_folder(tmp_path)
    put(tmp_path, "train", IMAGES, [1, 2, 3])
    with pytest.raises(ValueError, match=r"shape \(4, 2, 3\), its labels \(3,\)"):
        read_idx_folder(tmp_path)
    put(tmp_path, "train", IMAGES, [1, 2, 3, 4])
    put(tmp_path, "t10k", IMAGES.reshape(4, 3, 2), [1, 2, 3, 4])
    with pytest.raises(ValueError, match="images of one size"):
        read_idx_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match="t10k-labels-idx1-ubyte: expected a file, found none"):
        read_idx_folder(tmp_path)


# ---- a folder of all of them ----------------------------------------------------------------


@pytest.fixture
def menu(monkeypatch):
    before = set(DATASETS)
    monkeypatch.setattr(folder, "_names", {})
    yield lambda name, **knobs: DATASETS.build(Choice(name, knobs))(np.random.default_rng(0))
    for name in set(DATASETS) - before:
        DATASETS.remove(name)


def test_data_sets_in_a_folder_join_the_menu(tmp_path, menu):
    (tmp_path / "flowers.csv").write_bytes(FLOWERS)
    (tmp_path / "arrays.NPZ").write_bytes(npz(x=X, y=Y))
    (tmp_path / "notes.txt").write_bytes(b"a few words")
    (tmp_path / ".hidden.csv").write_bytes(FLOWERS)
    for name in ("kuzushiji", "digits", "empty", "cifar-10-batches-bin"):
        (tmp_path / name).mkdir()
    put(tmp_path / "kuzushiji", "train", IMAGES, [0, 1, 0, 1])
    put(tmp_path / "digits", "train", IMAGES, [0, 1, 0, 1])
    rows = np.arange(40, dtype=np.uint8)[:, None] % 10 * np.ones(3073, np.uint8)
    (tmp_path / "cifar-10-batches-bin" / "data_batch_1.bin").write_bytes(rows.tobytes())
    found = ["arrays.NPZ", "digits (yours)", "flowers.csv", "kuzushiji", "notes.txt", "CIFAR-10"]
    assert register_folder(tmp_path) == found
    assert register_folder(tmp_path) == []
    (tmp_path / "picture.jpg").write_bytes(b"no table")
    assert folder.unreadable(tmp_path) == ["picture.jpg"]
    assert [len(menu(name)) for name in found if name != "notes.txt"] == [4, 4, 3, 4, 40]
    assert len(menu("digits")) == 1797
    assert [knob.name for knob in DATASETS["CIFAR-10"].knobs] == ["per_class"]
    for name in found:
        assert 10 < len(DATASETS[name].summary) <= 90 and DATASETS[name].summary.endswith(".")
    (tmp_path / "more.csv").write_bytes(FLOWERS)
    assert register_folder(tmp_path) == ["more.csv"]


def test_a_folder_that_is_itself_idx_files_is_one_data_set(tmp_path, menu):
    home = tmp_path / "letters"
    assert register_folder(home) == []
    home.mkdir()
    put(home, "train", IMAGES, [0, 1, 0, 1])
    assert register_folder(home) == ["letters"]
    assert len(menu("letters")) == 4


def test_a_file_is_read_when_chosen_and_again_when_it_changes(tmp_path, menu):
    file = tmp_path / "flowers.csv"
    file.write_bytes(b"nothing")
    assert register_folder(tmp_path) == ["flowers.csv"]
    with pytest.raises(ValueError, match=r"flowers\.csv, line 1: expected 2 to"):
        menu("flowers.csv")
    file.write_bytes(FLOWERS)
    first = menu("flowers.csv")
    assert menu("flowers.csv") is first
    file.write_bytes(FLOWERS + b"7,8,tulip\n")
    assert len(menu("flowers.csv")) == 4
    file.unlink()
    with pytest.raises(ValueError, match=r"flowers\.csv: cannot be read: No such file"):
        menu("flowers.csv")


# ---- anything at all ------------------------------------------------------------------------

READERS = {
    "csv": (lambda raw: read_csv(raw, "t.csv"), FLOWERS),
    "npz": (arrays, npz(x=X, y=Y, classes=["a", "b", "c"])),
    "npz of pictures": (arrays, npz(x=np.zeros((4, 2, 2), np.uint8), y=list("abab"))),
    "idx": (lambda raw: read_idx(raw, "i"), idx(IMAGES)),
    "idx.gz": (lambda raw: read_idx(raw, "i"), gzip.compress(idx(IMAGES))),
}


@pytest.mark.parametrize("kind", READERS)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_arbitrary_and_damaged_bytes_are_read_or_refused(kind, data):
    read, sound = READERS[kind]
    raw = bytearray(data.draw(st.one_of(st.just(sound), st.binary(max_size=300))))
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        found = read(bytes(raw))
    except ValueError as error:
        assert str(error).startswith(("t.csv", "a.npz: ", "i: "))
    else:
        assert len(found) > 0
