"""The contract that a task fulfils, and how tasks are found.

A task is a package whose entry point in the group ``goldlabel.tasks`` names a `Task`::

    [project.entry-points."goldlabel.tasks"]
    multiclass = "goldlabel.tasks.multiclass:TASK"

The package offers, by these names (loaded on first use, so that finding a task costs nothing):

``audit(path, *, ...) -> Audit``
    Read native files and find what is wrong. Its signature and its numpydoc docstring are the
    command ``goldlabel audit NAME``: the text up to the first section is its help, and what
    ``Parameters`` says of each parameter is the help of its option.

    - Positional parameters are arguments; the last of them may be a ``Sequence[Path]``, one or
      more files. Keyword-only parameters are options: ``pred_probs`` is ``--pred-probs``, and one
      without a default has to be given.
    - Types that a command line can carry: str, int, float, bool, Path, Literal of str, each of
      these ``| None``, and ``Sequence[str]``, a comma-separated list (names that hold a comma in
      double quotes). A parameter of any other type needs a default, and is for Python only.
    - A parameter called ``progress`` is no option: it takes a `Progress`, or None where nobody
      watches. ``out``, ``json``, ``top`` and ``quiet`` are options of every task already.

    Bad input raises InputError; what deserves a look is a DataWarning, which the command shows
    and adds to the notes of the audit.
``export(source, corrections, out) -> None``
    Write the dataset of a `goldlabel.results.audit.Source` to `out` in its own format, with the
    labels of `corrections` put in and everything else as it was. `corrections` is a frame of one
    row per changed label, in the order of the dataset: ``example`` and ``part`` (positions, as in
    `goldlabel.results.label_issues.Parts`) and ``suggested`` (a class by its name, or a value);
    further columns are for the change log, or say what to do where findings have an ``action``
    (`goldlabel.actions.corrections`). It may be empty. `out` may be a file that exists, to be
    replaced, and is never the dataset itself; what is written appears whole or not at all.

Where examples have several labels (votes), it may also offer, as what ``goldlabel export`` does:

``export_consensus(folder, source, out) -> int``
    Write the one label that the audit in `folder` has decided of each example, as a table: `item`,
    `consensus` and `quality`, in the form that the name of `out` ends with. Returns how many there
    are. Labels of single people are changed where that is asked for, by ``export``.

It may also offer, for the review of an audit:

``view(source, issues, summary) -> View``
    Show examples as `goldlabel.scenes` says, from the dataset as it lies there: read again as
    ``export`` does, opening nothing but the files and folders of `source`, which is not trusted.
    Without it examples are shown by what was found in them (`goldlabel.views.IssuesView`).

It may also offer, for ``goldlabel select``:

``next_examples(folder, source, *, n, ...) -> DataFrame``
    Choose what to label next, or once more, in the dataset of an audit: a row for each of at most
    `n` examples, the first one first, with the columns ``example`` (position), ``id`` and
    whatever those who label it, and those who give it to them, need to see. What the audit has
    decided is taken from its `folder`, not found again. Keyword-only parameters as for `Select`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from goldlabel.errors import GoldlabelError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from goldlabel.results.audit import Audit, Source
    from goldlabel.scenes import ViewOf

__all__ = ["GROUP", "Export", "Progress", "Select", "Task", "find_task", "find_tasks", "task_names"]

GROUP = "goldlabel.tasks"

Progress = Callable[[int, int, str], None]
"""Told how far a long job is: (done, total, what)."""


class Export(Protocol):
    """Write a dataset back, corrected."""

    def __call__(self, source: Source, corrections: pd.DataFrame, out: Path) -> None:
        """Write the dataset of `source` to `out` with the labels of `corrections` put in."""


ExportConsensus = Callable[[Path, "Source", Path], int]
"""Write the one label of each example that an audit has decided."""


class Select(Protocol):
    """Choose what to label next."""

    def __call__(
        self,
        folder: Path,
        source: Source,
        *,
        n: int,
        features: Path | None = None,
        at_random: bool = False,
        per_annotator: int | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return the `n` examples to label next, as a table.

        `folder`: what the audit wrote, with all that it has decided; `source`: its dataset.
        `features`: a file of numbers, a row for each example, by which those chosen are made to
        differ. `at_random`: choose with equal chances instead, to compare with. `per_annotator`:
        most examples that one person is asked to label.
        """


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
        return cast("Callable[..., Audit]", self._verb("audit"))

    @property
    def export(self) -> Export:
        """The task's ``export``."""
        return cast("Export", self._verb("export"))

    def _verb(self, name: str) -> Any:
        """Return a function of the package, whatever there is to say against it."""
        try:
            return getattr(import_module(self.package), name)
        except (ImportError, AttributeError) as error:
            if isinstance(error, GoldlabelError):
                raise
            raise _broken(self.name, f"{self.package} ({type(error).__name__}: {error})") from error

    @property
    def export_consensus(self) -> ExportConsensus | None:
        """The task's ``export_consensus``; None if its examples do not have several labels."""
        return getattr(import_module(self.package), "export_consensus", None)

    @property
    def view(self) -> ViewOf | None:
        """The task's ``view``; None if its examples are shown by what was found alone."""
        found = getattr(import_module(self.package), "view", None)
        return cast("ViewOf", found) if callable(found) else None

    @property
    def next_examples(self) -> Select:
        """The task's ``next_examples``.

        Raises
        ------
        InputError
            The task has none.
        """
        package = import_module(self.package)
        if not hasattr(package, "next_examples"):
            raise InputError(
                "task", f"{self.name!r} does not say what to label next", "Review what is flagged"
            )
        return cast("Select", package.next_examples)


def task_names() -> list[str]:
    """Return the names of the installed tasks, sorted, without loading any of them."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def find_tasks() -> dict[str, Task]:
    """Return every installed task by name, goldlabel's own and third parties', sorted by name."""
    return {name: find_task(name) for name in task_names()}


def find_task(name: str) -> Task:
    """Return one installed task; no other is loaded.

    Raises
    ------
    InputError
        There is no task of this name, and the message lists those there are; two packages have
        one, or the package that has it cannot be loaded.
    """
    points = {point.value: point for point in entry_points(group=GROUP, name=name)}
    if not points:
        names = ", ".join(task_names())
        raise InputError("task", f"is {name!r}, not one of {names}", "Name one of these")
    if len(points) > 1:
        packages = " and ".join(map(_package, points.values()))
        raise InputError(
            "task", f"{name!r} is offered by {packages}", "Uninstall all of them but one"
        )
    [point] = points.values()
    try:
        task = point.load()
    except Exception as error:  # somebody else's package: anything may be wrong with it
        raise _broken(name, f"{_package(point)} ({type(error).__name__}: {error})") from error
    if not isinstance(task, Task):
        raise _broken(name, f"{_package(point)} ({point.value} is no Task)")
    return task


def _package(point: EntryPoint) -> str:
    return f"the package {point.dist.name if point.dist else point.value!r}"


def _broken(name: str, why: str) -> InputError:
    return InputError("task", f"{name!r} cannot be loaded from {why}", "Mend it, or uninstall it")
