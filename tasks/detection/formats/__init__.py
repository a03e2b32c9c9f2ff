"""Native formats of detection: read into the container, and written back corrected.

`coco`, `text` (with YOLO), `voc`, `rows` (with Open Images) and `label_studio` each read their own
files into a `listed.Listed`; `joining` puts annotations of one together with predictions of
another; `names` and `pictures` read what lies beside them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldlabel.errors import InputError
from goldlabel.formats.coco.recognising import kind_of_coco
from goldlabel.formats.json.text import parse
from goldlabel.formats.tables import read_table
from goldlabel.formats.text import (
    check_file,
    first_bytes,
    is_folder,
    read_text,
)
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.findings import CORNERS
from goldlabel.tasks.detection.formats import coco, label_studio, rows, text, voc
from goldlabel.tasks.detection.formats.folders import files_of
from goldlabel.tasks.detection.formats.joining import joined
from goldlabel.tasks.detection.formats.listed import Change, Listed
from goldlabel.tasks.detection.formats.pictures import Pictures, picture_folder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "PREDICTIONS", "export", "read"]

FORMATS = (
    "coco", "lvis", "yolo", "voc", "open_images", "label_studio",
    "text", "text_xywh", "text_cxcywh", "csv", "parquet",
)  # fmt: skip
"""Names of the formats of annotations."""
PREDICTIONS = (
    "coco_results", "yolo", "text", "text_xywh", "text_cxcywh", "csv", "parquet",
)  # fmt: skip
"""Names of the formats of predictions."""

_ACTIONS = ("add", "move", "relabel", "remove")


def read(
    path: str | Path,
    *,
    predictions: str | Path | None = None,
    images: str | Path | None = None,
    format: str | None = None,
    predictions_format: str | None = None,
    classes: Sequence[str] | None = None,
    names: str | Path | None = None,
    encoding: str | None = None,
) -> DetectionData:
    r"""Read annotated boxes, and predicted ones if there are any.

    Parameters
    ----------
    path : str or Path
        A COCO or LVIS file, an export of Label Studio, a table (CSV or Parquet, Open Images); or a
        folder of YOLO, Pascal VOC XML, or other text files, one for each image.
    predictions : str or Path, optional
        COCO results, a table with scores, or a folder of text files with scores. Matched to the
        images by id or by file name.
    images : str or Path, optional
        Folder of the pictures. If not given: "images" or "JPEGImages" in or beside that of the
        annotations.
    format, predictions_format : str, optional
        One of `FORMATS`, `PREDICTIONS`, in place of what the content looks like.
    classes : sequence of str, optional
        Class names in the order of their numbers.
    names : str or Path, optional
        File of class names: one a line, or data.yaml.
    encoding : str, optional
        Encoding of a text file, in place of UTF-8.

    Returns
    -------
    DetectionData

    Raises
    ------
    InputError
        A file can't be read, or what it holds does not fit; says which file and entry.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "cat1.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    >>> data = read(folder, classes=["cat"])
    >>> data.labels, data.classes, data.is_relative
    (<Boxes: 1 in 1 images>, ('cat',), True)
    """
    path = Path(path)
    if isinstance(classes, str):
        raise InputError("classes", f"is the text {classes!r}", "Pass a list of names")
    named = None if names is None else check_file(names)
    given = _annotations(path, format, named, encoding)
    found = None
    if predictions is not None:
        found = _predictions(Path(predictions), predictions_format, named, classes, given, encoding)
    folder = Path(images) if images is not None else picture_folder(path)
    pictures = None if folder is None else Pictures(folder, told=images is not None)
    return joined(given, found, classes=classes, pictures=pictures)


def _annotations(
    path: Path, format: str | None, names: Path | None, encoding: str | None
) -> Listed:
    if format is not None and format not in FORMATS:
        raise InputError("format", f"is {format!r}, not one of {', '.join(FORMATS)}", "Use one")
    if is_folder(path):
        kind = format or ("voc" if files_of(path, ".xml") else None)
        if kind == "voc":
            return voc.read(path, names=names)
        if kind in (None, *text.LAYOUTS):
            return text.read(path, kind, names=names)
        raise InputError(str(path), f"is a folder, and {kind} is a file", "Name the file")
    kind = format or _kind_of_file(path, encoding)
    if kind in ("coco", "lvis"):
        return coco.read(path, encoding=encoding)
    if kind == "label_studio":
        return label_studio.read(path, encoding=encoding)
    if kind in ("open_images", "csv", "parquet"):
        return rows.read(path, scored=False, encoding=encoding)
    if kind == "coco_results":
        raise InputError(
            str(path), "is a file of COCO results", "Name the annotations, and this as predictions"
        )
    raise InputError(str(path), f"is a file, and {kind} is a folder", "Name the folder")


def _predictions(
    path: Path,
    format: str | None,
    names: Path | None,
    classes: Sequence[str] | None,
    given: Listed,
    encoding: str | None,
) -> Listed:
    if format is not None and format not in PREDICTIONS:
        raise InputError(
            "predictions_format", f"is {format!r}, not one of {', '.join(PREDICTIONS)}", "Use one"
        )
    if is_folder(path):
        if format not in (None, *text.LAYOUTS):
            raise InputError(str(path), f"is a folder, and {format} is a file", "Name the file")
        listed = text.read(path, format, names=names)
        return listed if classes is None else _renamed(listed, classes)
    kind = format or _kind_of_file(path, encoding)
    if kind == "coco_results":
        listed = coco.read_results(path, encoding=encoding)
        return listed if classes is None else _renamed(listed, classes)
    if kind in ("open_images", "csv", "parquet"):
        return rows.read(path, scored=True, encoding=encoding)
    raise InputError(
        str(path),
        f"looks like {kind}, which has no scores",
        "Name COCO results, a table with scores, or a folder of text files with scores",
    )


def _renamed(listed: Listed, classes: Sequence[str]) -> Listed:
    """Give names to classes that have numbers: 0, 1, ... or, in COCO results, also 1, 2, ..."""
    from dataclasses import replace

    if listed.is_named or not listed.codes:
        return listed
    try:
        numbers = [int(code) for code in listed.codes]
    except ValueError:
        return listed
    first = 1 if listed.source.format == "coco_results" and max(numbers) == len(classes) else 0
    if min(numbers) < first or max(numbers) - first >= len(classes):
        return listed
    return replace(listed, classes=tuple(classes[at - first] for at in numbers), is_named=True)


def _kind_of_file(path: Path, encoding: str | None) -> str:
    if first_bytes(check_file(path)).startswith(b"PAR1"):
        return "parquet"
    data = read_text(path, encoding=encoding).data
    if data[:4096].lstrip()[:1] in (b"{", b"["):
        kind = kind_of_coco(data)
        if kind is not None:
            return "coco_results" if kind == "results" else "coco"
        if label_studio.looks_like(parse(data.decode("utf-8"), str(path))):
            return "label_studio"
        raise InputError(
            str(path),
            "is JSON, and no COCO file, COCO results or export of Label Studio",
            "Say what it is with the option format",
        )
    table = read_table(path, encoding=encoding)
    if not rows.looks_like([str(name) for name in table.frame.columns]):
        rows.read(path, scored=False, encoding=encoding)  # says which columns are missing
    return "csv"


_EXPORTS = {
    "coco": coco.export,
    "label_studio": label_studio.export,
    "voc": voc.export,
    "yolo": text.export,
    "text": text.export,
    "csv": rows.export,
    "tsv": rows.export,
    "parquet": rows.export,
}


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some boxes changed, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of `DetectionData`.
    corrections : DataFrame
        A row per change: ``example`` and ``part`` (positions), ``action`` ("add", "move",
        "relabel", "remove"; without it every row is a "relabel"), ``suggested`` (class name) and
        ``x1``, ``y1``, ``x2``, ``y2``, in the units of the annotations, where a box is new.
    out : str or Path
        File to write, or a new folder where the dataset is one.

    Raises
    ------
    InputError
        A correction names no image, box or class, the dataset changed since it was read, or `out`
        can't be written. Nothing is written then.
    """
    if source.format not in _EXPORTS:
        raise InputError("source", f"has the format {source.format!r}", "Use that of read")
    _EXPORTS[source.format](source, _changes(source, corrections), Path(out))


def _changes(source: Source, corrections: pd.DataFrame) -> Mapping[int, list[Change]]:
    """Return what is to be done to each image."""
    for column in ("example", "part", "suggested"):
        if column not in corrections:
            raise InputError("corrections", f"has no column {column!r}", "Add it")
    place = {name: at for at, name in enumerate(source.options["classes"])}
    counts = source.options["counts"]
    found: dict[int, list[Change]] = {}
    seen: set[tuple[int, int]] = set()
    for row, entry in enumerate(corrections.to_dict("records")):
        where = f"corrections: row {row + 1}"
        example, part = int(entry["example"]), int(entry["part"])
        action = str(entry.get("action", "relabel"))
        if not 0 <= example < len(counts):
            raise InputError(where, f"names image {example}, which is none", "Use positions")
        if action not in _ACTIONS or (action != "add" and not 0 <= part < counts[example]):
            raise InputError(
                where, f"says to {action!r} box {part} of image {example}, of {counts[example]}",
                f"Use {', '.join(_ACTIONS)}, and numbers of boxes",
            )  # fmt: skip
        if (example, part) in seen:
            raise InputError(where, f"changes box {part} of image {example} again", "Leave one row")
        seen.add((example, part))
        label = place.get(str(entry["suggested"]), -1)
        if label < 0 and action in ("add", "relabel"):
            raise InputError(
                where, f"suggests {entry['suggested']!r}, which is no class", "Use one"
            )
        box = _new_box(entry, where) if action in ("add", "move") else (math.nan,) * 4
        found.setdefault(example, []).append(Change(part, action, label, box))
    return found


def _new_box(entry: Mapping[Any, Any], where: str) -> tuple[float, float, float, float]:
    corners = [float(entry.get(name, math.nan)) for name in CORNERS]
    x1, y1, x2, y2 = corners
    if not all(map(math.isfinite, corners)) or x2 < x1 or y2 < y1:
        raise InputError(where, f"has the box {corners}", f"Fill in {', '.join(CORNERS)}")
    return x1, y1, x2, y2
