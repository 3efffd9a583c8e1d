"""Tables are read as people write them, or refused with the place of the error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import Examples, read_csv

FLOWERS = b"length,width,species\n1,2,rose\n3,4.5,tulip\n-5e-1,6,rose\n"


def table(raw: bytes | str) -> Examples:
    return read_csv(raw.encode() if isinstance(raw, str) else raw, "t.csv")


@pytest.mark.parametrize(
    "raw",
    [
        FLOWERS,
        b"\xef\xbb\xbf" + FLOWERS,
        FLOWERS.replace(b"\n", b"\r\n"),
        FLOWERS.replace(b"\n", b"\r"),
        FLOWERS.replace(b",", b"\t"),
        FLOWERS.replace(b",", b";"),
        FLOWERS.replace(b",", b";").replace(b".", b","),  # as a German spreadsheet saves it
        FLOWERS.replace(b"rose", b'"rose"').replace(b",", b" , ") + b",,\n\n",
        FLOWERS.split(b"\n", 1)[1],
        b"Species,a,b\nrose,1,2\ntulip,3,4.5\nrose,-.5,6",
    ],
)
def test_a_table_is_read_as_people_write_it(raw):
    examples = table(raw)
    np.testing.assert_array_equal(examples.x, [[1, 2], [3, 4.5], [-0.5, 6]])
    assert examples.x.dtype == np.float64  # until scaled
    assert examples.classes == ("rose", "tulip")
    assert examples.y.tolist() == [0, 1, 0]
    assert examples.shape == (2,)


def test_a_yes_after_numbers_is_an_answer_and_a_target_is_a_header():
    assert len(table("1,2,y\n3,4,n\n")) == 2
    assert table("0,1,target\n1,2,y\n3,4,n\n").y.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["remark", "y"])
@pytest.mark.parametrize("cell", ["the same", "1", "remark {}"])
def test_a_column_that_cannot_be_learned_is_not_taken_for_the_target(name, cell):
    rows = [f"{row},{row % 7},{'ab'[row % 2]},{cell.format(row)}" for row in range(150)]
    assert table("\n".join([f"w,h,kind,{name}", *rows])).classes == ("a", "b")


def test_few_whole_numbers_are_classes_in_the_order_of_numbers():
    examples = table("\n".join(f"{row},{row % 3 + 8}" for row in range(9)))
    assert examples.classes == ("8", "9", "10")
    assert examples.y.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("answers", [[0.5, 1, 1, 0.5], [1, 2, 3, 4], [*range(30)] * 2])
def test_other_numbers_are_values_to_predict(answers):
    examples = table("x,y\n" + "\n".join(f"{row},{y}" for row, y in enumerate(answers)))
    assert examples.classes == ()
    assert examples.y[:, 0].tolist() == answers


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "t.csv: expected rows of numbers, found an empty file"),
        (b"\n \n", "t.csv: expected rows of numbers, found an empty file"),
        (b"a,b,label\n", "t.csv: expected examples, found none"),
        (b"<!DOCTYPE html>\n<html>\n", "t.csv: expected a table, found a web page"),
        (b" \n<html lang=en><p>a,b", "t.csv: expected a table, found a web page"),
        (b"a,b,y\n" + b"1,2,0\n1,2,1\n", "found none; a, b: each the same in all rows, so"),
        (b"1\n2\n", "t.csv, line 1: expected 2 to 4,096 columns"),
        (b"1,a\n2,3,b\n", "t.csv, line 2: has 3 cells; expected 2 as in the other rows"),
        (b"w,label\n1,a\ntwo,b\n", "t.csv, line 3, column 'w': expected a number, found 'two'"),
        (b"w,label\n1,a\n,b\n", "line 3, column 'w': expected a number, found an empty cell"),
        (b"y,w\na,1\n\nb,nan\n", "line 4, column 'w': expected a number, found nan; 1 of 2 rows"),
        (b"1,a\n-inf,b\n", "line 2, column '1': expected a number below 1e18, found -inf"),
        (b"1,a\n1e300,b\n", "line 2, column '1': expected a number below 1e18, found 1e300"),
        (b"w,y\n1,.5\n2,NaN\n", "line 3, column 'y': expected an answer, found NaN"),
        (b"w,y\n1,a\n2,\n", "line 3, column 'y': expected an answer, found an empty cell"),
        (b"w,y\n1,.5\n2,-inf\n", "line 3, column 'y': expected a number below 1e18, found -inf"),
        (b"w,y\n1,.5\n2,1.5x\n", "line 3, column 'y': expected a number as in other rows"),
        (b"1,a\n2,a\n", "t.csv: expected 2 to 100 classes, found the answer 'a' in every example"),
        (b"1,3\n2,3\n", "found the answer '3' in every example"),
        (b'1,a\n2,"b\n', "t.csv, line 2: not a CSV table"),
        (b"1,a\r\n\r\n2," + b"," * 2**20, "t.csv, line 3: has more than 1,048,576 characters"),
        (b"1,a\n2," + b"b" * 61, "expected a name of 1 to 60 printable characters"),
        (b"1,a\n2,b\x07", "t.csv: class 2 is called 'b\\x07'"),
        (b"1," * 5000 + b"a\n", "semicolons, tabs, pipes or spaces, found 5,001"),
        (
            "\n".join(f"{row},a{row}" for row in range(101)).encode(),
            "classes, found 101 different answers",
        ),
    ],
)
def test_a_bad_table_is_refused_by_its_line(raw, sentence):
    with pytest.raises(ValueError) as refusal:
        table(raw)
    assert sentence in str(refusal.value)
    assert str(refusal.value).startswith("t.csv") and "\n" not in str(refusal.value)


@settings(deadline=None, max_examples=300)
@given(text=st.text(alphabet='0123456789.,;\t\n"ab-einfy_ ', max_size=60))
def test_any_text_like_a_table_is_read_or_refused(text):
    try:
        examples = table(text)
    except ValueError as error:
        assert str(error).startswith("t.csv")
    else:
        assert np.isfinite(examples.x).all()
        assert len(examples.y) == len(examples.x)
