"""One small data set of masks in every format: in the first image a car is labelled as sky."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image, PngImagePlugin

from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.formats import brush

__all__ = [
    "COLORS",
    "NAMES",
    "WRITERS",
    "brush_tasks",
    "coco_file",
    "dataset",
    "palette_masks",
    "panoptic_files",
]

NAMES = ["road", "car", "sky"]
COLORS = [(128, 64, 128), (0, 0, 142), (70, 130, 180)]


def dataset():
    """Three images of 12 x 16 pixels: in the first a car is labelled as sky."""
    labels = np.zeros((3, 12, 16), dtype=np.uint8)
    labels[:, :4] = 2
    labels[:, 6:10, 3:9] = 1
    probs = np.full((3, 3, 12, 16), 0.03, dtype=np.float32)
    np.put_along_axis(probs, labels[:, None].astype(int), 0.94, 1)
    right = labels.copy()
    labels[0, 6:10, 3:9] = 2
    return labels, probs, right


def palette_masks(folder, labels, **options):
    folder.mkdir()
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody")
    for at, mask in enumerate(labels):
        image = Image.fromarray(mask, "P")
        image.putpalette(sum(COLORS, ()))
        image.save(folder / f"{at}.png", pnginfo=info, dpi=(72, 72), **options)
    (folder / "notes.txt").write_text("keep me")


def grey_masks(folder, labels):
    folder.mkdir()
    for at, mask in enumerate(labels):
        Image.fromarray((mask * 50).astype(np.uint8)).save(folder / f"{at}.png")
    (folder.parent / "classes.txt").write_text("0 road\n50 car\n100 sky\n")


def deep_masks(folder, labels):
    folder.mkdir()
    for at, mask in enumerate(labels):
        Image.fromarray(mask.astype(np.uint16)).save(folder / f"{at}.png")


def colour_masks(folder, labels, channels=3):
    folder.mkdir()
    for at, mask in enumerate(labels):
        pixels = np.array(COLORS, dtype=np.uint8)[mask]
        if channels == 4:
            opacity = np.full((*mask.shape, 1), 200, np.uint8)
            pixels = np.concatenate([pixels, opacity], axis=2)
        Image.fromarray(pixels).save(folder / f"{at}.png")
    lines = [f"{name}:{r},{g},{b}::" for name, (r, g, b) in zip(NAMES, COLORS, strict=True)]
    (folder.parent / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\n" + "\n".join(lines)
    )


def translucent_masks(folder, labels):
    colour_masks(folder, labels, 4)


WRITERS = {
    "palette": (palette_masks, {"classes": NAMES}),
    "palette of two bits": (
        lambda folder, labels: palette_masks(folder, labels, bits=2),
        {"classes": NAMES},
    ),
    "grey values": (grey_masks, {}),
    "16 bits": (deep_masks, {"classes": NAMES}),
    "colours": (colour_masks, {"palette": "labelmap.txt"}),
    "colours with opacity": (translucent_masks, {"palette": "labelmap.txt"}),
}


def coco_file(labels):
    annotations = []
    for image, mask in enumerate(labels):
        for code in (1, 2):
            own = runs.of_mask(mask == code)
            if len(own):
                segmentation_ = {"size": list(mask.shape), "counts": runs.to_counts(own, mask.size)}
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image + 10,
                        "category_id": code * 7,
                        "iscrowd": 0,
                        "segmentation": segmentation_,
                    }
                )
    return {
        "info": {"year": 2024},
        "images": [
            {"id": at + 10, "file_name": f"{at}.jpg", "height": 12, "width": 16} for at in range(3)
        ],
        "categories": [{"id": 7, "name": "car"}, {"id": 14, "name": "sky"}],
        "annotations": annotations,
    }


def panoptic_files(folder, labels):
    """Write PNGs and JSON; return the annotations."""
    (folder / "panoptic").mkdir()
    annotations = []
    for at, mask in enumerate(labels):
        ids = np.array([0, 70000, 300])[mask]
        colors = np.stack([ids >> shift & 255 for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
        Image.fromarray(colors).save(folder / "panoptic" / f"{at}.png")
        info = [
            {"id": number, "category_id": category, "area": int((ids == number).sum())}
            for number, category in ((70000, 7), (300, 14))
            if (ids == number).any()
        ]
        annotations.append({"image_id": at, "file_name": f"{at}.png", "segments_info": info})
    content = {"categories": coco_file(labels)["categories"], "annotations": annotations}
    (folder / "panoptic.json").write_text(json.dumps(content))
    return annotations


def brush_tasks(labels):
    """Return tasks of Label Studio, the last one without an annotation."""
    tasks = []
    for at, mask in enumerate(labels):
        result = [
            {
                "id": f"{at}{code}",
                "type": "brushlabels",
                "from_name": "tag",
                "to_name": "image",
                "original_width": 16,
                "original_height": 12,
                "value": {
                    "format": "rle",
                    "rle": brush.encoded(mask == code),
                    "brushlabels": [NAMES[code]],
                },
            }
            for code in (1, 2)
        ]
        tasks.append(
            {"id": at, "data": {"image": f"/data/{at}.jpg"}, "annotations": [{"result": result}]}
        )
    tasks.append({"id": 9, "data": {}, "annotations": []})
    return tasks
