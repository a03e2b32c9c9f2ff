"""The task "dataset": what `goldlabel audit dataset` runs."""

from __future__ import annotations

from goldlabel.task import Task

__all__ = ["TASK"]

TASK = Task(
    "dataset",
    "any table: outliers, duplicates, drift, without a model",
    "goldlabel.checks.auditing",
)
