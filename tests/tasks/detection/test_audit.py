"""From the command line to a folder, a report and a corrected file."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from PIL import Image

from goldlabel.cli import main
from goldlabel.report.panels import Panels
from goldlabel.tasks import detection


def run(made, capsys, *options, format="voc"):
    out = made.folder / "audit"
    code = main(
        ["audit", "detection", str(made.labels(format)), "--predictions",
         str(made.predictions("text")), "--duplicate-iou", "0.7", "--out", str(out), *options]
    )  # fmt: skip
    return code, capsys.readouterr(), out


def test_the_command(made, capsys):
    code, printed, out = run(made, capsys)
    assert code == 0, printed.err
    assert "4 of 12 examples look mislabelled" in printed.out
    assert "COCO AP" in printed.out
    issues = pd.read_parquet(out / "issues.parquet")
    assert sorted(issues["action"]) == ["add", "move", "relabel", "remove"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") >= 4
    assert 'class="given"' in page
    assert 'class="suggested"' in page
    summary = json.loads((out / "summary.json").read_text())
    assert "Overlooked" in printed.out
    assert summary


def test_export_and_decisions(made, capsys):
    _, _, out = run(made, capsys)
    fixed = made.folder / "fixed"
    command = ["export", str(out), "--out", str(fixed), "--auto", "--min-confidence", "0.5"]
    assert main(command) == 0
    log = pd.read_csv(made.folder / "fixed.changes.csv")
    assert {"action", "x1", "y2"} <= set(log.columns)
    kept = log[log["action"] == "add"].assign(x1=7.0)
    kept.to_csv(made.folder / "decided.csv", index=False)
    again = made.folder / "again"
    decisions = str(made.folder / "decided.csv")
    assert main(["export", str(out), "--out", str(again), "--decisions", decisions]) == 0
    assert "<xmin>8</xmin>" in (again / "img_005.xml").read_text()
    assert (again / "img_007.xml").read_bytes() == (
        made.folder / "Annotations" / "img_007.xml"
    ).read_bytes()


def test_without_pictures_and_with_broken_ones(made, capsys):
    for path in (made.folder / "images").iterdir():
        path.write_bytes(b"no picture")
    code, printed, out = run(made, capsys)
    assert code == 0, printed.err
    assert "data:image/" not in (out / "report.html").read_text(encoding="utf-8")


def test_objectlab_on_the_command_line(made, capsys):
    code, printed, _ = run(made, capsys, "--method", "objectlab")
    assert code == 0, printed.err
    code, printed, _ = run_yolo(made, capsys)
    assert code == 0, printed.err


def run_yolo(made, capsys):
    out = made.folder / "audit_yolo"
    code = main(
        ["audit", "detection", str(made.labels("yolo")), "--predictions",
         str(made.predictions("yolo")), "--method", "objectlab", "--out", str(out)]
    )  # fmt: skip
    return code, capsys.readouterr(), out


def test_pictures_are_cut_to_the_finding(made):
    audit = detection.audit(
        made.labels("coco"), predictions=made.predictions("coco_results"), duplicate_iou=0.7
    )
    [scene] = audit.view.scenes([9])
    [panel] = Panels(audit.view).of(scene)
    roles = [box.role for box in panel.boxes]
    assert roles.count("suggested") == 1
    assert roles.count("given") >= 1
    for box in panel.boxes:
        assert 0 <= box.x <= 100
        assert 0 < box.width <= 100
        assert box.x + box.width <= 100.01
    assert len(panel.image) < 30_000


def test_a_picture_of_many_findings(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (400, 300), (90, 120, 90)).save(tmp_path / "images" / "a.png")
    for folder in ("labels", "found"):
        (tmp_path / folder).mkdir()
    spots = [(0.1 + 0.2 * (at % 5), 0.15 + 0.3 * (at // 5)) for at in range(10)]
    lines = [f"0 {x} {y} 0.1 0.1" for x, y in spots]
    for name in "abcdefgh":
        kept = lines[:4] if name == "a" else lines
        (tmp_path / "labels" / f"{name}.txt").write_text("\n".join(kept))
        (tmp_path / "found" / f"{name}.txt").write_text(
            "\n".join(f"{line} {0.8 + 0.1 * (name == 'a')}" for line in lines)
        )
    audit = detection.audit(tmp_path / "labels", predictions=tmp_path / "found")
    assert audit.issues.ranked().tolist() == [0]
    panels = Panels(audit.view).of(audit.view.scenes([0])[0])
    assert [panel.caption for panel in panels] == ["", "2. overlooked", "3. overlooked"]
    assert all(len(panel.image) < 30_000 for panel in panels)


@pytest.mark.slow
def test_many_classes_take_no_table_of_classes_by_classes(tmp_path):
    k = 60_000  # 27 GiB as a table
    boxes = [[at % 900, at // 900, 9, 9] for at in range(k)]
    rows = [
        {"id": at + 1, "image_id": 1, "category_id": at + 1, "bbox": box, "area": 81, "iscrowd": 0}
        for at, box in enumerate(boxes)
    ]
    document = {
        "categories": [{"id": at + 1, "name": f"c{at}"} for at in range(k)],
        "images": [{"id": 1, "file_name": "a.jpg", "width": 2000, "height": 2000}],
        "annotations": rows,
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "r.json").write_text(json.dumps([{**row, "score": 0.9} for row in rows]))
    found = detection.audit(tmp_path / "a.json", predictions=tmp_path / "r.json")
    assert found.issues.num_issues == 0
