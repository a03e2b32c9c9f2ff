"""What an audit folder says of a dataset becomes the dataclass of its format, or is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from goldlabel.errors import InputError
from goldlabel.formats.options import Inside, Scalar, options_of, stored
from goldlabel.results.audit import Source


@dataclass(frozen=True)
class Style:
    quote: str
    width: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Options:
    label: str
    rows: int
    files: tuple[Inside, ...] = ()
    header: bool | None = None
    values: tuple[Scalar, ...] = ()
    box: tuple[float, float] | None = None
    mode: Literal["a", "b"] = "a"
    style: Style | None = None
    places: Mapping[str, tuple[int, ...]] | None = None


FULL = Options(
    label="y", rows=3, files=("a/b.txt", "ü.xml"), header=False, values=("x", 1, True, None, 0.5),
    box=(1.0, 2.0), mode="b", style=Style('"', 2.0), places={"0": (1, 2)},
)  # fmt: skip


def restored(**changes: Any) -> Options:
    text = json.dumps({**stored(FULL), **changes})
    return options_of(Source("csv", (), json.loads(text)), Options)


def test_there_and_back():
    found = restored()
    assert found == FULL
    assert [type(value) for value in found.values] == [str, int, bool, type(None), float]


def test_what_is_none_is_not_stored():
    assert stored(Options(label="y", rows=1, header=None)) == {
        "label": "y", "rows": 1, "files": (), "values": (), "mode": "a"
    }  # fmt: skip


def test_a_dataclass_passes_as_it_is():
    assert options_of(Source("csv", (), FULL), Options) is FULL


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"label": 1}, "options.label", "is 1, not a text"),
        ({"rows": "3"}, "options.rows", "is '3', not a whole number"),
        ({"rows": True}, "options.rows", "is True, not a whole number"),
        ({"rows": 3.5}, "options.rows", "is 3.5, not a whole number"),
        ({"header": 0}, "options.header", "is 0"),
        ({"box": [1]}, "options.box", "is [1]"),
        ({"box": [1, "2"]}, "options.box", "is [1, '2']"),
        ({"values": "abc"}, "options.values", "is 'abc', not a list"),
        ({"values": [[1]]}, "options.values[0]", "is [1]"),
        ({"mode": "c"}, "options.mode", "is 'c', not 'a' or 'b'"),
        ({"style": {"quote": 1}}, "options.style", "is {'quote': 1}"),
        ({"places": {"0": ["x"]}}, "options.places", "is {'0': ['x']}"),
        ({"places": [1]}, "options.places", "is [1]"),
        ({"other": 1}, "source.options", "has an unknown key 'other'"),
        ({"files": ["../x.txt"]}, "options.files[0]", "leads out of the dataset"),
        ({"files": ["/etc/passwd"]}, "options.files[0]", "leads out of the dataset"),
        ({"files": ["C:\\x"]}, "options.files[0]", "leads out of the dataset"),
        ({"files": ["a\\..\\..\\x"]}, "options.files[0]", "leads out of the dataset"),
        ({"files": ["a\0b"]}, "options.files[0]", "leads out of the dataset"),
        ({"files": [""]}, "options.files[0]", "leads out of the dataset"),
        ({"files": [1]}, "options.files[0]", "is 1, not a text"),
    ],
)
def test_what_was_tampered_with_is_refused(changes, where, what):
    with pytest.raises(InputError) as caught:
        restored(**changes)
    assert caught.value.where.endswith(where)
    assert what in caught.value.what


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="has no 'label'"):
        options_of(Source("csv", (), {"rows": 1}), Options)


@pytest.mark.parametrize("options", [None, [], "x", 7])
def test_options_that_are_no_object(options):
    with pytest.raises(InputError, match="not an object"):
        options_of(Source("csv", (), options), Options)
