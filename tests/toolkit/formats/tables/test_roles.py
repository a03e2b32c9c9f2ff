"""Columns added at the end of delimited text: every byte that was there stays."""

from __future__ import annotations

import pytest

from goldlabel.formats.tables import delimited
from goldlabel.formats.text import read_text


def added(path, columns, **options):
    return delimited.with_columns(delimited.scan(read_text(path), **options), columns)


@pytest.mark.parametrize(
    ("before", "after", "options"),
    [
        (b"a,b\n1,2\n3,4\n", b"a,b,c\n1,2,x\n3,4,y\n", {}),
        (b"a;b\r\n1;2\r\n3;4", b"a;b;c\r\n1;2;x\r\n3;4;y", {}),
        (b'a\tb\n1\t"2\n2"\n\n3\t\n', b'a\tb\tc\n1\t"2\n2"\tx\n\n3\t\ty\n', {}),
        (b"1 2\n3 4\n", b"1 2 x\n3 4 y\n", {"delimiter": " ", "header": False}),
    ],
)
def test_fields_go_to_the_end_of_records(tmp_path, before, after, options):
    path = tmp_path / "t.csv"
    path.write_bytes(before)
    assert added(path, {"c": ["x", "y"]}, **options) == after


def test_several_columns_quoted_where_they_must_be(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    found = added(path, {"c,d": ['say "x"', ""], "e": ["1,5", "z"]})
    assert found == b'a,b,"c,d",e\n1,2,"say ""x""","1,5"\n3,4,,z\n'
