"""From a hidden folder to its place: an audit that is moved whole, also if its process is killed.

A finished audit lies in ``.goldlabel-XXXX`` inside its folder. Once that holds a folder ``old``,
the older audit is moved in there, and then the new one out: no moment has files of both in one
place, and whoever comes next goes on where a killed process stopped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from goldlabel.errors import InputError
from goldlabel.files import in_use, remove_abandoned, sha256

__all__ = ["HEAD", "REPORT", "STAGING", "SUMMARY", "TABLE", "finish", "move"]

SUMMARY = "summary.json"
HEAD = "head.json"
REPORT = "report.html"
STAGING = ".goldlabel-"
TABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.parquet")
_OLD = "old"


def move(staging: Path, out: Path) -> None:
    """Move the files of a finished audit to their places; put the old ones back if that fails."""
    (staging / _OLD).mkdir()
    names = _names(staging)
    try:
        _go_on(staging, out)
    except BaseException:
        for name in names:
            if not os.path.lexists(staging / name):
                (out / name).unlink(missing_ok=True)
        for path in (staging / _OLD).iterdir():
            os.replace(path, out / path.name)
        raise


def finish(out: Path) -> None:
    """Finish what a killed process has begun to move, and remove what it has left.

    Raises
    ------
    InputError
        An audit that was cut short can't be moved, as the folder can't be written to.
    """
    for staging in _begun(out):
        with in_use(staging) as abandoned:
            if not abandoned:
                continue
            try:
                _go_on(staging, out)
            except OSError as error:
                raise InputError(
                    str(out),
                    f"holds an audit that was cut short, and cannot be finished ({error.strerror})",
                    "Run this as somebody who may write there",
                ) from error
            shutil.rmtree(staging, ignore_errors=True)
    remove_abandoned(out, STAGING)


def _begun(out: Path) -> Iterator[Path]:
    for staging in sorted(out.glob(f"{STAGING}*")):
        old = staging / _OLD
        if old.is_dir() and not old.is_symlink() and not staging.is_symlink():
            yield staging


def _go_on(staging: Path, out: Path) -> None:
    """Move the old audit away, as far as it is there, and then the new one to its place."""
    names = _names(staging)
    left_over = _left_over(out, names) if SUMMARY in names else []  # the old summary's
    for name in [*left_over, *names]:
        if os.path.lexists(out / name):
            os.replace(out / name, staging / _OLD / name)
    for name in names:
        os.replace(staging / name, out / name)


def _names(staging: Path) -> list[str]:
    """Return the files of an audit that are still to be moved, the summary first."""
    tables = sorted(path.name for path in staging.iterdir() if TABLE.fullmatch(path.name))
    return [name for name in (SUMMARY, *tables, HEAD, REPORT) if os.path.lexists(staging / name)]


def _left_over(out: Path, names: list[str]) -> list[str]:
    """Return tables, and the head, of an older audit in `out` that the new one does not have."""
    if not (out / SUMMARY).is_file():  # a pipe would not end
        return []
    try:
        files = json.loads((out / SUMMARY).read_bytes())["files"]
        listed = dict(files)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []
    return [
        name
        for name, digest in listed.items()
        if (name == HEAD or TABLE.fullmatch(str(name)))
        and name not in names
        and (out / name).is_file()
        and sha256(out / name) == digest
    ]
