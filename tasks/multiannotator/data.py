"""The container: a dataset that several people have labelled, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultiannotatorData"]


@dataclass(frozen=True, eq=False)
class MultiannotatorData:
    """Votes of M annotators on N items, and what was read with them.

    Attributes
    ----------
    votes : Votes
    classes : tuple of str
        Names of the k classes, by index; some may have no vote.
    annotators : tuple of str
        Names of the annotators, by index.
    ids : ndarray of shape (N,), object
        The dataset's own name of each item, as text.
    source : Source
        Where the votes came from, with all that `export` needs.
    pred_probs : ndarray of shape (E, N, k), float64, optional
        Predicted probabilities of E models. Shapes fit; the values are not checked here.
    frame : DataFrame, optional
        What else the files say of each item, a row for each.
    time, seconds : ndarray of shape (n,), float64, optional
        When each vote was given, in seconds since 1970, and how long it took; NaN where the file
        does not say.
    place : ndarray of shape (n, p), int64
        Where each vote stands in the file; what the numbers mean is the format's affair.
    has_identities : bool
        Whether it is known who gave which vote. In a table of counts it is not: its annotators are
        then the first, second, ... vote on an item, and say nothing.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    """

    votes: Votes
    classes: tuple[str, ...]
    annotators: tuple[str, ...]
    ids: npt.NDArray[Any]
    source: Source
    pred_probs: Floats | None = None
    frame: pd.DataFrame | None = None
    time: Floats | None = None
    seconds: Floats | None = None
    place: npt.NDArray[np.int64] | None = None
    has_identities: bool = True
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        votes = self.votes
        expected = (votes.num_items, votes.num_annotators, votes.num_classes)
        found = (len(self.ids), len(self.annotators), len(self.classes))
        if found != expected:
            raise InputError(
                "ids, annotators and classes",
                f"have {found} entries, and the votes {expected}",
                "Name each once",
            )
        for name, values in (("time", self.time), ("seconds", self.seconds), ("place", self.place)):
            if values is not None and len(values) != len(votes):
                raise InputError(
                    name, f"has {len(values):,} entries, not {len(votes):,}", "One each"
                )
        if self.pred_probs is not None and self.pred_probs.shape[1:] != expected[::2]:
            raise InputError(
                "pred_probs",
                f"has shape {self.pred_probs.shape}, and there are {expected[0]:,} items of"
                f" {expected[2]} classes",
                "Pass a row per item and a column per class",
            )

    def __len__(self) -> int:
        return self.votes.num_items
