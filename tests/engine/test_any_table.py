"""Tables in any usual form are read back as written, with notices of what was assumed."""

import gzip
import io
import re
import zipfile

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.data import AS_FOUND, Reading, read_upload, register_upload, unregister_upload
from engine.data.sources import read_source
from engine.data.table.decoding import decode
from engine.registry import Choice
from engine.runtime.experiment import Experiment, replay
from engine.runtime.recording import record
from engine.training.config import RunConfig

POINTS = [(0.39, 0.43), (1.02, -1.23), (1.67, -1.99), (-0.31, -0.43)] * 10
ROWS = [f"{a},{b},{'xyzx'[n % 4]}" for n, (a, b) in enumerate(POINTS)]
BODY = "\n".join(ROWS) + "\n"
TABLE = "a,b,label\n" + BODY


def found(raw: bytes | str, name: str = "t.csv", reading: Reading = AS_FOUND):
    """The examples in a file and its description."""
    source = read_source(raw.encode() if isinstance(raw, str) else raw, name)
    return source.examples(reading), source.describe(reading)


def assert_usual(raw: bytes | str, name: str = "t.csv") -> list[str]:
    examples, told = found(raw, name)
    np.testing.assert_array_equal(examples.x, POINTS)
    assert examples.classes == ("x", "y", "z")
    assert told.classes == {"x": 20, "y": 10, "z": 10}
    assert told.plain()["examples"] == 40 and told.plain()["inputs"] == 2
    return list(told.notices)


# ---- headers ------------------------------------------------------------------------------------

NUMBERED = "\n".join(f"{a},{b},{n % 3}" for n, (a, b) in enumerate(POINTS))


@pytest.mark.parametrize("header", ["0,1,y", "1,2,y", "1990,2000,y", "0,1,2", "1,2,3", "a,b,2020"])
def test_names_that_are_numbers_are_a_header(header):
    examples, told = found(f"{header}\n{NUMBERED}\n")
    assert len(examples) == 40 and examples.classes == ("0", "1", "2")
    assert [column.name for column in told.columns] == header.split(",")


def test_rows_of_numbers_alone_have_no_header():
    assert len(found(NUMBERED)[0]) == 40
    assert len(found("\n".join(ROWS))[0]) == 40
    assert len(found("5,3,1\n4,2,0\n6,1,1\n5,5,0\n")[0]) == 4


def test_lines_above_a_table_are_skipped():
    assert assert_usual("sep=;\n" + TABLE.replace(",", ";")) == []
    assert assert_usual("# made by hand\n#\n\n" + TABLE) == []
    assert assert_usual("Measured in spring\n\n" + TABLE) == ["A title is left out."]
    assert assert_usual("Measured in spring,,\n" + TABLE) == ["A title is left out."]
    assert assert_usual("# a,b,label\n" + BODY) == []  # as NumPy writes headers
    assert assert_usual(BODY.replace("\n", "\n# a remark\n")) == []


def test_separators_may_end_each_line_and_line_ends_differ():
    for table in (TABLE.replace("\n", ",\n"), "a,b,label\n" + BODY.replace("\n", ",,\n")):
        assert_usual(table)
    for end in ("\r", "\r\n"):
        assert_usual(TABLE.replace("\n", end))
    assert found(TABLE.replace("z", '"z\nkind"'))[0].classes == ("x", "y", "z kind")


def test_a_label_may_come_first_without_a_header():
    swapped = "\n".join(",".join([*row.split(",")[2:], *row.split(",")[:2]]) for row in ROWS)
    assert_usual(swapped)


# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", "\t", "|", " "])
def test_a_decimal_comma_goes_with_any_other_separator(separator):
    assert_usual(TABLE.replace(",", separator).replace(".", ","))
    assert_usual(TABLE.replace(",", separator))


def test_a_quoted_decimal_comma_goes_with_commas():
    rows = ",".join
    quoted = "\n".join(
        f'"{a}","{b}",{c}' for a, b, c in (r.replace(".", ";").split(",") for r in ROWS)
    )
    assert_usual(rows(["a", "b", "label"]) + "\n" + quoted.replace(";", ","))


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1.450", "700", "1.109"), (1450, 700, 1109)),
        (("1.450,5", "700,25", "1.109,0"), (1450.5, 700.25, 1109)),
        (("1'450", "700", "1'109"), (1450, 700, 1109)),
        (("1\u202f450", "700", "1\u202f109"), (1450, 700, 1109)),
        (("1.450.000", "700", "1.109"), (1450000, 700, 1109)),
        (("12,5 %", "3,25 %", "4 %"), (12.5, 3.25, 4)),
        (("−1,5", "–2,5", "3"), (-1.5, -2.5, 3)),
        (("１,５", "２,５", "３"), (1.5, 2.5, 3)),  # noqa: RUF001
    ],
)
def test_numbers_are_read_by_the_column(cells, numbers):
    rows = "".join(f"{cell};0,{n + 1}1;{'xy'[n % 2]}\n" for n, cell in enumerate(cells * 4))
    examples, _ = found("a;b;label\n" + rows)
    assert examples.x[:3, 0].tolist() == list(numbers)


def test_ambiguous_thousands_are_refused():
    rows = "".join(f"{cell};{'xy'[n % 2]}\n" for n, cell in enumerate(["1.450", "2.109"] * 4))
    with pytest.raises(ValueError, match=r"'a' '\.' may stand for decimals or for thousands"):
        found("a;label\n" + rows)


def test_unusual_numbers_give_a_notice():
    rows = "".join(f"{n + 1}.250;0,5{n};{'xy'[n % 2]}\n" for n in range(9))
    assert found("a;b;label\n" + rows)[1].notices == ("a: 1.250 is read as 1250.",)


# ---- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "windows-1252"),
        ("latin-1", "windows-1252"),  # equal for all letters
    ],
)
def test_an_encoding_is_detected_and_reported(codec, said):
    examples, told = found(TABLE.replace("z", "Käfer").encode(codec))
    assert "Käfer" in examples.classes and told.encoding == said


def test_other_alphabets_need_the_detector():
    text = "длина,ширина,вид\n" + "".join(
        f"{n},2.5,{['роза', 'тюльпан'][n % 2]}\n" for n in range(40)
    )
    decoded, said = decode(text.encode("cp1251"))
    assert "тюльпан" in decoded and said != "windows-1252"


# ---- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.TXT", "t.data"])
def test_tables_may_have_any_usual_ending(name):
    assert_usual(TABLE, name)
    assert_usual(gzip.compress(TABLE.encode()), f"{name}.gz")


def workbook(rows: list[list[object]], **members: bytes) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    with zipfile.ZipFile(file, "a") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


SHEET = [["a", "b", "label"], *[[a, b, "xyzx"[n % 4]] for n, (a, b) in enumerate(POINTS)]]


def test_a_workbook_is_a_table():
    assert_usual(workbook(SHEET), "t.xlsx")
    assert_usual(workbook([["A title"], [], *SHEET]), "t.xlsx")


@pytest.mark.parametrize(
    ("raw", "name", "told"),
    [
        (lambda: workbook(SHEET, **{"xl__vbaProject.bin": b"macro"}), "t.xlsx", "has macros"),
        (lambda: workbook(SHEET, **{"xl__inner.zip": b"PK"}), "t.xlsx", "has another file in it"),
        (lambda: b"any", "t.xlsm", "macros are not run"),
        (lambda: b"PK\x03\x04", "t.csv", "found a ZIP file"),
        (lambda: gzip.compress(gzip.compress(b"1,2")), "t.csv.gz", "found a gzip file"),
        (lambda: gzip.compress(b"1,2")[:-9], "t.csv.gz", "found a broken one"),
        (lambda: b"PK\x03\x04 no more", "t.xlsx", "expected an Excel workbook, found other bytes"),
    ],
)
def test_macros_and_nested_archives_are_refused(raw, name, told):
    with pytest.raises(ValueError, match=told) as refusal:
        found(raw(), name)
    assert "\n" not in str(refusal.value)


def test_bombs_are_refused_before_they_are_unpacked():
    bomb = gzip.compress(bytes(2**22))
    with pytest.raises(ValueError, match="unpacks to more than 1,000,000 bytes"):
        read_source(bomb, "t.csv.gz", 1_000_000)
    sheet = workbook(SHEET, **{"xl__media__dot": bytes(2**22)})
    with pytest.raises(ValueError, match=r"unpacks to [\d,]+ bytes; at most 1,000,000"):
        read_source(sheet, "t.xlsx", 1_000_000)


# ---- arrays -------------------------------------------------------------------------------------


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


X, Y = np.array(POINTS), np.arange(40) % 3


@pytest.mark.parametrize(
    "names", [("X", "y"), ("x", "Y"), ("arr_0", "arr_1"), ("images", "labels"), ("data", "target")]
)
def test_arrays_may_have_any_usual_name(names):
    examples, _ = found(npz(**dict(zip(names, (X, Y), strict=True))), "a.npz")
    np.testing.assert_array_equal(examples.x, X)
    assert examples.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    "labels",
    [Y, Y[:, None], np.eye(3)[Y], np.eye(3, dtype=int)[Y], Y.astype(float), Y.astype(np.uint8)],
)
def test_labels_may_have_any_usual_shape(labels):
    examples, _ = found(npz(x=X, y=labels), "a.npz")
    assert (examples.classes, examples.y.tolist()) == (("0", "1", "2"), Y.tolist())


def test_labels_may_be_booleans_or_bytes():
    assert found(npz(x=X, y=Y == 1), "a.npz")[0].outputs == 2
    assert found(npz(x=X, y=Y.astype(str)), "a.npz")[0].classes == ("0", "1", "2")


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"),
     ("train_images", "train_labels", "test_images", "test_labels")],
)  # fmt: skip
def test_the_split_of_a_file_is_kept(names):
    raw = npz(**dict(zip(names, (X, Y, X[:7] + 9, Y[:7]), strict=True)))
    upload = read_upload(raw, "k.npz")
    register_upload(upload)
    try:
        config = RunConfig().replace("data.dataset", Choice(upload.name))
        parts = Experiment(config).data
    finally:
        unregister_upload(upload)
    assert (len(parts.train), len(parts.validation)) == (40, 7)
    assert parts.validation.rows.tolist() == list(range(40, 47))


def test_a_single_array_is_a_table_without_names(tmp_path):
    np.save(tmp_path / "a.npy", np.column_stack([X, Y]))
    examples, told = found((tmp_path / "a.npy").read_bytes(), "a.npy")
    assert examples.classes == ("0", "1", "2") and told.target == "3"


# ---- target, task, gaps -------------------------------------------------------------------------


def test_the_target_can_be_any_column_and_its_task_is_chosen():
    examples, told = found(TABLE, reading=Reading("a", "values"))
    assert told.target == "a" and examples.classes == ()
    assert examples.columns == ("b", "label=x", "label=y", "label=z")
    with pytest.raises(ValueError, match="has no column 'c'; it has a, b, label"):
        found(TABLE, reading=Reading("c"))


def test_many_whole_numbers_are_asked_about():
    rows = "".join(f"{n % 26 + 1},0.{n},1.{n}\n" for n in range(260))
    examples, told = found("label,a,b\n" + rows)
    assert told.asks and len(examples.classes) == 26
    assert "data.task=values" in told.notices[0]
    assert found("label,a,b\n" + rows, reading=Reading(task="values"))[0].classes == ()


def test_identifiers_that_look_like_numbers_stay_text():
    for names in (("01", "02", "10"), ("1E1", "1E2", "2E1")):
        rows = "".join(f"{n}.5,{names[n % 3]}\n" for n in range(30))
        assert found("a,label\n" + rows)[0].classes == names


GAPS = "a,b,label\n1.5,2.5,x\n,3.5,y\n2.5,NA,x\n4.5,5.5,y\n3.5,1.5,x\n"


def test_gaps_are_refused_with_their_place_or_dropped_or_filled():
    with pytest.raises(ValueError, match=r"line 3, column 'a'.*2 of 5 rows .*data.missing=drop"):
        found(GAPS)
    examples, told = found(GAPS, reading=Reading(missing="drop"))
    assert len(examples) == 3 and "2 rows with a missing value are left out." in told.notices
    examples, told = found(GAPS, reading=Reading(missing="median"))
    assert examples.x[1].tolist() == [3.0, 3.5] and examples.x[2].tolist() == [2.5, 3.0]
    assert "a: 1 filled in by the median, 3." in told.notices


def test_text_becomes_one_hot_and_dates_become_days():
    rows = "".join(
        f"{['red', 'blue'][n % 2]},2024-01-{n + 1:02d},{n},{'xy'[n % 2]}\n" for n in range(20)
    )
    examples, told = found("colour,day,n,label\n" + rows)
    assert examples.columns == ("colour=blue", "colour=red", "day", "n")
    assert np.diff(examples.x[:, 2]).tolist() == [1.0] * 19
    assert [(c.kind, c.use) for c in told.columns[:2]] == [("text", "one-hot"), ("date", "input")]
    unclear = "".join(f"0{n % 9 + 1}/0{n % 7 + 1}/2024,{'xy'[n % 2]}\n" for n in range(20))
    with pytest.raises(ValueError, match="column 'day' leaves day and month ambiguous"):
        found("day,label\n" + unclear)


def test_constant_and_index_columns_are_left_out_with_a_notice():
    rows = "".join(f"{n + 1},7,0.{n},{'pq'[n // 15]}\n" for n in range(30))
    alike = "".join(f"7,0.{n},b,{'pq'[n % 2]}\n" for n in range(30))
    assert found("one,a,two,label\n" + alike)[1].notices == (
        "one, two: each the same in all rows, so they are left out.",
    )
    examples, told = found("Id,same,a,label\n" + rows)
    assert examples.columns == ("a",)
    assert told.notices == (
        "same: the same in all rows, so it is left out.",
        "Id numbers the rows and alone gives the answer away: it is left out.",
    )


# ---- precision, and a run -----------------------------------------------------------------------


@pytest.mark.parametrize(("start", "step"), [(1_600_000_000, 1), (1_000_000, 0.001)])
def test_large_offsets_do_not_cost_precision(start, step):
    rows = "".join(f"{start + n * step:.3f},{['early', 'late'][n >= 100]}\n" for n in range(200))
    upload = read_upload(("t,label\n" + rows).encode(), "t.csv")
    near = read_upload(
        (
            "t,label\n" + "".join(f"{n},{['early', 'late'][n >= 100]}\n" for n in range(200))
        ).encode(),
        "n.csv",
    )
    inputs = []
    for which in (upload, near):
        register_upload(which)
        try:
            config = RunConfig().replace("data.dataset", Choice(which.name))
            data = Experiment(config.replace("data.preprocessing", Choice("standardize"))).data
            inputs.append(data.train.x)
        finally:
            unregister_upload(which)
    assert inputs[0].dtype == np.float32
    np.testing.assert_allclose(inputs[0], inputs[1], atol=2e-5)


def test_the_reading_of_a_table_is_part_of_the_config():
    upload = read_upload(TABLE.encode(), "t.csv")
    register_upload(upload)
    try:
        config = RunConfig().replace("data.dataset", Choice(upload.name))
        config = config.with_reading(Reading("a", "classes"))
        assert RunConfig.from_json(config.to_json()) == config
        experiment = Experiment(config)
        experiment.train(3)
        assert len(experiment.data.train.classes) == 4
        saved = record(experiment)
        again = replay(saved.config, saved.journal, saved.steps)
        assert record(again).digest == saved.digest
        assert config.replace("data.dataset", Choice("iris")).data.target is None
    finally:
        unregister_upload(upload)


def test_only_tables_have_columns_to_choose_from():
    config = RunConfig().with_reading(Reading(target="a"))
    with pytest.raises(ValueError, match="no columns to choose from"):
        Experiment(config)


# ---- any table at all ---------------------------------------------------------------------------

WORDS = st.sampled_from(["rose", "tulip", "Käfer", "big dog", "x-1", "ok"])
SIGNS = [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", "."), ("|", ",")]
SIGNS += [(" ", "."), (" ", ",")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]


@st.composite
def tables(draw):
    """The content of a table, and its bytes in some dialect."""
    rows, inputs = draw(st.integers(6, 30)), draw(st.integers(1, 5))
    digits = draw(st.integers(1, 6))
    whole = st.integers(-(10**6), 10**6)
    x = [[draw(whole) / 10**digits for _ in range(inputs)] for _ in range(rows)]
    words = draw(st.lists(WORDS, min_size=2, max_size=4, unique=True))
    labels = [words[n % len(words)] for n in range(rows)]
    separator, decimal = draw(st.sampled_from(SIGNS))
    header, encoding = draw(st.booleans()), draw(st.sampled_from(ENCODINGS))
    place = draw(st.integers(0, inputs) if header else st.sampled_from([0, inputs]))
    quoted = separator == " " or draw(st.booleans())  # some words contain a space
    quote = (lambda cell: f'"{cell}"') if quoted else str
    lines = [[f"{v:.{digits}f}".replace(".", decimal) for v in row] for row in x]
    for line, label in zip(lines, labels, strict=True):
        line.insert(place, label)
    if header:
        names = [f"in {n}" for n in range(inputs)]
        names.insert(place, "species")
        lines.insert(0, names)
    text = draw(st.sampled_from(["\n", "\r\n"])).join(
        separator.join(map(quote, line)) for line in lines
    )
    return (
        np.array([[float(f"{v:.{digits}f}") for v in row] for row in x]),
        labels,
        text.encode(encoding),
    )


@settings(deadline=None)
@given(table=tables())
def test_a_table_comes_back_as_it_was_written(table):
    x, labels, raw = table
    varies = [n for n in range(x.shape[1]) if len(set(x[:, n])) > 1]
    counting = [n for n in varies if (np.diff(x[:, n]) == 1).all()]
    assume(varies and not counting)
    try:
        examples, told = found(raw)
    except ValueError as refusal:  # 1.450 may mean 1450 if the whole column is like that
        assert "may stand for" in str(refusal)
        assert (x * 1000 == np.rint(x * 1000)).all()
        return
    np.testing.assert_array_equal(examples.x, x[:, varies])
    assert [examples.classes[label] for label in examples.y] == labels
    assert sum(told.classes.values()) == len(labels)


@settings(deadline=None)
@given(
    table=tables(),
    gaps=st.sets(st.tuples(st.integers(0, 29), st.integers(0, 4)), max_size=4),
    word=st.sampled_from(["", "NA", "?", "nan"]),
    missing=st.sampled_from([None, "drop", "median"]),
)
def test_the_fast_parser_agrees_with_the_general_one(table, gaps, word, missing):
    """NumPy's parser reads large plain tables, with the same result as the general parser."""
    text, _ = decode(table[2])
    if '"' not in text:
        lines = text.splitlines()
        separator = next((sign for sign in "\t;|," if sign in lines[1]), ",")
        cells = [line.split(separator) for line in lines]
        for row, column in gaps:
            if 0 < row < len(cells) and column < len(cells[row]) - 1:
                cells[row][column] = word
        text = "\n".join(map(separator.join, cells))
    told = []
    for large in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("engine.data.tables.LARGE", large)
            told.append(_told(text.encode(), missing))
    assert told[0] == told[1]


def _told(raw, missing):
    try:
        read = read_source(raw, "any.csv")
        examples = read.examples(Reading(missing=missing))
        described = read.describe(Reading(missing=missing))
    except ValueError as refusal:
        return re.sub(r"found [^;]*", "found", str(refusal))  # words for gaps differ
    return examples.x.tolist(), examples.y.tolist(), examples.classes, described.plain()
