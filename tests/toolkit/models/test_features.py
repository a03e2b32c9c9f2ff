"""What a model predicts from: columns of a table, or files of embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from goldlabel import InputError
from goldlabel.models.features import feature_columns, is_array_file, read_embeddings

FRAME = pd.DataFrame(
    {
        "size": ["3", "-200", "-200.0", "5"],
        "level": [1.0, -200.0, 2.0, 3.0],
        "city": ["Rome", "?", " -200", "-2001"],
        "label": [1, 2, 3, 4],
    }
)
WHERE = {"file": Path("flats.csv"), "label": "label"}


def test_what_stands_for_a_missing_value_is_taken_out():
    found = feature_columns(
        FRAME, ["size", "level", "city"], "--features", missing_values=["-200", "?"], **WHERE
    )
    assert found.isna().to_numpy().tolist() == [
        [False, False, False],
        [True, True, True],
        [True, False, True],
        [False, False, False],
    ]
    pd.testing.assert_frame_equal(
        feature_columns(FRAME, ["level", "city"], "--features", **WHERE), FRAME[["level", "city"]]
    )


@pytest.mark.parametrize(
    ("frame", "names", "message"),
    [
        (None, ["size"], "--features: names columns, and a folder of images has none"),
        (FRAME, ["size", "price"], r"flats.csv: column 'price': is not there; .* size, level"),
        (FRAME, ["label"], "--features: holds 'label', the label itself. Leave it out"),
    ],
)
def test_columns_that_do_not_fit(frame, names, message):
    with pytest.raises(InputError, match=message):
        feature_columns(frame, names, "--features", **WHERE)


def test_embeddings(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(6.0).reshape(3, 2))
    assert is_array_file(str(path))
    assert not is_array_file("size,level")
    assert read_embeddings(path, 3).shape == (3, 2)
    with pytest.raises(InputError, match=r"has 3 rows, but there are 4 labels"):
        read_embeddings(path, 4)
    np.save(path, [[0.0, 1.0], [np.nan, 1.0], [np.inf, 0.0]])
    with pytest.raises(InputError, match=r"row 1: holds a NaN or an infinity \(2 such rows\)"):
        read_embeddings(path, 3)
