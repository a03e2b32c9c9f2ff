"""How votes become one label for each item: by CROWDLAB, by shares of votes, by label models.

References
----------
H. Goh, U. Tkachenko, J. Mueller. CROWDLAB: Supervised learning to infer consensus labels and
quality scores for data with multiple annotators. arXiv:2210.06812 (2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.learning import confident
from goldlabel.learning.confident import Method
from goldlabel.tasks.multiannotator.aggregation import crowdlab
from goldlabel.tasks.multiannotator.aggregation.consensus import (
    Consensus,
    ConsensusMethod,
    QualityMethod,
)
from goldlabel.tasks.multiannotator.aggregation.crowdlab.fitting import (
    annotator_quality,
    item_agreement,
)
from goldlabel.tasks.multiannotator.aggregation.fit import gold_classes
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import vote_shares
from goldlabel.tasks.multiannotator.inputs import Checked, checked_votes
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["LABEL_MODELS", "consensus_of", "get_consensus_labels"]

LABEL_MODELS = ("wawa", "dawid_skene", "one_coin", "glad", "mace")
"""Methods that need nothing but the votes."""


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
        - "majority_vote": the class with most votes; ties go to the model, if there is one, then
          to the rarer class, then to the annotators who agree more with the rest;
        - "wawa", "dawid_skene" (default without pred_probs), "one_coin", "glad", "mace": label
          models, which look at votes alone.
    quality_method : {"crowdlab", "agreement"}, optional
        Of the first two methods: the posterior of CROWDLAB, or the share of votes that agree.
        "crowdlab" if there are pred_probs.
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
    given = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    return consensus_of(
        given,
        consensus_method,
        quality_method,
        calibrate_probs=calibrate_probs,
        method=method,
    )


def consensus_of(
    given: Checked,
    consensus_method: ConsensusMethod | Sequence[ConsensusMethod] | None = None,
    quality_method: QualityMethod | None = None,
    *,
    calibrate_probs: bool = False,
    method: Method = "self_confidence",
) -> Consensus:
    """Find the consensus of checked votes; see `get_consensus_labels`."""
    check.choice(method, get_args(Method), name="method")
    if len(given.votes) == 0:
        raise InputError("labels", "holds no vote", "Pass at least one label")
    if consensus_method is None:
        consensus_method = "best_quality" if given.probs is not None else "dawid_skene"
    names = [consensus_method] if isinstance(consensus_method, str) else list(consensus_method)
    if not names or len(set(names)) < len(names):
        raise InputError("consensus_method", f"is {names}", "Name each method once")
    for name in names:
        check.choice(name, get_args(ConsensusMethod), name="consensus_method")
    _warn_of_disagreement(given.votes)
    temperatures: tuple[float, ...] = ()
    if calibrate_probs:
        given, temperatures = _calibrated(given)
    found = [_by_method(given, name, quality_method, method) for name in names]
    others: dict[str, Consensus] = dict(zip(names[1:], found[1:], strict=True))
    return replace(found[0], others=others, temperatures=temperatures)


def _warn_of_disagreement(votes: Votes) -> None:
    if not (votes.votes_per_item > 1).any():
        return
    pairs = np.sort(votes.item.astype(np.int64) * votes.num_classes + votes.label)
    if not (pairs[1:] == pairs[:-1]).any():
        warn(
            "labels: no two annotators agree on any item. Check that they all use the same names"
            " of classes."
        )


def _calibrated(given: Checked) -> tuple[Checked, tuple[float, ...]]:
    if given.probs is None:
        raise InputError("calibrate_probs", "needs pred_probs", "Pass them, or leave it out")
    found = tuple(crowdlab.best_temperature(given.votes, each) for each in given.probs)
    probs = [crowdlab.scaled(*each) for each in zip(given.probs, found, strict=True)]
    return replace(given, probs=np.stack(probs)), found


def _by_method(
    given: Checked, name: str, quality_method: QualityMethod | None, method: Method
) -> Consensus:
    if name in LABEL_MODELS:
        if quality_method is not None:
            raise InputError(
                "quality_method", f"is of no use to {name!r}, which has its own", "Leave it out"
            )
        return _of_label_model(given, name, method)
    if quality_method is None:
        quality_method = "crowdlab" if given.probs is not None else "agreement"
    check.choice(quality_method, get_args(QualityMethod), name="quality_method")
    if quality_method == "agreement":
        return _of_agreement(given, name, method)
    if given.probs is None:
        raise InputError(
            "pred_probs",
            "are missing, and CROWDLAB weighs a model",
            "Pass them, or 'agreement'",
        )
    crowd = crowdlab.fit(given.votes, given.probs, best_quality=name == "best_quality")
    vote_quality = _vote_quality(given.votes, crowd.posterior, method)
    of_annotators, _ = annotator_quality(given.votes, crowd, vote_quality)
    return Consensus(
        method=name,
        labels=crowd.labels,
        quality=_quality(crowd.labels, crowd.posterior, method),
        agreement=crowd.agreement,
        posterior=crowd.posterior,
        vote_quality=vote_quality,
        annotator_quality=of_annotators,
        votes=given.votes,
        classes=given.classes,
        annotators=given.annotators,
        ids=given.ids,
        model_weights=crowd.model_weights,
        annotator_weights=crowd.annotator_weights,
    )


def _of_agreement(given: Checked, name: str, method: Method) -> Consensus:
    """Take shares of votes for probabilities. The best class is then that of the majority vote."""
    votes = given.votes
    probs = None if given.probs is None else np.ascontiguousarray(given.probs.mean(axis=0))
    labels = crowdlab.majority_vote(votes, probs)
    posterior = np.empty((votes.num_items, votes.num_classes))
    vote_shares(votes, gold_classes(None, votes), posterior)
    if probs is not None:
        unseen = votes.votes_per_item == 0
        posterior[unseen] = probs[unseen]
    several = votes.votes_per_item[votes.item] > 1
    right = votes.label == labels[votes.item]
    m = votes.num_annotators
    hits = np.bincount(votes.annotator[right & several], minlength=m)
    count = np.bincount(votes.annotator[several], minlength=m)
    return Consensus(
        method=name,
        labels=labels,
        quality=_quality(labels, posterior, method),
        agreement=item_agreement(votes, labels),
        posterior=posterior,
        vote_quality=_vote_quality(votes, posterior, method),
        annotator_quality=np.where(count > 0, hits / np.maximum(count, 1), np.nan),
        votes=votes,
        classes=given.classes,
        annotators=given.annotators,
        ids=given.ids,
    )


def _of_label_model(given: Checked, name: str, method: Method) -> Consensus:
    votes = given.votes
    model = import_module(f"goldlabel.tasks.multiannotator.aggregation.label_models.{name}")
    found = model.fit(votes)
    labels = found.consensus.astype(np.int64)
    known = votes.votes_per_annotator > 0
    return Consensus(
        method=name,
        labels=labels,
        quality=_quality(labels, found.posterior, method),
        agreement=item_agreement(votes, labels),
        posterior=found.posterior,
        vote_quality=_vote_quality(votes, found.posterior, method),
        annotator_quality=np.where(known, found.annotator_quality, np.nan),
        votes=votes,
        classes=given.classes,
        annotators=given.annotators,
        ids=given.ids,
    )


def _quality(labels: Ints, posterior: Floats, method: Method) -> Floats:
    """Return the score of each item's label; 0 where there is none."""
    if method == "self_confidence":
        own = posterior[np.arange(len(labels)), labels]
    else:
        own = confident.label_quality(labels, posterior, method)
    return np.where(labels >= 0, np.clip(own, 0.0, 1.0), 0.0)


def _vote_quality(votes: Votes, posterior: Floats, method: Method) -> Floats:
    """Return the score of each vote, by the posterior of its item."""
    if method == "self_confidence":
        return np.clip(posterior[votes.item, votes.label], 0.0, 1.0)
    out = np.empty(len(votes))

    def work(worker: int, block: int, rows: slice) -> None:
        label = votes.label[rows].astype(np.int64)
        out[rows] = confident.label_quality(label, posterior[votes.item[rows]], method)

    each_block(work, len(votes), block_rows(votes.num_classes))
    return np.clip(out, 0.0, 1.0)
