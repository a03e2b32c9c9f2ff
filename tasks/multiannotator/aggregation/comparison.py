"""The consensus by every method side by side, for a look at how much the choice matters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.inputs import check
from goldlabel.tasks.multiannotator.aggregation.consensus import class_column
from goldlabel.tasks.multiannotator.aggregation.fit import Fit
from goldlabel.tasks.multiannotator.aggregation.label_models import majority
from goldlabel.tasks.multiannotator.aggregation.methods import aggregate, label_model
from goldlabel.tasks.multiannotator.aggregation.truth_inference import check_agreement
from goldlabel.tasks.multiannotator.inputs import Checked, checked_votes
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats

__all__ = ["COLUMNS", "compare_methods", "labels_by_method"]

COLUMNS = ("majority_vote", "wawa", "dawid_skene", "glad", "mace", "crowdlab")
"""Aggregation methods that are compared: columns of consensus.parquet."""


def compare_methods(
    labels: Any,
    pred_probs: Any = None,
    *,
    methods: Sequence[str] | None = None,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Find the consensus by every method.

    Parameters
    ----------
    labels, pred_probs, classes, ids
        As for `get_consensus_labels`.
    methods : sequence of str, optional
        Some of "majority_vote" (of votes alone), "wawa", "dawid_skene", "glad", "mace" and, with
        pred_probs, "crowdlab"; all of them if not given.

    Returns
    -------
    DataFrame, a row per item
        `id`, and the class by each method; missing (-1 where classes have no names) for an item
        without votes.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> votes = {"item": [0, 0, 0, 1], "annotator": list("abca"), "label": [1, 1, 0, 0]}
    >>> compare_methods(votes, methods=["majority_vote", "wawa"])
       id  majority_vote  wawa
    0   0              1     1
    1   1              0     0
    """
    checked = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    check_agreement(checked.votes)
    n = checked.votes.num_items
    frame = pd.DataFrame({"id": np.arange(n) if checked.ids is None else checked.ids})
    by_method = labels_by_method(checked, methods)
    return frame.assign(
        **{name: class_column(codes, checked.classes) for name, codes in by_method.items()}
    )


def labels_by_method(
    checked: Checked, methods: Sequence[str] | None = None, fit: Fit | None = None
) -> dict[str, npt.NDArray[np.int64]]:
    """Return class indices by method; `fit` is one that there is already."""
    votes, probs = checked.votes, checked.probs
    if methods is None:
        methods = [name for name in COLUMNS if name != "crowdlab" or probs is not None]
    labels = {}
    for name in methods:
        check.choice(name, COLUMNS, name="methods")
        if name == "crowdlab" and not (votes.votes_per_item > 1).any():
            continue
        # The majority vote of the comparison is that of the votes alone.
        if fit is None or fit.method != name or name == "majority_vote":
            labels[name] = _fitted(votes, probs, name).consensus.astype(np.int64)
        else:
            labels[name] = fit.consensus.astype(np.int64)
    return labels


def _fitted(votes: Votes, probs: Floats | None, name: str) -> Fit:
    if name == "crowdlab":
        return aggregate(votes, probs, "best_quality", "crowdlab")
    return majority.fit(votes) if name == "majority_vote" else label_model(votes, name)
