"""One box moved and given another class, one drawn: all else in the files stays as it was."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from goldlabel.actions.corrections import decided, to_decide
from goldlabel.tasks import detection

FORMATS = (
    "coco", "yolo", "voc", "text", "csv", "parquet", "open_images", "label_studio",
)  # fmt: skip
NEW = np.array([30.0, 20.0, 90.0, 70.0])
RECORD = 260
"""One box takes no more bytes than this in any of the files."""


@pytest.fixture(params=FORMATS)
def audit(made, request):
    return detection.audit(
        made.labels(request.param), predictions=made.predictions("text"), duplicate_iou=0.7
    )


def corrected(made, audit, rows):
    """Export corrections as a frame; return the dataset that was written."""
    unit = np.array([200, 100, 200, 100]) if is_relative(audit) else np.ones(4)
    corners = dict(zip(("x1", "y1", "x2", "y2"), (NEW / unit).tolist(), strict=True))
    frame = pd.DataFrame([{**row, **corners} for row in rows])
    out = made.folder / f"out{audit.source.files[0].suffix}"
    detection.export(audit.source, frame, out)
    return out


def is_relative(audit):
    return detection.read(audit.source.files[0]).is_relative


def read(made, audit, path):
    names = made.folder / "data.yaml" if audit.source.format == "yolo" else None
    return detection.read(path, names=names)


def pieces(before, after):
    """Return what stands between the bytes that begin and end both."""
    first = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    first = min(len(before), len(after)) if first is None else first
    tail = 0
    while tail < min(len(before), len(after)) - first and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return before[first : len(before) - tail], after[first : len(after) - tail]


def changed_bytes(source, out):
    """Return what differs, of the one file that does."""
    if source.is_dir():
        files = [file for file in sorted(source.rglob("*")) if file.is_file()]
        pairs = [
            (file.read_bytes(), (out / file.relative_to(source)).read_bytes()) for file in files
        ]
    else:
        pairs = [(source.read_bytes(), out.read_bytes())]
    [differing] = [pair for pair in pairs if pair[0] != pair[1]]
    return pieces(*differing)


def test_a_box_moves_and_gets_another_class(made, audit):
    row = {"example": 3, "part": 1, "given": "dog", "suggested": "cat", "action": "move"}
    out = corrected(made, audit, [row])
    source = audit.source.files[0]
    before, after = read(made, audit, source), read(made, audit, out)
    at = int(before.labels.offsets[3]) + 1
    same = np.arange(len(before.labels.boxes)) != at
    np.testing.assert_array_equal(after.labels.boxes[same], before.labels.boxes[same])
    np.testing.assert_array_equal(after.labels.labels[same], before.labels.labels[same])
    unit = np.array([200, 100, 200, 100]) if before.is_relative else np.ones(4)
    np.testing.assert_allclose(after.labels.boxes[at] * unit, NEW, atol=0.01)
    assert after.classes[after.labels.labels[at]] == "cat"
    if audit.source.format != "parquet":
        old, new = changed_bytes(source, out)
        assert 0 < len(old) < RECORD
        assert 0 < len(new) < RECORD


def test_a_box_that_only_moves_keeps_its_class(made, audit):
    row = {"example": 3, "part": 1, "given": "dog", "suggested": "dog", "action": "move"}
    after = read(made, audit, corrected(made, audit, [row]))
    at = int(after.labels.offsets[3]) + 1
    assert after.classes[after.labels.labels[at]] == "dog"


def test_a_box_is_drawn(made, audit):
    """Its number is larger than that of any box, and of any that the model has found."""
    row = {"example": 3, "part": 1 << 31, "given": None, "suggested": "cat", "action": "add"}
    out = corrected(made, audit, [row])
    source = audit.source.files[0]
    before, after = read(made, audit, source), read(made, audit, out)
    counts = before.labels.counts.copy()
    counts[3] += 1
    np.testing.assert_array_equal(after.labels.counts, counts)
    at = int(after.labels.offsets[4]) - 1
    unit = np.array([200, 100, 200, 100]) if before.is_relative else np.ones(4)
    np.testing.assert_allclose(after.labels.boxes[at] * unit, NEW, atol=0.01)
    assert after.classes[after.labels.labels[at]] == "cat"
    same = np.arange(len(after.labels.boxes)) != at
    np.testing.assert_array_equal(after.labels.boxes[same], before.labels.boxes)
    if audit.source.format != "parquet":
        old, new = changed_bytes(source, out)
        assert not old.strip(b"\r\n")
        assert 0 < len(new) < 2 * RECORD


def test_an_annotation_without_a_box_gets_one(made):
    path = made.labels("coco")
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["annotations"][7]["bbox"]
    path.write_text(json.dumps(content), encoding="utf-8")
    audit = detection.audit(path, predictions=made.predictions("text"))
    row = {"example": 3, "part": 1, "given": "dog", "suggested": "cat", "action": "move"}
    out = corrected(made, audit, [row])
    written = json.loads(out.read_text(encoding="utf-8"))["annotations"][7]
    assert written == {
        **content["annotations"][7], "category_id": 3, "bbox": [30.0, 20.0, 60.0, 50.0],
        "area": 3000.0,
    }  # fmt: skip


def test_a_decision_moves_a_box_and_gives_it_another_class(made):
    """As `goldlabel export --decisions` reads it; a row that keeps the given class is kept."""
    audit = detection.audit(
        made.labels("coco"), predictions=made.predictions("text"), duplicate_iou=0.7
    )
    frame = to_decide(audit.issues)
    moved, other = frame["suggested_action"] == "move", frame["suggested_action"] == "relabel"
    frame.loc[moved, ["label", "action", "x1"]] = ["cat", "move", 31.0]
    frame.loc[other, "label"] = frame.loc[other, "given"]
    frame.to_csv(made.folder / "decisions.csv", index=False)
    decisions = decided(audit.issues, made.folder / "decisions.csv")
    [row] = decisions.changes.to_dict("records")
    assert (row["action"], row["given"], row["suggested"], row["x1"]) == ("move", "dog", "cat", 31)
    assert (decisions.kept, decisions.undecided) == (1, 2)
