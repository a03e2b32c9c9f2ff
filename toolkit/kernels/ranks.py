"""The number of a given rank among many that come in pieces, exactly, in bounded memory.

Numbers of [0, 1] order as their bits do. So a histogram over their leading 16 bits says in which
bin the wanted rank lies, a second one over the next 16 bits of that bin's numbers narrows it down,
and so on until the number itself is known: two looks at float32, four at float64. Histograms of
pieces add up, in any order and on any number of threads, to the same cut.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.typing import AnyFloats, Ints

__all__ = ["BINS", "RankCut"]


_DIGIT = 16
BINS = 1 << _DIGIT
"""Length of a histogram: 512 KiB of int64."""


@kernel
def _count_digits(bits: Ints, prefix: int, shift: int, counts: Ints) -> None:
    """Count the digit at `shift` of the numbers whose leading bits are `prefix`."""
    for i in range(bits.shape[0]):
        leading = bits[i] >> shift
        if leading >> 16 == prefix:
            counts[leading & 0xFFFF] += 1


class RankCut:
    """Find where the `rank` smallest of many numbers end, in a few looks at all of them.

    Call `count` for every piece and `descend` with the sum of what it counted, until that returns
    True. The rank is asked for at `descend`: the first look may be taken before it is known.

    Parameters
    ----------
    dtype : dtype
        float32 or float64: that of the numbers.

    Attributes
    ----------
    value : float
        The `rank` smallest are the numbers below it, and `places` of those equal to it.
    places : int
        May be 0: then all that are wanted lie below `value`.
    equal : int
        How many numbers equal `value`, where some are among the smallest.

    Examples
    --------
    >>> numbers = np.array([0.5, 0.25, 0.75, 0.25, 1.0], dtype=np.float32)
    >>> cut = RankCut(numbers.dtype)
    >>> while True:
    ...     counts = np.zeros(BINS, dtype=np.int64)
    ...     cut.count(numbers, counts)
    ...     if cut.descend(counts, 1):
    ...         break
    >>> cut.value, cut.places, cut.equal
    (0.25, 1, 2)
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._integer = np.dtype(f"i{self._dtype.itemsize}")
        self._shift = 8 * self._dtype.itemsize - _DIGIT
        self._prefix = 0
        self._below = 0
        self.value = 0.0
        self.places = 0
        self.equal = 0

    def count(self, numbers: AnyFloats, counts: Ints) -> None:
        """Add a piece to a histogram.

        Parameters
        ----------
        numbers : ndarray of shape (m,), of the dtype said, C-contiguous
            Each in [0, 1], without -0.0.
        counts : ndarray of shape (BINS,), int64
        """
        _count_digits(frozen(numbers, self._integer), self._prefix, self._shift, counts)

    def descend(self, counts: Ints, rank: int) -> bool:
        """Narrow the cut down by the histogram of all pieces; return whether it is found.

        Parameters
        ----------
        counts : ndarray of shape (BINS,), int64
        rank : int
            0 .. how many numbers there are; the same in each call.
        """
        if rank <= 0:
            self.value, self.places = 0.0, 0
            return True
        upto = np.cumsum(counts)
        digit = int(np.searchsorted(upto, rank - self._below))
        before = int(upto[digit - 1]) if digit else 0
        inside = int(counts[digit])
        left = rank - self._below - before
        self._prefix = self._prefix << _DIGIT | digit
        if self._shift == 0:
            self.value, self.places, self.equal = self._number(self._prefix), left, inside
            return True
        if left == inside:  # the whole bin: what follows it is the bound
            self.value, self.places = self._number(self._prefix + 1 << self._shift), 0
            return True
        self._below += before
        self._shift -= _DIGIT
        return False

    def _number(self, bits: int) -> float:
        return float(np.array([bits], dtype=self._integer).view(self._dtype)[0])
