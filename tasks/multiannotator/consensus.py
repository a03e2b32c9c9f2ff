"""One label for each item out of many votes, and how far each label and annotator is to be trusted.

References
----------
H. Goh, U. Tkachenko, J. Mueller. CROWDLAB: Supervised learning to infer consensus labels and
quality scores for data with multiple annotators. arXiv:2210.06812 (2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel import check, confident
from goldlabel.confident import Method
from goldlabel.errors import InputError, warn
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.tasks.multiannotator import crowdlab
from goldlabel.tasks.multiannotator.crowdlab import kernels
from goldlabel.tasks.multiannotator.crowdlab.fitting import agreement_with, annotator_quality
from goldlabel.tasks.multiannotator.given import Given, given_votes
from goldlabel.tasks.multiannotator.label_models.fitted import gold_classes
from goldlabel.tasks.multiannotator.label_models.majority import vote_shares
from goldlabel.tasks.multiannotator.votes import Votes

__all__ = ["Consensus", "ConsensusMethod", "QualityMethod", "consensus_of", "get_consensus_labels"]

ConsensusMethod = Literal[
    "best_quality", "majority_vote", "wawa", "dawid_skene", "one_coin", "glad", "mace"
]
QualityMethod = Literal["crowdlab", "agreement"]
LABEL_MODELS = ("wawa", "dawid_skene", "one_coin", "glad", "mace")
"""Methods that need nothing but the votes."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Consensus:
    """Consensus labels of N items by M annotators, and the quality of labels, votes, annotators.

    Attributes
    ----------
    method : str
        How the labels were found: a consensus method.
    labels : ndarray of shape (N,), int64
        Class index of each item; -1 for one without votes and probabilities.
    quality : ndarray of shape (N,), float64
        How likely the label is right, in [0, 1]; 0 where there is none.
    agreement : ndarray of shape (N,), float64
        Share of the item's votes that are for its label; NaN without votes.
    posterior : ndarray of shape (N, k), float64
        Probability of each class.
    vote_quality : ndarray of shape (n,), float64
        How likely each vote is right, in [0, 1], in the order of `votes`.
    annotator_quality : ndarray of shape (M,), float64
        In [0, 1]; NaN for an annotator of whom nothing is known.
    votes : Votes
    classes, annotators : tuple
        Names by index.
    ids : ndarray of shape (N,), optional
        Names of the items.
    model_weights, annotator_weights : ndarray of shape (E,), (M,), optional
        How much models and annotators weigh in the posterior; of CROWDLAB only.
    temperatures : tuple of float
        Of the models, where they were calibrated.
    others : mapping of str to Consensus
        The same by the further methods that were asked for.
    """

    method: str
    labels: Ints
    quality: Floats
    agreement: Floats
    posterior: Floats
    vote_quality: Floats
    annotator_quality: Floats
    votes: Votes
    classes: tuple[Hashable, ...]
    annotators: tuple[Hashable, ...]
    ids: npt.NDArray[Any] | None = None
    model_weights: Floats | None = None
    annotator_weights: Floats | None = None
    temperatures: tuple[float, ...] = ()
    others: Mapping[str, Consensus] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        votes, people = len(self.votes), len(self.annotators)
        return (
            f"<Consensus: {len(self)} items, {votes} votes by {people} annotators, {self.method}>"
        )

    def to_frame(self, level: Literal["item", "annotator", "vote"] = "item") -> pd.DataFrame:
        """Return the result as a table.

        Parameters
        ----------
        level : {"item", "annotator", "vote"}
            "item": a row for each, with `id`, `consensus`, `quality`, `agreement` and `votes`, and
            the first three again, with the suffix ``_METHOD``, for each further method.
            "annotator": a row for each, lowest quality first: `annotator`, `quality`,
            `agreement_with_consensus`, `num_examples_labeled`, `worst_class` and, of CROWDLAB,
            `weight`. "vote": a row for each, with `id`, `annotator`, `label` and `quality`.
        """
        check.choice(level, ("item", "annotator", "vote"), name="level")
        return {"item": self._items, "annotator": self._annotators, "vote": self._votes}[level]()

    def _items(self) -> pd.DataFrame:
        columns: dict[str, Any] = {
            "id": np.arange(len(self)) if self.ids is None else self.ids,
            **self._item_columns(""),
            "votes": self.votes.votes_per_item,
        }
        for name, other in self.others.items():
            columns.update(other._item_columns(f"_{name}"))
        return pd.DataFrame(columns)

    def _item_columns(self, suffix: str) -> dict[str, Any]:
        return {
            f"consensus{suffix}": self.named(self.labels),
            f"quality{suffix}": self.quality,
            f"agreement{suffix}": self.agreement,
        }

    def _annotators(self) -> pd.DataFrame:
        votes = self.votes
        worst, _ = self.worst_classes()
        right = votes.label == self.labels[votes.item]
        count = votes.votes_per_annotator
        hits = np.bincount(votes.annotator[right], minlength=votes.num_annotators)
        frame = pd.DataFrame(
            {
                "annotator": list(self.annotators),
                "quality": self.annotator_quality,
                "agreement_with_consensus": np.where(count, hits / np.maximum(count, 1), np.nan),
                "num_examples_labeled": count,
                "worst_class": self.named(worst),
            }
        )
        if self.annotator_weights is not None:
            frame["weight"] = self.annotator_weights
        by = ["quality", "agreement_with_consensus"]
        return frame.sort_values(by, kind="stable", na_position="last", ignore_index=True)

    def _votes(self) -> pd.DataFrame:
        votes = self.votes
        people = pd.Index(list(self.annotators))
        return pd.DataFrame(
            {
                "id": votes.item if self.ids is None else self.ids[votes.item],
                "annotator": people[votes.annotator],
                "label": self.named(votes.label),
                "quality": self.vote_quality,
            }
        )

    def named(self, codes: npt.NDArray[Any]) -> Any:
        """Return classes by name, missing for -1; the indices where classes have no names."""
        if self.classes == tuple(range(len(self.classes))):
            return codes
        return pd.Categorical.from_codes(codes, categories=pd.Index(list(map(str, self.classes))))

    def worst_classes(self) -> tuple[Ints, Floats]:
        """Return the class that each annotator is wrong about most, and (accuracy, votes) of it."""
        votes = self.votes
        m = votes.num_annotators
        worst, record = np.full(m, -1, dtype=np.int64), np.full((m, 2), np.nan)
        kernels.class_records(
            frozen(votes.annotator_offsets),
            votes.by_annotator,
            votes.item,
            votes.label,
            frozen(self.labels),
            frozen(self.quality),
            votes.num_classes,
            worst,
            record,
        )
        return worst, record

    def vote_quality_matrix(self) -> Floats:
        """Return the quality of votes as a matrix (N, M), float64, NaN where there is no vote."""
        votes = self.votes
        matrix = np.full((votes.num_items, votes.num_annotators), np.nan)
        matrix[votes.item, votes.annotator] = self.vote_quality
        return matrix


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
    (array([0, 1]), array([0.88, 0.75]))
    >>> found.to_frame("annotator")["annotator"].tolist()
    ['c', 'a', 'b']
    """
    given = given_votes(labels, pred_probs, classes=classes, ids=ids)
    return consensus_of(
        given,
        consensus_method,
        quality_method,
        calibrate_probs=calibrate_probs,
        method=method,
    )


def consensus_of(
    given: Given,
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


def _calibrated(given: Given) -> tuple[Given, tuple[float, ...]]:
    if given.probs is None:
        raise InputError("calibrate_probs", "needs pred_probs", "Pass them, or leave it out")
    found = tuple(crowdlab.best_temperature(given.votes, each) for each in given.probs)
    probs = [crowdlab.scaled(*each) for each in zip(given.probs, found, strict=True)]
    return replace(given, probs=np.stack(probs)), found


def _by_method(
    given: Given, name: str, quality_method: QualityMethod | None, method: Method
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


def _of_agreement(given: Given, name: str, method: Method) -> Consensus:
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
        agreement=agreement_with(votes, labels),
        posterior=posterior,
        vote_quality=_vote_quality(votes, posterior, method),
        annotator_quality=np.where(count > 0, hits / np.maximum(count, 1), np.nan),
        votes=votes,
        classes=given.classes,
        annotators=given.annotators,
        ids=given.ids,
    )


def _of_label_model(given: Given, name: str, method: Method) -> Consensus:
    votes = given.votes
    model = import_module(f"goldlabel.tasks.multiannotator.label_models.{name}")
    found = model.fit(votes)
    labels = found.consensus.astype(np.int64)
    known = votes.votes_per_annotator > 0
    return Consensus(
        method=name,
        labels=labels,
        quality=_quality(labels, found.posterior, method),
        agreement=agreement_with(votes, labels),
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
