"""More shapes of the formats: other tools, predictions, packings, masks, and what checks COCO."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import healthy
import numpy as np
import pandas as pd
from healthy import BOXES, DATASETS, GIVEN, NAMES, SCHEME, TAGS, TOKENS, N, Words

__all__ = ["COCO", "VARIANTS"]

VARIANTS: dict[tuple[str, str], Callable[[Path], Words]] = {}
"""Of task and FORMAT-VARIANT."""
COCO: dict[tuple[str, str], Callable[[Path], Words]] = {}
"""What `check_coco` gets, and `fix_coco`."""


def variant(task: str, *names: str) -> Callable[[Any], Any]:
    def registered(make: Callable[[Path, str], Words]) -> Callable[[Path, str], Words]:
        for name in names:
            shape = name.partition("-")[2]
            VARIANTS[task, name] = lambda folder, shape=shape: make(folder, shape)
        return make

    return registered


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def stored(path: Path, kind: str, key: str = "pred_probs") -> Path:
    """Save an array as another kind of file of predictions."""
    values = np.load(path)
    out = path.with_name(f"other.{kind}")
    if kind == "npz":
        np.savez_compressed(out, **{key: values})
    elif kind == "zarr":
        import zarr

        array = zarr.open(str(out), mode="w", shape=values.shape, dtype=values.dtype)
        array[...] = values
    elif kind == "folder":
        out.mkdir()
        for at, each in enumerate(values):
            np.save(out / f"{at}.npy", each)
    elif kind == "nested.parquet":
        pd.DataFrame({"probs": list(values)}).to_parquet(out)
    else:
        frame = pd.DataFrame(values, columns=NAMES[: values.shape[1]])
        if kind == "parquet":
            frame.to_parquet(out)
        else:
            frame.to_csv(out, index=False)
    path.unlink()
    return out


PREDICTIONS = ("npz", "parquet", "csv", "csv.gz", "nested.parquet")


@variant("multiclass", *[f"csv-{kind}" for kind in PREDICTIONS])
def predicted(folder: Path, kind: str) -> Words:
    words = DATASETS["multiclass", "csv"](folder)
    return words | {"pred_probs": stored(words["pred_probs"], kind)}


def of_labels(folder: Path, kind: str) -> Words:
    words = DATASETS["multilabel", "csv"](folder)
    return words | {"pred_probs": stored(words["pred_probs"], kind)}


for _kind in PREDICTIONS:
    VARIANTS["multilabel", f"csv-{_kind}"] = lambda folder, kind=_kind: of_labels(folder, kind)


@variant("multiclass", "jsonl-numbers")
def class_numbers(folder: Path, _: str) -> Words:
    rows = [{"id": at, "label": at % 2, "text": None} for at in range(N)]
    path = lines(folder / "a.jsonl", rows)
    return {"path": path, "label": "label", "pred_probs": healthy.probs(folder, N)}


@variant("multiclass", "csv-gz")
def packed_table(folder: Path, _: str) -> Words:
    words = DATASETS["multiclass", "csv"](folder)
    packed = folder / "data.csv.gz"
    packed.write_bytes(gzip.compress(words["path"].read_bytes()))
    words["path"].unlink()
    return words | {"path": packed}


@variant("multiclass", "csv-text")
def without_predictions(folder: Path, _: str) -> Words:
    frame = pd.DataFrame(
        {"label": GIVEN, "text": ["a cat" if at % 2 else "dog" for at in range(N)]}
    )
    return {"path": healthy.table(frame, folder, "csv"), "label": "label", "text": ["text"]}


@variant("multilabel", "jsonl-lists", "csv-columns", "csv-hot")
def other_cells(folder: Path, shape: str) -> Words:
    tags = [["cat", "dog"] if at % 3 else ["dog"] for at in range(N)]
    hot = [[int("cat" in each), 1] for each in tags]
    words: Words = {"labels": ["tags"], "classes": NAMES}
    frame = pd.DataFrame({"id": range(N), "tags": tags})
    kind = "csv"
    if shape == "columns":
        frame, words = pd.DataFrame(hot, columns=NAMES), {"labels": NAMES}
    elif shape == "hot":
        frame["tags"] = [str(each) for each in hot]
    else:
        kind = "jsonl"
    path = healthy.table(frame, folder, kind)
    if shape == "lists":
        rows = frame.to_dict("records")
        path = lines(folder / "data.jsonl", rows)
    return {"path": path, **words, "pred_probs": healthy.probs(folder, N)}


@variant("multiannotator", "label_studio-short")
def short_studio(folder: Path, _: str) -> Words:
    rows = [
        {"id": at, "text": f"text {at}", "mood": GIVEN[at], "annotator": who,
         "annotation_id": at * 2 + who, "lead_time": 1.5, "created_at": "2024-01-01T00:00:00Z"}
        for at in range(N) for who in (1, 2)
    ]  # fmt: skip
    (folder / "studio.json").write_text(json.dumps(rows))
    return {"path": folder / "studio.json", "label": "mood"}


def short_of_classes(folder: Path) -> Words:
    words = short_studio(folder, "")
    rows = [{**row, "mood": {"choices": NAMES}} for row in json.loads(words["path"].read_text())]
    words["path"].write_text(json.dumps(rows[::2]))
    return {"path": words["path"], "labels": ["mood"], "pred_probs": healthy.probs(folder, N)}


VARIANTS["multilabel", "label_studio-short"] = short_of_classes


@variant("regression", "csv-npy", "csv-npz", "csv-file", "csv-features")
def numbers(folder: Path, kind: str) -> Words:
    words = DATASETS["regression", "csv"](folder)
    if kind == "features":
        return {"path": words["path"], "label": "price", "features": "says"}
    np.save(folder / "says.npy", np.arange(30.0))
    path = folder / "says.npy"
    if kind == "npz":
        path = stored(path, "npz", "predictions")
    elif kind == "file":
        path.unlink()
        path = folder / "says.csv"
        pd.DataFrame({"prediction": range(30)}).to_csv(path, index=False)
    return words | {"predictions": path}


@variant("multiannotator", "long-probs", "wide-numbers", "long-times")
def more_votes(folder: Path, shape: str) -> Words:
    frame = healthy.ballots()
    if shape == "probs":
        path = healthy.table(frame, folder, "csv")
        items = frame["task"].unique()
        says = pd.DataFrame({"id": items, "cat": 0.7, "dog": 0.3})
        says.to_csv(folder / "probs.csv", index=False)
        return {"path": path, "pred_probs": [folder / "probs.csv"]}
    if shape == "times":
        frame["time"] = pd.date_range("2024-01-01", periods=len(frame), freq="h").astype(str)
        frame["seconds"] = 3.5
        path = healthy.table(frame, folder, "csv")
        return {"path": path, "time": "time", "seconds": "seconds"}
    frame["answer"] = frame["answer"].map({"cat": 0, "dog": 1})
    wide = frame.pivot(index="task", columns="worker", values="answer").reset_index()
    wide.loc[0, "a"] = None
    return {"path": healthy.table(wide, folder, "csv"), "format": "wide", "item": "task"}


def span_row(tool: str, text: str, words: list[str]) -> Any:
    if tool == "doccano":
        return {"text": text, "label": [[0, 3, "PER"]]}
    if tool == "objects":
        entity = {"id": 1, "start_offset": 0, "end_offset": 3, "label": "PER"}
        return {"id": 3, "text": text, "entities": [entity], "relations": []}
    if tool == "spacy":
        return [text, {"entities": [[0, 3, "PER"]]}]
    if tool == "dataturks":
        points = [{"start": 0, "end": 2, "text": "Ann"}]
        return {"content": text, "annotation": [{"label": ["PER"], "points": points}]}
    if tool == "prodigy":
        ends = np.cumsum([len(word) + 1 for word in words])
        tokens = [
            {"text": word, "start": int(end) - 1 - len(word), "end": int(end) - 1, "id": at,
             "ws": True}
            for at, (word, end) in enumerate(zip(words, ends, strict=True))
        ]  # fmt: skip
        spans = [{"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}]
        return {"text": text, "tokens": tokens, "spans": spans, "answer": "accept"}
    value = {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}
    result = {"from_name": "a", "to_name": "b", "type": "labels", "id": "r", "value": value}
    return {"data": {"text": text}, "annotations": [{"result": [result]}]}


TOOLS = ("doccano", "objects", "spacy", "dataturks", "prodigy", "studio")


@variant("token", *[f"spans-{tool}" for tool in TOOLS])
def spans(folder: Path, tool: str) -> Words:
    rows = [span_row(tool, " ".join(words), words) for words in TOKENS]
    if tool in ("spacy", "studio"):
        path = folder / "a.json"
        path.write_text(json.dumps(rows))
    else:
        path = lines(folder / "a.jsonl", rows)
    return {"path": path, **healthy.of_tokens(folder)}


@variant("token", "jsonl-lines", "jsonl-padded", "jsonl-pieces", "conll-parquet")
def sentences(folder: Path, kind: str) -> Words:
    words = DATASETS["token", "conll" if kind == "parquet" else "jsonl"](folder)
    rows = [[[0.9 if SCHEME.index(tag) == j else 0.025 for j in range(5)] for tag in tags]
            for tags in TAGS]  # fmt: skip
    if kind == "padded":
        values = np.full((N, 3, 5), 0.2)
        for at, row in enumerate(rows):
            values[at, : len(row)] = row
        np.savez(folder / "probs.npz", pred_probs=values)
        (folder / "probs.npy").unlink()
        return words | {"pred_probs": folder / "probs.npz"}
    (folder / "probs.npy").unlink()
    if kind == "parquet":
        pd.DataFrame({"pred_probs": rows}).to_parquet(folder / "probs.parquet")
        return words | {"pred_probs": folder / "probs.parquet"}
    more = [{"word_ids": list(range(len(row)))} if kind == "pieces" else {} for row in rows]
    documents = [{"pred_probs": row, **each} for row, each in zip(rows, more, strict=True)]
    return words | {"pred_probs": lines(folder / "probs.jsonl", documents)}


@variant("detection", "yolo-images", "coco-table")
def more_boxes(folder: Path, shape: str) -> Words:
    from PIL import Image

    words = DATASETS["detection", "yolo" if shape == "images" else "coco"](folder)
    if shape == "table":
        return words | healthy.found_as_table(folder)
    (folder / "images").mkdir()
    for at in BOXES:
        Image.new("RGB", (20, 10)).save(folder / "images" / f"{at}.jpg")
    return words | {"images": folder / "images"}


def roboflow(folder: Path) -> Words:
    words = more_boxes(folder, "images")
    (folder / "train").mkdir()
    shutil.move(folder / "labels", folder / "train" / "labels")
    shutil.move(folder / "images", folder / "train" / "images")
    text = "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['cat', 'dog']\n"
    (folder / "data.yaml").write_text(text)
    return {"path": folder / "train", "predictions": words["predictions"],
            "names": folder / "data.yaml"}  # fmt: skip


def coco_with_images(folder: Path) -> Words:
    words = DATASETS["detection", "coco"](folder)
    from PIL import Image

    (folder / "images").mkdir()
    for at in BOXES:
        Image.new("RGB", (20, 10)).save(folder / "images" / f"{at}.jpg")
    return words | {"images": folder / "images"}


VARIANTS["detection", "coco-images"] = coco_with_images
VARIANTS["detection", "yolo-roboflow"] = roboflow


@variant("segmentation", "numpy-npz", "numpy-zarr", "numpy-folder", "masks-palette")
def more_masks(folder: Path, shape: str) -> Words:
    from PIL import Image

    words = DATASETS["segmentation", "numpy"](folder)
    if shape in ("npz", "zarr"):
        pixels = folder / "masks.npz"
        np.savez_compressed(pixels, masks=np.load(words["path"]))
        words["path"].unlink()
        return words | {"path": pixels, "pred_probs": stored(words["pred_probs"], shape)}
    folder_of_masks = folder / "masks"
    folder_of_masks.mkdir()
    words["path"].unlink()
    for at in range(3):
        if shape == "folder":
            Image.fromarray(healthy.mask()).save(folder_of_masks / f"{at}.png")
        else:
            colours = np.array([[0, 0, 0], [200, 10, 10]], dtype=np.uint8)[healthy.mask()]
            Image.fromarray(colours).save(folder_of_masks / f"{at}.png")
    words |= {"path": folder_of_masks}
    if shape == "folder":
        return words | {"pred_probs": stored(words["pred_probs"], "folder")}
    if shape == "palette":
        (folder / "palette.txt").write_text("cat 0 0 0\ndog 200 10 10\n")
        del words["classes"]
        return words | {"palette": folder / "palette.txt"}
    return words


def run_lengths() -> Any:
    from pycocotools import mask as coco_masks

    packed = coco_masks.encode(np.asfortranarray(healthy.mask()))
    return {"size": [10, 20], "counts": packed["counts"].decode()}


@variant("segmentation", "coco-instances", "coco-packed", "coco-counts")
def instances(folder: Path, shape: str) -> Words:
    area = run_lengths()
    if shape == "counts":
        area = {"size": [10, 20], "counts": [5] * 40}
    path = healthy.coco(folder, bbox=[0, 5, 20, 5], area=100, iscrowd=0, segmentation=area)
    if shape == "instances":
        rows = [
            {"image_id": at, "category_id": 1 + at % 2, "score": 0.9, "segmentation": area}
            for at in range(N)
        ]
        (folder / "results.json").write_text(json.dumps(rows))
        return {"path": path, "predictions": folder / "results.json"}
    values = np.full((N, 3, 10, 20), 0.05)
    values[:, 0] = 0.9
    np.save(folder / "probs.npy", values)
    return {"path": path, "pred_probs": folder / "probs.npy"}


def coco(name: str) -> Callable[[Any], Any]:
    def registered(make: Callable[[Path], Words]) -> Callable[[Path], Words]:
        COCO["coco", name] = make
        return make

    return registered


@coco("boxes")
def boxes_to_check(folder: Path) -> Words:
    outline = [[2, 3, 9, 3, 9, 9, 2, 9]]
    path = healthy.coco(folder, bbox=[2, 3, 7, 6], area=42, iscrowd=0, segmentation=outline)
    return {"path": path, **healthy.of_boxes(folder)}


@coco("masks")
def masks_to_check(folder: Path) -> Words:
    words = instances(folder, "instances")
    return {"path": words["path"], "predictions": words["predictions"]}


@coco("images")
def images_to_check(folder: Path) -> Words:
    words = coco_with_images(folder)
    del words["predictions"]
    return words


@coco("panoptic")
def panoptic_to_check(folder: Path) -> Words:
    return {"path": DATASETS["segmentation", "panoptic"](folder)["path"]}
