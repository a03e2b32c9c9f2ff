"""A table of entities in question: a row for each place, whatever the number of its tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.results.label_issues import LabelIssues

__all__ = ["entity_table"]


def entity_table(
    issues: LabelIssues, tokens: Sequence[str], offsets: npt.NDArray[np.int64]
) -> pd.DataFrame | None:
    """Return a row for each place where entities are judged wrong, worst first.

    Parameters
    ----------
    issues : LabelIssues
        Of `find_label_issues`.
    tokens : sequence of str
        The words, sentence after sentence.
    offsets : ndarray of shape (n + 1,), int64
        Sentence i owns the words from ``offsets[i]`` to ``offsets[i + 1]``.

    Returns
    -------
    DataFrame or None
        `example`, `id`, `start`, `end` (tokens, the end not included), `text`, `kind`, `given`,
        `suggested` (the changed tags), `score`, `confidence`. None where tags form no entities.
    """
    parts = issues.parts
    if parts.group is None:
        return None
    number = parts.group
    first = np.flatnonzero(parts.leads)
    classes = np.array([str(name) for name in issues.classes or ()], dtype=object)
    changed = pd.DataFrame(
        {
            "group": number,
            "given": classes[parts.given],
            "suggested": classes[parts.suggested],
        }
    )
    joined = changed.groupby("group", sort=False).agg(" ".join)
    example = parts.example[first]
    begin = (offsets[example] + parts.evidence["start"][first]).tolist()
    end = (offsets[example] + parts.evidence["end"][first]).tolist()
    return pd.DataFrame(
        {
            "example": example,
            "id": example if issues.ids is None else issues.ids[example],
            "start": parts.evidence["start"][first],
            "end": parts.evidence["end"][first],
            "text": [" ".join(tokens[a:b]) for a, b in zip(begin, end, strict=True)],
            "kind": [parts.kinds[kind] for kind in parts.kind[first].tolist()],
            "given": joined["given"].to_numpy(),
            "suggested": joined["suggested"].to_numpy(),
            "score": parts.score[first],
            "confidence": parts.confidence[first],
        }
    )
