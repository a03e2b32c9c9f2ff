"""Which aggregation method there is, which one is taken, and its fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.learning.confident import Method
from goldlabel.tasks.multiannotator.aggregation import crowdlab
from goldlabel.tasks.multiannotator.aggregation.fit import Fit, renumbered
from goldlabel.tasks.multiannotator.aggregation.label_models import (
    dawid_skene,
    glad,
    mace,
    majority,
    one_coin,
    wawa,
)
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats

__all__ = [
    "LABEL_MODELS",
    "ConsensusMethod",
    "QualityMethod",
    "aggregate",
    "default_method",
    "label_model",
]

ConsensusMethod = Literal[
    "best_quality", "majority_vote", "wawa", "dawid_skene", "one_coin", "glad", "mace"
]
QualityMethod = Literal["crowdlab", "agreement"]

LABEL_MODELS: dict[str, Callable[[Votes], Fit]] = {
    "wawa": wawa.fit,
    "dawid_skene": dawid_skene.fit,
    "one_coin": one_coin.fit,
    "glad": glad.fit,
    "mace": mace.fit,
}
"""Methods that need nothing but the votes, and have a quality of their own."""


def default_method(
    votes: Votes, probs: Floats | None, *, has_identities: bool = True
) -> ConsensusMethod:
    """Return how votes become labels if nobody says it: the one rule, for all verbs.

    Parameters
    ----------
    votes : Votes
    probs : ndarray of shape (E, N, k), optional
        Of models.
    has_identities : bool
        Whether it is known who gave which vote.
    """
    if not has_identities or not _has_several(votes):
        return "majority_vote"
    return "dawid_skene" if probs is None else "best_quality"


def _has_several(votes: Votes) -> bool:
    """Whether some item has two votes, so that annotators can be compared."""
    return bool((votes.votes_per_item > 1).any())


def label_model(votes: Votes, name: str) -> Fit:
    """Fit a label model: the same bits however items and annotators are numbered."""
    canonical = votes.canonical
    if name == "mace":
        fit = mace.fit(canonical.votes, alike=canonical.alike)
    else:
        fit = LABEL_MODELS[name](canonical.votes)
    return renumbered(fit, canonical.items, canonical.annotators)


def aggregate(
    votes: Votes,
    probs: Floats | None,
    consensus_method: ConsensusMethod,
    quality_method: QualityMethod | None = None,
    method: Method = "self_confidence",
) -> Fit:
    """Fit one method to checked votes and probabilities; see `get_consensus_labels`."""
    check.choice(consensus_method, get_args(ConsensusMethod), name="consensus_method")
    if consensus_method in LABEL_MODELS:
        if quality_method is not None:
            raise InputError(
                "quality_method",
                f"is of no use to {consensus_method!r}, which has its own",
                "Leave it out",
            )
        return label_model(votes, consensus_method)
    is_best = consensus_method == "best_quality"
    if quality_method is None:
        weighs = probs is not None and (is_best or _has_several(votes))
        quality_method = "crowdlab" if weighs else "agreement"
    check.choice(quality_method, get_args(QualityMethod), name="quality_method")
    if quality_method == "agreement":
        # The class with the largest share of votes is that of the majority vote.
        mean = None if probs is None else np.ascontiguousarray(probs.mean(axis=0))
        return majority.fit(votes, pred_probs=mean)
    if probs is None:
        raise InputError(
            "pred_probs",
            "are missing, and CROWDLAB weighs a model",
            "Pass them, or 'agreement'",
        )
    return crowdlab.fit(votes, probs, best_quality=is_best, method=method)
