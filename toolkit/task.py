"""The contract that a task fulfils, and how tasks are found.

A task is a package whose entry point in the group ``goldlabel.tasks`` names a `Task`::

    [project.entry-points."goldlabel.tasks"]
    multiclass = "goldlabel.tasks.multiclass:TASK"

The package offers, by these names (loaded on first use, so that finding a task costs nothing):

``audit(path, *, ...) -> Audit``
    Read native files and find what is wrong. Its signature and its numpydoc docstring are the
    command: positional parameters are arguments of ``goldlabel audit NAME``, keyword-only ones
    become options (``pred_probs`` -> ``--pred-probs``), and the docstring is their help. Types
    that a command line can carry: str, int, float, bool, Path, Literal of str, any of these
    ``| None``, and ``Sequence`` of str (a comma-separated list). A parameter called ``progress``
    is not an option: it takes a callable ``(done, total, what)``.
``export(source, corrections, out) -> None``
    Write the dataset of an `goldlabel.audit.Source` to `out` in its own format, with the labels
    of `corrections` (a frame with columns ``example``, ``part``, ``suggested``) put in and
    everything else as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from goldlabel.audit import Audit, Source
from goldlabel.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GROUP", "Export", "Progress", "Task", "find_task", "find_tasks"]

GROUP = "goldlabel.tasks"

Progress = Callable[[int, int, str], None]
"""Told how far a long job is: (done, total, what)."""


class Export(Protocol):
    """Write a dataset back, corrected."""

    def __call__(self, source: Source, corrections: pd.DataFrame, out: Path) -> None:
        """Write the dataset of `source` to `out` with the labels of `corrections` put in."""


@dataclass(frozen=True)
class Task:
    """A task by name; its verbs are loaded from its package when they are first used.

    Attributes
    ----------
    name : str
        The word on the command line, e.g. ``"multiclass"``.
    title : str
        What it audits, in a few words.
    package : str
        Import path of the package that offers ``audit`` and ``export``.
    """

    name: str
    title: str
    package: str

    @property
    def audit(self) -> Callable[..., Audit]:
        """The task's ``audit``."""
        return cast("Callable[..., Audit]", import_module(self.package).audit)

    @property
    def export(self) -> Export:
        """The task's ``export``."""
        return cast("Export", import_module(self.package).export)


def find_tasks() -> dict[str, Task]:
    """Return every installed task by name, goldlabel's own and third parties', sorted by name."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    return {name: cast("Task", found[name].load()) for name in sorted(found)}


def find_task(name: str) -> Task:
    """Return one installed task.

    Raises
    ------
    InputError
        There is no task of this name; the message lists those there are.
    """
    tasks = find_tasks()
    if name not in tasks:
        raise InputError("task", f"is {name!r}, not one of {', '.join(tasks)}", "Name one of these")
    return tasks[name]
