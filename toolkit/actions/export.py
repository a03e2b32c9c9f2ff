"""From an audit back to the dataset: write it again, in its own format, with labels corrected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from goldlabel.actions.corrections import MIN_CONFIDENCE, Decisions, decided, suggested, to_decide
from goldlabel.errors import InputError
from goldlabel.files import check_replaceable, no_wider_than, replacing
from goldlabel.formats.spreadsheet import write_csv
from goldlabel.results.audit import Source
from goldlabel.results.folder import changed_inputs, read_audit
from goldlabel.results.label_issues import LabelIssues
from goldlabel.task import find_task

__all__ = [
    "Exported",
    "check_free",
    "corrected_name",
    "export",
    "export_consensus",
    "with_part_names",
    "write_decisions",
]


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
    kept, undecided : int
        How many rows of the decisions keep the given label, and how many are empty.
    """

    out: Path
    change_log: Path
    changes: pd.DataFrame
    examples: int
    findings: int
    kept: int = 0
    undecided: int = 0

    @property
    def expected_wrong(self) -> float:
        """How many of the changes are wrong by the model's own confidence.

        Where few labels are wrong it is far too low:
        see `goldlabel.actions.corrections.MIN_CONFIDENCE`.
        """
        return float((1 - self.changes["confidence"]).sum())


def export(
    folder: str | Path,
    out: str | Path,
    *,
    decisions: str | Path | None = None,
    auto: bool = False,
    min_confidence: float = MIN_CONFIDENCE,
    force: bool = False,
) -> Exported:
    """Write an audited dataset with its labels corrected, and a log of what changed.

    One of `decisions` and `auto` says which labels change: nothing is changed by default, as
    suggestions that nobody has looked at make most datasets worse.

    Parameters
    ----------
    folder : str or Path
        What ``goldlabel audit`` wrote.
    out : str or Path
        The corrected dataset; the change log goes beside it, as ``OUT.changes.csv``.
    decisions : str or Path, optional
        A CSV of decided labels; see `goldlabel.actions.corrections.decided`.
    auto : bool
        Take the suggestions unseen.
    min_confidence : float
        With `auto`: those that are at least this sure, in [0, 1].
    force : bool
        Replace `out` if it is a file that exists. The dataset itself is never replaced.

    Raises
    ------
    InputError
        The audit or the decisions cannot be used, the dataset has changed since the audit, or
        `out` is taken. Nothing is written then.
    """
    if auto == (decisions is not None):
        raise InputError(
            "decisions, auto",
            "are both given" if auto else "are both missing, and nothing is changed by default",
            "Pass a file of decisions, or auto=True to take suggestions that nobody looked at",
        )
    issues, source, summary = read_audit(folder)
    out = Path(out)
    change_log = out.with_name(out.name + ".changes.csv")
    for path in (out, change_log):
        check_free(path, source, decisions, force)
    changed = [entry for entry in changed_inputs(summary) if Path(entry[0]) in source.files]
    for path_of_source, what in changed:
        raise InputError(path_of_source, what, "Run the audit again, and export from that")
    if decisions is None:
        chosen = Decisions(suggested(issues, min_confidence=min_confidence), 0, 0)
    else:
        chosen = decided(issues, decisions)
    with no_wider_than(source.files), replacing(change_log) as temporary:
        log = chosen.changes.rename(columns={"suggested": "label"})
        write_csv(with_part_names(log, issues), temporary)
        find_task(issues.task).export(source, chosen.changes, out)
    return Exported(
        out=out,
        change_log=change_log,
        changes=chosen.changes,
        examples=issues.scores.shape[0],
        findings=len(issues.parts),
        kept=chosen.kept,
        undecided=chosen.undecided,
    )


def export_consensus(folder: str | Path, out: str | Path, *, force: bool = False) -> int | None:
    """Write one label for each example, where people have given it several.

    Parameters
    ----------
    folder : str or Path
        What ``goldlabel audit`` wrote.
    out : str or Path
        A table of `item`, `consensus` and `quality`: .csv, .tsv, .jsonl or .parquet.
    force : bool
        Replace `out` if it is a file that exists. The dataset itself is never replaced.

    Returns
    -------
    int or None
        How many examples there are; None where they have one label each, and nothing is written.

    Raises
    ------
    InputError
        The audit cannot be used, the dataset has changed since, or `out` is taken.
    """
    _, source, summary = read_audit(folder)
    write = find_task(summary["task"]).export_consensus
    if write is None:
        return None
    out = Path(out)
    check_free(out, source, None, force)
    for changed, what in changed_inputs(summary):
        raise InputError(changed, what, "Run the audit again, and export from that")
    with no_wider_than(source.files):
        return write(Path(folder), source, out)


def corrected_name(source: Source) -> str:
    """Return the name of a dataset, ``reviews.csv``, as ``reviews-corrected.csv``."""
    first = source.files[0]
    suffixes = "" if first.is_dir() else "".join(first.suffixes)
    return f"{first.name.removesuffix(suffixes)}-corrected{suffixes}"


def write_decisions(
    folder: str | Path, out: str | Path, *, force: bool = False
) -> tuple[pd.DataFrame, Source]:
    """Write every finding of an audit as a row to decide, worst first.

    Parameters
    ----------
    folder : str or Path
        What ``goldlabel audit`` wrote.
    out : str or Path
        A CSV file; its column ``label`` is empty, for a person to fill in.
    force : bool
        Replace `out` if it is a file that exists, with whatever was decided in it.

    Returns
    -------
    tuple of DataFrame, Source
        The rows, and where the labels came from.

    Raises
    ------
    InputError
        The audit cannot be used, or `out` is taken.
    """
    issues, source, _ = read_audit(folder)
    out = Path(out)
    check_free(out, source, None, force)
    rows = to_decide(issues)
    with no_wider_than(source.files), replacing(out) as temporary:
        write_csv(with_part_names(rows, issues), temporary)
    return rows, source


def check_free(path: Path, source: Source, decisions: str | Path | None, force: bool) -> None:
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


def with_part_names(frame: pd.DataFrame, issues: LabelIssues) -> pd.DataFrame:
    """Name parts as people know them, and leave the column empty where there are none."""
    names = issues.part_names
    if names is None:
        part = frame["part"].where(frame["part"] >= 0).astype("Int64")
        return frame.assign(part=part)
    return frame.assign(part=["" if part < 0 else str(names[part]) for part in frame["part"]])
