"""What the default finds: one plain case of each kind, and what must not be found."""

from __future__ import annotations

import numpy as np
import pytest

from goldlabel import LabelIssues
from goldlabel.actions.corrections import decided, suggested
from goldlabel.errors import DataWarning
from goldlabel.tasks import detection
from goldlabel.tasks.detection.fixes import with_suggestions

RNG = np.random.default_rng(0)
N = 30


def dataset():
    """Return 30 images with two objects each, all found; labels and predictions to spoil."""
    labels, predictions = [], []
    for at in range(N):
        boxes = np.array([[10, 10, 50, 40], [60, 50, 90, 95.0]])
        jitter = RNG.normal(0, 0.7, boxes.shape)
        labels.append({"boxes": boxes, "labels": np.array([0, 1])})
        predictions.append(
            {
                "boxes": boxes + jitter,
                "labels": np.array([0, 1]),
                "scores": np.array([0.8, 0.85]) + 0.1 * (at % 2),
            }
        )
    for at in range(N):  # a false alarm of low score here and there
        each = predictions[at]
        each["boxes"] = np.concatenate([each["boxes"], [[5, 60, 25, 80.0]]])
        each["labels"] = np.append(each["labels"], at % 2)
        each["scores"] = np.append(each["scores"], 0.1)
    return labels, predictions


def without(entry, row):
    return {name: np.delete(values, row, axis=0) for name, values in entry.items()}


def found(labels, predictions, **options):
    issues = detection.find_label_issues(labels, predictions, classes=["cat", "dog"], **options)
    frame = issues.to_frame("part")
    return issues, frame[["example", "part", "kind", "given", "suggested", "action"]].astype(
        object
    ).where(frame.notna(), None).to_numpy().tolist()


def test_nothing_is_wrong():
    labels, predictions = dataset()
    issues, rows = found(labels, predictions)
    assert issues.num_issues == 0
    assert rows == []
    assert issues.scores.min() > 0.6


def test_overlooked():
    labels, predictions = dataset()
    labels[5] = without(labels[5], 1)
    issues, rows = found(labels, predictions)
    assert rows == [[5, 2, "overlooked", None, "dog", "add"]]
    assert issues.ranked().tolist() == [5]
    corners = issues.to_frame("part")[["x1", "y1", "x2", "y2"]].to_numpy()[0]
    np.testing.assert_allclose(corners, predictions[5]["boxes"][1])


def test_swapped():
    labels, predictions = dataset()
    labels[7] = {**labels[7], "labels": np.array([1, 1])}
    issues, rows = found(labels, predictions)
    assert rows == [[7, 0, "swapped class", "dog", "cat", "relabel"]]
    assert "finds 'cat' in this place, and no 'dog'" in issues.reasons()[0]


@pytest.mark.parametrize("shift", [12, 24])
def test_badly_located(shift):
    labels, predictions = dataset()
    labels[9] = {**labels[9], "boxes": labels[9]["boxes"] + [[shift, 0, shift, 0], [0] * 4]}
    _, rows = found(labels, predictions)
    assert rows == [[9, 0, "badly located", "cat", "cat", "move"]]


def test_one_prediction_moves_one_box():
    """Of two annotations that are near a prediction of their class, the nearer one moves."""
    labels, predictions = dataset()
    first = labels[9]["boxes"][0]
    shifts = np.array([[16, 0, 16, 0], [0, -14, 0, -14]])
    boxes = np.concatenate([first + shifts, labels[9]["boxes"][1:]])
    labels[9] = {"boxes": boxes, "labels": np.array([0, 0, 1])}
    _, rows = found(labels, predictions)
    assert rows == [[9, 0, "badly located", "cat", "cat", "move"]]


@pytest.mark.parametrize(("other", "kinds"), [(0, 1), (1, 1)])
def test_duplicated(other, kinds):
    labels, predictions = dataset()
    boxes = np.concatenate([labels[3]["boxes"], labels[3]["boxes"][:1] + 0.2])
    labels[3] = {"boxes": boxes, "labels": np.array([0, 1, other])}
    _, rows = found(labels, predictions)
    assert len(rows) == kinds
    example, part, kind, _, _, action = rows[0]
    assert example == 3
    assert part in (0, 2)
    assert (kind, action) in {("duplicated", "remove"), ("swapped class", "relabel")}


def test_spurious():
    labels, predictions = dataset()
    boxes = np.concatenate([labels[3]["boxes"], [[70, 5, 95, 30.0]]])
    labels[3] = {"boxes": boxes, "labels": np.array([0, 1, 1])}
    issues, rows = found(labels * 3, predictions * 3, spurious_prior=0.3)
    assert [row[:3] + row[5:] for row in rows] == [
        [at, 2, "spurious", "remove"] for at in (3, 3 + N, 3 + 2 * N)
    ]
    assert "finds nothing where this 'dog' is" in issues.reasons()[0]


def test_a_prediction_repeated_is_no_overlooked_object():
    labels, predictions = dataset()
    again = predictions[2]["boxes"][:1] + 1
    predictions[2] = {
        "boxes": np.concatenate([predictions[2]["boxes"], again]),
        "labels": np.append(predictions[2]["labels"], 0),
        "scores": np.append(predictions[2]["scores"], 0.99),
    }
    assert found(labels, predictions)[1] == []


def test_what_is_ignored_is_neither_judged_nor_missed():
    labels, predictions = dataset()
    labels[4] = {**labels[4], "ignore": [False, True]}
    predictions[4]["scores"][1] = 0.99
    labels[4]["boxes"] = labels[4]["boxes"] + np.array([[0, 0, 0, 0], [-5, -5, 9, 4]])
    _, rows = found(labels, predictions)
    assert rows == []
    # Numbers of boxes count those to ignore too.
    labels[4] = {**labels[4], "ignore": [True, False], "labels": [0, 0]}
    assert found(labels, predictions)[1][0][:3] == [4, 1, "swapped class"]


def test_empty_images_and_no_images():
    assert detection.find_label_issues([], []).num_issues == 0
    issues = detection.find_label_issues([{}, {}], [{}, {}])
    assert issues.scores.tolist() == [1.0, 1.0]
    issues = detection.find_label_issues([{}, {}], [{}, {}], method="objectlab", classes=["a"])
    assert issues.scores.tolist() == [1.0, 1.0]


def test_inputs_are_left_as_they_are():
    """DIVERGE 14-04."""
    labels, predictions = dataset()
    before = [{key: value.copy() for key, value in each.items()} for each in labels + predictions]
    for method in ("confident_learning", "objectlab"):
        detection.find_label_issues(labels, predictions, method=method)
    for old, new in zip(before, labels + predictions, strict=True):
        assert all(np.array_equal(old[key], new[key]) for key in old)


def test_suggestions_applied_leave_nothing_to_find():
    labels, predictions = dataset()
    labels[5] = without(labels[5], 1)
    labels[7] = {**labels[7], "labels": np.array([1, 1])}
    labels[9] = {**labels[9], "boxes": labels[9]["boxes"] + [[14, 0, 14, 0], [0] * 4]}
    issues, rows = found(labels, predictions)
    assert sorted(row[5] for row in rows) == ["add", "move", "relabel"]
    fixed = with_suggestions(detection.as_boxes(labels), issues)
    assert found(fixed, predictions)[1] == []
    before, after = (detection.coco_map(each, predictions)["AP"] for each in (labels, fixed))
    assert after > before


def test_corrections_carry_what_is_to_be_done(tmp_path):
    labels, predictions = dataset()
    labels[5] = without(labels[5], 1)
    labels[9] = {**labels[9], "boxes": labels[9]["boxes"] + [[14, 0, 14, 0], [0] * 4]}
    issues, _ = found(labels, predictions)
    issues.to_parquet(tmp_path)
    changes = suggested(LabelIssues.from_parquet(tmp_path), min_confidence=0)
    assert changes["action"].tolist() == ["add", "move"]
    assert changes["x2"].notna().all()
    log = tmp_path / "changes.csv"
    edited = changes.rename(columns={"suggested": "label"})
    edited.loc[edited["action"] == "move", "x2"] = 77.5
    edited.loc[edited["action"] == "add", "action"] = ""
    edited.to_csv(log, index=False)
    taken = decided(issues, log).changes
    assert taken[["example", "action", "x2"]].to_numpy().tolist() == [[9, "move", 77.5]]
    plain = tmp_path / "plain.csv"
    plain.write_text("example,part,label\n5,2,dog\n9,0,dog\n")
    taken = decided(issues, plain).changes
    assert taken[["action", "suggested"]].to_numpy().tolist() == [
        ["add", "dog"],
        ["relabel", "dog"],
    ]


def test_units_that_differ_are_noticed():
    labels, predictions = dataset()
    small = [{**each, "boxes": each["boxes"] / 1000} for each in predictions]
    with pytest.warns(DataWarning, match="as small as those of the labels"):
        detection.find_label_issues(labels, small)
    other = [{**each, "labels": each["labels"] + 5} for each in predictions]
    with pytest.warns(DataWarning, match="of classes that no label has"):
        detection.find_label_issues(labels, other)


def test_other_layouts_give_the_same_boxes():
    boxes = [[10, 10, 50, 40], [60, 50, 90, 95]]
    plain = detection.as_detections([{"boxes": boxes, "labels": [0, 1], "scores": [0.5, 0.6]}])
    layouts = [
        [{"pred_instances": {"bboxes": boxes, "labels": [0, 1], "scores": [0.5, 0.6]}}],
        [[[[*boxes[0], 0.5]], [[*boxes[1], 0.6]]]],
        [{"instances": Instances(boxes, [0.5, 0.6], [0, 1])}],
        [np.array([[[*boxes[0], 0.5]], [[*boxes[1], 0.6]]])],
    ]
    for layout in layouts:
        each = detection.as_detections(layout)
        for name in ("boxes", "labels", "offsets", "scores"):
            np.testing.assert_array_equal(getattr(each, name), getattr(plain, name))


class Tensor:
    """As torch has it: an array after it is detached and on the processor."""

    def __init__(self, values):
        self.values = np.array(values)

    def detach(self):
        return self

    def cpu(self):
        return self.values


class Instances:
    """As Detectron2 has it."""

    def __init__(self, boxes, scores, classes):
        self.pred_boxes = type("Boxes", (), {"tensor": Tensor(boxes)})()
        self.scores, self.pred_classes = Tensor(scores), Tensor(classes)


def test_records_of_detectron2_and_mmdetection():
    records = [
        {
            "annotations": [
                {"bbox": [10, 10, 40, 30], "bbox_mode": 1, "category_id": 2, "iscrowd": 1},
                {"bbox": [10, 10, 50, 40], "bbox_mode": 0, "category_id": 0},
            ]
        },
        {"annotations": []},
        {"instances": [{"bbox": [0, 0, 5, 5], "bbox_label": 1, "ignore_flag": 0}]},
    ]
    boxes = detection.as_boxes(records)
    assert boxes.boxes.tolist() == [[10, 10, 50, 40], [10, 10, 50, 40], [0, 0, 5, 5]]
    assert boxes.labels.tolist() == [2, 0, 1]
    assert boxes.counts.tolist() == [2, 0, 1]
    assert boxes.ignore.tolist() == [True, False, False]


def test_relative_boxes_in_objectlab():
    """DIVERGE 14-01: shares of the image are no pixels."""
    labels, predictions = dataset()
    sizes = np.full((N, 2), 100.0)
    for each in labels + predictions:
        each["boxes"] = each["boxes"] / 100
    options = {"method": "objectlab"}
    scaled = detection.get_label_quality_scores(labels, predictions, image_sizes=sizes, **options)
    for each in labels + predictions:
        each["boxes"] = each["boxes"] * 100
    plain = detection.get_label_quality_scores(labels, predictions, **options)
    np.testing.assert_allclose(scaled, plain, atol=1e-9)
    by_diagonal = detection.get_label_quality_scores(
        labels, predictions, image_sizes=sizes, distance_unit="diagonal", **options
    )
    large = [{**each, "boxes": each["boxes"] * 7} for each in labels]
    found_large = [{**each, "boxes": each["boxes"] * 7} for each in predictions]
    again = detection.get_label_quality_scores(
        large, found_large, image_sizes=sizes * 7, distance_unit="diagonal", **options
    )
    np.testing.assert_allclose(again, by_diagonal, atol=1e-9)
