"""The formats of annotations and of predictions: how each is recognised, read and written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from goldlabel.formats.head import Head
from goldlabel.formats.known import is_coco, is_coco_results, is_label_studio, is_parquet
from goldlabel.formats.registry import Format, Formats
from goldlabel.tasks.detection.formats import coco, label_studio, rows, text, voc
from goldlabel.tasks.detection.formats.folders import files_of
from goldlabel.tasks.detection.formats.listed import Listed
from goldlabel.tasks.detection.formats.options import (
    CocoKeys,
    RowKeys,
    StudioKeys,
    TextKeys,
    VocKeys,
)

__all__ = ["FORMATS", "PREDICTIONS", "Asked"]


class Asked(NamedTuple):
    """What the caller says of a file of boxes; of one that is read again, what it was then.

    `classes` are in the order of their numbers; no file that names them is sought then.
    """

    names: Path | None
    encoding: str | None
    classes: tuple[str, ...] | None = None
    layout: str | None = None


def _text(layout: str | None, *, scored: bool = False) -> Callable[[Path, Asked], Listed]:
    return lambda path, asked: text.read(
        path, asked.layout or layout, names=asked.names, told=asked.classes, scored=scored
    )


def _table(*, scored: bool) -> Callable[[Path, Asked], Listed]:
    return lambda path, asked: rows.read(path, scored=scored, encoding=asked.encoding)


def _coco(path: Path, asked: Asked) -> Listed:
    return coco.read(path, encoding=asked.encoding)


def _never(head: Head) -> bool:
    """Say no: the name is for those who ask for it, or for what was read as it."""
    return False


_PARQUET = "a Parquet table"
_TEXT_FOLDER = "a folder of text files with boxes"

FORMATS: Formats[Asked, Listed] = Formats(
    "detection",
    Format("coco", "a COCO file", is_coco, _coco, coco.export, CocoKeys),
    Format("lvis", "an LVIS file", _never, _coco, coco.export, CocoKeys),
    Format("yolo", "YOLO's labels", _never, _text("yolo"), text.export, TextKeys, is_folder=True),
    Format(
        "voc", "Pascal VOC's XML", lambda head: bool(files_of(head.path, ".xml")),
        lambda path, asked: voc.read(path, names=asked.names, told=asked.classes), voc.export,
        VocKeys, is_folder=True,
    ),
    Format(
        "open_images", "a table of Open Images", _never, _table(scored=False), rows.export, RowKeys,
    ),
    Format(
        "label_studio", "an export of Label Studio", is_label_studio,
        lambda path, asked: label_studio.read(path, encoding=asked.encoding),
        label_studio.export, StudioKeys,
    ),
    Format("text", _TEXT_FOLDER, None, _text(None), text.export, TextKeys, is_folder=True),
    Format(
        "text_xywh", _TEXT_FOLDER, _never, _text("text_xywh"), text.export, TextKeys,
        is_folder=True,
    ),
    Format(
        "text_cxcywh", _TEXT_FOLDER, _never, _text("text_cxcywh"), text.export, TextKeys,
        is_folder=True,
    ),
    Format("csv", "a table", None, _table(scored=False), rows.export, RowKeys),
    Format("tsv", "a table", _never, _table(scored=False), rows.export, RowKeys),
    Format("parquet", _PARQUET, is_parquet, _table(scored=False), rows.export, RowKeys),
)  # fmt: skip
"""The formats of annotations."""

PREDICTIONS: Formats[Asked, Listed] = Formats(
    "detection-predictions",
    Format(
        "coco_results", "COCO results", is_coco_results,
        lambda path, asked: coco.read_results(path, encoding=asked.encoding),
    ),
    Format(
        "coco", "a COCO file with scores", is_coco,
        lambda path, asked: coco.read_scored(path, encoding=asked.encoding),
    ),
    Format("yolo", "YOLO's labels with scores", _never, _text("yolo", scored=True), is_folder=True),
    Format("text", _TEXT_FOLDER, None, _text(None, scored=True), is_folder=True),
    Format("text_xywh", _TEXT_FOLDER, _never, _text("text_xywh", scored=True), is_folder=True),
    Format("text_cxcywh", _TEXT_FOLDER, _never, _text("text_cxcywh", scored=True), is_folder=True),
    Format("csv", "a table", None, _table(scored=True)),
    Format("parquet", _PARQUET, is_parquet, _table(scored=True)),
    option="predictions_format",
)  # fmt: skip
"""The formats of predictions."""
