"""Which votes are wrong, and how sure the consensus on each item is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.inputs import check
from goldlabel.kernels.ordering import ascending
from goldlabel.learning import confident
from goldlabel.learning.confident import Method
from goldlabel.learning.filters import FilterBy, Options, flag
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.aggregation.methods import ConsensusMethod, QualityMethod
from goldlabel.tasks.multiannotator.aggregation.ties import TIED
from goldlabel.tasks.multiannotator.aggregation.truth_inference import consensus_of
from goldlabel.tasks.multiannotator.inputs import checked_votes
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["KIND", "find_label_issues", "get_label_quality_scores", "issues_of"]

KIND = "wrong vote"


def find_label_issues(
    labels: Any,
    pred_probs: Any = None,
    *,
    consensus_method: ConsensusMethod | None = None,
    quality_method: QualityMethod | None = None,
    filter_by: FilterBy = "predicted_neq_given",
    rank_by: Method = "self_confidence",
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> LabelIssues:
    """Find the votes that are wrong, judged by the consensus on their items.

    By default these are the votes against it. The other filters take every vote for a row of
    confident learning, whose probabilities are the posterior of its item.

    Parameters
    ----------
    labels, pred_probs, consensus_method, quality_method, classes, ids
        As for `get_consensus_labels`.
    filter_by : str
        How votes are chosen, of those against the consensus:

        - "predicted_neq_given": all of them;
        - "prune_by_noise_rate", "prune_by_class", "both": as many as the confident joint of votes
          and posteriors counts, the least probable first;
        - "confident_learning": those counted off its diagonal;
        - "low_self_confidence", "low_normalized_margin": the lowest, as many as
          "confident_learning" chooses.
    rank_by : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        How a posterior and a label become a quality score.

    Returns
    -------
    LabelIssues
        A score for each item: the quality of its consensus; 1 without votes. A row of `parts` for
        each vote judged wrong: the annotator is `part` (`part_names` has the names), `given` the
        vote, `suggested` the consensus, `score` the quality of the vote.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> votes = {"item": [0, 0, 0, 1, 1], "annotator": list("abcab"), "label": [0, 0, 1, 1, 1]}
    >>> issues = find_label_issues(votes, [[0.9, 0.1], [0.1, 0.9]])
    >>> issues
    <LabelIssues: multiannotator, 1 of 2 examples flagged>
    >>> issues.to_frame("part")[["example", "part_name", "given", "suggested"]]
       example part_name given suggested
    0        0         c     1         0
    """
    checked = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    found = consensus_of(checked, consensus_method, quality_method, method=rank_by)
    return issues_of(found, filter_by, rank_by)


def issues_of(
    consensus: Consensus, filter_by: FilterBy, rank_by: Method = "self_confidence"
) -> LabelIssues:
    """Find the wrong votes by a consensus that was found before."""
    check.choice(filter_by, get_args(FilterBy), name="filter_by")
    votes = consensus.votes
    wrong = np.flatnonzero(
        (votes.label != consensus.labels[votes.item]) & _flagged(consensus, filter_by)
    )
    is_issue = np.zeros(votes.num_items, dtype=np.bool_)
    is_issue[votes.item[wrong]] = True
    scores = np.where(votes.votes_per_item > 0, consensus.quality, 1.0)
    return LabelIssues(
        task="multiannotator",
        scores=scores,
        is_issue=is_issue,
        parts=_parts(consensus, wrong),
        classes=consensus.classes,
        ids=consensus.ids,
        part_names=consensus.annotators,
        params={
            "consensus_method": consensus.method,
            "quality_method": "own" if consensus.model_weights is None else "crowdlab",
            "filter_by": filter_by,
            "rank_by": rank_by,
            "temperatures": list(consensus.temperatures),
        },
    )


def _flagged(consensus: Consensus, filter_by: FilterBy) -> Mask:
    """Return which votes a filter chooses, by the posteriors of their items."""
    votes, posterior = consensus.votes, consensus.posterior
    if filter_by == "predicted_neq_given":
        largest = posterior.max(axis=1)[votes.item]
        return np.asarray(posterior[votes.item, votes.label] < largest * (1.0 - TIED))
    order = _canonical_order(votes)  # sums of floats: the same bits in any order of the votes
    rows = np.ascontiguousarray(posterior[votes.item[order]])
    counted = confident.count(votes.label[order].astype(np.int64), rows, disagreeing=True)
    flagged = np.zeros(len(votes), dtype=np.bool_)
    flagged[order] = flag(counted, Options(filter_by), classes=consensus.classes)
    return flagged


def _canonical_order(votes: Votes) -> Ints:
    """Return the numbers of the votes in the order of `Votes.canonical`."""
    canonical = votes.canonical
    items, annotators = np.argsort(canonical.items), np.argsort(canonical.annotators)
    return np.lexsort((annotators[votes.annotator], items[votes.item]))


def _parts(consensus: Consensus, wrong: npt.NDArray[np.int64]) -> Parts:
    """Return a row for each wrong vote, worst first."""
    votes = consensus.votes
    wrong = wrong[ascending(consensus.vote_quality[wrong])]
    item, label = votes.item[wrong].astype(np.int64), votes.label[wrong].astype(np.int64)
    agreed = consensus.labels[item]
    posterior = consensus.posterior
    count = votes.votes_per_item[item]
    return Parts(
        example=item,
        part=votes.annotator[wrong].astype(np.int64),
        kind=np.zeros(len(wrong), dtype=np.int8),
        kinds=(KIND,),
        given=label,
        suggested=agreed,
        score=consensus.vote_quality[wrong],
        confidence=np.clip(posterior[item, agreed], 0.0, 1.0),
        evidence={
            "p_given": np.clip(posterior[item, label], 0.0, 1.0),
            "votes": count,
            "votes_for_consensus": np.rint(consensus.agreement[item] * count).astype(np.int64),
        },
        reasons={KIND: _reason},
    )


def _reason(
    *,
    given: str,
    suggested: str,
    confidence: float,
    p_given: float,
    votes: int,
    votes_for_consensus: int,
    **_: Any,
) -> str:
    return (
        f"{votes_for_consensus} of {votes} votes, {confidence:.0%} with all weighed, are for"
        f" {suggested!r}; {given!r} has {p_given:.0%}."
    )


def get_label_quality_scores(
    labels: Any,
    pred_probs: Any = None,
    *,
    method: Method = "self_confidence",
    consensus_method: ConsensusMethod | None = None,
    quality_method: QualityMethod | None = None,
    classes: Sequence[Hashable] | None = None,
) -> Floats:
    """Score how likely the consensus label of each item is right.

    Parameters
    ----------
    labels, pred_probs, method, consensus_method, quality_method, classes
        As for `get_consensus_labels`, which gives the scores of votes and annotators too.

    Returns
    -------
    ndarray of shape (n,), float64
        Label quality in [0, 1]; lower is worse. 1 for an item without votes.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> votes = {"item": [0, 0, 1, 1], "annotator": list("abab"), "label": [0, 0, 1, 0]}
    >>> get_label_quality_scores(votes, consensus_method="majority_vote")
    array([1. , 0.5])
    """
    checked = checked_votes(labels, pred_probs, classes=classes)
    found = consensus_of(checked, consensus_method, quality_method, method=method)
    return np.where(found.votes.votes_per_item > 0, found.quality, 1.0)
