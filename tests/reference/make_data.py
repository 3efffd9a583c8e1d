"""Make the bundled data sets from the packages that carry them; run by hand, never by a test.

    python tests/reference/make_data.py --scikit-learn scikit_learn-1.9.1-*.whl \\
        --penguins palmerpenguins-0.1.6-*.whl --fashion fashion-mnist/ \\
        --out engine/data/bundled_arrays

`fashion-mnist/` holds the four idx files of Debian's package dataset-fashion-mnist. The same
sources give the same bytes, whose sha256 `tests/engine/test_data.py` pins.
"""

import argparse
import csv
import gzip
import hashlib
import io
import struct
import zipfile
from pathlib import Path

import numpy as np

FASHION = {  # the sha256 of each file, unpacked
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
IRIS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
WINE = [
    *("alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols"),
    *("flavanoids", "nonflavanoid phenols", "proanthocyanins", "colour intensity", "hue"),
    *("OD280/OD315 of diluted wines", "proline"),
]
CELL = [
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
]
BREAST_CANCER = [f"{part} {name}" for part in ("mean", "error of", "worst") for name in CELL]
PENGUINS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def member(wheel: Path, name: str) -> bytes:
    """The file called `name` inside a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


def digits(wheel: Path) -> dict[str, np.ndarray]:
    """scikit-learn's digits: 64 pixels and the label a line."""
    packed = member(wheel, "sklearn/datasets/data/digits.csv.gz")
    rows = np.loadtxt(io.BytesIO(gzip.decompress(packed)), delimiter=",").astype(np.uint8)
    return {"x": rows[:, :64].reshape(-1, 8, 8), "y": rows[:, 64]}


def table(wheel: Path, file: str, columns: list[str], classes: list[str]) -> dict[str, np.ndarray]:
    """One of scikit-learn's tables, without its first line, which counts the rows."""
    text = member(wheel, f"sklearn/datasets/data/{file}.csv")
    rows = np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1)
    return {
        "x": rows[:, :-1].astype(np.float32),
        "y": rows[:, -1].astype(np.uint8),
        "classes": np.array(classes),
        "columns": np.array(columns),
    }


def penguins(wheel: Path) -> dict[str, np.ndarray]:
    """The penguins of whom all four measures were taken."""
    text = member(wheel, "palmerpenguins/data/penguins.csv").decode()
    rows = [r for r in csv.DictReader(io.StringIO(text)) if "NA" not in [r[c] for c in PENGUINS]]
    classes = sorted({row["species"] for row in rows})
    return {
        "x": np.array([[row[c] for c in PENGUINS] for row in rows]).astype(np.float32),
        "y": np.array([classes.index(row["species"]) for row in rows], np.uint8),
        "classes": np.array(classes),
        "columns": np.array([c.replace("_", " ") for c in PENGUINS]),
    }


def idx(folder: Path, name: str) -> np.ndarray:
    """An idx file whose contents are the published ones."""
    raw = gzip.decompress((folder / f"{name}.gz").read_bytes())
    if hashlib.sha256(raw).hexdigest() != FASHION[name]:
        raise SystemExit(f"{name} is not the published file")
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def first_of_each_class(folder: Path, part: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` images of each class, in the order of the file."""
    images, labels = (
        idx(folder, f"{part}-images-idx3-ubyte"),
        idx(folder, f"{part}-labels-idx1-ubyte"),
    )
    rows = np.sort(np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(10)]))
    return images[rows], labels[rows]


def fashion(folder: Path) -> dict[str, np.ndarray]:
    """5,000 images of the official training file, then 1,000 of the official test file."""
    parts = first_of_each_class(folder, "train", 500), first_of_each_class(folder, "t10k", 100)
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return {"x": x, "y": y}


def main() -> None:
    """Write every bundle, and tell its size and sha256."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for option in ("--scikit-learn", "--penguins", "--fashion", "--out"):
        parser.add_argument(option, type=Path, required=True)
    given = parser.parse_args()
    wheel = given.scikit_learn
    bundles = {
        "digits": digits(wheel),
        "fashion_mnist": fashion(given.fashion),
        "iris": table(wheel, "iris", IRIS, ["setosa", "versicolor", "virginica"]),
        "wine": table(wheel, "wine_data", WINE, ["cultivar 1", "cultivar 2", "cultivar 3"]),
        "breast_cancer": table(wheel, "breast_cancer", BREAST_CANCER, ["malignant", "benign"]),
        "penguins": penguins(given.penguins),
    }
    for name, arrays in bundles.items():
        path = given.out / f"{name}.npz"
        np.savez_compressed(path, **arrays)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.name:20} {path.stat().st_size:>9,} B  {digest}")


if __name__ == "__main__":
    main()
