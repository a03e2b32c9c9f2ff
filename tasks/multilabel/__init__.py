"""Multilabel classification: any number of classes for each example.

Labels are a matrix of shape (n, k): 1 or True where an example has a class, 0 or False where it
has not, -1 or NaN where that is not known; an array, a DataFrame or a SciPy sparse matrix. Or they
are a list of classes for each example: indices 0 .. k-1, or names. pred_probs is an array of shape
(n, k), float16, 32 or 64, or a DataFrame, of the probability of each class by itself; where its
columns carry names they are the class names, and order is by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="multilabel",
    title="any number of classes for each example: tags, topics, instruments",
    package=__name__,
)

_HOME = {
    "HealthSummary": "summary",
    "MultilabelData": "data",
    "audit": "auditing",
    "class_priors": "estimates",
    "class_thresholds": "estimates",
    "common_label_issues": "summary",
    "confident_joint": "estimates",
    "export": "formats",
    "find_label_issues": "issues",
    "get_label_quality_scores": "scores",
    "get_label_quality_scores_per_class": "scores",
    "health_summary": "summary",
    "num_label_issues": "estimates",
    "overlapping_classes": "summary",
    "read": "formats",
    "summarize": "summary",
}
__all__ = [*_HOME, "TASK"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
