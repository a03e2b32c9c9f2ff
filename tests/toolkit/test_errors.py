"""Messages, and where warnings point."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from goldlabel import DataWarning, InputError
from goldlabel.errors import MissingExtra, collected_warnings, warn
from goldlabel.tasks import multiclass, multilabel


def test_messages_have_one_form():
    assert str(InputError("labels[1]", "is 7.", "Drop it.")) == "labels[1]: is 7. Drop it."
    missing = MissingExtra("zarr", "to read zarr arrays", "zarr")
    assert str(missing).startswith("zarr: is needed to read zarr arrays, and is not installed. pip")


LABELS = np.array([0, 1, 1, 0, 1, 0, 0])
PRED_PROBS = np.column_stack([1 - LABELS, LABELS]) * 0.8 + 0.1


@pytest.mark.parametrize(
    "call",
    [
        lambda: warn("data: is odd. Look at it."),
        lambda: multiclass.find_label_issues(LABELS, PRED_PROBS * 2 / 3),
        lambda: multiclass.find_label_issues(
            LABELS, PRED_PROBS, filter_by="predicted_neq_given", frac_noise=0.5
        ),
        lambda: multiclass.num_label_issues(
            LABELS, PRED_PROBS, method="off_diagonal", confident_joint=[[3, 1], [1, 2]]
        ),
        lambda: multilabel.find_label_issues(
            np.eye(2, dtype=int)[LABELS], PRED_PROBS, min_examples_per_class=5
        ),
    ],
)
def test_warnings_point_at_the_line_of_the_caller(call):
    with pytest.warns(DataWarning) as caught:
        call()
    assert {entry.filename for entry in caught} == {__file__}


def test_what_an_audit_warns_of_is_collected_once_each():
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with collected_warnings() as messages:
            for text in ("a: is odd.", "b: is odd.", "a: is odd."):
                warn(text)
            warnings.warn("speaks to developers", RuntimeWarning, stacklevel=1)
    assert messages == ["a: is odd.", "b: is odd."]


def test_an_error_ends_what_collects_warnings():
    with pytest.raises(InputError), collected_warnings():
        raise InputError("labels", "is empty", "Pass some")
