"""An audit that lies in a folder: read again, checked, and compared with the files it came from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.files import sha256
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.results.moving import SUMMARY, finish

__all__ = [
    "SCHEMA",
    "TABLES",
    "changed_inputs",
    "fingerprint",
    "read_audit",
]

SCHEMA = 1
TABLES = ("examples.parquet", "issues.parquet")
_FIX = "Name a folder that goldlabel audit has written, or run the audit again"


def read_audit(folder: str | Path) -> tuple[LabelIssues, Source, dict[str, Any]]:
    """Read an audit back from its folder.

    Parameters
    ----------
    folder : str or Path
        What `goldlabel.report.write` has written. Nothing in it is trusted.

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
    finish(folder)
    summary = _read_summary(folder / SUMMARY)
    for name in TABLES:
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


def changed_inputs(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (path, what is different) of each input that is not as it was when audited.

    Parameters
    ----------
    summary : mapping
        As `read_audit` returns it.
    """
    source = summary["source"]
    paths = [*source["files"], *source["inputs"]]
    changes = []
    for path, before in zip(paths, summary["inputs"], strict=True):
        now = fingerprint(Path(path))
        if "missing" in now:
            changes.append((path, "is no longer there"))
        elif any(before.get(name) != now[name] for name in now if name != "path"):
            changes.append((path, "has changed since the audit"))
    return changes


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
    _check_words(path, summary["words"])
    return summary


def _check_words(path: Path, words: Mapping[str, Any]) -> None:
    """Make sure that what a part is called, and what flagged examples do, are texts."""
    verdict = words.get("verdict")
    texts = [words.get("part"), *(verdict if isinstance(verdict, list) else ())]
    if len(texts) != 3 or not all(isinstance(text, str) for text in texts):
        raise _foreign(path, "has no usable 'words'")


_SHAPE: dict[str, type] = {
    "task": str,
    "examples": int,
    "flagged": int,
    "source": dict,
    "inputs": list,
    "files": dict,
    "params": dict,
    "words": dict,
}


def _entries(source: Mapping[str, Any], name: str) -> list[Any]:
    found = source.get(name)
    return found if isinstance(found, list) else [None]


def _same_file(folder: Path, name: str, digest: object) -> None:
    path = folder / name
    if not path.is_file():
        raise _foreign(path, "is missing")
    if sha256(path) != digest:
        raise _foreign(path, f"is not the file that {SUMMARY} describes")


def _check(issues: LabelIssues, summary: Mapping[str, Any], folder: Path) -> None:
    """Make sure that tables that were written by hand cannot mislead what comes after."""
    parts, n = issues.parts, issues.scores.shape[0]
    told = tuple(summary[name] for name in ("task", "examples", "flagged"))
    if told != (issues.task, n, issues.num_issues):
        raise _foreign(folder, f"holds tables that {SUMMARY} does not describe")
    scores = (issues.scores, parts.score, parts.confidence)
    if not all(np.all((array >= 0) & (array <= 1)) for array in scores):
        raise _foreign(folder, "holds scores outside [0, 1]")
    if len(parts) and (parts.example.min() < 0 or parts.example.max() >= n):
        raise _foreign(folder, f"names examples outside 0 .. {n - 1}")


def fingerprint(path: Path) -> dict[str, Any]:
    """Return what tells whether an input is still the same: size and hash, or tree of sizes."""
    try:
        if path.is_dir():
            return {"path": str(path), **_tree(path)}
        return {"path": str(path), "size": path.stat().st_size, "sha256": sha256(path)}
    except OSError as error:
        return {"path": str(path), "missing": error.strerror or type(error).__name__}


def _tree(folder: Path) -> dict[str, Any]:
    """Hash the sorted relative paths and sizes of a folder's files, and not their content."""
    digest = hashlib.sha256()
    files = size = 0
    for name, length in sorted(_sizes(folder)):
        digest.update(os.fsencode(name) + b"\0" + str(length).encode() + b"\n")
        files += 1
        size += length
    return {"files": files, "size": size, "tree_sha256": digest.hexdigest()}


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.stat().st_size
