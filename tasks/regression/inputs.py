"""What `goldlabel.tasks.regression.CleanLearning` is given besides features and labels, checked."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.regression.values import NUMBER, Values
from goldlabel.typing import Floats

__all__ = ["fit_options", "mask", "model_name", "uncertainty", "weights"]


def model_name(model: Any) -> str:
    """Return what a model is called; of a pipeline, its last step."""
    return type(model[-1] if hasattr(model, "steps") else model).__name__


def fit_options(options: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """Return further arguments of ``fit``; weights of examples are none of them."""
    found = dict(options or {})
    if "sample_weight" in found:
        raise InputError(
            name, "holds sample_weight, which has a row for each example", "Pass it to fit itself"
        )
    return found


def uncertainty(given: npt.ArrayLike | None, n: int) -> Floats | None:
    """Return the uncertainty of each prediction, if it is given."""
    if given is None:
        return None
    if np.ndim(given) == 0:
        return np.full(n, check.number(given, name="uncertainty", low=0.0))
    return check.vector(given, name="uncertainty", length=n, low=0.0)


def weights(given: npt.ArrayLike, n: int, model: Any) -> Floats:
    """Return a weight for each example, if the model's ``fit`` takes any."""
    if "sample_weight" not in inspect.signature(model.fit).parameters:
        raise InputError(
            "sample_weight", f"is nothing that {model_name(model)}.fit takes", "Leave it out"
        )
    return check.vector(given, name="sample_weight", length=n, low=0.0)


def mask(label_issues: Any, values: Values) -> npt.NDArray[np.bool_]:
    """Return which examples are said to be wrong."""
    n = len(values.kind)
    if isinstance(label_issues, LabelIssues):
        label_issues = label_issues.is_issue
    if isinstance(label_issues, pd.DataFrame):
        label_issues = _mask_of_frame(label_issues, values)
    found = np.asarray(label_issues)
    if found.shape != (n,) or found.dtype != np.bool_:
        raise InputError(
            "label_issues",
            f"is {found.dtype} of shape {found.shape}, and there are {n} examples",
            "Pass True or False for each example",
        )
    return found


def _mask_of_frame(frame: pd.DataFrame, values: Values) -> npt.NDArray[Any]:
    names = [name for name in ("is_issue", "is_label_issue") if name in frame]
    if not names:
        raise InputError(
            "label_issues", f"has the columns {list(frame.columns)}", "Add is_label_issue"
        )
    if "given_label" in frame and len(frame) == len(values.kind):
        given = pd.to_numeric(frame["given_label"], errors="coerce").to_numpy(np.float64)
        other = np.flatnonzero((given != values.numbers) & (values.kind == NUMBER))
        if other.size:
            raise InputError(
                f"label_issues: row {other[0]}",
                f"has given_label {given[other[0]]:g}, and labels has"
                f" {values.numbers[other[0]]:g} ({other.size} such rows)",
                "Pass what was found in these labels",
            )
    return frame[names[0]].to_numpy()
