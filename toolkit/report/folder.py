"""Write an audit into a folder: all of its files or none."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from goldlabel.errors import InputError
from goldlabel.files import in_use, is_replaceable, no_wider_than, sha256
from goldlabel.results.audit import Audit
from goldlabel.results.folder import TABLES
from goldlabel.results.moving import HEAD, REPORT, STAGING, SUMMARY, TABLE, finish, move

from .head import head
from .html import render_document
from .summary import describe, to_bytes

__all__ = ["write"]


def write(
    audit: Audit,
    out: str | Path,
    *,
    command: str | Sequence[str] | None = None,
    started: datetime | None = None,
    seed: int | None = None,
) -> None:
    """Write an audit into a folder: Parquet tables, ``summary.json``, ``report.html``.

    The files are finished in a hidden folder and only then moved to their places. If anything
    fails, `out` is left as it was. If the process is killed while it moves them, whoever reads the
    audit next, or writes one, moves the rest. Files of an older audit are replaced, and those of
    its tables that the new audit does not have are removed; files of others are never touched.

    Parameters
    ----------
    audit : Audit
        What was found.
    out : str or Path
        The folder; made if it is missing, inside a folder that exists.
    command, started, seed
        As for `describe`.

    Raises
    ------
    InputError
        `out` is a file, lies in no folder, cannot be written to, or holds a file of that name
        which no audit wrote.

    Examples
    --------
    >>> write(audit, "out", command="goldlabel audit multiclass reviews.csv")  # doctest: +SKIP
    """
    out = Path(out)
    document = describe(audit, command=command, started=started, seed=seed)
    with _refusing(out), ExitStack() as undo:
        undo.enter_context(no_wider_than(audit.source.files))
        made = _make(out, undo)
        finish(out)
        staging = Path(tempfile.mkdtemp(dir=out, prefix=STAGING))
        undo.callback(shutil.rmtree, staging, ignore_errors=True)
        undo.enter_context(in_use(staging))
        names = _write_files(audit, document, staging)
        _refuse_foreign(out, names)
        move(staging, out)
        made.pop_all()


@contextmanager
def _refusing(out: Path) -> Iterator[None]:
    """Say what the system refused in the words of goldlabel."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(
            str(out), f"cannot be written to ({why})", "Name a folder you may write to"
        ) from error


def _make(out: Path, undo: ExitStack) -> ExitStack:
    """Make the folder if needed; what is returned takes it away again unless called off."""
    if out.exists() and not out.is_dir():
        raise InputError(str(out), "is a file, not a folder", "Name another folder")
    if not out.parent.is_dir():
        raise InputError(
            str(out), f"cannot be made: there is no folder {out.parent}", "Make that folder first"
        )
    made = undo.enter_context(ExitStack())
    if not out.exists():
        out.mkdir()
        made.callback(_remove_if_empty, out)
    return made


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _write_files(audit: Audit, document: dict[str, Any], staging: Path) -> list[str]:
    """Write every file of the audit into `staging`; return their names in the order to move."""
    audit.issues.to_parquet(staging)
    names = list(TABLES)
    for name, frame in audit.frames.items():
        file = f"{name}.parquet"
        if not TABLE.fullmatch(file) or file in names:
            raise InputError(
                f"audit.frames[{name!r}]",
                "is not a name for a further table",
                "Use letters, digits, - and _, and neither 'examples' nor 'issues'",
            )
        frame.to_parquet(staging / file, index=False)
        names.append(file)
    if audit.view is not None:
        (staging / HEAD).write_bytes(head(audit))
        names.append(HEAD)
    document["files"] = {name: sha256(staging / name) for name in names}
    (staging / REPORT).write_text(render_document(audit, document), encoding="utf-8", newline="\n")
    (staging / SUMMARY).write_bytes(to_bytes(document))
    return [SUMMARY, *names, REPORT]


def _refuse_foreign(out: Path, names: list[str]) -> None:
    """Refuse to replace a file that no audit has written."""
    in_the_way = [name for name in names if os.path.lexists(out / name)]
    no_files = [name for name in in_the_way if not is_replaceable(out / name)]
    if no_files or (in_the_way and not _is_audit(out / SUMMARY)):
        raise InputError(
            str(out / (no_files or in_the_way)[0]),
            "is in the way, and was not written by an audit",
            "Name another folder, or move it away",
        )


def _is_audit(path: Path) -> bool:
    """Return whether a summary is one of ours, of whatever version."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"schema", "task", "versions"} <= found.keys()
