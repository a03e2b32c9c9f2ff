"""Kernels that read JSON where it stands: the same as Python's json, and as plain twins."""

from __future__ import annotations

import json
import math

import coco_reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.coco import polygons
from goldlabel.formats.json import numbers, places, scan
from goldlabel.formats.json.document import read_document
from goldlabel.formats.json.records import Records
from goldlabel.kernels._jit import frozen

few = settings(max_examples=40)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
STYLES = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "any.json"


@few
@given(content=st.dictionaries(TEXTS, VALUES, max_size=5), style=STYLES)
def test_sections_are_where_python_finds_them(place, content, style):
    place.write_text(json.dumps(content, **style), encoding="utf-8")
    document = read_document(place)
    assert list(document.sections) == list(content)
    for name, section in document.sections.items():
        value = content[name]
        assert json.loads(document.raw(section.start, section.stop)) == value
        assert section.is_list == isinstance(value, list)
        if section.is_list:
            spans = zip(section.starts, section.stops, strict=True)
            assert [json.loads(document.raw(a, b)) for a, b in spans] == value
    escaped = any("\\" in json.dumps(key) for _, each in _paths(content) for key in _keys(each))
    assert escaped or not document.odd


@few
@given(content=st.lists(VALUES, max_size=6), style=STYLES)
def test_entries_of_a_root_that_is_a_list(place, content, style):
    place.write_text(json.dumps(content, **style), encoding="utf-8")
    root = read_document(place).root
    assert root.is_list
    raw = place.read_bytes()
    got = [json.loads(raw[a:b]) for a, b in zip(root.starts, root.stops, strict=True)]
    assert got == content


def _keys(value):
    return value if isinstance(value, dict) else ()


def _paths(value, path="$"):
    yield path, value
    if isinstance(value, list):
        for i, each in enumerate(value):
            yield from _paths(each, f"{path}[{i}]")
    elif isinstance(value, dict):
        for key, each in value.items():
            simple = key.isascii() and key.isidentifier()
            yield from _paths(each, path + (f".{key}" if simple else f"[{json.dumps(key)}]"))


@few
@given(content=st.dictionaries(TEXTS, VALUES, max_size=4), style=STYLES)
def test_json_paths_of_places(place, content, style):
    """Every NaN is found, and its path is the one that a walk over the content gives."""
    content = {"images": [{"a b": [math.nan]}], "more": content}

    def spoil(value):
        if isinstance(value, float):
            return math.nan
        if isinstance(value, list):
            return [spoil(each) for each in value]
        if isinstance(value, dict):
            return {key: spoil(each) for key, each in value.items()}
        return value

    content = spoil(content)
    place.write_text(json.dumps(content, **style), encoding="utf-8")
    document = read_document(place)
    wanted = [path for path, each in _paths(content) if isinstance(each, float)]
    found = [odd for odd in document.odd if odd.kind == scan.NOT_FINITE]
    assert document.paths_to([odd.start for odd in found]) == wanted


NAMES = ("id", "bbox", "name")


@few
@given(
    st.lists(
        st.dictionaries(st.sampled_from([*NAMES, "i", "idd", "BBOX"]), VALUES, max_size=5),
        min_size=1,
        max_size=5,
    ),
    STYLES,
)
def test_locate(entries, style):
    raw = json.dumps(entries, **style).encode()
    data = frozen(np.frombuffer(raw, dtype=np.uint8))
    decoder, starts, at = json.JSONDecoder(), [], raw.index(b"{")
    text = raw.decode("latin-1")
    for _ in entries:
        starts.append(at)
        _, at = decoder.raw_decode(text, at)
        at = text.find("{", at)
    offsets = np.cumsum([0, *map(len, NAMES)])
    shape = len(entries), len(NAMES)
    begins, ends = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    kinds = np.zeros(shape, dtype=np.uint8)
    names = frozen(np.frombuffer("".join(NAMES).encode(), dtype=np.uint8))
    places.locate(data, frozen(np.array(starts)), names, frozen(offsets), begins, ends, kinds)
    for row, entry in enumerate(entries):
        for column, name in enumerate(NAMES):
            assert (kinds[row, column] != places.MISSING) == (name in entry)
            if name in entry:
                value = raw[begins[row, column] : ends[row, column]]
                assert json.loads(value) == entry[name]


def read_numbers(texts):
    raw = b" ".join(text.encode() for text in texts) + b" "
    stops = np.cumsum([len(text) + 1 for text in texts]) - 1
    starts = stops - [len(text) for text in texts]
    n = len(texts)
    floats, ints = np.empty(n), np.empty(n, dtype=np.int64)
    found, unsure = np.empty(n, dtype=np.uint8), np.empty(n, dtype=np.uint8)
    data = frozen(np.frombuffer(raw, dtype=np.uint8))
    kinds = frozen(np.ones(n, dtype=np.uint8))
    numbers.numbers(data, frozen(starts), frozen(stops), kinds, floats, ints, found, unsure)
    return floats, ints, found, unsure


NUMBERS = st.floats(allow_nan=False) | st.integers(-(10**30), 10**30) | st.floats(-1e4, 1e4)
DIGITS = st.tuples(st.integers(1, 10**19), st.integers(-25, 25)).map(
    lambda each: f"{each[0]}e{each[1]}"
)


@few
@given(st.lists(NUMBERS, min_size=1))
def test_numbers(values):
    floats, ints, found, _ = read_numbers([json.dumps(value) for value in values])
    for i, value in enumerate(values):
        if isinstance(value, float) and math.isinf(value):
            assert found[i] == numbers.NOT_FINITE
            continue
        if abs(value) > 1e307:  # the last two places may lead beyond the largest float
            continue
        assert floats[i] == pytest.approx(float(value), rel=1e-14, abs=1e-300)
        small = isinstance(value, int) and abs(value) <= 9 * 10**18
        assert (found[i] == numbers.WHOLE) == small
        if small:
            assert ints[i] == value
        elif found[i] == numbers.ROUND:
            assert ints[i] == value


@settings(max_examples=300)
@given(st.lists(NUMBERS.filter(math.isfinite).map(json.dumps) | DIGITS, min_size=1))
def test_numbers_are_the_nearest_floats_or_said_to_be_unsure(texts):
    floats, _, _, unsure = read_numbers(texts)
    for text, value, is_unsure in zip(texts, floats.tolist(), unsure.tolist(), strict=True):
        assert is_unsure or value == float(text)


def test_numbers_as_files_have_them_are_sure(place):
    random = np.random.default_rng(3)
    texts = [repr(value) for value in random.uniform(0, 1000, 2000).tolist()]
    texts += [repr(value) for value in random.uniform(0, 1, 2000).tolist()]
    floats, _, _, unsure = read_numbers(texts)
    assert floats.tolist() == list(map(float, texts))
    assert not unsure.any()
    entries = [{"x": 4503599627370496.25, "bbox": [0.1, 1e-30, 4503599627370496.25, 3]}]
    place.write_text(json.dumps(entries))  # halves, and powers of ten that are no floats
    document = read_document(place)
    records = Records(document, document.root, ["x", "bbox"])
    assert records.numbers("x").floats.tolist() == [4503599627370496.25]
    assert records.boxes("bbox")[0].tolist() == [entries[0]["bbox"]]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12", numbers.WHOLE),
        ("-0", numbers.WHOLE),
        ("12.0", numbers.ROUND),
        ("1.2e1", numbers.ROUND),
        ("12.5", numbers.FRACTION),
        ("1e-2", numbers.FRACTION),
        ('"12"', numbers.TEXT_WHOLE),
        ('"-12.5"', numbers.TEXT_NUMBER),
        ('"007"', numbers.OTHER),
        ('" 12"', numbers.OTHER),
        ('"12 "', numbers.OTHER),
        ('"1e999"', numbers.OTHER),
        ('""', numbers.OTHER),
        ('"-"', numbers.OTHER),
        ('"12a3"', numbers.OTHER),
        ("true", numbers.OTHER),
        ("null", numbers.OTHER),
        ("[1]", numbers.OTHER),
        ("NaN", numbers.NOT_FINITE),
        ("-Infinity", numbers.NOT_FINITE),
        ("1e999", numbers.NOT_FINITE),
    ],
)
def test_kinds_of_numbers(text, kind):
    assert read_numbers([text, "1"])[2].tolist() == [kind, numbers.WHOLE]


POINT = st.integers(0, 12) | st.floats(0, 12).map(lambda value: round(value, 2))
POLYGONS = st.lists(st.lists(st.tuples(POINT, POINT), min_size=3, max_size=40), max_size=3)


def judge(entries):
    """Run both kernels on segmentations, as the check does."""
    raw = b"".join(json.dumps(each).encode() + b"\n" for each in entries)
    sizes = [len(json.dumps(each)) + 1 for each in entries]
    starts = np.cumsum([0, *sizes[:-1]])
    data, n = frozen(np.frombuffer(raw, dtype=np.uint8)), len(entries)
    kinds = frozen(np.full(n, places.LIST, dtype=np.uint8))
    values, parts = np.empty(len(raw)), np.empty(len(raw), dtype=np.int64)
    owners, reading = np.empty(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    numbers.point_lists(data, frozen(starts), kinds, places.LIST, values, parts, owners, reading)
    extents, flags = np.empty((n, 5)), np.empty(n, dtype=np.int64)
    firsts = np.zeros((n, polygons.BITS), dtype=np.int64)
    room = np.empty((len(raw), 2)), np.empty((len(raw), 4))
    polygons.polygons(values, parts, owners, *room, extents, flags, firsts)
    return extents, flags, firsts


@few
@given(st.lists(POLYGONS, min_size=1, max_size=4))
def test_polygons(entries):
    flat = [[np.ravel(part).tolist() for part in each] for each in entries]
    extents, flags, firsts = judge(flat)
    for i, parts in enumerate(entries):
        areas = [coco_reference.polygon_area(part) for part in parts]
        assert extents[i, 0] == pytest.approx(sum(areas), abs=1e-9)
        crossing = [coco_reference.crosses_itself(part) for part in parts]
        assert bool(flags[i] & polygons.CROSSING) == any(crossing)
        if any(crossing):
            bit = polygons.CROSSING.bit_length() - 1
            assert firsts[i, bit] == crossing.index(True)
        if parts:
            x, y = np.concatenate([np.array(part, dtype=float) for part in parts]).T
            assert extents[i, 1:].tolist() == [x.min(), y.min(), x.max(), y.max()]


@pytest.mark.parametrize("n", [15, 16, 17, 33, 300])
@pytest.mark.parametrize("crossing", [False, True])
def test_edges_that_cross_are_found_in_long_polygons(n, crossing):
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for at in range(0, n - 1, max(1, n // 20)):
        some = points.copy()
        if crossing:
            some[[at, at + 1]] = some[[at + 1, at]]
        (flags,) = judge([[some.ravel().tolist()]])[1]
        assert bool(flags & polygons.CROSSING) == crossing


MASKS = st.integers(1, 9).flatmap(
    lambda h: st.integers(1, 9).flatmap(
        lambda w: st.lists(st.booleans(), min_size=h * w, max_size=h * w).map(
            lambda cells: np.array(cells).reshape(h, w)
        )
    )
)


@few
@given(st.lists(MASKS, min_size=1, max_size=4), st.booleans())
def test_run_lengths(masks, is_text):
    counts = [coco_reference.runs_of(mask) for mask in masks]
    coded = [coco_reference.compressed(each) if is_text else each for each in counts]
    texts = [json.dumps(each).encode() for each in coded]
    stops = np.cumsum([len(text) for text in texts])
    starts = stops - [len(text) for text in texts]
    sizes = np.array([mask.shape for mask in masks], dtype=np.int64)
    n = len(masks)
    extents, flags = np.empty((n, 6), dtype=np.int64), np.empty(n, dtype=np.int64)
    data = frozen(np.frombuffer(b"".join(texts), dtype=np.uint8))
    numbers.run_lengths(data, frozen(starts), frozen(stops), sizes, extents, flags)
    assert not flags.any()
    for mask, extent in zip(masks, extents, strict=True):
        assert extent[0] == mask.sum()
        assert extent[5] == mask.size
        if mask.any():
            y, x = np.nonzero(mask)
            inside = [x.min(), y.min(), x.max() + 1, y.max() + 1]
            # Runs over two columns reach from top to bottom.
            assert extent[1] == inside[0] and extent[3] == inside[2]  # noqa: PT018
            assert extent[2] == inside[1] and extent[4] == inside[3]  # noqa: PT018


def test_lines_and_columns():
    raw = "aé\nb\n\ncd".encode()
    at = frozen(np.array([0, 1, 3, 4, 6, 7, 8], dtype=np.int64))
    lines, columns = np.empty(7, dtype=np.int64), np.empty(7, dtype=np.int64)
    places.positions(frozen(np.frombuffer(raw, dtype=np.uint8)), at, lines, columns)
    assert lines.tolist() == [1, 1, 1, 2, 3, 4, 4]
    assert columns.tolist() == [1, 2, 3, 1, 1, 1, 2]
