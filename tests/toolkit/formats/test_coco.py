"""COCO files as columns: what Python's json makes of the same text, and edits of single values."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import read_dataset
from goldlabel.formats.coco.edits import edited, member_edits, next_id, separators
from goldlabel.formats.coco.recognising import kind_of_coco
from goldlabel.formats.coco.results import results_of
from goldlabel.formats.head import Head
from goldlabel.formats.text import read_text

FIELDS = ("bbox", "iscrowd", "segmentation", "score")
few = settings(max_examples=60)

NUMBERS = st.integers(-10, 10**20) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(
    ["\ud83d", 'a"\\b', "é"]
)
IDS = st.integers(0, 4) | st.sampled_from([2**53, 10**20, 3.0, "1", "x", "\udc00"])
EXTRA = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
BOXES = st.lists(NUMBERS, min_size=4, max_size=4)
CROWD = st.sampled_from([0, 1, True, False, None])


def entries(own, **optional):
    """Return objects with some members, others that may be missing, and what nobody asked for."""
    return st.builds(
        lambda a, b: {**b, **a},
        st.fixed_dictionaries(own, optional=optional),
        st.dictionaries(st.sampled_from(["x", "ids", "Bbox", "i\u00e9"]), EXTRA, max_size=2),
    )


@st.composite
def datasets(draw):
    names = {"file_name": NAMES, "width": st.integers(1, 9) | st.none(), "height": NUMBERS}
    images = draw(st.lists(IDS, min_size=1, max_size=4, unique_by=exact))
    categories = draw(st.lists(IDS, min_size=1, max_size=3, unique_by=exact))
    content = {
        "info": draw(EXTRA),
        "images": [draw(entries({"id": st.just(each)}, **names)) for each in images],
        "categories": [draw(entries({"id": st.just(each)}, name=NAMES)) for each in categories],
        "annotations": draw(
            st.lists(
                entries(
                    {
                        "image_id": st.sampled_from(images),
                        "category_id": st.sampled_from(categories),
                    },
                    id=IDS,
                    bbox=BOXES | st.none(),
                    iscrowd=CROWD,
                    segmentation=EXTRA,
                ),
                max_size=6,
            )
        ),
    }
    return {key: content[key] for key in draw(st.permutations(list(content)))}


def exact(value):
    """Return an id as it is compared: 3.0 is 3, and "3" is not."""
    return (
        value.replace("\ud83d", "\ufffd").replace("\udc00", "\ufffd")
        if isinstance(value, str)
        else int(value)
    )


def written(draw, value):
    """Return JSON with odd spaces, escapes, and keys that come twice."""
    space = draw(st.sampled_from(["", " ", "\n\t", "\r\n  "]))
    if isinstance(value, dict):
        pairs = [(key, each) for key, each in value.items()]
        if pairs and draw(st.integers(0, 5)) == 0:
            pairs.insert(0, (pairs[0][0], draw(EXTRA)))  # of two with one key the last counts
        inner = [f"{text(draw, key)}{space}:{space}{written(draw, each)}" for key, each in pairs]
        return "{" + space + f"{space},".join(inner) + space + "}"
    if isinstance(value, list):
        return "[" + space + f",{space}".join(written(draw, each) for each in value) + space + "]"
    return text(draw, value) if isinstance(value, str) else json.dumps(value)


def text(draw, value):
    if draw(st.booleans()):
        return '"' + "".join(f"\\u{unit:04x}" for unit in units(value)) + '"'
    return json.dumps(value)


def units(value):
    raw = value.encode("utf-16-be", "surrogatepass")
    return [raw[at] << 8 | raw[at + 1] for at in range(0, len(raw), 2)]


def whole(value):
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@st.composite
def files(draw):
    return written(draw, draw(datasets()))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("coco") / "any.json"


@few
@given(files())
def test_columns_are_what_python_reads(place, source):
    place.write_text(source, encoding="utf-8", newline="")
    content = json.loads(source)
    dataset = read_dataset(place, fields=FIELDS)
    for ids, key in ((dataset.image_ids, "images"), (dataset.category_ids, "categories")):
        assert list(ids) == [exact(each["id"]) for each in content[key]]
    listed = content["annotations"]
    for rows, ids, key in (
        (dataset.image_rows, dataset.image_ids, "image_id"),
        (dataset.category_rows, dataset.category_ids, "category_id"),
    ):
        assert [ids[row] for row in rows.tolist()] == [exact(each[key]) for each in listed]
    names = [each.get("file_name", "") for each in content["images"]]
    assert dataset.file_names() == list(map(whole, names))
    for row, image in enumerate(content["images"]):
        for column, key in enumerate(("width", "height")):
            side = image.get(key)
            side = math.nan if side is None or not 0 < float(side) < math.inf else float(side)
            np.testing.assert_equal(dataset.sizes()[row, column], side)
    assert dataset.is_crowd().tolist() == [bool(each.get("iscrowd")) for each in listed]
    filled = dataset.annotations.is_filled("segmentation").tolist()
    assert filled == [bool(each.get("segmentation")) for each in listed]
    boxes, count = dataset.annotations.boxes("bbox")
    for row, each in enumerate(listed):
        box = each.get("bbox")
        assert (count[row] == 4) == (box is not None)
        if box is not None:
            assert boxes[row].tolist() == list(map(float, box))


@few
@given(st.data())
def test_edits_change_what_they_name_and_nothing_else(place, data):
    source = data.draw(files())
    place.write_text(source, encoding="utf-8", newline="")
    dataset = read_dataset(place, fields=FIELDS)
    n = len(dataset.annotations)
    removed = data.draw(st.sets(st.integers(0, n - 1))) if n else set()
    changed = [row for row in range(n) if row not in removed and data.draw(st.booleans())]
    members = {"bbox": [1, 2.5, 3, 4], "category_id": "new"}
    edits = [edit for row in changed for edit in member_edits(dataset.annotations, row, members)]
    added = data.draw(st.lists(st.just('{"image_id": 0}'), max_size=2))
    section = dataset.document.sections["annotations"]
    new = edited(dataset.document, section, edits, removed=removed, added=added)
    before, after = json.loads(source), json.loads(new)
    listed = [
        {**each, **members} if row in changed else each
        for row, each in enumerate(before["annotations"])
        if row not in removed
    ]
    assert after == {**before, "annotations": [*listed, *map(json.loads, added)]}
    if not (removed or changed or added):
        assert new == source.encode()


def write(path, **changes):
    content = {
        "images": [{"id": 1}, {"id": 2}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": at, "image_id": at, "category_id": 1} for at in (1, 2)],
    }
    path.write_text(json.dumps({**content, **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": []}, "lists no images"),
        ({"images": [1, 2]}, r"images\[0\]: is a JSON number, not an object \(2 such\)"),
        ({"images": [{"id": 1}, {}]}, r"images\[1\]: has no id"),
        ({"images": [{"id": 1}, {"id": [1]}]}, r"images\[1\]: has no id"),
        ({"images": [{"id": 1}, {"id": 1.0}]}, r"images\[1\]: has the id 1, which another has"),
        ({"images": [{"id": 1}, {"id": True}]}, r"images\[1\]: has no id"),
        ({"categories": [{"id": 2}]}, r"annotations\[0\]: has the category_id 1, .* \(2 such\)"),
        ({"categories": {}}, "is no COCO file"),
        ({"annotations": [{"image_id": 1}]}, r"annotations\[0\]: has no category_id"),
        ({"annotations": [{"image_id": "1", "category_id": 1}]}, "image_id '1', which is not"),
        ({"annotations": [None]}, r"annotations\[0\]: is a JSON null"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read_dataset(write(tmp_path / "a.json", **changes))


def test_the_next_id_and_the_separators_are_those_of_the_file(tmp_path):
    dataset = read_dataset(write(tmp_path / "a.json"))
    assert next_id(dataset.annotations) == 3
    section = dataset.document.sections["annotations"]
    assert separators(dataset.document, section) == (", ", ": ")
    without = [{"image_id": 1, "category_id": 1}]
    assert (
        next_id(read_dataset(write(tmp_path / "b.json", annotations=without)).annotations) is None
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"score": "0.5"}, r"\[1\]: has the score '0.5'"),
        ({"score": None}, r"\[1\]: has the score null"),
        ({"score": 1.5}, r"\[1\]: has the score 1.5, not in \[0, 1\]"),
        ({"image_id": []}, r"\[1\]: has the image_id \[\], which is no id"),
        ({"category_id": None}, r"\[1\]: has the category_id null, which is no id"),
    ],
)
def test_results_that_are_none(tmp_path, entry, message):
    good = {"image_id": 1, "category_id": 2, "score": 0.5}
    (tmp_path / "r.json").write_text(json.dumps([good, {**good, **entry}]))
    with pytest.raises(InputError, match=message):
        results_of(read_text(tmp_path / "r.json"))


def test_results_by_image_and_category_as_they_come(tmp_path):
    rows = [(7, 2, 0.1), (3, 2, 0.30000000000000004), ("7", 1, 1), (7, 1, 0)]
    listed = [{"image_id": a, "category_id": b, "score": c} for a, b, c in rows]
    (tmp_path / "r.json").write_text(json.dumps(listed))
    results = results_of(read_text(tmp_path / "r.json"))
    assert (results.image_ids, results.category_ids) == ((7, 3, "7"), (2, 1))
    assert results.image_rows.tolist() == [0, 1, 2, 0]
    assert results.category_rows.tolist() == [0, 0, 1, 1]
    assert results.scores.tolist() == [0.1, 0.30000000000000004, 1, 0]


IMAGE = {"id": 1, "file_name": "a.png", "width": 5, "height": 5}
SEGMENTS = [{"file_name": "a.png", "image_id": 1, "segments_info": []}]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"images": [IMAGE], "annotations": [], "categories": []}, "instances"),
        ({"info": 1, "licenses": [], "images": [IMAGE] * 3000, "annotations": []}, "instances"),
        ({"images": [IMAGE], "annotations": SEGMENTS, "categories": []}, "panoptic"),
        ({"images": [IMAGE] * 3000, "annotations": SEGMENTS, "categories": []}, "panoptic"),
        ({"x": "y" * 100_000, "images": [], "annotations": [], "categories": []}, "instances"),
        ({"annotations": [None], "images": [IMAGE], "categories": []}, "instances"),
        ([{"image_id": 1, "category_id": 1, "score": 0.5}], "results"),
        ([], "results"),
        ([{"id": 1, "data": {"image": "a.png"}}], None),
        ({"image_id": 1, "score": 0.5}, None),
        ({"text": "a", "label": 1}, None),
        ("images", None),
    ],
)
def test_the_kind_is_known_from_the_head(tmp_path, content, kind):
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert kind_of_coco(Head.of(tmp_path / "a.json")) == kind
