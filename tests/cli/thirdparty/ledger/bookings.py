"""Audit a CSV that carries what a model said in its columns `says` and `sure`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from goldlabel.errors import DataWarning, InputError
from goldlabel.results.audit import Audit, Source
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.scenes import Scene, Text
from goldlabel.views import Findings

if TYPE_CHECKING:
    from goldlabel.task import Progress

Mode = Literal["strict", "lenient"]
Model = object

CALLS: list[dict[str, object]] = []


def audit(
    path: Path,
    *,
    label: str = "account",
    id: str | None = None,
    features: Sequence[str] | None = None,
    weights: Sequence[str] = ("amount", "date"),
    mode: Mode = "strict",
    rates: Path | None = None,
    at_least: float = 0.0,
    folds: int = 5,
    seed: int = 0,
    strip: bool = False,
    check: bool = True,
    model: Model | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Find bookings in the wrong account.

    A second paragraph, about ``sure``, a probability in [0, 1].

    Parameters
    ----------
    path : Path
        The table, with the columns
        `says` and `sure`.
    label : str
        The column [with brackets] of the ``account``.
    id : str, optional
        The column that names a booking.
    features, weights : sequence of str
        Columns to look at.

        Names with a comma go in quotes.
    mode : {"strict", "lenient"}
        How to look.
    folds, seed : int
        What a model would need.

    Returns
    -------
    Audit
        What was found.
    """
    CALLS.append(dict(locals()))
    table = _read(path, label)
    for done in range(3):
        if progress is not None:
            progress(done + 1, 3, "Looking at [bookings]")
    if strip:
        warnings.warn("some names have blanks", DataWarning, stacklevel=2)
        warnings.warn("some names have blanks", DataWarning, stacklevel=2)
        warnings.warn("nobody needs to know", FutureWarning, stacklevel=2)
    if label == "sleep":
        time.sleep(60)
    if label == "bug":
        raise RuntimeError("a bug")
    classes = tuple(sorted({*table["account"], *table["says"]}))
    codes = {name: code for code, name in enumerate(classes)}
    given = np.array([codes[name] for name in table["account"]])
    says = np.array([codes[name] for name in table["says"]])
    sure = table["sure"].to_numpy()
    scores = np.where(given == says, sure, 1 - sure)
    flagged = (given != says) & (sure >= at_least)
    rows = np.flatnonzero(flagged)
    rows = rows[np.argsort(scores[rows], kind="stable")]
    issues = LabelIssues(
        task="ledger",
        scores=scores,
        is_issue=flagged,
        parts=Parts(
            example=rows,
            part=np.full(rows.size, -1),
            kind=np.zeros(rows.size, dtype=np.int8),
            kinds=("label error",),
            given=given[rows],
            suggested=says[rows],
            score=scores[rows],
            confidence=sure[rows],
            reasons={"label error": "{given} is unlikely: {suggested} at {confidence:.2f}".format},
        ),
        classes=classes,
        ids=None if id is None else table[id].to_numpy(object),
        params={"mode": mode, "seed": seed},
        given=given,
        suggested=says,
    )
    return Audit(
        issues=issues,
        source=Source("csv", (path,), {"label": label}, () if rates is None else (rates,)),
        summary={"accounts": len(classes)},
        view=Accounts(table, issues),
        notes=("read as a table",),
    )


class Accounts:
    """Shows the name of an account."""

    def __init__(self, table: pd.DataFrame, issues: LabelIssues) -> None:
        self._names = table["name"].astype(str).tolist()
        self._found = Findings(issues)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        found = self._found
        return [
            Scene(at, found.id(at), (Text(self._names[at]),), found.questions(at))
            for at in examples
        ]


def _read(path: Path, label: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"name": str})
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})", "Name a file") from error
    if label not in (*table.columns, "sleep", "bug"):
        raise InputError(f"{path}: header", f"has no column {label!r}", "Name another with --label")
    return table


def export(source: Source, corrections: pd.DataFrame, out: Path) -> None:
    """Write the table with the accounts of `corrections`."""
    table = pd.read_csv(source.files[0], dtype=str, keep_default_na=False)
    for row in corrections.itertuples():
        table.loc[row.example, source.options["label"]] = row.suggested
    table.to_csv(out, index=False, lineterminator="\n")
