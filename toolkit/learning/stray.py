"""Labels that no statistic can judge: of none of the classes, or of one that hardly exists.

Such a label is a finding of its own kind, and has no part in thresholds, joint or counts: the
threshold of a class with one example is that example's own probability, next to nothing if the
"class" is a slip of the pen, and every other row that is unsure of its class would reach it.
"""

from __future__ import annotations

from collections.abc import Hashable
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.inputs.labels import NOT_A_CLASS
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["alike", "rare_classes", "stray_rows"]

_FEW = 5
"""Examples of a class that may be a slip of the pen, at most ..."""
_RARE = 50
"""... and at most one in so many of all."""
_LONG_TAIL = 5
"""With more such classes than this, classes with few examples are what the dataset is like."""
_RATIO = 0.8
"""Share of characters in common from which two names may be one, if they are not very short."""
_LOOKALIKES = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s"})


def rare_classes(counts: Ints, means: Floats) -> Mask:
    """Return the classes, (k,), that hardly exist: a few examples, and no model that knows them.

    Parameters
    ----------
    counts : ndarray of shape (k,), int64
        Rows given as each class.
    means : ndarray of shape (k,), float64
        Mean probability of each class over the rows given it. Below 1 / k it is less than chance.
    """
    k = len(counts)
    most = min(_FEW, int(counts.sum()) // _RARE)
    rare: Mask = (counts > 0) & (counts <= most) & (means < 1.0 / k)
    return rare


def stray_rows(
    labels: Ints, predicted: npt.NDArray[Any], is_rare: Mask, classes: tuple[Hashable, ...]
) -> Ints:
    """Return the rows whose label is of none of the classes, or of one that hardly exists.

    Where there are many such classes, only those whose name is like that of the model's class.
    """
    none = np.flatnonzero(labels == NOT_A_CLASS)
    if not is_rare.any():
        return none
    rare = np.flatnonzero((labels >= 0) & is_rare[labels] & (predicted != labels))
    if np.count_nonzero(is_rare) > _LONG_TAIL:
        pairs = zip(labels[rare].tolist(), predicted[rare].tolist(), strict=True)
        similar = [alike(str(classes[given]), str(classes[best])) for given, best in pairs]
        rare = rare[np.array(similar, dtype=np.bool_)]
    return np.sort(np.append(none, rare))


def alike(name: str, other: str) -> bool:
    """Return whether one name may be a slip of the pen for the other.

    Examples
    --------
    >>> alike("neg ", "neg"), alike("0", "O"), alike("negatve", "negative"), alike("cat", "dog")
    (True, True, True, False)
    """
    if _folded(name) == _folded(other):
        return True
    if min(len(name), len(other)) < 3 or abs(len(name) - len(other)) > 2:
        return False
    return SequenceMatcher(None, name.casefold(), other.casefold()).ratio() >= _RATIO


def _folded(name: str) -> str:
    return "".join(name.casefold().split()).translate(_LOOKALIKES)
