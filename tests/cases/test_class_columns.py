"""Predicted boxes with both a number and a name for the class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from goldlabel.tasks import detection

NAMES = ["cat", "dog"]
NUMBERS = {"cat": 15, "dog": 16}


def tables(folder, images=20):
    """Write annotations by name, and the same boxes as a detector's table; return that."""
    rng = np.random.default_rng(0)
    rows = []
    for at in range(images):
        for class_name in NAMES:
            x, y = rng.integers(0, 300, 2)
            rows.append((f"{at}.jpg", x, y, x + 60, y + 40, class_name))
    frame = pd.DataFrame(rows, columns=["image", "xmin", "ymin", "xmax", "ymax", "name"])
    frame.rename(columns={"name": "class"}).to_csv(folder / "labels.csv", index=False)
    frame.insert(5, "confidence", 0.9)
    frame.insert(6, "class", frame["name"].map(NUMBERS))
    return frame


def audit(folder, predictions):
    predictions.to_csv(folder / "predictions.csv", index=False)
    return detection.audit(folder / "labels.csv", predictions=folder / "predictions.csv")


@pytest.mark.parametrize("name", ["name", "class_name", "Class Name", "label"])
def test_the_name_is_the_class(tmp_path, name):
    result = audit(tmp_path, tables(tmp_path).rename(columns={"name": name}))
    assert not result.issues.is_issue.any()
    assert result.summary["share_of_boxes_found"] == 1.0
    assert any(f"{name!r} names the classes that 'class' has" in note for note in result.notes)


def test_a_number_with_another_name_is_said(tmp_path):
    predictions = tables(tmp_path)
    predictions.loc[4, "class"] = NUMBERS["dog"]
    result = audit(tmp_path, predictions)
    (warning,) = result.warnings
    assert "row 5: name is 'cat', and class 16 is 'dog' elsewhere; 1 of 40 rows" in warning
    assert not result.issues.is_issue.any()


def test_a_name_with_several_numbers_is_said(tmp_path):
    predictions = tables(tmp_path)
    predictions.loc[:9, "class"] += 10
    (warning,) = audit(tmp_path, predictions).warnings
    assert "'cat' in name has several numbers in class (15, 25)" in warning


def test_a_name_of_something_else_is_not_the_class(tmp_path):
    predictions = tables(tmp_path)
    predictions["class"] = predictions["name"].map({"cat": 0, "dog": 1})
    predictions["name"] = [f"frame {at // 3}" for at in range(len(predictions))]
    result = audit(tmp_path, predictions)
    assert not result.issues.is_issue.any()
    assert any("taken as 0 cat, 1 dog" in note for note in result.notes)
