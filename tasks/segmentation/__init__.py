"""Semantic segmentation: one class for each pixel of an image.

Labels are an integer array (n, h, w) of class indices 0 .. k-1, or a sequence or iterable of masks
(h, w) of any sizes; pixels with an `ignore_index` are left out of everything. pred_probs is an
array (n, k, h, w), float16, 32 or 64, in memory or mapped from a file, or a sequence or iterable
of arrays (k, h, w). Images are looked at one by one: memory does not grow with their number.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="segmentation",
    title="one class for each pixel of an image: masks",
    package=__name__,
)

_HOME = {
    "InstanceMasks": "comparing",
    "PixelIssues": "issues",
    "SegmentationData": "data",
    "audit": "auditing",
    "common_label_issues": "summary",
    "export": "formats",
    "filter_by_class": "summary",
    "find_instance_issues": "instances",
    "find_label_issues": "issues",
    "find_pixel_issues": "issues",
    "get_label_quality_scores": "scores",
    "get_pixel_quality_scores": "scores",
    "issues_from_scores": "scores",
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
