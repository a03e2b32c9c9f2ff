"""Labels of a dataset for checks: codes and names, and what has no label."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs.check import LabeledRows, labeled_rows
from goldlabel.inputs.labels import one_column
from goldlabel.typing import Ints

__all__ = ["CodedLabels", "coded_labels", "rows_with_labels"]


@dataclass(frozen=True, eq=False)
class CodedLabels:
    """A class for each example, as numbers.

    Attributes
    ----------
    codes : ndarray of shape (n,), int64
        -1 where there is no label.
    classes : tuple
        Names by code, sorted; those of a categorical column also where no example has them.
    notes : tuple of str
    """

    codes: Ints
    classes: tuple[Hashable, ...]
    notes: tuple[str, ...] = ()

    def names(self) -> Any:
        """Return the class of each example by name, None where there is none."""
        return np.array([*self.classes, None], dtype=object)[self.codes]


def coded_labels(
    labels: Any, *, n: int | None = None, classes: Sequence[Hashable] | None = None
) -> CodedLabels:
    """Return labels as codes; a missing one is left out with a note that says where.

    Raises
    ------
    InputError
        Labels are no column, are not `n`, are all missing, or one is none of `classes`.
    """
    column = pd.Series(one_column(labels))
    codes: Ints
    if n is not None and len(column) != n:
        what = f"has {len(column)} entries, but there are {n} examples"
        raise InputError("labels", what, "Pass one label for each example")
    if isinstance(column.dtype, pd.CategoricalDtype) and classes is None:
        codes = np.asarray(column.cat.codes, dtype=np.int64)
        names = tuple(column.cat.categories)
    elif classes is not None:
        names = tuple(classes)
        codes = np.asarray(pd.Index(names).get_indexer(pd.Index(column)), dtype=np.int64)
        unknown = np.flatnonzero((codes < 0) & column.notna().to_numpy())
        if unknown.size:
            what = f"is {column.iloc[unknown[0]]!r}, none of the classes ({unknown.size} such)"
            raise InputError(f"labels[{unknown[0]}]", what, "Correct it, or add the class")
    else:
        try:
            found, values = pd.factorize(column, sort=True)
        except TypeError as error:  # unhashable
            what = f"is no column of classes ({error})"
            raise InputError("labels", what, "Pass one class for each example") from error
        codes, names = np.asarray(found, dtype=np.int64), tuple(values.tolist())
    return CodedLabels(codes, names, _missing(codes))


def _missing(codes: Ints) -> tuple[str, ...]:
    missing = np.flatnonzero(codes < 0)
    if not missing.size:
        return ()
    if missing.size == len(codes):
        raise InputError("labels", "are all missing", "Pass labels, or leave them out")
    first = ", ".join(map(str, missing[:5].tolist())) + (", ..." if missing.size > 5 else "")
    return (f"labels: {missing.size} examples have none (rows {first}); they were left out.",)


def rows_with_labels(
    labels: Any, pred_probs: Any, classes: Sequence[Hashable] | None
) -> tuple[LabeledRows, Ints, tuple[str, ...]]:
    """Return the rows that have a label, with their probabilities, positions, and notes."""
    column = pd.Series(one_column(labels))
    missing = column.isna().to_numpy()
    if not missing.any():
        rows = labeled_rows(labels, pred_probs, classes)
        return rows, np.arange(len(column)), ()
    notes = _missing(np.where(missing, -1, 0).astype(np.int64))
    known = np.flatnonzero(~missing)
    probs = pred_probs if isinstance(pred_probs, pd.DataFrame) else np.asarray(pred_probs)
    if len(probs) != len(column):
        what = f"has {len(column)} entries, but pred_probs has {len(probs)} rows"
        raise InputError("labels", what, "Pass one label for each row")
    kept = column.iloc[known]
    if kept.dtype.kind == "f":  # whole numbers became floats beside a missing one
        whole = kept.to_numpy()
        kept = pd.Series(whole.astype(np.int64)) if np.all(whole == np.floor(whole)) else kept
    chosen = probs.iloc[known] if isinstance(probs, pd.DataFrame) else probs[known]
    return labeled_rows(kept, chosen, classes), known, notes
