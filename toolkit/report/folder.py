"""An audit on disk: all of its files or none, and back again for `export` and `review`."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.files import is_replaceable, sha256
from goldlabel.results.audit import Audit, Source
from goldlabel.results.label_issues import LabelIssues

from .html import render_document
from .summary import SCHEMA, describe, to_bytes

__all__ = ["read", "write"]

_SUMMARY = "summary.json"
_REPORT = "report.html"
_RESULT = ("examples.parquet", "issues.parquet")
_TABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.parquet")
_FIX = "Name a folder that goldlabel audit has written, or run the audit again"


def write(
    audit: Audit,
    out: str | Path,
    *,
    command: str | Sequence[str] | None = None,
    started: datetime | None = None,
    seed: int | None = None,
) -> None:
    """Write an audit into a folder: Parquet tables, ``summary.json`` and ``report.html``.

    The files are finished in a hidden folder and only then moved to their places. If anything
    fails, `out` is left as it was. Files of an older audit are replaced, and those of its tables
    that the new audit does not have are removed; files of others are never touched.

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
        made = _make(out, undo)
        staging = Path(tempfile.mkdtemp(dir=out, prefix=".goldlabel-"))
        undo.callback(shutil.rmtree, staging, ignore_errors=True)
        names = _write_files(audit, document, staging)
        _move(names, staging, out)
        made.pop_all()


def read(folder: str | Path) -> tuple[LabelIssues, Source, dict[str, Any]]:
    """Read an audit back from its folder.

    Parameters
    ----------
    folder : str or Path
        What `write` has written. Nothing in it is trusted.

    Returns
    -------
    tuple of LabelIssues, Source, dict
        The result, where the labels came from, and the content of ``summary.json``.

    Raises
    ------
    InputError
        The folder is missing, is no audit, or its files do not belong together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise InputError(str(folder), what, _FIX)
    summary = _read_summary(folder / _SUMMARY)
    for name in _RESULT:
        _same_file(folder, name, summary["files"].get(name))
    try:
        issues = LabelIssues.from_parquet(folder)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, pa.ArrowException) as bad:
        if isinstance(bad, InputError):
            raise
        raise _foreign(folder, f"holds tables that are not of an audit ({bad})") from bad
    _check(issues, summary, folder)
    source = summary["source"]
    return (
        issues,
        Source(
            format=source["format"],
            files=tuple(map(Path, source["files"])),
            options=source["options"],
            inputs=tuple(map(Path, source["inputs"])),
        ),
        summary,
    )


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
    names = list(_RESULT)
    for name, frame in audit.frames.items():
        file = f"{name}.parquet"
        if not _TABLE.fullmatch(file) or file in names:
            raise InputError(
                f"audit.frames[{name!r}]",
                "is not a name for a further table",
                "Use letters, digits, - and _, and neither 'examples' nor 'issues'",
            )
        frame.to_parquet(staging / file, index=False)
        names.append(file)
    document["files"] = {name: sha256(staging / name) for name in names}
    (staging / _REPORT).write_text(render_document(audit, document), encoding="utf-8", newline="\n")
    (staging / _SUMMARY).write_bytes(to_bytes(document))
    # The summary goes first: with it in place, whatever was cut short is known as an audit.
    return [_SUMMARY, *names, _REPORT]


def _move(names: list[str], staging: Path, out: Path) -> None:
    """Move the files to their places; put the old ones back if one cannot be moved."""
    _refuse_foreign(out, names)
    aside = staging / "old"
    aside.mkdir()
    done: list[str] = []
    try:
        for name in [*_left_over(out, names), *names]:
            done.append(name)
            if os.path.lexists(out / name):
                os.replace(out / name, aside / name)
            if name in names:
                os.replace(staging / name, out / name)
    except BaseException:
        for name in reversed(done):
            if os.path.lexists(aside / name):
                os.replace(aside / name, out / name)
            elif name in names and not os.path.lexists(staging / name):
                (out / name).unlink(missing_ok=True)
        raise


def _refuse_foreign(out: Path, names: list[str]) -> None:
    """Refuse to replace a file that no audit has written."""
    in_the_way = [name for name in names if os.path.lexists(out / name)]
    no_files = [name for name in in_the_way if not is_replaceable(out / name)]
    if no_files or (in_the_way and not _is_audit(out / _SUMMARY)):
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


def _left_over(out: Path, names: list[str]) -> list[str]:
    """Return tables of an older audit in `out` that the new one does not have."""
    try:
        files = _read_summary(out / _SUMMARY)["files"]
    except InputError:
        return []
    return [
        name
        for name, digest in files.items()
        if _TABLE.fullmatch(name)
        and name not in names
        and (out / name).is_file()
        and sha256(out / name) == digest
    ]


def _foreign(path: Path, what: str) -> InputError:
    return InputError(str(path), what, _FIX)


def _read_summary(path: Path) -> dict[str, Any]:
    """Read ``summary.json``, and make sure that what others rely on is there and of its type."""
    if not path.is_file():
        raise _foreign(path, "is missing, so this is no audit")
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _foreign(path, f"is not JSON ({error})") from error
    if not isinstance(summary, dict) or "schema" not in summary:
        raise _foreign(path, "is not the summary of an audit")
    if summary["schema"] != SCHEMA:
        what = f"has schema {summary['schema']!r}, and this goldlabel reads {SCHEMA}"
        raise InputError(str(path), what, "Use the goldlabel that wrote it, or run the audit again")
    for name, kind in _SHAPE.items():
        if not isinstance(summary.get(name), kind) or isinstance(summary[name], bool):
            raise _foreign(path, f"has no usable {name!r}")
    source = summary["source"]
    texts = [source.get("format"), *_entries(source, "files"), *_entries(source, "inputs")]
    entries = summary["inputs"]
    if (
        not all(isinstance(text, str) and "\0" not in text for text in texts)
        or not isinstance(source.get("options"), Mapping)
        or not all(isinstance(entry, dict) for entry in entries)
        or len(entries) != len(texts) - 1
    ):
        raise _foreign(path, "has no usable 'source'")
    return summary


_SHAPE: dict[str, type] = {
    "task": str,
    "examples": int,
    "flagged": int,
    "source": dict,
    "inputs": list,
    "files": dict,
    "params": dict,
}


def _entries(source: Mapping[str, Any], name: str) -> list[Any]:
    found = source.get(name)
    return found if isinstance(found, list) else [None]


def _same_file(folder: Path, name: str, digest: object) -> None:
    path = folder / name
    if not path.is_file():
        raise _foreign(path, "is missing")
    if sha256(path) != digest:
        raise _foreign(path, f"is not the file that {_SUMMARY} describes")


def _check(issues: LabelIssues, summary: Mapping[str, Any], folder: Path) -> None:
    """Make sure that tables that were written by hand cannot mislead what comes after."""
    parts, n = issues.parts, issues.scores.shape[0]
    if (issues.task, n, len(issues)) != tuple(summary[k] for k in ("task", "examples", "flagged")):
        raise _foreign(folder, f"holds tables that {_SUMMARY} does not describe")
    scores = (issues.scores, parts.score, parts.confidence)
    if not all(np.all((array >= 0) & (array <= 1)) for array in scores):
        raise _foreign(folder, "holds scores outside [0, 1]")
    if len(parts) and (parts.example.min() < 0 or parts.example.max() >= n):
        raise _foreign(folder, f"names examples outside 0 .. {n - 1}")
