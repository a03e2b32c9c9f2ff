"""Classes with too few examples."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.inputs import check

from .columns import coded_labels
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_class_imbalance"]


def find_class_imbalance(
    *, labels: Any, classes: Sequence[Hashable] | None = None, threshold: float = 0.1
) -> CheckResult:
    """Find every class with too few examples.

    Parameters
    ----------
    labels : array_like of shape (n,)
    classes : sequence, optional
        Names of all classes, those without examples too; the labels that there are if not given.
    threshold : float
        Share of ``1 / classes`` that the share of each class should reach.

    Returns
    -------
    CheckResult
        Examples of classes that are too small, and of the smallest in any case, score the share of
        their class. Frame `classes`; figures `rarest_class` and `absent_classes`.

    Raises
    ------
    InputError
        Labels are no column of classes.

    Examples
    --------
    >>> found = find_class_imbalance(labels=["a"] * 98 + ["b", "c"])
    >>> found.ranked().tolist(), found.verdict
    ([98, 99], '2 of 3 classes have fewer than 3.33% of the examples: b, c.')
    """
    check.number(threshold, name="threshold", low=0.0, high=1.0)
    coded = coded_labels(labels, classes=classes)
    counts = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.classes))
    shares = counts / counts.sum()
    cut = threshold / len(counts)
    too_small = (shares < cut) & (counts > 0)
    rarest = int(np.where(counts > 0, shares, np.inf).argmin())
    scored = too_small.copy()
    scored[rarest] = True
    by_class = np.append(np.where(scored, shares, 1.0), 1.0)  # the last: examples without a label
    frame = pd.DataFrame({
        "class": list(coded.classes), "examples": counts, "share": shares, "is_issue": too_small,
    }).sort_values("examples", kind="stable").reset_index(drop=True)  # fmt: skip
    small = frame.loc[frame["is_issue"], "class"].astype(str).tolist()
    verdict = "No class is much smaller than the others."
    if small:
        named = ", ".join(small[:10]) + (" and others" if len(small) > 10 else "")
        verdict = f"{len(small)} of {len(counts)} classes have fewer than {cut:.2%} of the examples"
        verdict += f": {named}."
    return CheckResult(
        check="class_imbalance",
        scores=by_class[coded.codes],
        is_issue=np.append(too_small, False)[coded.codes],
        score=float(shares[rarest]),
        verdict=verdict,
        is_found=bool(small),
        reason="its class has only a share of {score:.2%} of the examples",
        columns={"label": coded.names()},
        frames={"classes": frame},
        figures={
            "rarest_class": str(coded.classes[rarest]),
            "absent_classes": [str(coded.classes[i]) for i in np.flatnonzero(counts == 0)],
            "cut": cut,
        },
        params={"threshold": threshold},
        notes=coded.notes,
    )


CHECK = Check(
    "class_imbalance",
    "classes with too few examples",
    find_class_imbalance,
    needs=(("labels",),),
)
