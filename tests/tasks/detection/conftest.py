"""One small data set in every format, with a detector's output in every format."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

SIZE = (200, 100)
NAMES = ["cat", "dog"]
# image -> boxes (class, x1, y1, x2, y2); the last of image 5 is missing from the labels
TRUE = {at: [(0, 20, 10, 80, 50), (1, 100 + at, 30, 160 + at, 90)] for at in range(12)}
GIVEN = {at: list(boxes) for at, boxes in TRUE.items()}
GIVEN[5] = TRUE[5][:1]  # overlooked
GIVEN[7] = [(1, *TRUE[7][0][1:]), TRUE[7][1]]  # swapped
GIVEN[9] = [TRUE[9][0], (1, 125, 45, 189, 99)]  # badly located
GIVEN[11] = [*TRUE[11], (1, 111, 30, 171, 91)]  # duplicated
WRONG = {5: "add", 7: "relabel", 9: "move", 11: "remove"}


def predicted(at):
    """Return boxes with scores: near the true ones."""
    scores = (0.9, 0.95) if at % 2 else (0.8, 0.75)
    return [
        (label, x1 + 0.5, y1, x2, y2 - 0.5, score)
        for (label, x1, y1, x2, y2), score in zip(TRUE[at], scores, strict=True)
    ]


def name(at):
    return f"img_{at:03d}"


def relative(box):
    x1, y1, x2, y2 = (value / side for value, side in zip(box, SIZE * 2, strict=True))
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def write_coco(folder):
    number, annotations = 100, []
    for at, boxes in GIVEN.items():
        for label, x1, y1, x2, y2 in boxes:
            annotations.append(
                {
                    "id": number, "image_id": 10 + at, "category_id": 3 + 4 * label,
                    "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0, "note": "é",
                }
            )  # fmt: skip
            number += 1
    content = {
        "info": {"by": "hand", "odd": 1.50},
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
        "images": [
            {"id": 10 + at, "file_name": f"a/{name(at)}.jpg", "width": 200, "height": 100}
            for at in GIVEN
        ],
        "annotations": annotations,
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def write_yolo(folder):
    labels = folder / "labels"
    labels.mkdir()
    (folder / "data.yaml").write_text("nc: 2\nnames:\n  0: cat\n  1: dog\n")
    for at, boxes in GIVEN.items():
        lines = ["{} {:.6f} {:.6f} {:.6f} {:.6f}".format(b[0], *relative(b[1:])) for b in boxes]
        (labels / f"{name(at)}.txt").write_text("\r\n".join(lines))
    (labels / "empty.txt").write_text("")
    return labels


def write_voc(folder):
    xml = folder / "Annotations"
    xml.mkdir()
    for at, boxes in GIVEN.items():
        objects = "".join(
            f"<object><!-- by hand --><name>{NAMES[label]}</name><difficult>0</difficult>\n"
            f"  <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax>"
            f"<ymax>2</ymax></bndbox></part>"
            f"<bndbox><ymin>{y1 + 1}</ymin><xmin>{x1 + 1}</xmin><xmax> {x2} </xmax>"
            f"<ymax>{y2}</ymax></bndbox></object>\n"
            for label, x1, y1, x2, y2 in boxes
        )
        (xml / f"{name(at)}.xml").write_text(
            f'<?xml version="1.0"?>\n<annotation><filename>{name(at)}.jpg</filename>'
            f"<size><width>200</width><height>100</height></size>\n{objects}</annotation>\n"
        )
    (xml / "readme.md").write_text("left as it is")
    return xml


def write_text(folder):
    texts = folder / "texts"
    texts.mkdir()
    for at, boxes in GIVEN.items():
        lines = [f"{NAMES[b[0]]} {b[1]} {b[2]} {b[3]} {b[4]}\n" for b in boxes]
        (texts / f"{name(at)}.txt").write_text("".join(lines))
    return texts


def rows():
    return pd.DataFrame(
        [
            (f"{name(at)}.jpg", x1, y1, x2, y2, NAMES[label], "kept")
            for at, boxes in GIVEN.items()
            for label, x1, y1, x2, y2 in boxes
        ],
        columns=["image", "xmin", "ymin", "xmax", "ymax", "class", "more"],
    )


def write_csv(folder):
    path = folder / "boxes.csv"
    rows().to_csv(path, index=False)
    return path


def write_parquet(folder):
    path = folder / "boxes.parquet"
    rows().astype({name: np.float32 for name in ("xmin", "ymin", "xmax", "ymax")}).to_parquet(path)
    return path


def write_open_images(folder):
    table = rows()
    path = folder / "open.csv"
    frame = pd.DataFrame(
        {
            "ImageID": table["image"].str.removesuffix(".jpg"), "Source": "x",
            "LabelName": table["class"], "Confidence": 1,
            "XMin": table["xmin"] / 200, "XMax": table["xmax"] / 200,
            "YMin": table["ymin"] / 100, "YMax": table["ymax"] / 100, "IsGroupOf": 0,
        }
    )  # fmt: skip
    frame.to_csv(path, index=False)
    return path


def write_label_studio(folder):
    tasks = []
    for at, boxes in GIVEN.items():
        results = [
            {
                "type": "rectanglelabels", "from_name": "label", "to_name": "image", "id": f"r{at}",
                "original_width": 200, "original_height": 100,
                "value": {
                    "x": x1 / 2, "y": float(y1), "width": (x2 - x1) / 2, "height": float(y2 - y1),
                    "rotation": 0, "rectanglelabels": [NAMES[label]],
                },
            }
            for label, x1, y1, x2, y2 in boxes
        ]  # fmt: skip
        results.insert(0, {"type": "choices", "value": {"choices": ["day"]}})
        tasks.append(
            {
                "id": 500 + at, "data": {"image": f"/data/upload/3/{name(at)}.jpg?x=1"},
                "annotations": [{"id": at, "result": results}],
            }
        )  # fmt: skip
    path = folder / "export.json"
    path.write_text(json.dumps(tasks))
    return path


def predictions_yolo(folder):
    out = folder / "found"
    out.mkdir()
    for at in TRUE:
        lines = [
            "{} {:.7f} {:.7f} {:.7f} {:.7f} {}\n".format(b[0], *relative(b[1:5]), b[5])
            for b in predicted(at)
        ]
        (out / f"{name(at)}.txt").write_text("".join(lines))
    return out


def predictions_coco(folder):
    out = folder / "results.json"
    entries = [
        {
            "image_id": 10 + at, "category_id": 3 + 4 * label,
            "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score,
        }
        for at in TRUE
        for label, x1, y1, x2, y2, score in predicted(at)
    ]  # fmt: skip
    out.write_text(json.dumps(entries))
    return out


def predictions_text(folder):
    out = folder / "texts_found"
    out.mkdir()
    for at in TRUE:
        lines = [f"{NAMES[b[0]]} {b[5]} {b[1]} {b[2]} {b[3]} {b[4]}\n" for b in predicted(at)]
        (out / f"{name(at)}.txt").write_text("".join(lines))
    return out


def predictions_csv(folder):
    out = folder / "found.csv"
    table = [(name(at), NAMES[b[0]], *b[1:]) for at in TRUE for b in predicted(at)]
    columns = ["file", "label", "x1", "y1", "x2", "y2", "score"]
    pd.DataFrame(table, columns=columns).to_csv(out, index=False)
    return out


WRITERS = {
    "coco": write_coco,
    "yolo": write_yolo,
    "voc": write_voc,
    "text": write_text,
    "csv": write_csv,
    "parquet": write_parquet,
    "open_images": write_open_images,
    "label_studio": write_label_studio,
}
FOUND = {
    "yolo": predictions_yolo,
    "coco_results": predictions_coco,
    "text": predictions_text,
    "csv": predictions_csv,
}


@pytest.fixture
def made(tmp_path):
    """Return what writes the data set in a format, and its predictions in one."""
    images = tmp_path / "images"
    images.mkdir()
    for at in TRUE:
        Image.new("RGB", SIZE, (at * 10, 90, 120)).save(images / f"{name(at)}.jpg")

    class Made:
        folder = tmp_path
        true, given, wrong, names = TRUE, GIVEN, WRONG, NAMES

        def labels(self, format):
            return WRITERS[format](tmp_path)

        def predictions(self, format):
            return FOUND[format](tmp_path)

    return Made()
