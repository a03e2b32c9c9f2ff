"""Several annotators for each item: consensus labels, and how far to trust whom.

Labels are votes. They come as a long table: a frame or mapping with the columns `item`, `annotator`
and `label`, or a tuple of these three; as a wide one: an array or frame of items by annotators with
NaN (None, or -1 among integers) where there is no label; or as `Votes`. Classes are indices
0 .. k-1 or names. Items and annotators may have any number of votes, none included. pred_probs, an
array of shape (n, k) or (models, n, k), has a row for each item: of a long table, items are row
numbers then, or `ids` names the rows.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="multiannotator",
    title="several annotators for each example: consensus, and whom to trust",
    package=__name__,
)

_HOME = {
    "ActiveScores": "active",
    "Consensus": "consensus",
    "MultiannotatorData": "data",
    "Votes": "votes",
    "annotator_report": "annotators",
    "audit": "auditing",
    "compare_methods": "methods",
    "export": "formats",
    "find_label_issues": "issues",
    "get_active_learning_scores": "active",
    "get_consensus_labels": "finding",
    "get_label_quality_scores": "issues",
    "next_examples": "selecting",
    "read": "formats",
    "select": "selecting",
    "summarize": "summary",
    "write_consensus": "writing",
}
__all__ = [*_HOME, "TASK"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
