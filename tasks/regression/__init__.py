"""Regression: one number for each example.

Labels and predictions are array_likes of shape (n,), also of shape (n, 1): numbers, or text that
reads as one. Predictions are those of a model that did not see the example. Where labels may be
missing or no numbers (`find_label_issues`, `audit`), these are findings of their own kind.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="regression",
    title="a number for each example: prices, measurements, ratings",
    package=__name__,
)

_HOME = {
    "CleanLearning": "learning",
    "OutreGrid": "grid",
    "RegressionData": "data",
    "audit": "auditing",
    "export": "formats",
    "find_label_issues": "issues",
    "get_label_quality_scores": "scores",
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
