"""COCO audit: a check of a whole file, against merely loading it with pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

ROOT = Path(__file__).parent.parent.parent.parent
REAL = "detection/coco_val2014_fake100/instances_val2014_100.json"
TRAIN = 118_287, 860_001
"""Images and annotations of train2017."""
CATEGORIES = 12

ABOUT = f"""\
COCO's own annotations of 100 images of val2014 (`{REAL}`
of the shared data), repeated with new ids and file names, up to the size of train2017: 118,287
images, 860,001 annotations, 520 MB. pycocotools only loads the file and makes its indices;
goldlabel checks everything that docs/coco.md lists, but for image files."""


def real() -> dict[str, Any]:
    """Return the annotations that are repeated."""
    folder = Path(os.environ.get("GOLDLABEL_DATA", ROOT.parent / "shared" / "data"))
    content: dict[str, Any] = json.loads((folder / REAL).read_text(encoding="utf-8"))
    return content


def made_up() -> dict[str, Any]:
    """Return annotations that need no data: polygons like those that people draw."""
    rng = np.random.default_rng(0)
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(1, 11)]
    annotations = []
    for number in range(1, 71):
        angle = np.linspace(0, 2 * np.pi, rng.integers(8, 60), endpoint=False)
        radius = rng.uniform(10, 60) * rng.uniform(0.8, 1.0, len(angle))
        center = rng.uniform(70, 400, 2)
        points = center[:, None] + radius * np.stack([np.cos(angle), np.sin(angle)])
        points = points.round(2)
        left, top = points.min(axis=1)
        width, height = (points.max(axis=1) - (left, top)).round(2)
        annotations.append(
            {
                "segmentation": [points.T.ravel().tolist()],
                "area": round(float(width * height * 0.7), 4),
                "iscrowd": 0,
                "image_id": int(rng.integers(1, 11)),
                "bbox": [left, top, width, height],
                "category_id": int(rng.integers(1, CATEGORIES + 1)),
                "id": number,
            }
        )
    # One more category than is used: a file without findings would have no result to measure.
    names = [{"id": i, "name": f"thing {i}"} for i in range(1, CATEGORIES + 2)]
    return {"images": images, "annotations": annotations, "categories": names}


def repeated(content: dict[str, Any], images: int, annotations: int) -> Arrays:
    """Return the text of a file of this size."""
    given, by = content["images"], {}
    for each in content["annotations"]:
        by.setdefault(each["image_id"], []).append(each)
    whole = [(i, a) for i in range(images) for a in by.get(given[i % len(given)]["id"], ())]
    step = len(whole) / annotations
    out = io.BytesIO()
    out.write(b'{"images": [')
    for i in range(images):
        entry = given[i % len(given)] | {"id": i + 1, "file_name": f"{i + 1:012d}.jpg"}
        out.write((", " if i else "").encode() + json.dumps(entry).encode())
    out.write(b'], "annotations": [')
    for n in range(annotations):
        i, entry = whole[int(n * step)]
        entry = entry | {"id": n + 1, "image_id": i + 1}
        out.write((", " if n else "").encode() + json.dumps(entry).encode())
    out.write(b'], "categories": ' + json.dumps(content["categories"]).encode() + b"}")
    return {"text": np.frombuffer(out.getbuffer(), dtype=np.uint8)}


class File:
    """A file that is there as long as it is in use."""

    def __init__(self, arrays: Arrays) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "instances.json"
        arrays["text"].tofile(self.path)
        self.size = arrays["text"].nbytes


def check(given: File) -> Any:
    from goldlabel.coco import check_coco

    return check_coco(given.path)


def load(given: File) -> Any:
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(given.path))


def same_sizes(given: File, found: Any, loaded: Any) -> str:
    assert found.sizes["images"] == len(loaded.imgs)
    assert found.sizes["annotations"] == len(loaded.anns)
    assert found.sizes["categories"] == len(loaded.cats)
    return f"as many entries; {len(found):,} findings"


def bare_read(given: File) -> Any:
    """Read the bytes and add them up."""
    import measure

    return measure.bare_read(np.fromfile(given.path, dtype=np.uint8).reshape(-1, 1))


def source(images: int, annotations: int) -> Input:
    name = f"{images:,} images, {annotations:,} annotations"
    return Input(name, lambda: repeated(real(), images, annotations))


TINY = Input("10 images, 70 annotations", lambda: repeated(made_up(), 10, 70))
LARGE = source(*TRAIN)

SECTION = Section(
    name="coco",
    title="COCO audit",
    about=ABOUT,
    peer="pycocotools",
    largest="text",
    inputs={
        "tiny": (TINY,),
        "small": (source(2_000, 14_500),),
        "full": (source(20_000, 145_000), LARGE),
    },
    cases=(
        Case("check", "Check a file (pycocotools: load it)", check, load, same_sizes, first=True),
    ),
    targets=(
        Target(
            "check",
            (LARGE.name,),
            "ours.wall",
            "the size of train2017: under 60 s",
            at_most=60.0,
        ),
        Target(
            "check",
            (LARGE.name,),
            "memory.ours.share",
            "the size of train2017: under 3 GB, 5.7 times the file",
            at_most=5.7,
        ),
    ),
    floor=bare_read,
    prepare=File,
)
