"""From an audit back to the dataset: write it again, in its own format, with labels corrected."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from goldlabel.actions.corrections import MIN_CONFIDENCE, decided, suggested
from goldlabel.errors import InputError
from goldlabel.files import check_replaceable, replacing
from goldlabel.results.audit import Source
from goldlabel.results.folder import changed_inputs, read_audit
from goldlabel.task import find_task

__all__ = ["Exported", "export"]


@dataclass(frozen=True, eq=False)
class Exported:
    """What `export` wrote.

    Attributes
    ----------
    out : Path
        The corrected dataset.
    change_log : Path
        A CSV with a row per changed label: ``example``, ``id``, ``part``, ``given``, ``label``,
        ``score``, ``confidence``, ``decided_by``, ``reason``.
    changes : DataFrame
        The changed labels, as `goldlabel.actions.corrections` gives them.
    examples, findings : int
        How many examples the audit has, and how many parts it judged wrong.
    """

    out: Path
    change_log: Path
    changes: pd.DataFrame
    examples: int
    findings: int


def export(
    folder: str | Path,
    out: str | Path,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    decisions: str | Path | None = None,
    force: bool = False,
) -> Exported:
    """Write an audited dataset with its labels corrected, and a log of what changed.

    Parameters
    ----------
    folder : str or Path
        What ``goldlabel audit`` wrote.
    out : str or Path
        The corrected dataset; the change log goes beside it, as ``OUT.changes.csv``.
    min_confidence : float
        Take the suggestions that are at least this sure, in [0, 1]; look at the change log, as
        `goldlabel.actions.corrections.MIN_CONFIDENCE` says why.
    decisions : str or Path, optional
        A CSV of decided labels, taken instead of the suggestions;
        see `goldlabel.actions.corrections.decided`.
    force : bool
        Replace `out` if it is a file that exists. The dataset itself is never replaced.

    Raises
    ------
    InputError
        The audit or the decisions cannot be used, the dataset has changed since the audit, or
        `out` is taken. Nothing is written then.
    """
    issues, source, summary = read_audit(folder)
    out = Path(out)
    change_log = out.with_name(out.name + ".changes.csv")
    for path in (out, change_log):
        _check_free(path, source, decisions, force)
    changed = [entry for entry in changed_inputs(summary) if Path(entry[0]) in source.files]
    for path_of_source, what in changed:
        raise InputError(path_of_source, what, "Run the audit again, and export from that")
    if decisions is None:
        changes = suggested(issues, min_confidence=min_confidence)
    else:
        changes = decided(issues, decisions)
    with replacing(change_log) as temporary:
        _write_log(changes, temporary, issues.part_names)
        find_task(issues.task).export(source, changes, out)
    return Exported(out, change_log, changes, issues.scores.shape[0], len(issues.parts))


def _check_free(path: Path, source: Source, decisions: str | Path | None, force: bool) -> None:
    """Make sure that nothing is lost by writing to `path`."""
    target = path.resolve()
    own = [*source.files, *source.inputs, *([] if decisions is None else [Path(decisions)])]
    for file in own:
        if target == file.resolve() or (path.exists() and file.exists() and path.samefile(file)):
            raise InputError(str(path), "is what the export reads", "Name another file")
        if file.is_dir() and file.resolve() in target.parents:
            raise InputError(str(path), f"lies inside the dataset, {file}", "Name another place")
    if not path.parent.is_dir():
        raise InputError(
            str(path), f"cannot be made: there is no folder {path.parent}", "Make that folder first"
        )
    if path.is_dir():
        raise InputError(str(path), "is a folder that exists", "Name a new one, or remove it")
    check_replaceable(path)
    if path.exists() and not force:
        raise InputError(str(path), "exists", "Name another file, or replace it with --force")


def _write_log(changes: pd.DataFrame, path: Path, part_names: tuple[Hashable, ...] | None) -> None:
    log = changes.rename(columns={"suggested": "label"})
    if part_names is None:
        log["part"] = log["part"].where(log["part"] >= 0).astype("Int64")
    else:
        log["part"] = [str(part_names[part]) for part in log["part"]]
    log.to_csv(path, index=False, float_format="%.6g", lineterminator="\n", encoding="utf-8")
