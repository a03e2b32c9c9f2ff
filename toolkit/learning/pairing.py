"""Two sides of a dataset, read so that they belong together: the reading that agrees best.

What a person annotated and what a model said are often of two files, and each can be read in more
than one way: by which key examples are matched, which number means which class, what units or order
numbers are in. A wrong reading makes every label look wrong, or none. As labels are mostly right
and models mostly good, the right reading is the one in which the two sides agree far better than
in all others. A task measures the agreement of each reading; this room decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

__all__ = ["CLEAR", "FEW", "Reading", "best_reading", "compared"]

Value = TypeVar("Value")

ENOUGH = 0.8
"""Sides that agree so well are not asked how else they could be read."""
CLEAR = 0.5
"""Another reading has to agree at least so well..."""
GAIN = 0.3
"""... and by so much better than the one that the files name."""
FEW = 10
"""With fewer parts to compare nothing can be told."""


class Reading(NamedTuple, Generic[Value]):
    """One way to read two sides.

    Attributes
    ----------
    name : str
        What messages call it: "by file name", "as x, y, width, height".
    value : object
        What a task needs to read them so.
    agreement : float
        Share of the labels that the other side agrees with, in [0, 1].
    """

    name: str
    value: Value
    agreement: float


def best_reading(taken: Reading[Value], others: Iterable[Reading[Value]]) -> Reading[Value]:
    """Return the reading that agrees far better than the one that the files name, else that one.

    Parameters
    ----------
    taken : Reading
        As the files are read if nothing speaks against it.
    others : iterable of Reading
        Made only if they are asked for: where the one that is taken agrees well, they are not.

    Examples
    --------
    >>> taken = Reading("by id", 0, 0.05)
    >>> best_reading(taken, [Reading("by file name", 1, 0.99), Reading("by position", 2, 0.4)])
    Reading(name='by file name', value=1, agreement=0.99)
    >>> best_reading(taken._replace(agreement=0.9), []).name
    'by id'
    """
    if taken.agreement >= ENOUGH:
        return taken
    best = max(others, key=lambda each: each.agreement, default=taken)
    is_better = best.agreement >= CLEAR and best.agreement >= taken.agreement + GAIN
    return best if is_better else taken


def compared(best: Reading[Value], taken: Reading[Value], of: str) -> str:
    """Return a sentence on why one reading and not the other.

    Examples
    --------
    >>> compared(Reading("by file name", 1, 0.989), Reading("by id", 0, 0.053), "boxes")
    'by file name: 98.9% of the boxes agree then, and 5.3% by id'
    """
    share, less = f"{best.agreement:.1%}", f"{taken.agreement:.1%}"
    return f"{best.name}: {share} of the {of} agree then, and {less} {taken.name}"
