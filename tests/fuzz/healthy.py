"""A small healthy dataset of every format of every task, with the command that audits it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["DATASETS"]

Words = dict[str, Any]
N = 12
NAMES = ["cat", "dog"]
GIVEN = [NAMES[at % 2] for at in range(N)]
DATASETS: dict[tuple[str, str], Callable[[Path], Words]] = {}


def dataset(task: str, *formats: str) -> Callable[[Any], Any]:
    def registered(make: Callable[[Path, str], Words]) -> Callable[[Path, str], Words]:
        for name in formats:
            DATASETS[task, name] = lambda folder, name=name: make(folder, name)
        return make

    return registered


def table(frame: pd.DataFrame, folder: Path, kind: str) -> Path:
    """Write a table in one of the formats that all tasks read."""
    path = folder / f"data.{kind}"
    if kind in ("csv", "tsv"):
        frame.to_csv(path, index=False, sep="," if kind == "csv" else "\t")
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif kind == "parquet":
        frame.to_parquet(path, index=False)
    else:
        import pyarrow as pa

        path.mkdir()
        arrow = pa.Table.from_pandas(frame, preserve_index=False)
        with pa.OSFile(str(path / "data-00000-of-00001.arrow"), "wb") as file:
            with pa.ipc.new_stream(file, arrow.schema) as writer:
                writer.write_table(arrow)
        (path / "state.json").write_text(
            json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})
        )
        (path / "dataset_info.json").write_text(json.dumps({"features": {}}))
    return path


TABLES = ("csv", "tsv", "jsonl", "parquet", "huggingface")


def probs(folder: Path, rows: int, k: int = 2) -> Path:
    values = np.full((rows, k), 0.1 / (k - 1))
    values[np.arange(rows), np.arange(rows) % k] = 0.9
    values[1] = values[1][::-1]
    np.save(folder / "probs.npy", values)
    return folder / "probs.npy"


@dataset("multiclass", *TABLES)
def classes(folder: Path, kind: str) -> Words:
    frame = pd.DataFrame({"id": [f"r{at}" for at in range(N)], "label": GIVEN, "text": "a text"})
    return {"path": table(frame, folder, kind), "label": "label", "pred_probs": probs(folder, N)}


@dataset("multiclass", "image_folder")
def images(folder: Path, _: str) -> Words:
    from PIL import Image

    for at, name in enumerate(GIVEN):
        place = folder / "images" / name
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (at, 0, 0)).save(place / f"{at:02d}.png")
    values = np.tile([0.9, 0.1], (N, 1))
    values[N // 2 :] = [0.1, 0.9]
    np.save(folder / "probs.npy", values)
    return {"path": folder / "images", "pred_probs": folder / "probs.npy"}


@dataset("multilabel", *TABLES)
def lists_of_classes(folder: Path, kind: str) -> Words:
    tags = ["cat|dog" if at % 3 else "dog" for at in range(N)]
    frame = pd.DataFrame({"id": range(N), "text": "a text", "tags": tags})
    words = {"labels": ["tags"], "classes": NAMES, "pred_probs": probs(folder, N)}
    return {"path": table(frame, folder, kind), **words}


@dataset("multilabel", "numpy")
def indicator(folder: Path, _: str) -> Words:
    np.save(folder / "labels.npy", np.eye(2, dtype=np.int64)[np.arange(N) % 2])
    return {"path": folder / "labels.npy", "pred_probs": probs(folder, N)}


@dataset("multilabel", "arff")
def arff(folder: Path, _: str) -> Words:
    head = "@relation 'a: -C 2'\n@attribute cat {0,1}\n@attribute dog {0,1}\n@attribute x numeric\n"
    rows = "".join(f"{at % 2},{1 - at % 2},{at}.5\n" for at in range(N))
    (folder / "a.arff").write_text(f"{head}@data\n{rows}")
    return {"path": folder / "a.arff", "labels": NAMES, "pred_probs": probs(folder, N)}


def coco(folder: Path, **more: Any) -> Path:
    document = {
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "images": [
            {"id": at, "file_name": f"{at}.jpg", "width": 20, "height": 10} for at in range(N)
        ],
        "annotations": [
            {"id": at, "image_id": at, "category_id": 1 + at % 2, **more} for at in range(N)
        ],
    }
    (folder / "coco.json").write_text(json.dumps(document))
    return folder / "coco.json"


@dataset("multilabel", "coco")
def coco_of_classes(folder: Path, _: str) -> Words:
    return {"path": coco(folder), "pred_probs": probs(folder, N)}


def label_studio(folder: Path, **result: Any) -> Path:
    tasks = [
        {
            "id": at,
            "data": {"text": f"text {at}", "image": f"{at}.png"},
            "annotations": [
                {
                    "id": at,
                    "completed_by": who,
                    "result": [
                        {"from_name": "a", "to_name": "b", **result, "id": f"{at}{who}"}
                        | ({"value": {"choices": [GIVEN[at]]}} if "value" not in result else {})
                    ],
                }
                for who in (1, 2)
            ],
        }
        for at in range(N)
    ]
    (folder / "studio.json").write_text(json.dumps(tasks))
    return folder / "studio.json"


@dataset("multilabel", "label_studio")
def studio_of_classes(folder: Path, _: str) -> Words:
    return {"path": label_studio(folder, type="choices"), "pred_probs": probs(folder, N)}


@dataset("regression", *TABLES)
def values(folder: Path, kind: str) -> Words:
    frame = pd.DataFrame({"price": [at * 1.5 for at in range(30)], "says": range(30)})
    return {"path": table(frame, folder, kind), "label": "price", "predictions": "says"}


def ballots() -> pd.DataFrame:
    rows = [(f"t{at}", who, GIVEN[at] if who != "c" else "cat") for at in range(N) for who in "abc"]
    return pd.DataFrame(rows, columns=["task", "worker", "answer"])


@dataset("multiannotator", *TABLES, "long")
def votes(folder: Path, kind: str) -> Words:
    return {"path": table(ballots(), folder, "csv" if kind == "long" else kind)}


@dataset("multiannotator", "wide")
def votes_by_annotator(folder: Path, _: str) -> Words:
    wide = ballots().pivot(index="task", columns="worker", values="answer").reset_index()
    return {"path": table(wide, folder, "csv"), "format": "wide", "item": "task"}


@dataset("multiannotator", "lists", "counts")
def votes_by_item(folder: Path, kind: str) -> Words:
    row: Words = {"annotators": ["a", "b", "c"], "labels": ["cat", "dog", "cat"]}
    if kind == "counts":
        row = {"cat": 2, "dog": 1}
    lines = [json.dumps({"id": at, **row}) for at in range(N)]
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n")
    return {"path": folder / "data.jsonl", "format": kind}


@dataset("multiannotator", "prodigy", "doccano")
def votes_of_tools(folder: Path, kind: str) -> Words:
    rows: list[Any] = [
        {"text": f"text {at}", "_input_hash": at, "accept": [GIVEN[at]], "answer": "accept",
         "_session_id": f"set-{who}"}
        for at in range(N) for who in "ab"
    ]  # fmt: skip
    if kind == "doccano":
        rows = [
            {"id": at, "text": f"text {at}", "annotations": [
                {"label": 1 + at % 2, "user": who} for who in (1, 2)]}
            for at in range(N)
        ]  # fmt: skip
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return {"path": folder / "data.jsonl"}


@dataset("multiannotator", "label_studio")
def studio_of_votes(folder: Path, _: str) -> Words:
    return {"path": label_studio(folder, type="choices")}


TOKENS = [["Ann", "saw", "Rome"], ["Bob", "ran"]] * 6
TAGS = [["B-PER", "O", "B-LOC"], ["B-PER", "O"]] * 6
SCHEME = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def of_tokens(folder: Path) -> Words:
    lengths = [len(each) for each in TOKENS]
    values = np.full((sum(lengths), 5), 0.025)
    flat = [tag for tags in TAGS for tag in tags]
    values[np.arange(len(flat)), [SCHEME.index(tag) for tag in flat]] = 0.9
    np.save(folder / "probs.npy", values)
    return {"pred_probs": folder / "probs.npy", "classes": SCHEME}


@dataset("token", "jsonl", "parquet", "huggingface")
def tokens_in_tables(folder: Path, kind: str) -> Words:
    frame = pd.DataFrame({"tokens": TOKENS, "ner_tags": TAGS})
    return {"path": table(frame, folder, kind), **of_tokens(folder)}


@dataset("token", "conll")
def conll(folder: Path, _: str) -> Words:
    sentences = [
        "".join(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True))
        for words, tags in zip(TOKENS, TAGS, strict=True)
    ]
    (folder / "a.conll").write_text("\n".join(sentences))
    return {"path": folder / "a.conll", **of_tokens(folder)}


@dataset("token", "spans")
def spans(folder: Path, _: str) -> Words:
    rows = [{"text": " ".join(words), "spans": [{"start": 0, "end": 3, "label": "PER"}]}
            for words in TOKENS]  # fmt: skip
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return {"path": folder / "a.jsonl", **of_tokens(folder)}


@dataset("token", "spacy_json")
def spacy_json(folder: Path, _: str) -> Words:
    sentences = [
        {"tokens": [{"id": at, "orth": word, "ner": "U-PER" if at == 0 else "O"}
                    for at, word in enumerate(words)]}
        for words in TOKENS
    ]  # fmt: skip
    document = [{"id": 0, "paragraphs": [{"raw": None, "sentences": sentences}]}]
    (folder / "a.json").write_text(json.dumps(document))
    return {"path": folder / "a.json", **of_tokens(folder)}


BOXES = {at: [(at % 2, 2, 3, 9, 9), (1, 10, 1, 18, 6)] for at in range(N)}


def of_boxes(folder: Path) -> Words:
    rows = [
        {"image_id": at, "category_id": 1 + box[0], "score": 0.9, "file_name": f"{at}.jpg",
         "bbox": [box[1], box[2], box[3] - box[1], box[4] - box[2]]}
        for at, boxes in BOXES.items() for box in boxes
    ]  # fmt: skip
    (folder / "results.json").write_text(json.dumps(rows))
    return {"predictions": folder / "results.json"}


@dataset("detection", "coco")
def coco_of_boxes(folder: Path, _: str) -> Words:
    return {"path": coco(folder, bbox=[2, 3, 7, 6], area=42, iscrowd=0), **of_boxes(folder)}


@dataset("detection", "yolo")
def yolo(folder: Path, _: str) -> Words:
    for place, score in (("labels", ""), ("found", " 0.9")):
        (folder / place).mkdir()
        for at in BOXES:
            line = f"{at % 2} 0.3 0.5 0.2 0.4{score}\n"
            (folder / place / f"{at}.txt").write_text(line)
    (folder / "data.yaml").write_text("nc: 2\nnames: [cat, dog]\n")
    return {"path": folder / "labels", "predictions": folder / "found"}


@dataset("detection", "voc")
def voc(folder: Path, _: str) -> Words:
    (folder / "xml").mkdir()
    for at in BOXES:
        (folder / "xml" / f"{at}.xml").write_text(
            f"<annotation><filename>{at}.jpg</filename><size><width>20</width><height>10</height>"
            f"</size><object><name>{GIVEN[at]}</name><bndbox><xmin>2</xmin><ymin>3</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>\n"
        )
    return {"path": folder / "xml", **found_as_table(folder)}


def found_as_table(folder: Path) -> Words:
    rows = [(f"{at}.jpg", GIVEN[at], 2, 3, 9, 9, 0.9) for at in range(N)]
    names = ["image", "class", "xmin", "ymin", "xmax", "ymax", "score"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "found.csv", index=False)
    return {"predictions": folder / "found.csv"}


@dataset("detection", "csv", "tsv", "parquet")
def boxes_in_tables(folder: Path, kind: str) -> Words:
    words = found_as_table(folder)
    frame = pd.read_csv(folder / "found.csv").drop(columns="score")
    return {"path": table(frame, folder, kind), **words}


@dataset("detection", "lvis")
def lvis(folder: Path, _: str) -> Words:
    path = coco(folder, bbox=[2, 3, 7, 6], area=42)
    document = json.loads(path.read_text())
    for image in document["images"]:
        image |= {"neg_category_ids": [2], "not_exhaustive_category_ids": []}
    path.write_text(json.dumps(document))
    return {"path": path, **of_boxes(folder)}


@dataset("detection", "open_images")
def open_images(folder: Path, _: str) -> Words:
    return {"path": shares(folder), "predictions": folder / "found.csv"}


def shares(folder: Path) -> Path:
    """Write boxes in shares of the image, and the same as predictions beside them."""
    rows = [(str(at), GIVEN[at], 0.1, 0.45, 0.3, 0.9) for at in range(N)]
    names = ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"]
    frame = pd.DataFrame(rows, columns=names)
    frame.assign(Score=0.9).to_csv(folder / "found.csv", index=False)
    return table(frame, folder, "csv")


@dataset("detection", "text", "text_xywh", "text_cxcywh")
def boxes_as_text(folder: Path, kind: str) -> Words:
    (folder / "texts").mkdir()
    for at in range(N):
        (folder / "texts" / f"{at}.txt").write_text(
            f"{GIVEN[at]} " + ("0.3 0.5 0.2 0.4\n" if kind == "text_cxcywh" else "2 3 9 9\n")
        )
    if kind == "text_cxcywh":
        predictions = shares(folder).with_name("found.csv")
    else:
        predictions = found_as_table(folder)["predictions"]
    return {"path": folder / "texts", "format": kind, "predictions": predictions}


@dataset("detection", "label_studio")
def studio_of_boxes(folder: Path, _: str) -> Words:
    value = {"x": 10, "y": 30, "width": 35, "height": 60, "rectanglelabels": ["cat"], "rotation": 0}
    more = {"type": "rectanglelabels", "original_width": 20, "original_height": 10, "value": value}
    rows = [(f"{at}.png", "cat", 2, 3, 9, 9, 0.9) for at in range(N)]
    words = found_as_table(folder)
    names = ["image", "class", "xmin", "ymin", "xmax", "ymax", "score"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "found.csv", index=False)
    return {"path": label_studio(folder, **more), **words}


def of_pixels(folder: Path, images: int = 3) -> Words:
    values = np.full((images, 2, 10, 20), 0.1)
    values[:, 0, :5] = values[:, 1, 5:] = 0.9
    np.save(folder / "probs.npy", values)
    return {"pred_probs": folder / "probs.npy", "classes": NAMES}


def mask() -> np.ndarray[Any, Any]:
    pixels = np.zeros((10, 20), dtype=np.uint8)
    pixels[5:] = 1
    return pixels


@dataset("segmentation", "masks")
def masks(folder: Path, _: str) -> Words:
    from PIL import Image

    (folder / "masks").mkdir()
    for at in range(3):
        Image.fromarray(mask()).save(folder / "masks" / f"{at}.png")
    return {"path": folder / "masks", **of_pixels(folder)}


@dataset("segmentation", "numpy")
def arrays(folder: Path, _: str) -> Words:
    np.save(folder / "masks.npy", np.stack([mask()] * 3))
    return {"path": folder / "masks.npy", **of_pixels(folder)}


@dataset("segmentation", "coco")
def coco_of_masks(folder: Path, _: str) -> Words:
    outline = [[2, 3, 9, 3, 9, 9, 2, 9]]
    path = coco(folder, bbox=[2, 3, 7, 6], area=42, iscrowd=0, segmentation=outline)
    values = np.full((N, 3, 10, 20), 0.05)
    values[:, 0] = 0.9
    np.save(folder / "probs.npy", values)
    return {"path": path, "pred_probs": folder / "probs.npy"}


@dataset("segmentation", "panoptic")
def panoptic(folder: Path, _: str) -> Words:
    from PIL import Image

    (folder / "panoptic").mkdir()
    document = json.loads(coco(folder).read_text())
    document["images"] = document["images"][:3]
    document["annotations"] = []
    for at in range(3):
        pixels = np.zeros((10, 20, 3), dtype=np.uint8)
        pixels[..., 0] = mask() + 1
        Image.fromarray(pixels).save(folder / "panoptic" / f"{at}.png")
        segments = [
            {"id": half, "category_id": half, "area": 100, "iscrowd": 0, "bbox": [0, 0, 20, 10]}
            for half in (1, 2)
        ]
        document["annotations"].append(
            {"image_id": at, "file_name": f"{at}.png", "segments_info": segments}
        )
    (folder / "panoptic.json").write_text(json.dumps(document))
    (folder / "coco.json").unlink()
    values = np.full((3, 3, 10, 20), 0.05)
    values[:, 1, :5] = values[:, 2, 5:] = 0.9
    np.save(folder / "probs.npy", values)
    return {"path": folder / "panoptic.json", "pred_probs": folder / "probs.npy"}


@dataset("segmentation", "label_studio")
def studio_of_masks(folder: Path, _: str) -> Words:
    from goldlabel.tasks.segmentation.formats.brush import encoded

    value = {"format": "rle", "rle": encoded(mask() > 0), "brushlabels": ["cat"]}
    more = {"type": "brushlabels", "original_width": 20, "original_height": 10, "value": value}
    path = label_studio(folder, **more)
    return {"path": path, "pred_probs": of_pixels(folder, N)["pred_probs"]}


@dataset("token", "docbin")
def docbin(folder: Path, _: str) -> Words:
    import spacy
    from spacy.tokens import Doc, DocBin

    nlp = spacy.blank("en")
    store = DocBin()
    for words, tags in zip(TOKENS, TAGS, strict=True):
        store.add(Doc(nlp.vocab, words=words, ents=tags))
    store.to_disk(folder / "a.spacy")
    return {"path": folder / "a.spacy", **of_tokens(folder)}
