"""Tables with a column of numbers: read as they are written, written back without loss."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel import InputError
from goldlabel.tasks.regression import export, read
from goldlabel.tasks.regression.formats.numbers import Style, read_numbers, rounded

NAN = float("nan")


def corrections(changes):
    return pd.DataFrame({"example": list(changes), "suggested": list(changes.values())})


def column(*texts, **options):
    return read_numbers(pd.Series(texts, dtype=object), "here", **options)


@pytest.mark.parametrize(
    ("texts", "numbers", "style"),
    [
        (["1.5", "-2", "+.5", "3."], [1.5, -2, 0.5, 3], Style(".", "", 0, 1)),
        (["1,5", "2", "12,25"], [1.5, 2, 12.25], Style(",", "", 0, 2)),
        (["1,234.5", "1,000,000.0"], [1234.5, 1e6], Style(".", ",", 1, 1)),
        (["1.234,5", "99"], [1234.5, 99], Style(",", ".", 0, 1)),
        (["1 234,50", "7,25"], [1234.5, 7.25], Style(",", " ", 2, 2)),
        (["1\u00a0234,5", "2"], [1234.5, 2], Style(",", "\u00a0", 0, 1)),
        (["1\u202f234", "2"], [1234, 2], Style(".", "\u202f", 0, 0)),
        (["1'234.5", "2"], [1234.5, 2], Style(".", "'", 0, 1)),
        (["1e3", "2.5E-2"], [1000, 0.025], Style(".", "", 0, 1)),
        (["\u22125", "3"], [-5, 3], Style(".", "", 0, 0)),
        ([" 12 ", "13"], [12, 13], Style(".", "", 0, 0)),
        (["007", "08"], [7, 8], Style(".", "", 0, 0)),
    ],
)
def test_numbers_as_people_write_them(texts, numbers, style):
    found = column(*texts)
    np.testing.assert_allclose(found.values.numbers, numbers)
    assert found.style == style


def test_units_are_an_option():
    found = column("$1,200", "$3", "950 $", unit="$", decimal=".")
    assert found.values.numbers.tolist() == [1200, 3, 950]
    assert found.style.write(2500) == "$2,500"
    assert column("3 kg", "4kg", unit="kg").values.numbers.tolist() == [3, 4]
    with pytest.raises(InputError, match="not a number"):
        column("3 kg", "4 kg")


def test_what_can_be_read_in_two_ways_is_asked_for():
    with pytest.raises(InputError, match=r"'1,234', whose comma may be a decimal mark"):
        column("1,234", "2,500", "17")
    assert column("1,234", "17", decimal=",").values.numbers.tolist() == [1.234, 17]
    assert column("1,234", "17", decimal=".").values.numbers.tolist() == [1234, 17]
    assert column("1,234", "17,5").values.numbers.tolist() == [1.234, 17.5]
    assert column("1,234", "1,234,567").values.numbers.tolist() == [1234, 1234567]
    noted = column("1.234", "2.500")
    assert noted.values.numbers.tolist() == [1.234, 2.5]
    assert "was read with a decimal point" in noted.notes[0]


def test_missing_and_odd_values():
    found = column("1", "", "NA", "?", "-200", "-200,0", "about 3", "2,5", "inf", missing=["-200"])
    assert found.values.kind.tolist() == [0, 2, 2, 2, 2, 2, 1, 0, 1]
    assert found.values.texts[6] == "about 3"
    assert np.isnan(found.values.numbers[1:7]).all()


def test_plain_columns():
    for series, kind, decimals in (
        (pd.Series([1, 2, 3]), [0, 0, 0], 0),
        (pd.Series([1.0, NAN, 3.25]), [0, 2, 0], 2),
        (pd.Series([1, None, 3], dtype=object), [0, 2, 0], 0),
        (pd.Series([Decimal("1.50"), None, Decimal("2")], dtype=object), [0, 2, 0], 1),
        (pd.Series(["1", "2", "x"], dtype="category"), [0, 0, 1], 0),
        (pd.Series([1.5, np.inf, 2.0]), [0, 1, 0], 1),
        (pd.Series([1, 2, 3, True, [3], 10**400], dtype=object), [0, 0, 0, 1, 1, 1], 0),
    ):
        found = read_numbers(series, "here")
        assert found.values.kind.tolist() == kind
        assert found.decimals == decimals
    found = read_numbers(pd.Series([1.0, -200, 3]), "here", missing=["-200"])
    assert found.values.kind.tolist() == [0, 2, 0]


@pytest.mark.parametrize(
    ("series", "what"),
    [
        (pd.Series(["red", "blue"]), "is 'red', not a number; of 2 values 0 are numbers"),
        (pd.Series(["1", "red", "blue"]), "is 'red', not a number; of 3 values 1 are numbers"),
        (pd.Series([True, False]), "holds True and False"),
        (pd.Series(pd.to_datetime(["2024-01-01"])), "holds dates"),
        (pd.Series(pd.to_timedelta([5], unit="s")), "holds lengths of time"),
        (pd.Series([None, None], dtype=object), "is empty in all 2 rows"),
        (pd.Series(["", "NA"]), "is empty in all 2 rows"),
        (pd.Series([[1], [2]]), "is [1], not a number"),
    ],
)
def test_columns_refused(series, what):
    with pytest.raises(InputError) as error:
        read_numbers(series, "here")
    assert what in error.value.what


@given(
    st.floats(-1e9, 1e9, allow_subnormal=False).map(lambda x: round(x, 4)),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'")]),
    st.integers(0, 3),
    st.sampled_from(["", " €", "$"]),
)
def test_what_is_written_is_read_back(value, marks, least, unit):
    style = Style(*marks, least=least, most=least, before=unit if unit == "$" else "",
                  after=unit if unit != "$" else "")  # fmt: skip
    text = style.write(value)
    decimal, thousands = marks
    found = read_numbers(
        pd.Series([text]), "here", decimal=decimal, thousands=thousands, unit=unit or None
    )
    assert found.values.numbers[0] == value


def test_suggestions_are_as_fine_as_the_labels():
    labels = np.array([100.0, 250.0, 300.0])
    assert rounded(np.array([123.456]), labels, 0) == 123
    assert rounded(np.array([123.456]), labels, 2) == 123.46
    assert rounded(np.array([0.123456789]), np.array([0.1, 0.2]), 15)[0] == 0.123457
    assert rounded(np.array([1.26]), np.array([5.0, 5.0]), 1)[0] == 1.3
    assert np.isnan(rounded(np.array([NAN]), np.array([NAN]), 1)[0])


CSV = (
    'id;city;price\r\n1;"Rome; IT";1.200,50\r\n2;Paris;"950,00"\r\n3;;about 900\r\n4;Oslo;\r\n'
    "5;Bari; 1.000,00 \r\n6;Bonn;999,99"
)


def test_delimited_text(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_bytes(CSV.encode("utf-8-sig"))
    data = read(path, label="price")
    np.testing.assert_array_equal(data.labels, [1200.5, 950, NAN, NAN, 1000, 999.99])
    assert data.texts.tolist() == ["", "", "about 900", "", "", ""]
    assert data.ids.tolist() == ["1", "2", "3", "4", "5", "6"]
    assert data.decimals == 2
    assert any("'about 900'" in note for note in data.notes)
    export(data.source, corrections({}), tmp_path / "same.csv")
    assert (tmp_path / "same.csv").read_bytes() == path.read_bytes()
    export(
        data.source,
        corrections({0: 2345.0, 1: 7.125, 2: 900.0, 3: 1e6, 4: -3.5}),
        tmp_path / "out.csv",
    )
    expected = (
        CSV.replace("1.200,50", "2.345,00")
        .replace('"950,00"', '"7,125"')
        .replace("about 900", "900,00")
        .replace("4;Oslo;", "4;Oslo;1.000.000,00")
        .replace(" 1.000,00 ", " -3,50")
    )
    assert (tmp_path / "out.csv").read_bytes().decode("utf-8-sig") == expected
    dropped = read(path, label="price", missing="drop")
    assert len(dropped) == 5
    assert dropped.frame["city"].tolist() == ["Rome; IT", "Paris", "", "Bari", "Bonn"]
    export(dropped.source, corrections({4: 1.0}), tmp_path / "last.csv")
    changed = (tmp_path / "last.csv").read_bytes().decode("utf-8-sig")
    assert changed == CSV.replace("999,99", "1,00")


def test_encodings_and_compression(tmp_path):
    text = "stad\tpris\nMalmö\t1,5\nÅre\t2,5\nOslo\t9,9\n"
    path = tmp_path / "priser.tsv.gz"
    path.write_bytes(gzip.compress(text.encode("latin-1")))
    data = read(path, label="pris", encoding="latin-1")
    export(data.source, corrections({2: 3.25}), tmp_path / "ut.tsv.gz")
    with gzip.open(tmp_path / "ut.tsv.gz") as file:
        assert file.read().decode("latin-1") == text.replace("9,9", "3,25")


def test_json_lines_keep_the_kind_of_each_value(tmp_path):
    lines = [
        '{"y": 1, "x": "a"}', '{"x": "b", "y": 2.50}', '{"y": "3,5"}', '{"y": null}', '{"x": 1}',
        '{"y": "n/a"}', '{"y": true}', '{"y": 7}', '{"y": 8}', '{"y": 9}',
    ]  # fmt: skip
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines) + "\n")
    data = read(path, label="y")
    np.testing.assert_array_equal(data.labels, [1, 2.5, 3.5, NAN, NAN, NAN, NAN, 7, 8, 9])
    assert data.texts[6] == "True"
    export(data.source, corrections({}), tmp_path / "same.jsonl")
    assert (tmp_path / "same.jsonl").read_bytes() == path.read_bytes()
    changes = {0: 4.0, 1: 5.0, 2: 6.25, 3: 7.0, 4: 8.5, 7: 1.5}
    export(data.source, corrections(changes), tmp_path / "out.jsonl")
    written = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line).get("y") for line in written] == [
        4, 5.0, "6,25", 7, 8.5, "n/a", True, 1.5, 8, 9,
    ]  # fmt: skip
    assert written[0] == '{"y": 4, "x": "a"}'
    assert written[1] == '{"x": "b", "y": 5.0}'
    assert written[4] == '{"x": 1, "y": 8.5}'


@pytest.mark.parametrize(
    ("values", "kind", "new", "written"),
    [
        ([1, 2, None], pa.int32(), 5.0, 5),
        ([1.5, 2.5, None], pa.float32(), 5.25, 5.25),
        ([1.5, 2.5, None], pa.float64(), 5.1, 5.1),
        ([Decimal("1.50"), Decimal("2.25"), None], pa.decimal128(10, 2), 5.257, Decimal("5.26")),
        (["1,50", "x", "2,25"], pa.string(), 5.0, "5,00"),
        (["1,50", "x", "2,25"], pa.dictionary(pa.int8(), pa.string()), 5.0, "5,00"),
    ],
)
def test_parquet_columns_keep_their_type(tmp_path, values, kind, new, written):
    table = pa.table({"name": ["a", "b", "c"], "y": pa.array(values, type=kind)})
    table = table.replace_schema_metadata({"origin": "here"})
    pq.write_table(table, tmp_path / "data.parquet")
    data = read(tmp_path / "data.parquet", label="y")
    export(data.source, corrections({}), tmp_path / "same.parquet")
    same = (tmp_path / "same.parquet").read_bytes()
    assert same == (tmp_path / "data.parquet").read_bytes()
    export(data.source, corrections({0: new}), tmp_path / "out.parquet")
    after = pq.read_table(tmp_path / "out.parquet")
    assert after.schema.equals(table.schema, check_metadata=True)
    assert after["y"].to_pylist() == [written, *values[1:]]
    assert after["name"].to_pylist() == ["a", "b", "c"]


def test_a_column_of_whole_numbers_takes_no_fractions(tmp_path):
    pq.write_table(pa.table({"y": pa.array([1, 2, 3], type=pa.int64())}), tmp_path / "a.parquet")
    data = read(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="the column holds whole numbers"):
        export(data.source, corrections({0: 1.5}), tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


@given(st.data())
@settings(max_examples=25)
def test_only_corrected_labels_differ(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("round")
    numbers = data.draw(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=2, max_size=12))
    style = data.draw(st.sampled_from(["csv", "semicolon", "jsonl", "parquet"]))
    frame = pd.DataFrame({"row": range(len(numbers)), "y": [float(x) for x in numbers]})
    path = folder / "in"
    if style == "csv":
        frame.to_csv(path, index=False)
    elif style == "semicolon":
        frame.to_csv(path, index=False, sep=";", decimal=",")
    elif style == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    before = read(path, label="y", decimal="," if style == "semicolon" else None)
    new = st.decimals(-(10**6), 10**6, places=3).map(float)
    changes = data.draw(st.dictionaries(st.integers(0, len(numbers) - 1), new))
    export(before.source, corrections(changes), folder / "out")
    after = read(folder / "out", label="y", decimal="," if style == "semicolon" else None)
    expected = [changes.get(i, value) for i, value in enumerate(frame["y"])]
    np.testing.assert_array_equal(after.labels, expected)
    assert after.frame["row"].astype(str).tolist() == frame["row"].astype(str).tolist()
    if not changes:
        assert (folder / "out").read_bytes() == path.read_bytes()


def test_predictions_from_everywhere(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("id,y,m1,m2\na,1,1.5,2.5\nb,2,2.0,3.0\nc,,,\n")
    expected = [1.5, 2.0, NAN]
    np.testing.assert_array_equal(read(path, label="y", predictions="m1").predictions, expected)
    mean = read(path, label="y", predictions="m1, m2").predictions
    np.testing.assert_array_equal(mean, [2.0, 2.5, NAN])
    np.save(tmp_path / "p.npy", np.array(expected, np.float32))
    np.save(tmp_path / "q.npy", np.array(expected)[:, None])
    np.savez(tmp_path / "p.npz", probs=np.array(expected), other=np.zeros(3))
    (tmp_path / "p.csv").write_text("id,y_pred,sd\nc,9,1\nb,2.0,1\na,1.5,1\n")
    (tmp_path / "comma.csv").write_text("value\n1,5\n2,0\n9,25\n")
    for name, key in (("p.npy", None), ("q.npy", None), ("p.npz", "probs"), ("p.csv", None)):
        found = read(path, label="y", predictions=str(tmp_path / name), key=key)
        np.testing.assert_array_equal(found.predictions[:2], expected[:2])
        assert found.source.inputs == (tmp_path / name,)
    assert read(path, label="y", predictions=str(tmp_path / "p.csv")).predictions[2] == 9
    key = read(path, label="y", predictions=str(tmp_path / "p.csv"), key="sd")
    assert key.predictions.tolist() == [1, 1, 1]


BAD = {
    "no such file": ({"path": "nowhere.csv"}, "nowhere.csv", "exist"),
    "no such column": ({"label": "price"}, "data.csv", "has no column 'price'"),
    "no label named": ({"label": None, "path": "table.csv"}, "table.csv", "no column is surely"),
    "a column of text": ({"label": "city"}, "city", "not a number"),
    "an empty column": ({"label": "nothing"}, "nothing", "is empty in all"),
    "no such id": ({"id": "key"}, "data.csv", "has no column 'key'"),
    "missing": ({"missing": "keep"}, "missing", "is 'keep'"),
    "missing label": ({"missing": "error"}, "row 3", "1 of 5 labels are"),
    "same marks": ({"decimal": ",", "thousands": ","}, "decimal", "is ','"),
    "format": ({"format": "xlsx"}, "format", "is 'xlsx'"),
    "format of another kind": ({"format": "parquet"}, "data.csv", ""),
    "no predictions": ({"predictions": "p.npy"}, "predictions", "neither a column"),
    "predictions of text": ({"predictions": "city"}, "city", "not a number"),
    "predictions with a gap": ({"predictions": "gap"}, "predictions, row 2", "1 rows with a label"),
    "half of the predictions": ({"predictions": "y,nowhere"}, "predictions", "neither a column"),
    "a few predictions": ({"predictions": "{few}"}, "few.npy", "has 2 predictions"),
    "a matrix": ({"predictions": "{matrix}"}, "matrix.npy", "has shape (5, 2)"),
    "texts": ({"predictions": "{texts}"}, "texts.npy", "holds <U1"),
    "objects": ({"predictions": "{objects}"}, "objects.npy", "is not an array"),
    "no key": ({"predictions": "{archive}", "key": "c"}, "archive.npz", "has no array 'c'"),
    "which key": ({"predictions": "{archive}"}, "archive.npz", "holds 2 arrays"),
    "which column": ({"predictions": "{table}"}, "table.csv", "unclear which holds predictions"),
    "no such key": ({"predictions": "{table}", "key": "z"}, "table.csv", "has no column 'z'"),
    "ids missing": (
        {"predictions": "{other}", "id": "id"}, "other.csv: column of ids", "lacks id '1'",
    ),
    "ids twice": (
        {"predictions": "{twice}", "id": "id"}, "twice.csv: column of ids, row 2", "again",
    ),
    "an odd prediction": ({"predictions": "{odd}"}, "row 2", "is 'x', no number"),
    "no header": ({"header": False}, "data.csv", "has no column 'y'"),
}  # fmt: skip


@pytest.fixture
def bad_files(tmp_path):
    (tmp_path / "data.csv").write_text(
        "id,y,city,nothing,gap\n1,1.5,Rome,,1\n2,2.5,Oslo,,\n3,,Bari,,1\n4,x,Bonn,,1\n5,9,Rom,,1\n"
    )
    np.save(tmp_path / "few.npy", np.zeros(2))
    np.save(tmp_path / "matrix.npy", np.zeros((5, 2)))
    np.save(tmp_path / "texts.npy", np.array(list("abcde")))
    np.save(tmp_path / "objects.npy", np.array([None] * 5), allow_pickle=True)
    np.savez(tmp_path / "archive.npz", a=np.zeros(5), b=np.zeros(5))
    (tmp_path / "table.csv").write_text("a,b\n" + "1,2\n" * 5)
    (tmp_path / "other.csv").write_text("id,pred\n" + "".join(f"{i},1\n" for i in range(7, 12)))
    (tmp_path / "twice.csv").write_text("id,pred\n" + "1,1\n" * 5)
    (tmp_path / "odd.csv").write_text("pred\n1\nx\n3\n4\n5\n")
    return tmp_path


@pytest.mark.parametrize("name", BAD)
def test_read_refuses(name, bad_files):
    options, where, what = BAD[name]
    options = {"path": "data.csv", "label": "y", **options}
    path = bad_files / options.pop("path")
    if str(options.get("predictions", "")).startswith("{"):
        stem = options["predictions"].strip("{}")
        (options["predictions"],) = map(str, bad_files.glob(f"{stem}.*"))
    with pytest.raises(InputError) as error:
        read(path, **options)
    assert where in error.value.where
    assert what in error.value.what


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        ({"suggested": [1.0]}, "has no column 'example'"),
        ({"example": [0]}, "has no column 'suggested'"),
        ({"example": [5], "suggested": [1.0]}, "names example 5"),
        ({"example": [-1], "suggested": [1.0]}, "names example -1"),
        ({"example": [0], "suggested": [NAN]}, "suggests nan"),
        ({"example": [0], "suggested": [np.inf]}, "suggests inf"),
        ({"example": [0], "suggested": ["a"]}, "suggests 'a'"),
        ({"example": [0], "suggested": [True]}, "suggests True"),
        ({"example": [0, 0], "suggested": [1.0, 2.0]}, "a second label"),
    ],
)
def test_export_refuses(frame, what, bad_files):
    data = read(bad_files / "data.csv", label="y")
    with pytest.raises(InputError) as error:
        export(data.source, pd.DataFrame(frame), bad_files / "out.csv")
    assert what in error.value.what
    assert not (bad_files / "out.csv").exists()


def test_a_dataset_that_changed_is_not_exported(bad_files):
    data = read(bad_files / "data.csv", label="y")
    (bad_files / "data.csv").write_text("id,y\n1,1\n")
    with pytest.raises(InputError, match="has changed"):
        export(data.source, corrections({0: 2.0}), bad_files / "out.csv")


def test_hugging_face_folders(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_dict({"y": [1.5, 2.5, 3.5], "t": ["a", "b", "c"]}).save_to_disk(
        tmp_path / "set"
    )
    data = read(tmp_path / "set", label="y")
    export(data.source, corrections({1: 9.5}), tmp_path / "out")
    assert datasets.load_from_disk(tmp_path / "out")["y"][:] == [1.5, 9.5, 3.5]
