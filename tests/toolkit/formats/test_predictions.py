"""Predicted probabilities from every kind of file."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goldlabel.errors import InputError
from goldlabel.formats.predictions import read_pred_probs

PROBS = np.array([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float32"),
        (">f8", "float64"),
        (">f4", "float32"),
        ("int8", "float64"),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays(tmp_path, dtype, expected, order):
    path = tmp_path / "p.npy"
    np.save(path, np.asarray(PROBS.astype(dtype), order=order))
    probs = read_pred_probs(path)
    np.testing.assert_array_equal(probs.values, PROBS.astype(dtype).astype(expected))
    assert probs.values.dtype == expected
    assert probs.values.flags.c_contiguous
    assert probs.classes is None
    assert probs.notes == (f"Read pred_probs from p.npy: 3 rows, 2 classes, {expected}.",)


def test_a_big_array_stays_on_disk(tmp_path):
    path = tmp_path / "p.npy"
    big = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(2**20, 20))
    big[-1, -1] = 0.25
    big.flush()
    probs = read_pred_probs(path)
    assert isinstance(probs.values.base, np.memmap)
    assert not probs.values.flags.writeable
    assert probs.values[-1, -1] == 0.25


def test_archives(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, anything=PROBS)
    np.testing.assert_array_equal(read_pred_probs(path).values, PROBS)
    np.savez_compressed(path, labels=[0, 1, 1], pred_probs=PROBS)
    np.testing.assert_array_equal(read_pred_probs(path).values, PROBS)
    np.savez(path, a=PROBS, b=PROBS[:2])
    assert len(read_pred_probs(path, key="b").values) == 2


def write(path, frame):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


@pytest.fixture(params=["p.csv", "p.tsv", "p.parquet", "p.jsonl"])
def path(tmp_path, request):
    return tmp_path / request.param


def test_columns_named_by_class(path):
    write(path, pd.DataFrame(PROBS, columns=["cat", "dog"]))
    probs = read_pred_probs(path)
    assert probs.classes == ("cat", "dog")
    np.testing.assert_array_equal(probs.values, PROBS)


@pytest.mark.parametrize("prefix", ["p_", "prob_", "proba_", "probs_", "pred_probs_", "model: "])
def test_columns_with_a_prefix(path, prefix):
    frame = pd.DataFrame(PROBS, columns=[f"{prefix}cat", f"{prefix}dog"])
    write(path, frame.assign(text="x", label=["cat", "dog", "dog"], loss=0.5))
    probs = read_pred_probs(path, prefix=prefix if prefix == "model: " else None)
    assert probs.classes == ("cat", "dog")
    np.testing.assert_array_equal(probs.values, PROBS)
    assert any("left out: 'text', 'label', 'loss'" in note for note in probs.notes)


def test_numbers_0_to_k_are_positions_and_no_names(path):
    write(path, pd.DataFrame(PROBS, columns=["0", "1"]))
    assert read_pred_probs(path).classes is None
    write(path, pd.DataFrame(PROBS, columns=["1", "2"]))
    assert read_pred_probs(path).classes == ("1", "2")


def test_given_classes_choose_and_order_the_columns(path):
    frame = pd.DataFrame(PROBS, columns=["cat", "dog"]).assign(note="x")
    write(path, frame)
    probs = read_pred_probs(path, classes=["dog", "cat"])
    assert probs.classes == ("dog", "cat")
    np.testing.assert_array_equal(probs.values, PROBS[:, ::-1])
    assert probs.values.flags.c_contiguous
    with pytest.raises(InputError, match="no column for class 'owl'; 1 of 2 classes have none"):
        read_pred_probs(path, classes=["dog", "owl"])


@pytest.mark.parametrize("as_number", [False, True])
def test_rows_are_matched_by_id(path, as_number):
    ids = [11, 12, 13] if as_number else ["a", "b", "c"]
    frame = pd.DataFrame(PROBS, columns=["cat", "dog"])
    write(path, frame.assign(id=ids).iloc[[2, 0, 1]])
    probs = read_pred_probs(path, ids=np.array(ids, dtype=object))
    np.testing.assert_array_equal(probs.values, PROBS)
    probs = read_pred_probs(path, ids=[str(ids[1])])
    np.testing.assert_array_equal(probs.values, PROBS[[1]])
    assert any("2 predictions of no example left out" in note for note in probs.notes)
    write(path, frame.assign(name=ids).iloc[::-1])
    probs = read_pred_probs(path, ids=ids, id="name")
    np.testing.assert_array_equal(probs.values, PROBS)


def test_without_an_id_column_rows_are_taken_in_order_and_this_is_said(path):
    write(path, pd.DataFrame(PROBS, columns=["cat", "dog"]))
    probs = read_pred_probs(path, ids=["a", "b", "c"])
    np.testing.assert_array_equal(probs.values, PROBS)
    assert any("has no id column" in note for note in probs.notes)


def test_ids_are_no_class_when_they_are_not_needed(path):
    write(path, pd.DataFrame(PROBS, columns=["cat", "dog"]).assign(ID=[3, 1, 2]))
    probs = read_pred_probs(path)
    assert probs.classes == ("cat", "dog")


def test_the_index_that_pandas_writes_is_no_class(tmp_path):
    frame = pd.DataFrame(PROBS, columns=["cat", "dog"])
    frame.to_csv(tmp_path / "p.csv")
    assert read_pred_probs(tmp_path / "p.csv").classes == ("cat", "dog")
    frame.set_axis(["x", "y", "z"]).to_parquet(tmp_path / "p.parquet")
    assert read_pred_probs(tmp_path / "p.parquet").classes == ("cat", "dog")


def test_a_headerless_csv(tmp_path):
    path = tmp_path / "p.csv"
    np.savetxt(path, PROBS, delimiter=",")
    probs = read_pred_probs(path)
    np.testing.assert_array_equal(probs.values, PROBS)
    assert probs.classes is None


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float32()), None])
def test_one_column_of_lists(tmp_path, kind):
    path = tmp_path / "p.parquet"
    kind = kind or pa.list_(pa.float32(), 2)
    chunks = [pa.array(PROBS[:2].tolist(), kind), pa.array(PROBS[2:].tolist(), kind)]
    pq.write_table(pa.table({"id": [5, 6, 7], "probs": pa.chunked_array(chunks)}), path)
    probs = read_pred_probs(path)
    assert probs.values.dtype == np.float32
    np.testing.assert_array_equal(probs.values, PROBS.astype(np.float32))
    probs = read_pred_probs(path, ids=["7", "5"])
    np.testing.assert_array_equal(probs.values, PROBS[[2, 0]].astype(np.float32))


def test_lists_in_json_lines(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text(
        "".join(json.dumps({"id": i, "p": row.tolist()}) + "\n" for i, row in enumerate(PROBS))
    )
    np.testing.assert_array_equal(read_pred_probs(path).values, PROBS)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((pa.float32(), pa.float32()), np.float32),
        ((pa.float16(), pa.float32()), np.float32),
        ((pa.float32(), pa.float64()), np.float64),
        ((pa.int64(), pa.float32()), np.float64),
    ],
)
def test_float32_stays_float32(tmp_path, kinds, expected):
    path = tmp_path / "p.parquet"
    columns = [
        pa.array(np.array([0, 1]), pa.int64())
        if kind == pa.int64()
        else pa.array(np.array([0, 1], kind.to_pandas_dtype()))
        for kind in kinds
    ]
    pq.write_table(pa.table(columns, names=["a", "b"]), path)
    assert read_pred_probs(path).values.dtype == expected


def test_numbers_with_spaces_and_not_a_number_are_read_as_numbers(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("a,b\n 0.5,+.5\n1e-3 ,NaN\n")
    np.testing.assert_array_equal(read_pred_probs(path).values, [[0.5, 0.5], [0.001, np.nan]])


def test_real_predictions(data):
    path = data / "multiclass" / "cifar10_test" / "pred_probs.npy"
    probs = read_pred_probs(path).values
    assert probs.shape == (10_000, 10)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-6)
