"""What is found of many votes: a label for each item, and how far to trust it and annotators.

References
----------
H. Goh, U. Tkachenko, J. Mueller. CROWDLAB: Supervised learning to infer consensus labels and
quality scores for data with multiple annotators. arXiv:2210.06812 (2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.inputs import check
from goldlabel.kernels._jit import frozen
from goldlabel.tasks.multiannotator.aggregation.crowdlab import kernels
from goldlabel.tasks.multiannotator.aggregation.fit import Fit
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["Consensus", "class_column"]


@dataclass(frozen=True, eq=False)
class Consensus:
    """Consensus labels of N items by M annotators, and the quality of labels, votes, annotators.

    Attributes
    ----------
    method : str
        How the labels were found: a consensus method.
    fit : Fit
        What the aggregation method made of the votes, with its parameters.
    labels : ndarray of shape (N,), int64
        Class index of each item; -1 for one without votes and probabilities.
    quality : ndarray of shape (N,), float64
        How likely the label is right, in [0, 1]; 0 where there is none.
    agreement : ndarray of shape (N,), float64
        Share of the item's votes that are for its label; NaN without votes.
    vote_quality : ndarray of shape (n,), float64
        How likely each vote is right, in [0, 1], in the order of `votes`.
    annotator_quality : ndarray of shape (M,), float64
        In [0, 1]; NaN for an annotator of whom nothing is known.
    votes : Votes
    classes, annotators : tuple
        Names by index.
    ids : ndarray of shape (N,), optional
        Names of the items.
    temperatures : tuple of float
        Of the models, where they were calibrated.
    others : mapping of str to Consensus
        The same by the further methods that were asked for.
    """

    method: str
    fit: Fit
    labels: Ints
    quality: Floats
    agreement: Floats
    vote_quality: Floats
    annotator_quality: Floats
    votes: Votes
    classes: tuple[Hashable, ...]
    annotators: tuple[Hashable, ...]
    ids: npt.NDArray[Any] | None = None
    temperatures: tuple[float, ...] = ()
    others: Mapping[str, Consensus] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        votes, people = len(self.votes), len(self.annotators)
        return (
            f"<Consensus: {len(self)} items, {votes} votes by {people} annotators, {self.method}>"
        )

    @property
    def posterior(self) -> Floats:
        """Probability of each class, float64 (N, k)."""
        return self.fit.posterior

    @property
    def model_weights(self) -> Floats | None:
        """How much models weigh in the posterior, float64 (E,); of CROWDLAB only."""
        return self.fit.parameters.get("model_weights")

    @property
    def annotator_weights(self) -> Floats | None:
        """How much annotators weigh in the posterior, float64 (M,); of CROWDLAB only."""
        return self.fit.parameters.get("annotator_weights")

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
        """Return classes by name; see `class_column`."""
        return class_column(codes, self.classes)

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


def class_column(codes: npt.NDArray[Any], classes: tuple[Hashable, ...]) -> Any:
    """Return classes by name, missing for -1; the indices where classes have no names."""
    if classes == tuple(range(len(classes))):
        return codes
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(map(str, classes))))
