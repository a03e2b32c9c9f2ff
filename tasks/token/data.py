"""The container: sentences with a tag for each token, as read from their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs.ragged import Ragged
from goldlabel.results.audit import Source

__all__ = [
    "BAD_KINDS",
    "CUT",
    "NO_LABEL",
    "NO_SPAN",
    "NO_TAG",
    "OTHER_LENGTH",
    "OTHER_TEXT",
    "OUT_OF_TEXT",
    "BadLabel",
    "TokenData",
    "Written",
]

NO_TAG, OTHER_LENGTH, NO_SPAN, OUT_OF_TEXT, OTHER_TEXT, NO_LABEL, CUT = BAD_KINDS = (
    "not a tag",
    "not a tag for each word",
    "not a span",
    "span out of text",
    "span of another text",
    "span without a label",
    "cut word",
)
"""What can be wrong with labels whatever a model says, as kinds of issues."""


class BadLabel(NamedTuple):
    """A label that is none, or a span that lies wrong.

    Attributes
    ----------
    sentence : int
    start, end : int
        Tokens that it is about, the end not included: none where there are none.
    kind : str
        One of `BAD_KINDS`.
    text : str
        As the file has it.
    hint : str
        What it is to be, as far as that is known without a model.
    """

    sentence: int
    start: int
    end: int
    kind: str
    text: str
    hint: str = ""


class Written(NamedTuple):
    """A sentence as it is written.

    Attributes
    ----------
    text : str
    places : sequence of (int, int)
        Where each of its words begins and ends, in code points.
    """

    text: str
    places: Sequence[tuple[int, int]]

    @property
    def gaps(self) -> tuple[str, ...]:
        """What stands before the first word, between words and after the last."""
        ends = [0, *(end for _, end in self.places)]
        starts = [*(start for start, _ in self.places), len(self.text)]
        return tuple(self.text[a:b] for a, b in zip(ends, starts, strict=True))


@dataclass(frozen=True, eq=False)
class TokenData:
    """Tags of n sentences, and what was read with them.

    Attributes
    ----------
    labels : Ragged of int64
        Class index of each token, by sentence; -1 where the file does not say.
    tokens : tuple of str
        The words, sentence after sentence.
    classes : tuple of str
        Names of the k classes, by column; some may have no token.
    source : Source
        Where the labels came from, with all that `export` needs.
    scheme : str
        Scheme of the classes, one of `goldlabel.tasks.token.tags.SCHEMES`; "none": no entities.
    ids : ndarray of shape (n,), optional
        The dataset's own name of each sentence.
    pred_probs : ndarray of shape (tokens, k) or (n, t, k), float32 or float64, optional
        Predicted probabilities, columns in the order of `classes`; may be a read-only map of a
        file. Shapes fit; the values are not checked here.
    broken : tuple of (int, int, str)
        Sentence, token and tag where the file's tags break the rules of their scheme, if they had
        to be converted to that of the predictions.
    bad : tuple of BadLabel
        Labels that are none: the tokens of theirs are not known. Of the kind `CUT` they are, and
        the spans lie wrong.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    texts : tuple of Written, optional
        Each sentence as it is written, where the file has texts.
    """

    labels: Ragged
    tokens: tuple[str, ...]
    classes: tuple[str, ...]
    source: Source
    scheme: str = "none"
    ids: npt.NDArray[Any] | None = None
    pred_probs: npt.NDArray[Any] | None = None
    broken: tuple[tuple[int, int, str], ...] = ()
    bad: tuple[BadLabel, ...] = ()
    notes: tuple[str, ...] = ()
    texts: tuple[Written, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.labels.values):
            raise InputError(
                "tokens",
                f"has {len(self.tokens):,} words, and labels {len(self.labels.values):,} tags",
                "Pass one each",
            )
        probs = self.pred_probs
        if probs is not None and probs.shape[-1] != len(self.classes):
            raise InputError(
                "classes", f"has {len(self.classes)} names, not {probs.shape[-1]}", "Name each"
            )
        if self.ids is not None and len(self.ids) != len(self):
            raise InputError(
                "ids", f"has {len(self.ids):,} entries, not {len(self):,}", "Pass one each"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Class index of each token, sentence after sentence."""
        return np.asarray(self.labels.values, dtype=np.int64)

    def words(self, sentence: int) -> tuple[str, ...]:
        """Return the words of a sentence."""
        start, end = self.labels.offsets[sentence : sentence + 2].tolist()
        return self.tokens[start:end]

    def gaps(self, sentence: int) -> tuple[str, ...]:
        """Return what stands around the words of a sentence; spaces where that is not known."""
        if self.texts is not None:
            return self.texts[sentence].gaps
        n = len(self.words(sentence))
        return ("", *[" "] * (n - 1), "") if n else ("",)
