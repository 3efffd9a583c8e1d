"""Names that are cut stay short, and those that differ still differ."""

from itertools import product

import pytest

from app.short_names import short_names


@pytest.mark.parametrize(
    "names, most, short",
    [
        (["ReLU", "sigmoid"], 12, ["ReLU", "sigmoid"]),
        (["a name that is long"], 12, ["a name that…"]),
        (["small normal, without", "small normal, with"], 12, ["small…thout", "small…with"]),
        (["petal_length_short", "petal_length_tall"], 9, ["peta…hort", "peta…tall"]),
        (["x" * 30 + "a" + "y" * 30, "x" * 30 + "b" + "y" * 30], 8, ["…ayyyyy…", "…byyyyy…"]),
        (["a b, of all, 0", "a b, of all, 1"], 10, ["a b, of…0", "a b, of…1"]),
        (["x" * 20, "x" * 30], 8, ["…", "…xxxxxx…"]),
        (
            [f"long{x}way{y}end" for x in "ab" for y in "ab"],
            6,
            ["long…1", "long…2", "long…3", "long…4"],
        ),
        (["same", "same"], 12, ["same", "same"]),
        ([], 12, []),
    ],
)
def test_names_are_cut_where_it_leaves_them_apart(names, most, short):
    assert short_names(tuple(names), most) == tuple(short)


@pytest.mark.parametrize("most", range(5, 15))
def test_no_two_names_are_cut_alike(most):
    words = ["run", "run of", "run of 10", "long" * 4, "with", "without", "batch norm"]
    names = [" ".join(parts) for parts in product(words, words, words)]
    short = short_names(tuple(names), most)
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= most
