"""Votes and their consensus by class."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.aggregation.methods import ConsensusMethod
from goldlabel.tasks.multiannotator.aggregation.truth_inference import consensus_of
from goldlabel.tasks.multiannotator.inputs import checked_votes

__all__ = ["class_table", "confusion_matrix", "summarize"]


def summarize(
    labels: Any,
    pred_probs: Any = None,
    *,
    consensus_method: ConsensusMethod | None = None,
    classes: Sequence[Hashable] | None = None,
) -> pd.DataFrame:
    """Sum up, for each class, how often votes for it are right and how sure its consensus is.

    Parameters
    ----------
    labels, pred_probs, consensus_method, classes
        As for `get_consensus_labels`.

    Returns
    -------
    DataFrame, a row per class, the noisiest first
        `class`; `items` with this consensus, their mean `quality` and `agreement`; `votes` for it;
        `label_noise`, the share of these that are against the consensus; `inverse_label_noise`,
        the share of votes on items of this consensus that are for another class.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> votes = {"item": [0, 0, 0, 1, 1], "annotator": list("abcab"), "label": [0, 0, 1, 1, 1]}
    >>> summarize(votes, consensus_method="majority_vote")[["class", "votes", "label_noise"]]
       class  votes  label_noise
    0      1      3     0.333333
    1      0      2     0.000000
    """
    checked = checked_votes(labels, pred_probs, classes=classes)
    return class_table(consensus_of(checked, consensus_method))


def class_table(consensus: Consensus) -> pd.DataFrame:
    """Return the table of classes by a consensus that was found before; see `summarize`."""
    votes, k = consensus.votes, consensus.votes.num_classes
    matrix = confusion_matrix(consensus)
    known = consensus.labels >= 0
    labels = consensus.labels[known]
    items = np.bincount(labels, minlength=k)
    agreement = np.nan_to_num(consensus.agreement[known])
    voted = np.bincount(labels, weights=votes.votes_per_item[known] > 0, minlength=k)
    sums = [np.bincount(labels, weights=each, minlength=k) for each in (
        consensus.quality[known], agreement)]  # fmt: skip
    given, true, right = matrix.sum(axis=0), matrix.sum(axis=1), matrix.diagonal()
    with np.errstate(invalid="ignore", divide="ignore"):
        frame = pd.DataFrame(
            {
                "class": list(consensus.classes),
                "items": items,
                "quality": sums[0] / items,
                "agreement": sums[1] / voted,
                "votes": np.bincount(votes.label, minlength=k),
                "label_noise": 1.0 - right / given,
                "inverse_label_noise": 1.0 - right / true,
            }
        )
    return frame.sort_values(
        "label_noise", ascending=False, kind="stable", na_position="last", ignore_index=True
    )


def confusion_matrix(consensus: Consensus) -> npt.NDArray[np.int64]:
    """Return how many votes for each class there are by consensus, int64 (k, k)."""
    votes, k = consensus.votes, consensus.votes.num_classes
    agreed = consensus.labels[votes.item]
    cells = agreed[agreed >= 0] * k + votes.label[agreed >= 0]
    return np.bincount(cells, minlength=k * k).reshape(k, k)
