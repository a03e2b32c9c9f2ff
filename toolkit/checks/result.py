"""What every check of a dataset answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.typing import Floats, Ints, Mask

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CheckResult"]


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What one check found in n examples; ``len()`` is n.

    Attributes
    ----------
    check : str
        Name of the check, e.g. ``"outlier"``.
    scores : ndarray of shape (n,), float64
        In [0, 1], lower is worse; never NaN.
    is_issue : ndarray of shape (n,), bool
        Which examples are flagged.
    score : float
        One score for the whole dataset, in [0, 1], lower is worse.
    verdict : str
        What was found, in a sentence.
    is_found : bool
        Whether there is an issue: of examples, or of the dataset as a whole.
    reason : str or ndarray of str
        Why an example is flagged: a text in which ``{score}`` and the names of `columns` stand for
        its own, or a text for each example.
    columns : mapping of str to ndarray of shape (n,)
        What else is known of each example: its nearest neighbour, its group.
    frames : mapping of str to DataFrame
        Tables: groups, classes, columns. Positions of examples are whole numbers.
    figures : mapping
        Named numbers and texts of the whole: plain JSON, in the order to show.
    params : mapping
        Every parameter, as it was used.
    notes : tuple of str
        What was left out or assumed, a sentence each.
    """

    check: str
    scores: Floats
    is_issue: Mask
    score: float
    verdict: str
    is_found: bool
    reason: str | npt.NDArray[Any] = ""
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold every check, third parties' too, to what a reader relies on."""
        n = len(self.scores)
        bad = np.flatnonzero(~((self.scores >= 0) & (self.scores <= 1)))
        if bad.size:
            what = f"is {self.scores[bad[0]]}, not in [0, 1] ({bad.size} such)"
            raise InputError(f"{self.check}: scores[{bad[0]}]", what, "Mend the check")
        if not 0 <= self.score <= 1:
            raise InputError(f"{self.check}: score", f"is {self.score}", "Mend the check")
        for name, values in {"is_issue": self.is_issue, **self.columns}.items():
            if np.shape(values) != (n,):
                what = f"has shape {np.shape(values)}, but there are {n} scores"
                raise InputError(f"{self.check}: {name}", what, "Mend the check")

    def __len__(self) -> int:
        return len(self.scores)

    def __bool__(self) -> bool:
        raise InputError("CheckResult", "is neither true nor false", "Ask is_found or num_issues")

    def __repr__(self) -> str:
        return f"<CheckResult: {self.check}, {self.num_issues} of {len(self)} examples flagged>"

    @property
    def num_issues(self) -> int:
        """How many examples are flagged."""
        return int(np.count_nonzero(self.is_issue))

    def ranked(self) -> Ints:
        """Positions of the flagged examples, worst first; ties by position."""
        flagged = np.flatnonzero(self.is_issue)
        return flagged[np.argsort(self.scores[flagged], kind="stable")]

    def reasons(self, examples: npt.ArrayLike | None = None) -> list[str]:
        """Say in a sentence each why examples are flagged; all that are, worst first, if None."""
        rows = self.ranked() if examples is None else np.asarray(examples, dtype=np.int64)
        if not isinstance(self.reason, str):
            return [str(text) for text in self.reason[rows].tolist()]
        columns = {"score": self.scores, **self.columns}
        values = zip(*(column[rows].tolist() for column in columns.values()), strict=True)
        return [self.reason.format(**dict(zip(columns, row, strict=True))) for row in values]

    def to_frame(self) -> pd.DataFrame:
        """Return a row per example: `example`, `score`, `is_issue`, and the columns."""
        import pandas as pd

        first = {"example": np.arange(len(self)), "score": self.scores, "is_issue": self.is_issue}
        return pd.DataFrame({**first, **self.columns})

    def with_notes(self, *notes: str) -> CheckResult:
        """Return the same result with more notes."""
        return replace(self, notes=(*self.notes, *notes))
