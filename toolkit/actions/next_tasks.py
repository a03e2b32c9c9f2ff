"""From an audit to a list of tasks: what to label next, for people or for a labelling tool."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.files import check_replaceable, no_wider_than, replacing
from goldlabel.formats.spreadsheet import write_csv
from goldlabel.results.folder import changed_inputs, read_audit
from goldlabel.task import find_task

__all__ = ["SUFFIXES", "next_tasks"]


def next_tasks(
    folder: str | Path,
    out: str | Path,
    *,
    n: int = 100,
    features: str | Path | None = None,
    at_random: bool = False,
    per_annotator: int | None = None,
    seed: int = 0,
    force: bool = False,
) -> pd.DataFrame:
    """Choose the examples of an audited dataset to label next, and write them as a list of tasks.

    Parameters
    ----------
    folder : str or Path
        What ``goldlabel audit`` wrote.
    out : str or Path
        ``.csv`` or ``.jsonl``: a row for each task; ``.json``: tasks to import into Label Studio.
    n : int
        How many at most.
    features : str or Path, optional
        A file of numbers, a row for each example, by which the tasks are made to differ.
    at_random : bool
        Choose with equal chances instead: what to compare with.
    per_annotator : int, optional
        Most tasks for one person; shared out evenly, with room, if not given.
    seed : int
        Of what is random.
    force : bool
        Replace `out` if it is a file that exists.

    Returns
    -------
    DataFrame
        The tasks, the first one first.

    Raises
    ------
    InputError
        The folder is no audit, its task does not choose, its inputs have changed, or `out` is taken
        or ends with another suffix.
    """
    out = Path(out)
    check_replaceable(out)
    _, source, summary = read_audit(folder)
    if out.suffix not in SUFFIXES:
        raise InputError(
            str(out), f"ends with {out.suffix!r}", f"End its name with {', '.join(SUFFIXES)}"
        )
    if out.exists() and not force:
        raise InputError(str(out), "exists", "Name another file, or replace it with --force")
    for path in (*source.files, *source.inputs):
        if path.exists() and out.resolve() == path.resolve():
            raise InputError(str(out), "is what was audited", "Name another file")
    for changed, what in changed_inputs(summary):
        raise InputError(changed, what, "Run the audit again, and select from that")
    frame = find_task(summary["task"]).next_examples(
        Path(folder),
        source,
        n=n,
        features=None if features is None else Path(features),
        at_random=at_random,
        per_annotator=per_annotator,
        seed=seed,
    )
    with no_wider_than(source.files), replacing(out) as temporary:
        SUFFIXES[out.suffix](frame, temporary)
    return frame


def _write_lines(frame: pd.DataFrame, path: Path) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in _rows(frame)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _write_label_studio(frame: pd.DataFrame, path: Path) -> None:
    tasks = [{"data": row} for row in _rows(frame)]
    text = json.dumps(tasks, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values, missing ones as None."""
    plain = frame.astype(object).where(frame.notna(), None)
    columns = [str(name) for name in frame.columns]
    return [
        {
            name: value.item() if hasattr(value, "item") else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in plain.itertuples(index=False, name=None)
    ]


SUFFIXES: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": write_csv,
    ".jsonl": _write_lines,
    ".json": _write_label_studio,
}
"""What a list of tasks may be written as."""
