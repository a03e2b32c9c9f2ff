"""Native formats of detection: read into the container, and written back corrected.

`coco`, `text` (with YOLO), `voc`, `rows` (with Open Images) and `label_studio` each read their own
files into a `listed.Listed`; `joining` puts annotations of one together with predictions of
another; `names` and `pictures` read what lies beside them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldlabel.errors import InputError
from goldlabel.formats.changes import class_value, each_correction
from goldlabel.formats.head import Head
from goldlabel.formats.known import is_label_studio
from goldlabel.formats.text import check_file
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.formats.joining import as_audited, joined
from goldlabel.tasks.detection.formats.listed import Change, Listed, fault_of, short
from goldlabel.tasks.detection.formats.pictures import Pictures, picture_folder
from goldlabel.tasks.detection.formats.table import FORMATS, PREDICTIONS, Asked
from goldlabel.tasks.detection.parts import CORNERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "PREDICTIONS", "check_box", "export", "read", "read_again"]

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
    asked = Asked(named, encoding)
    given = FORMATS.find(path, format, encoding=encoding).read(path, asked)
    found = None
    if predictions is not None:
        file = Path(predictions)
        _check_scores(file, predictions_format, encoding)
        found = PREDICTIONS.find(file, predictions_format, encoding=encoding).read(file, asked)
        found = found if classes is None else _renamed(found, classes)
    folder = Path(images) if images is not None else picture_folder(path)
    pictures = None if folder is None else Pictures(folder, told=images is not None)
    return joined(given, found, classes=classes, pictures=pictures)


def read_again(source: Source) -> DetectionData:
    """Read the annotations of an audit as they were read then; no picture and no prediction.

    Nothing but the files and folders of the source is opened: pictures are found by their names in
    the folder that it lists among its inputs.

    Raises
    ------
    InputError
        What the source says is not of its format, or the annotations are not what they were.
    """
    source = FORMATS.restored(source)
    options = source.options
    asked = Asked(None, options.get("encoding"), tuple(options["classes"]), options.get("layout"))
    given = FORMATS.named(source.format).read(source.files[0], asked)
    return as_audited(given, source)


def _check_scores(path: Path, format: str | None, encoding: str | None) -> None:
    """Refuse annotations that are named as predictions."""
    head = Head.of(path, encoding)
    if format is None and is_label_studio(head):
        raise InputError(
            str(path),
            "looks like label_studio, which has no scores",
            "Name COCO results, a table with scores, or a folder of text files with scores",
        )


def _renamed(listed: Listed, classes: Sequence[str]) -> Listed:
    """Give names to classes that have numbers: 0, 1, ... or, in COCO results, also 1, 2, ..."""
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


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some boxes changed, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of `DetectionData`.
    corrections : DataFrame
        A row per change: ``example`` and ``part`` (positions), ``action`` ("add", "move",
        "relabel", "remove"; without it every row is a "relabel"), ``suggested`` (class name) and
        ``x1``, ``y1``, ``x2``, ``y2``, in the units of the annotations, where a box is new. A box
        that moves gets another class too where a column ``given`` says another than ``suggested``.
    out : str or Path
        File to write, or a new folder where the dataset is one.

    Raises
    ------
    InputError
        A correction names no image, box or class, the dataset changed since it was read, or `out`
        can't be written. Nothing is written then.
    """
    FORMATS.export(source, _changes(FORMATS.restored(source), corrections), out)


def _changes(source: Source, corrections: pd.DataFrame) -> Mapping[int, list[Change]]:
    """Return what is to be done to each image."""
    classes = source.options["classes"]
    class_of = class_value(classes, range(len(classes)))
    counts = source.options["counts"]
    found: dict[int, list[Change]] = {}
    seen: set[tuple[int, int]] = set()
    for each in each_correction(corrections, examples=range(len(counts))):
        where, example, part, entry = each.where, each.example, each.part, each.row
        action = str(entry.get("action", "relabel"))
        is_box = isinstance(part, int) and (action == "add" or 0 <= part < counts[example])
        if action not in _ACTIONS or not is_box:
            raise InputError(
                where, f"says to {action!r} box {part} of image {example}, of {counts[example]}",
                f"Use {', '.join(_ACTIONS)}, and numbers of boxes",
            )  # fmt: skip
        if (example, part) in seen:
            raise InputError(where, f"changes box {part} of image {example} again", "Leave one row")
        seen.add((example, part))
        is_new_class = action in ("add", "relabel") or (action == "move" and _renames(entry))
        label = class_of(each) if is_new_class else -1
        box = _new_box(entry, where) if action in ("add", "move") else (math.nan,) * 4
        found.setdefault(example, []).append(Change(part, action, label, box))
    return found


def _renames(entry: Mapping[Any, Any]) -> bool:
    """Return whether the class of a box that moves is another afterwards, as the row says."""
    suggested = entry.get("suggested")
    return "given" in entry and isinstance(suggested, str) and suggested != entry["given"]


def _new_box(entry: Mapping[Any, Any], where: str) -> tuple[float, float, float, float]:
    corners = []
    for name in CORNERS:
        value = entry.get(name)
        try:
            corner = math.nan if value is None else float(value)
        except (TypeError, ValueError):
            corner = math.nan
        if not math.isfinite(corner):
            has = "nothing" if value is None or value != value else short(str(value))
            raise InputError(
                where, f"has {has} for {name}, which a new box needs",
                f"Write numbers for {', '.join(CORNERS)}",
            )  # fmt: skip
        corners.append(corner)
    x1, y1, x2, y2 = corners
    if (fault := check_box((x1, y1, x2, y2))) is not None:
        raise InputError(where, fault, f"Mend {', '.join(CORNERS)}")
    return x1, y1, x2, y2


def check_box(box: tuple[float, float, float, float]) -> str | None:
    """Return what is wrong with the corners of a box, to follow its name; None where nothing is."""
    fault = fault_of(box)
    return None if fault is None else fault[1]
