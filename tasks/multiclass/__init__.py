"""Multiclass classification: one class for each example.

Labels are a sequence, array, pandas Series or one-column DataFrame: class indices 0 .. k-1, or
names (strings, categories, any hashable). pred_probs is an array of shape (n, k), float16, 32 or
64, or a DataFrame; where its columns carry names they are the class names, and order is by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="multiclass",
    title="one class for each example: texts, images, rows of a table",
    package=__name__,
)

_HOME = {
    "HealthSummary": "summary",
    "MulticlassData": "data",
    "audit": "auditing",
    "class_thresholds": "estimates",
    "confident_joint": "estimates",
    "estimate_joint": "estimates",
    "estimate_noise": "estimates",
    "export": "formats",
    "find_label_issues": "issues",
    "get_label_quality_ensemble_scores": "ensemble",
    "get_label_quality_scores": "issues",
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
