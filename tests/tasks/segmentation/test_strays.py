"""Pixels of no class: a finding where few masks have any, refused where many have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks.segmentation import audit

N, SIDE = 12, 16


@pytest.fixture
def masks(tmp_path):
    """Return masks of two classes, one half each, and predictions that agree."""
    labels = np.zeros((N, SIDE, SIDE), dtype=np.uint8)
    labels[:, :, SIDE // 2 :] = 1
    p = np.where(labels == 1, 0.9, 0.1)
    np.save(tmp_path / "probs.npy", np.stack([1 - p, p], axis=1))
    return labels


def folder(labels, place, colors=None):
    place.mkdir()
    for at, mask in enumerate(labels):
        Image.fromarray(mask if colors is None else colors[mask]).save(place / f"{at:02}.png")
    return place


def written(masks, tmp_path, kind):
    if kind == "numpy":
        np.save(tmp_path / "masks.npy", masks)
        return tmp_path / "masks.npy", {}
    if kind == "grey":
        return folder(masks, tmp_path / "masks"), {"classes": ["a", "b"]}
    colors = np.zeros((256, 3), dtype=np.uint8)
    colors[1], colors[7] = (255, 0, 0), (1, 2, 3)
    (tmp_path / "colors.txt").write_text("a 0 0 0\nb 255 0 0\n")
    return folder(masks, tmp_path / "masks", colors), {"palette": tmp_path / "colors.txt"}


@pytest.mark.parametrize("kind", ["numpy", "grey", "colours"])
def test_one_stray_value_is_a_finding_and_the_rest_is_audited(masks, tmp_path, kind):
    clean = masks.copy()
    masks[4, 2:4, 3:6] = 7
    path, options = written(masks, tmp_path, kind)
    found = audit(path, pred_probs=tmp_path / "probs.npy", **options)
    issues = found.issues
    assert issues.ranked().tolist() == [4]
    row = issues.to_frame("part").iloc[0]
    assert (row["kind"], row["area"], row["x"], row["y"]) == ("not a class", 6, 3, 2)
    assert (row["width"], row["height"]) == (3, 2)
    assert row["given_text"] == ("(1, 2, 3)" if kind == "colours" else "7")
    assert "is no class" in row["reason"]
    assert found.summary["labelled_pixels"] == clean.size - 6
    assert np.delete(issues.scores, 4).min() == 1.0
    assert found.view.scenes([4])[0].questions[0].regions[0].width == 3


@pytest.mark.parametrize("kind", ["numpy", "grey", "colours"])
def test_the_same_in_two_of_twelve_masks_is_refused(masks, tmp_path, kind):
    masks[4, 2, 3] = masks[9, 2, 3] = 7
    path, options = written(masks, tmp_path, kind)
    with pytest.raises(InputError, match=r"none of the 2 classes|not in the table"):
        audit(path, pred_probs=tmp_path / "probs.npy", **options)


def test_a_value_in_one_of_two_masks_is_refused(masks, tmp_path):
    masks[0, 2, 3] = 7
    path, _ = written(masks[:2], tmp_path, "numpy")
    np.save(tmp_path / "probs.npy", np.load(tmp_path / "probs.npy")[:2])
    with pytest.raises(InputError, match="none of the 2 classes"):
        audit(path, pred_probs=tmp_path / "probs.npy")


@pytest.mark.parametrize("kind", ["numpy", "grey", "colours"])
def test_a_person_names_the_class_and_nothing_else_changes(masks, tmp_path, capsys, kind):
    masks[4, 2:4, 3:6] = 7
    path, options = written(masks, tmp_path, kind)
    out = tmp_path / "audit"
    command = ["audit", "segmentation", path, "--pred-probs", tmp_path / "probs.npy", "--out", out]
    for name, value in options.items():
        command += [f"--{name}", value if name == "palette" else ",".join(value)]
    assert main(list(map(str, command))) == 0
    assert main(["decisions", str(out)]) == 0
    table = pd.read_csv(out / "decisions.csv", dtype=str)
    assert table["kind"].tolist() == ["not a class"]
    fixed = tmp_path / ("fixed.npy" if kind == "numpy" else "fixed")
    export = ["export", str(out), "--decisions", str(out / "decisions.csv"), "--out"]
    assert main([*export, str(tmp_path / f"same-{fixed.name}")]) == 0
    table.assign(label="0" if kind == "numpy" else "a").to_csv(out / "decisions.csv", index=False)
    assert main([*export, str(fixed)]) == 0
    capsys.readouterr()
    if kind == "numpy":
        masks[4, 2:4, 3:6] = 0
        np.testing.assert_array_equal(np.load(fixed), masks)
        return
    for name in (each.name for each in path.iterdir()):
        old, new = (np.asarray(Image.open(place / name)).copy() for place in (path, fixed))
        if name == "04.png":
            old[2:4, 3:6] = 0
        np.testing.assert_array_equal(new, old)
