"""Masks of objects: overlaps, matching, and each kind of error by itself."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel import InputError
from goldlabel.inputs.ragged import Ragged
from goldlabel.report.panels import Panels
from goldlabel.tasks import segmentation
from goldlabel.tasks.segmentation import InstanceMasks, runs
from goldlabel.tasks.segmentation.comparing import KINDS, compare
from goldlabel.tasks.segmentation.matching import match, overlaps

SHAPE = (20, 30)


def box(x, y, w, h):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[y : y + h, x : x + w] = True
    return mask


def instances(boxes, labels=None, scores=None):
    masks = np.array([box(*each) for each in boxes], dtype=bool).reshape(len(boxes), *SHAPE)
    return InstanceMasks.from_masks(masks, labels or [0] * len(boxes), scores)


def ragged(masks):
    return Ragged.from_lists([runs.of_mask(mask) for mask in masks])


@given(st.integers(0, 10**6))
def test_overlaps_are_those_of_painted_masks(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 12, 2))
    first, second = (rng.random((rng.integers(1, 5), *shape)) < rng.random() for _ in range(2))
    found = overlaps(ragged(first), ragged(second))
    shared = (first[:, None] & second[None]).sum(axis=(2, 3))
    union = (first[:, None] | second[None]).sum(axis=(2, 3))
    np.testing.assert_array_equal(found.shared, shared)
    np.testing.assert_array_equal(found.areas, first.sum(axis=(1, 2)))
    np.testing.assert_array_equal(found.other_areas, second.sum(axis=(1, 2)))
    np.testing.assert_allclose(found.iou, shared / np.maximum(union, 1))


@given(st.integers(0, 10**6))
def test_matching_is_greedy_and_one_to_one(seed):
    rng = np.random.default_rng(seed)
    quality = rng.integers(0, 11, rng.integers(0, 7, 2)) / 10
    partner = match(quality, 0.5)
    taken = partner[partner >= 0]
    assert len(set(taken.tolist())) == len(taken)
    left = quality.copy()
    expected = np.full(len(quality), -1)
    while left.size and left.max() >= 0.5:
        row, column = np.unravel_index(left.argmax(), left.shape)
        expected[row] = column
        left[row] = left[:, column] = -1
    np.testing.assert_array_equal(partner, expected)


CASES = {
    "all right": ([(2, 2, 6, 6)], [(2, 2, 6, 6)], []),
    "a little off": ([(2, 2, 6, 6)], [(3, 2, 6, 6)], []),
    "missing": ([(2, 2, 6, 6)], [(2, 2, 6, 6), (20, 10, 4, 5)], [("missing", (), (1,), 20)]),
    "spurious": ([(2, 2, 6, 6), (20, 10, 4, 5)], [(2, 2, 6, 6)], [("spurious", (1,), (), 20)]),
    "badly drawn": ([(2, 2, 10, 6)], [(2, 2, 10, 11)], [("badly drawn", (0,), (0,), 50)]),
    "merged": ([(2, 2, 12, 6)], [(2, 2, 5, 6), (8, 2, 6, 6)], [("merged", (0,), (0, 1), 30)]),
    "split": ([(2, 2, 5, 6), (8, 2, 6, 6)], [(2, 2, 12, 6)], [("split", (0, 1), (0,), 30)]),
    "nothing": ([], [], []),
    "nothing given": ([], [(2, 2, 2, 2)], [("missing", (), (0,), 4)]),
    "nothing predicted": ([(2, 2, 2, 2)], [], [("spurious", (0,), (), 4)]),
}


@pytest.mark.parametrize("name", CASES)
def test_kinds(name):
    given_, predicted, expected = CASES[name]
    found = compare(instances(given_), instances(predicted))
    said = [(KINDS[each.kind], each.given, each.predicted, each.evidence) for each in found]
    assert said == expected


def test_a_score_weighs_what_the_model_sees():
    found = compare(instances([]), instances([(2, 2, 4, 4)], scores=[0.25]))
    assert found[0].evidence == 4
    assert found[0].confidence == 0.25


def test_another_class():
    given_ = instances([(2, 2, 6, 6)], labels=[0])
    issues = segmentation.find_instance_issues(
        [given_], [instances([(2, 2, 6, 6)], [1], [0.8])], classes=["cat", "dog"]
    )
    (row,) = issues.to_frame("part").to_dict("records")
    assert (row["kind"], row["given"], row["suggested"]) == ("wrong class", "cat", "dog")
    assert row["reason"] == (
        "The model sees dog (score 80%) where the mask says cat; the two overlap by 100%."
    )
    assert row["score"] == pytest.approx(1 - np.sqrt(0.8 * 36 / 600))
    assert issues.scores[0] == pytest.approx(row["score"])


def coco(boxes, name="cell"):
    return {
        "images": [{"id": 4, "file_name": "a.png", "height": 20, "width": 30}],
        "categories": [{"id": 2, "name": name}, {"id": 5, "name": "other"}],
        "annotations": [
            {
                "id": at + 1,
                "image_id": 4,
                "category_id": 2,
                "iscrowd": 0,
                "segmentation": {
                    "size": [20, 30],
                    "counts": runs.to_counts(runs.of_mask(box(*each)), 600),
                },
            }
            for at, each in enumerate(boxes)
        ],
    }


GIVEN = [(1, 1, 4, 4), (20, 1, 4, 4), (1, 10, 12, 6), (20, 10, 8, 4)]
SEEN = [(1, 1, 4, 4), (10, 1, 4, 4), (1, 10, 5, 6), (7, 10, 6, 6), (20, 10, 8, 8)]


@pytest.fixture
def audited(tmp_path):
    content = coco(GIVEN)
    (tmp_path / "given.json").write_text(json.dumps(content, indent=1))
    results = [{**each, "score": 0.95} for each in coco(SEEN)["annotations"]]
    (tmp_path / "results.json").write_text(json.dumps(results))
    return tmp_path, segmentation.audit(
        tmp_path / "given.json", predictions=tmp_path / "results.json", threshold=1.0
    )


def masks_of(path):
    given_ = json.loads(path.read_text())["annotations"]
    return [
        (each["category_id"], runs.to_mask(*runs.from_coco(each["segmentation"], "x")))
        for each in given_
    ]


def test_corrected_instances_come_back(audited):
    folder, found = audited
    frame = found.issues.to_frame("part")
    assert set(
        zip(frame["part"], frame["kind"], frame["given"], frame["suggested"], strict=True)
    ) == {
        (1, "spurious", "cell", "nothing"),
        (2, "merged", "cell", "as predicted"),
        (3, "badly drawn", "cell", "as predicted"),
        (5, "missing", "nothing", "cell"),
    }
    segmentation.export(found.source, frame, folder / "fixed.json")
    new = masks_of(folder / "fixed.json")
    expected = [(1, 1, 4, 4), (10, 1, 4, 4), (1, 10, 5, 6), (7, 10, 6, 6), (20, 10, 8, 8)]
    assert len(new) == len(expected)
    for each in expected:
        assert any((mask == box(*each)).all() for _, mask in new), each
    segmentation.export(found.source, frame[:0], folder / "same.json")
    assert (folder / "same.json").read_bytes() == (folder / "given.json").read_bytes()
    again = segmentation.audit(
        folder / "fixed.json", predictions=folder / "results.json", threshold=1.0
    )
    assert not again.issues.num_issues


def test_a_person_may_name_another_class(audited):
    folder, found = audited
    rows = pd.DataFrame({"example": [0, 0], "part": [1, 5], "suggested": ["other", "other"]})
    segmentation.export(found.source, rows, folder / "fixed.json")
    new = masks_of(folder / "fixed.json")
    assert [category for category, _ in new] == [2, 5, 2, 2, 5]
    assert (new[4][1] == box(10, 1, 4, 4)).all()
    for row in ({"part": 0, "suggested": "cell"}, {"part": 1, "suggested": "tree"}):
        with pytest.raises(InputError, match="corrections: row 1"):
            segmentation.export(
                found.source, pd.DataFrame([{"example": 0, **row}]), folder / "bad.json"
            )


def test_pictures_of_instances(audited):
    _, found = audited
    (scene,) = found.view.scenes([0])
    panels = Panels(found.view).of(scene)
    assert [panel.caption for panel in panels] == ["given", "predicted"]
    outlined = [outline.name for outline in panels[0].outlines]
    assert outlined == [str(part) for part in found.issues.parts.part[:3].tolist()]
