"""The consensus by every method side by side, for a look at how much the choice matters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.inputs import check
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus, ConsensusMethod
from goldlabel.tasks.multiannotator.aggregation.truth_inference import consensus_of
from goldlabel.tasks.multiannotator.inputs import Checked, checked_votes

__all__ = ["COLUMNS", "compare_methods", "labels_by_method"]

COLUMNS: dict[str, ConsensusMethod] = {
    "majority_vote": "majority_vote",
    "wawa": "wawa",
    "dawid_skene": "dawid_skene",
    "glad": "glad",
    "mace": "mace",
    "crowdlab": "best_quality",
}
"""Columns of consensus.parquet, and the consensus methods behind them."""


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
    given = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    found = labels_by_method(given, methods)
    shown = _namer(given)
    n = given.votes.num_items
    frame = pd.DataFrame({"id": np.arange(n) if given.ids is None else given.ids})
    return frame.assign(**{name: shown(codes) for name, codes in found.items()})


def labels_by_method(
    given: Checked, methods: Sequence[str] | None = None, known: Consensus | None = None
) -> dict[str, npt.NDArray[np.int64]]:
    """Return class indices by method; `known` is a consensus that has been found already."""
    wanted = [name for name in COLUMNS if name != "crowdlab" or given.probs is not None]
    names = wanted if methods is None else list(methods)
    several = bool((given.votes.votes_per_item > 1).any())
    found = {}
    for name in names:
        check.choice(name, list(COLUMNS), name="methods")
        method = COLUMNS[name]
        alone = replace(given, probs=None) if name != "crowdlab" else given
        if name == "crowdlab" and not several:
            continue
        if known is not None and known.method == method and name != "majority_vote":
            found[name] = known.labels
        else:
            found[name] = consensus_of(alone, method).labels
    return found


def _namer(given: Checked) -> Any:
    if given.classes == tuple(range(len(given.classes))):
        return lambda codes: codes
    names = pd.Index(list(map(str, given.classes)))
    return lambda codes: pd.Categorical.from_codes(codes, categories=names)
