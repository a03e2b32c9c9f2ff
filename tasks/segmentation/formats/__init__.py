"""Native formats of masks: recognise, read, and write back with corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.changes import Correction as Row
from goldlabel.formats.changes import by_part, by_position, class_value
from goldlabel.formats.coco.recognising import kind_of_coco
from goldlabel.formats.known import is_label_studio
from goldlabel.formats.registry import Format, Formats
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.data import SegmentationData
from goldlabel.tasks.segmentation.formats import (
    arrays,
    coco,
    label_studio,
    masks,
    panoptic,
    pictures,
)
from goldlabel.tasks.segmentation.formats.fitting import fitted
from goldlabel.tasks.segmentation.formats.given import Given
from goldlabel.tasks.segmentation.formats.options import (
    ArrayKeys,
    CocoKeys,
    MaskKeys,
    PanopticKeys,
    StudioKeys,
)
from goldlabel.tasks.segmentation.formats.predictions import Predictions, read_predictions
from goldlabel.tasks.segmentation.formats.tables import ClassTable, read_table
from goldlabel.tasks.segmentation.painting import PAINT, Correction, painted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "export", "pictures_of", "read", "read_again", "with_pictures"]


class _Asked(NamedTuple):
    """What the caller and the predictions say of a file of masks."""

    names: Sequence[str] | None
    planes: int
    table: ClassTable | None
    ignore: Sequence[str]
    key: str | None

    @property
    def k(self) -> int:
        """How many classes there are."""
        return len(self.names) if self.names else self.planes

    @property
    def ignored(self) -> list[int]:
        """The values to leave out."""
        return _ignored(self.ignore, self.table, self.names)


def _coco(path: Path, asked: _Asked) -> Given:
    return coco.read(path, classes=asked.names, planes=asked.planes)


def _panoptic(path: Path, asked: _Asked) -> Given:
    return panoptic.read(path, classes=asked.names, planes=asked.planes)


def _label_studio(path: Path, asked: _Asked) -> Given:
    return label_studio.read(path, classes=asked.names, planes=asked.planes)


def _masks(path: Path, asked: _Asked) -> Given:
    return masks.read(path, table=asked.table, k=asked.k, ignore=asked.ignored)


def _arrays(path: Path, asked: _Asked) -> Given:
    values = None if asked.table is None else asked.table.values
    return arrays.read(path, key=asked.key, k=asked.k, values=values, ignore=asked.ignored)


FORMATS: Formats[_Asked, Given] = Formats(
    "segmentation",
    Format("masks", "a folder of masks", None, _masks, masks.export, MaskKeys, is_folder=True),
    Format(
        "numpy", "a NumPy array of masks", lambda head: head.magic.startswith(arrays.MAGIC),
        _arrays, arrays.export, ArrayKeys,
    ),
    Format(
        "coco", "a COCO file with masks", lambda head: kind_of_coco(head) == "instances", _coco,
        coco.export, CocoKeys,
    ),
    Format(
        "panoptic", "a panoptic COCO file", lambda head: kind_of_coco(head) == "panoptic",
        _panoptic, panoptic.export, PanopticKeys,
    ),
    Format(
        "label_studio", "an export of Label Studio", is_label_studio, _label_studio,
        label_studio.export, StudioKeys,
    ),
)  # fmt: skip
"""The native formats."""


def read(
    path: str | Path,
    *,
    pred_probs: str | Path,
    images: str | Path | None = None,
    classes: Sequence[str] | None = None,
    palette: str | Path | None = None,
    ignore: Sequence[str] | None = None,
    format: str | None = None,
    masks_key: str | None = None,
    key: str | None = None,
    softmax: bool = False,
) -> SegmentationData:
    """Read masks and predictions; each image is read when it is asked for.

    Parameters
    ----------
    path : str or Path
        A folder of mask images, a .npy or .npz file, or JSON of COCO (instances or panoptic) or
        Label Studio.
    pred_probs : str or Path
        See `goldlabel.tasks.segmentation.formats.predictions.read_predictions`.
    images : str or Path, optional
        Folder of the pictures, named like the masks.
    classes : sequence of str, optional
        Class names in the order of the predictions.
    palette : str or Path, optional
        Table of classes: a value or a colour for each, see
        `goldlabel.tasks.segmentation.formats.tables.read_table`.
    ignore : sequence of str, optional
        Values, or names, of classes whose pixels to leave out.
    format : str, optional
        One of `FORMATS`, in place of what the content looks like.
    masks_key, key : str, optional
        Of .npz files: the array of masks, and that of predictions.
    softmax : bool
        The predictions are logits.

    Raises
    ------
    InputError
        A file can't be read, or masks and predictions don't fit; says which file.
    """
    path = Path(path)
    probs = read_predictions(Path(pred_probs), key=key)
    table = read_table(Path(palette)) if palette is not None else _table_beside(path)
    named = classes or (None if table is None else table.names)
    asked = _Asked(named, _planes(probs), table, ignore or (), masks_key)
    given = FORMATS.find(path, format).read(path, asked)
    names = _names(given, classes, table, probs)
    data = fitted(given, probs, names, pred_probs=Path(pred_probs), softmax=softmax)
    if images is None:
        return data
    found = pictures.by_stem(Path(images), given.ids, what="pictures")
    return replace(data, images=found, source=with_pictures(data.source, Path(images)))


def with_pictures(source: Source, folder: Path) -> Source:
    """Return a source that says where the pictures are: among its inputs, at a place."""
    inputs = (*source.inputs, folder)
    options = {**source.options, "pictures": len(inputs) - 1}
    return replace(source, inputs=inputs, options=options)


def pictures_of(source: Source, ids: Sequence[str]) -> tuple[Path | None, ...] | None:
    """Return the picture of each image of an audit; None where it had none."""
    at = source.options.get("pictures", -1)
    if not isinstance(at, int) or not 0 <= at < len(source.inputs):
        return None
    folder = source.inputs[at]
    return pictures.by_stem(folder, ids, what="pictures") if folder.is_dir() else None


def read_again(source: Source) -> SegmentationData:
    """Read the masks of an audit again as they were read then, without predictions.

    Nothing but the files and folders of the source is opened.

    Raises
    ------
    InputError
        What the source says is not of its format, or the masks are not what they were.
    """
    source = FORMATS.restored(source)
    options = source.options
    given = FORMATS.named(source.format).read(source.files[0], _as_before(options))
    now = given.source
    is_same = all(options.get(key) == value for key, value in now.options.items())
    if not is_same or now.files != source.files:
        raise InputError(
            str(source.files[0]),
            "has changed since it was audited, so its regions may be others",
            "Audit it again, or bring the old masks back",
        )
    return SegmentationData(
        labels=given.masks,
        masks=given.masks,
        classes=tuple(options["classes"]),
        source=source,
        ids=np.array(given.ids, dtype=object),
        scales=(1,) * len(given.ids),
        images=pictures_of(source, given.ids),
        colors=given.colors,
        ignored=given.ignored,
        strays=given.strays,
    )


def _as_before(options: Mapping[str, Any]) -> _Asked:
    """Return what reads masks as they were read before, without a guess."""
    names = tuple(options["classes"])
    values, colors = options.get("values"), options.get("colors")
    table = ClassTable(
        names,
        None if values is None else np.array(values, dtype=np.int64),
        None if colors is None else np.array(colors, dtype=np.uint8),
    )
    ignored = options.get("ignore")
    if ignored is None:  # of an array: the values of its table that are left out
        ignored = np.flatnonzero(np.array(options.get("table", ()), dtype=np.int64) == -1).tolist()
    return _Asked(names, len(names), table, list(map(str, ignored)), options.get("key") or None)


def _table_beside(path: Path) -> ClassTable | None:
    """Return the table of classes.txt, where there is one beside the masks."""
    file = path.parent / "classes.txt"
    return read_table(file) if file.is_file() else None


def _planes(probs: Predictions) -> int:
    """Return how many classes the first prediction has."""
    if not len(probs.images):
        return 0
    shape = np.shape(probs.images[0])
    if len(shape) == 2:
        return 2
    return min(shape[0], shape[-1]) if len(shape) == 3 else 0


def _ignored(
    ignore: Sequence[str], table: ClassTable | None, names: Sequence[str] | None
) -> list[int]:
    listed = list(names or ())
    left_out = []
    for entry in ignore:
        text = str(entry).strip()
        if text in listed:
            at = listed.index(text)
            has_values = table is not None and table.values is not None and text in table.names
            value = int(table.values[table.names.index(text)]) if has_values else at  # type: ignore[union-attr,index]
            left_out.append(value)
        elif text.isdecimal() and int(text) <= 65535:
            left_out.append(int(text))
        else:
            raise InputError(
                "ignore", f"names {text!r}, which is no class and no value", "Use e.g. 255"
            )
    return left_out


def _names(
    given: Given,
    classes: Sequence[str] | None,
    table: ClassTable | None,
    probs: Predictions,
) -> tuple[str, ...]:
    if classes is not None:
        return tuple(str(name) for name in classes)
    if given.names is not None:
        return given.names
    if table is not None:
        return table.names
    return tuple(str(at) for at in range(_planes(probs)))


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write masks again with the regions of some corrections given another class.

    Parameters
    ----------
    source : Source
        Of an audit: its options hold the pixels of each region.
    corrections : DataFrame
        A row per region: ``example`` and ``part`` (numbers as in issues.parquet) and ``suggested``
        (a class name); where ``paint`` holds COCO run lengths as JSON, ``{"size": [height, width],
        "counts": ...}`` in pixels of the mask, these pixels get the class, not the region's.
    out : str or Path
        A new folder for masks, a file for others.

    Raises
    ------
    InputError
        A correction names no region or class, the masks changed since they were read, or `out`
        can't be written. Nothing is written then.
    """
    source = FORMATS.restored(source)
    if source.options.get("instances"):
        from goldlabel.tasks.segmentation.formats import instances

        instances.export(source, corrections, Path(out))
        return
    FORMATS.export(source, _changed(source, corrections), out)


def _changed(source: Source, corrections: pd.DataFrame) -> dict[int, masks.Repaint]:
    """Return what repaints each mask, by the position of the image."""
    listed = by_position(source.options.get("regions", {}))
    parts = {example: range(len(own)) for example, own in listed.items()}
    code_of = class_value(source.options["classes"], _written(source))

    def value(each: Row) -> tuple[int, str | None]:
        code, paint = code_of(each), each.row.get(PAINT)
        assert code is not None  # what the file can't say is refused
        return code, paint if isinstance(paint, str) else None

    found = by_part(corrections, value, parts=parts, named="region")
    edits: dict[int, list[Correction]] = {}
    for (example, part), (code, paint) in found.items():
        where = f"region {part} of example {example}"
        own = Correction(where, listed[example][part], code, paint)
        edits.setdefault(example, []).append(own)
    return {example: partial(painted, corrections=own) for example, own in edits.items()}


def _written(source: Source) -> list[int | None]:
    """Return the number of each class; None of those that the file has no way to say."""
    codes = source.options.get("codes")
    known = None if codes is None else {*codes, source.options["empty"]}
    return [
        at if known is None or at in known else None for at in range(len(source.options["classes"]))
    ]
