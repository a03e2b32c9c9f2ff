"""Pixels whose value or colour is no class: listed where few masks have any, refused in many."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.segmentation import runs
from goldlabel.typing import Mask

__all__ = ["KIND", "Stray", "Strays", "with_strays"]

KIND = "not a class"
_REASON = "{area:,} pixels whose value, {given_text}, is no class; they count in no other figure"
_SHOWN = 5
_FEWEST = 3
"""From so many masks on, a value that one of them has alone is taken for a mistake."""


@dataclass(frozen=True)
class Stray:
    """The pixels of a mask that have no class.

    Attributes
    ----------
    text : str
        Their values or colours.
    area, x, y, width, height : int
        How many they are, and the box around them, in pixels from the left and the top.
    counts : str
        The pixels as COCO run lengths, compressed, on a mask of `size` (h, w).
    """

    text: str
    area: int
    x: int
    y: int
    width: int
    height: int
    counts: str
    size: tuple[int, int]


class Strays:
    """What was seen of such pixels so far, by the position of the mask; for any thread.

    Parameters
    ----------
    most : float
        In so many masks they are listed. In more of them it is not a mistake of few labels, but
        something that has to be said: a border without a class, a table that lacks a class.

    Attributes
    ----------
    found : dict of int to Stray
    """

    def __init__(self, most: float = math.inf) -> None:
        self.most = most
        self.found: dict[int, Stray] = {}
        self._refusals: dict[int, InputError] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, n: int) -> Strays:
        """Return those of `n` masks: listed in one of them, or in a tenth."""
        return cls(max(1, n // 10) if n >= _FEWEST else 0)

    def at(self, image: int) -> Callable[[Mask, Sequence[str], InputError], None]:
        """Return what takes such pixels of a mask: which, their values, and how to refuse them."""

        def note(pixels: Mask, values: Sequence[str], refusal: InputError) -> None:
            stray = _stray(pixels, values)
            with self._lock:
                self.found[image] = stray
                self._refusals[image] = refusal
                if len(self.found) > self.most:
                    raise self._refusals[min(self._refusals)]

        return note


def _stray(pixels: Mask, values: Sequence[str]) -> Stray:
    ys, xs = np.nonzero(pixels)
    kinds = sorted(set(values), key=lambda value: (len(value), value))
    more = f" and {len(kinds) - _SHOWN:,} others" if len(kinds) > _SHOWN else ""
    return Stray(
        text=", ".join(kinds[:_SHOWN]) + more,
        area=len(ys),
        x=int(xs.min()),
        y=int(ys.min()),
        width=int(np.ptp(xs)) + 1,
        height=int(np.ptp(ys)) + 1,
        counts=runs.to_text(runs.of_mask(pixels), pixels.size),
        size=(int(pixels.shape[0]), int(pixels.shape[1])),
    )


def with_strays(
    issues: LabelIssues, strays: Mapping[int, Stray], parts: Mapping[int, int]
) -> LabelIssues:
    """Return the issues with those pixels as findings, before all others; their images score 0.

    `parts` says which part of its image each of them is.
    """
    if not strays:
        return issues
    images = sorted(strays)
    own, n = issues.parts, len(images)
    # From `find_regions`: one sentence for each kind.
    reasons = own.reasons if isinstance(own.reasons, Mapping) else {}
    scores, is_issue = issues.scores.copy(), issues.is_issue.copy()
    scores[images], is_issue[images] = 0.0, True

    def before(values: npt.NDArray[Any], first: float) -> npt.NDArray[Any]:
        return np.concatenate((np.full(n, first), values)).astype(values.dtype)

    evidence = {
        name: np.concatenate(
            ([getattr(strays[image], name, 0.0) for image in images], values)
        ).astype(values.dtype)
        for name, values in own.evidence.items()
    }
    texts = [strays[image].text for image in images]
    evidence["given_text"] = np.array([*texts, *[""] * len(own)], dtype=object)
    return replace(
        issues,
        scores=scores,
        is_issue=is_issue,
        parts=replace(
            own,
            example=np.concatenate((images, own.example)).astype(np.int64),
            part=np.concatenate(([parts[image] for image in images], own.part)).astype(np.int64),
            kind=before(own.kind, len(own.kinds)),
            kinds=(*own.kinds, KIND),
            given=before(own.given, -1),
            suggested=before(own.suggested, -1),
            score=before(own.score, 0.0),
            confidence=before(own.confidence, 0.0),
            evidence=evidence,
            reasons={**reasons, KIND: _REASON.format},
        ),
    )
