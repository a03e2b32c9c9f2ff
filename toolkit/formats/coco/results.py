"""COCO results: what a detector found, a list of boxes or masks with scores, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import document_of
from goldlabel.formats.coco.ids import check_objects, exact_ids, such
from goldlabel.formats.json import places
from goldlabel.formats.json.document import Document
from goldlabel.formats.json.records import NO_ID, Ids, Records
from goldlabel.formats.text import TextFile
from goldlabel.typing import Floats, Ints

__all__ = ["Results", "results_of", "scores_of"]


@dataclass(frozen=True, eq=False)
class Results:
    """What a file lists, in its order.

    Attributes
    ----------
    file : TextFile
    document : Document
    records : Records
    image_ids, category_ids : tuple of int or str
        Each that is named, as it comes.
    image_rows, category_rows : ndarray of shape (n,), int64
        Of each entry: positions in these.
    scores : ndarray of shape (n,), float64
        In [0, 1].
    """

    file: TextFile
    document: Document
    records: Records
    image_ids: tuple[int | str, ...]
    category_ids: tuple[int | str, ...]
    image_rows: Ints
    category_rows: Ints
    scores: Floats


def results_of(file: TextFile, fields: Sequence[str] = ()) -> Results:
    """Return the results of a file.

    Parameters
    ----------
    file : TextFile
    fields : sequence of str
        Members of results to look at, beside image_id, category_id and score.

    Raises
    ------
    InputError
        The file is no list of results, or one lacks an id, or has a score that is none.
    """
    document = document_of(file)
    if not document.root.is_list:
        raise InputError(
            str(file.path),
            "is no file of COCO results, a list of boxes with image_id, category_id and score",
            "Name one that is",
        )
    records = Records(document, document.root, ("image_id", "category_id", "score", *fields))
    check_objects(records, file.path)
    ids = Ids()
    images, image_rows = _distinct(records, "image_id", ids, file.path)
    categories, category_rows = _distinct(records, "category_id", ids, file.path)
    scores = scores_of(records, file.path)
    return Results(file, document, records, images, categories, image_rows, category_rows, scores)


def _distinct(
    records: Records, field: str, ids: Ids, path: Path
) -> tuple[tuple[int | str, ...], Ints]:
    """Return the ids that a field has, as they come, and the position of each entry's."""
    codes = exact_ids(records, field, ids)
    bad = np.flatnonzero(codes == NO_ID)
    if bad.size:
        row = int(bad[0])
        is_there = records.kinds(field)[row] != places.MISSING
        what = f"has the {field} {records.written(row, field)}, which is no id"
        raise InputError(
            records.place_in(path, row),
            (what if is_there else f"has no {field}") + such(bad),
            "Write whole numbers",
        )
    values, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return ids.names(values[order]), place[inverse].reshape(-1)


def scores_of(records: Records, path: Path) -> Floats:
    """Return the scores of results.

    Raises
    ------
    InputError
        One is missing, or is no number in [0, 1].
    """
    kinds = records.kinds("score")
    scores = records.numbers("score").floats
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero((kinds != places.NUMBER) | ~((scores >= 0) & (scores <= 1)))
    if bad.size:
        row = int(bad[0])
        what = f"has the score {records.written(row, 'score')}, not in [0, 1]"
        raise InputError(
            records.place_in(path, row),
            (what if kinds[row] != places.MISSING else "has no score") + such(bad),
            "Write the score of each as a number from 0 to 1",
        )
    return scores
