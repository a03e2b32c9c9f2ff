import numpy as np
import pandas as pd
import pytest

from goldlabel.models.columns import (
    FEW,
    Kind,
    column_kind,
    date_parts,
    numbers,
    texts,
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], Kind("number")),
        ([1.5, None], Kind("number")),
        ([True, False], Kind("number")),
        (["1", " 2.5e3 ", "?", "-4"], Kind("number")),
        (["1,5", "2", None], Kind("number", decimal=",")),
        (["1"] * 97 + ["broken"] * 3, Kind("number")),
        (["1"] * 90 + ["broken"] * 10, Kind("few")),
        (pd.array([1, None], "Int64"), Kind("number")),
        (pd.to_timedelta(["1h", None]), Kind("number")),
        (pd.to_datetime(["2024-01-01", None]), Kind("date")),
        (["2024-01-31", "2024-02-01T10:00:00", "n/a"], Kind("date")),
        (["31/01/2024", "01/02/2024"], Kind("date", date_format="%d/%m/%Y")),
        (["01/31/2024", "02/01/2024"], Kind("date", date_format="%m/%d/%Y")),
        (["1.2.2024", "3.4.2024"], Kind("date", date_format="%d.%m.%Y")),
        (["may", "june"], Kind("few")),
        (["red", "blue", "red", ""], Kind("few")),
        (pd.Categorical(["1", "2"]), Kind("few")),
        ([f"street {i}" for i in range(FEW)], Kind("few")),
        ([f"street {i}" for i in range(FEW + 1)], Kind("many")),
        ([None, None], Kind("empty")),
        (["", "NA", " - "], Kind("empty")),
        ([], Kind("empty")),
        ([{"a": 1}, [2]], Kind("few")),
    ],
)
def test_kinds(values, kind):
    assert column_kind(pd.Series(values)) == kind


def test_kind_is_that_of_the_whole_column():
    late = pd.Series(["1"] * 5000 + ["word"] * 1000)
    assert column_kind(late) == Kind("few")


def test_texts_are_plain():
    column = pd.Series([" a ", None, "N/A", 3, float("nan"), "nan"])
    assert texts(column).tolist() == ["a", "", "", "3", "", ""]


def test_numbers_have_no_infinities():
    column = pd.Series([1.0, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(numbers(column, Kind("number")), [1, np.nan, np.nan, np.nan])
    text = pd.Series(["1,5", "inf", "x", "?", "1e400"])
    np.testing.assert_array_equal(numbers(text, Kind("number", decimal=",")), [1.5] + [np.nan] * 4)
    hours = pd.Series(pd.to_timedelta(["1h", None]))
    np.testing.assert_array_equal(numbers(hours, Kind("number")), [3600, np.nan])


def test_dates_have_parts():
    written = pd.Series(["2024-01-31 18:00", "?"])
    got = date_parts(written, Kind("date"))
    expected = [[19753.75, 1, 2, 18], [np.nan] * 4]  # a Wednesday
    np.testing.assert_allclose(got, expected)
    zoned = pd.Series(pd.to_datetime(["2024-01-31 19:00+01:00", None]))
    np.testing.assert_allclose(date_parts(zoned, Kind("date")), expected)
