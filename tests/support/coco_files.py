"""A small COCO file with nothing wrong, to be spoiled by tests."""

from __future__ import annotations

import json
from pathlib import Path


def square(x, y, side):
    return [x, y, x + side, y, x + side, y + side, x, y + side]


def annotation(number, image, category, x, y, side, **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [x, y, side, side],
        "area": side * side,
        "iscrowd": 0,
        "segmentation": [square(x, y, side)],
    } | more


def clean():
    """Return a dataset with nothing wrong: two images, two categories, four annotations."""
    return {
        "info": {"year": 2026},
        "images": [
            {"id": 1, "file_name": "one.png", "width": 100, "height": 80},
            {"id": 2, "file_name": "two.png", "width": 60, "height": 60},
        ],
        "annotations": [
            annotation(11, 1, 1, 10, 10, 20),
            annotation(12, 1, 2, 40, 20, 30),
            annotation(13, 2, 1, 5, 5, 12.5),
            annotation(14, 2, 2, 30, 30, 25),
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def predictions():
    """Return results for the clean dataset with nothing wrong."""
    return [
        {"image_id": 1, "category_id": 1, "bbox": [10, 11, 20, 20], "score": 0.9},
        {"image_id": 1, "category_id": 2, "bbox": [40, 20, 30, 30], "score": 1},
        {"image_id": 2, "category_id": 2, "bbox": [30, 30, 20, 20.5], "score": 0},
    ]


def write(path, content):
    """Write bytes, text or JSON; return the path."""
    path = Path(path)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
    return path
