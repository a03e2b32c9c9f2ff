"""Images of one file that are in another too: what is trained on must not be tested on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.coco.collecting import Collector
from goldlabel.coco.disk import ImageFile
from goldlabel.coco.instances import Instances
from goldlabel.formats.coco.ids import rows_of

__all__ = ["check_leaks"]


def check_leaks(
    collector: Collector,
    here: Instances,
    there: Instances,
    files_here: list[ImageFile | None] | None = None,
    files_there: list[ImageFile | None] | None = None,
) -> None:
    """Find images of `here` that `there` has too, by name, by bytes, and by id and size."""
    other = there.document.path
    at_name = _matches(here.file_names, there.file_names)
    rows = np.flatnonzero(at_name >= 0)
    collector.add(
        *("leak-file-name", here.images, rows, f"{other} has {{name}} too, at {{other}}"),
        field="file_name",
        name=[here.file_names[row] for row in rows.tolist()],
        other=[there.images.where(row).path for row in at_name[rows].tolist()],
    )
    at_bytes = np.full(len(here.images), -1, dtype=np.int64)
    if files_here is not None and files_there is not None:
        at_bytes = _matches(_hashes(files_here), _hashes(files_there))
    rows = np.flatnonzero(at_bytes >= 0)
    collector.add(
        *("leak-image-content", here.images, rows, f"has the bytes of {{name}} of {other}"),
        field="file_name",
        name=[there.file_names[row] for row in at_bytes[rows].tolist()],
    )
    at_id = rows_of(here.image_ids, there.image_ids)
    if not len(there.images):
        return
    size = (here.widths == there.widths[at_id]) & (here.heights == there.heights[at_id])
    rows = np.flatnonzero((at_id >= 0) & size & (at_name < 0) & (at_bytes < 0))
    collector.add(
        *("leak-image-id", here.images, rows, f"{{other}} of {other} has the same id and size"),
        field="id",
        other=[there.images.where(row).path for row in at_id[rows].tolist()],
    )


def _hashes(files: list[ImageFile | None]) -> list[str | None]:
    return [None if file is None else file.sha256 for file in files]


def _matches(texts: list[str | None], others: list[str | None]) -> npt.NDArray[np.int64]:
    """Return where each text is first among others; -1 where it is not."""
    place = {text: row for row, text in reversed(list(enumerate(others))) if text is not None}
    found = [-1 if text is None else place.get(text, -1) for text in texts]
    return np.array(found, dtype=np.int64)
