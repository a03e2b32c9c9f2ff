"""The worst rows of a regression dataset, with where their values lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.results.audit import Table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.regression.data import RegressionData

__all__ = ["worst_table"]

_ROWS = 100
_COLUMNS = 6


def worst_table(issues: LabelIssues, data: RegressionData, features: Sequence[str] | None) -> Table:
    """Return the worst rows with all that a person needs to judge them.

    Parameters
    ----------
    features : sequence of str, optional
        Columns that the prediction was made from: they explain it best.
    """
    parts = issues.parts
    shown = slice(0, _ROWS)
    rows = parts.example[shown]
    columns: dict[str, Any] = {}
    if issues.ids is not None:
        columns["id"] = issues.ids[rows]
    evidence = {name: values[shown] for name, values in parts.evidence.items()}
    given = parts.given[shown].astype(object)
    texts = evidence["given_text"]
    columns |= {
        "row": evidence["row"],
        "given": [text or _number(value) for text, value in zip(texts, given, strict=True)],
        "suggested": parts.suggested[shown],
        "plausible_from": _shortened(evidence["low"]),
        "plausible_to": _shortened(evidence["high"]),
        "times_usual": _shortened(evidence["times_usual"]),
        "score": parts.score[shown].round(4),
        "confidence": parts.confidence[shown],
    }
    frame = data.frame.iloc[rows]
    options = data.source.options
    usual = [name for name in frame.columns if name not in (options.label, options.id)]
    names = [name for name in features or usual if name in frame.columns][:_COLUMNS]
    for name in names:
        columns[str(name) if str(name) not in columns else f"{name} (column)"] = (
            frame[name].astype(str).to_numpy()
        )
    return Table(
        "Worst rows",
        pd.DataFrame(columns),
        "Row counts from 1, without the header. Nine of ten labels that are not flagged lie within"
        " such a plausible range around their predictions. Times usual is how far the label is"
        " off, by the median of labels with like predictions.",
    )


def _shortened(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round to four digits."""
    return np.array([float(f"{value:.4g}") for value in values.tolist()], dtype=np.float64)


def _number(value: float) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:.10g}" if abs(value) < 1e15 else f"{value:.6g}"
