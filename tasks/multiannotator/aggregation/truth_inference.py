"""Truth inference: from votes to one label for each item, by whatever aggregation method.

References
----------
H. Goh, U. Tkachenko, J. Mueller. CROWDLAB: Supervised learning to infer consensus labels and
quality scores for data with multiple annotators. arXiv:2210.06812 (2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.learning.confident import Method
from goldlabel.tasks.multiannotator.aggregation import crowdlab
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.aggregation.methods import (
    ConsensusMethod,
    QualityMethod,
    aggregate,
    default_method,
)
from goldlabel.tasks.multiannotator.aggregation.scoring import (
    item_agreement,
    label_quality,
    vote_quality,
)
from goldlabel.tasks.multiannotator.inputs import Checked, checked_votes
from goldlabel.tasks.multiannotator.votes import Votes

__all__ = ["check_agreement", "consensus_of", "get_consensus_labels"]


def get_consensus_labels(
    labels: Any,
    pred_probs: Any = None,
    *,
    consensus_method: ConsensusMethod | Sequence[ConsensusMethod] | None = None,
    quality_method: QualityMethod | None = None,
    calibrate_probs: bool = False,
    method: Method = "self_confidence",
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> Consensus:
    """Find one label for each item, and how likely it, each vote and each annotator is right.

    Parameters
    ----------
    labels
        Votes: a long table, a wide one, or `Votes`; see `goldlabel.tasks.multiannotator`.
    pred_probs : array_like of shape (n, k) or (E, n, k), optional
        Out-of-sample probabilities of one model or of several.
    consensus_method : str, or sequence of str, optional
        How votes become a label. With several, the first is the main one.

        - "best_quality" (default with pred_probs): the class that is most probable under CROWDLAB;
        - "majority_vote" (default where no item has two votes): the class with most votes; ties go
          to the model, if there is one, then to the rarer class, then to the annotators who agree
          more with the rest;
        - "wawa", "dawid_skene" (default without pred_probs), "one_coin", "glad", "mace": label
          models, which look at votes alone.
    quality_method : {"crowdlab", "agreement"}, optional
        Of the first two methods: the posterior of CROWDLAB (default with pred_probs, where some
        item has two votes), or the share of votes that agree.
    calibrate_probs : bool
        Scale the models' probabilities to the votes first.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        How the posterior and a label become a quality score.
    classes : sequence of length k, optional
        Class names in the order of the columns.
    ids : array_like of shape (n,), optional
        Name of the item of each row of pred_probs.

    Returns
    -------
    Consensus

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Warns
    -----
    DataWarning
        No two annotators agree on any item.

    References
    ----------
    H. Goh, U. Tkachenko, J. Mueller. CROWDLAB: Supervised learning to infer consensus labels and
    quality scores for data with multiple annotators. arXiv:2210.06812 (2022).

    Examples
    --------
    >>> found = get_consensus_labels(
    ...     {"item": [0, 0, 1, 1, 1], "annotator": list("abacb"), "label": [0, 0, 1, 0, 1]},
    ...     [[0.9, 0.1], [0.3, 0.7]],
    ... )
    >>> found.labels, found.quality.round(2)
    (array([0, 1]), array([0.88, 0.74]))
    >>> found.to_frame("annotator")["annotator"].tolist()
    ['c', 'a', 'b']
    """
    checked = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    return consensus_of(
        checked,
        consensus_method,
        quality_method,
        calibrate_probs=calibrate_probs,
        method=method,
    )


def consensus_of(
    checked: Checked,
    consensus_method: ConsensusMethod | Sequence[ConsensusMethod] | None = None,
    quality_method: QualityMethod | None = None,
    *,
    calibrate_probs: bool = False,
    method: Method = "self_confidence",
) -> Consensus:
    """Find the consensus of checked votes; see `get_consensus_labels`."""
    check.choice(method, get_args(Method), name="method")
    if consensus_method is None:
        consensus_method = default_method(checked.votes, checked.probs)
    names = [consensus_method] if isinstance(consensus_method, str) else list(consensus_method)
    if not names or len(set(names)) < len(names):
        raise InputError("consensus_method", f"is {names}", "Name each method once")
    for name in names:
        check.choice(name, get_args(ConsensusMethod), name="consensus_method")
    check_agreement(checked.votes)
    temperatures: tuple[float, ...] = ()
    if calibrate_probs:
        checked, temperatures = _calibrated(checked)
    found = [_by_method(checked, name, quality_method, method) for name in names]
    others: dict[str, Consensus] = dict(zip(names[1:], found[1:], strict=True))
    return replace(found[0], others=others, temperatures=temperatures)


def check_agreement(votes: Votes) -> None:
    """Refuse votes if there are none, and warn where no two of them agree."""
    if len(votes) == 0:
        raise InputError("labels", "holds no vote", "Pass at least one label")
    if not (votes.votes_per_item > 1).any():
        return
    pairs = np.sort(votes.item.astype(np.int64) * votes.num_classes + votes.label)
    if not (pairs[1:] == pairs[:-1]).any():
        warn(
            "labels: no two annotators agree on any item. Check that they all use the same names"
            " of classes."
        )


def _calibrated(checked: Checked) -> tuple[Checked, tuple[float, ...]]:
    if checked.probs is None:
        raise InputError("calibrate_probs", "needs pred_probs", "Pass them, or leave it out")
    found = tuple(crowdlab.best_temperature(checked.votes, each) for each in checked.probs)
    probs = [crowdlab.scaled(*each) for each in zip(checked.probs, found, strict=True)]
    return replace(checked, probs=np.stack(probs)), found


def _by_method(
    checked: Checked, name: ConsensusMethod, quality_method: QualityMethod | None, method: Method
) -> Consensus:
    votes = checked.votes
    fit = aggregate(votes, checked.probs, name, quality_method, method)
    labels = fit.consensus.astype(np.int64)
    return Consensus(
        method=name,
        fit=fit,
        labels=labels,
        quality=label_quality(labels, fit.posterior, method),
        agreement=item_agreement(votes, fit.consensus),
        vote_quality=vote_quality(votes, fit.posterior, method),
        annotator_quality=np.where(votes.votes_per_annotator > 0, fit.annotator_quality, np.nan),
        votes=votes,
        classes=checked.classes,
        annotators=checked.annotators,
        ids=checked.ids,
    )
