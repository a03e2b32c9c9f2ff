"""Public datasets: into the user's cache once, checked, and from there into a task's container."""

from __future__ import annotations

import gzip
import io
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn
from rich.progress import Progress as Bar

from goldlabel.datasets.sources import Dataset, RemoteFile, find_dataset
from goldlabel.errors import InputError
from goldlabel.files import replacing, sha256
from goldlabel.task import find_tasks

__all__ = ["fetch", "load"]

ATTEMPTS = 3
"""So often a download is tried before it counts as failed."""

PAUSE = 1.0
"""Seconds before the second attempt; twice that before the third."""

TIMEOUT = 30
"""Seconds without an answer before an attempt counts as failed."""

SLOWEST = 2000
"""Bytes a second below which it does, too."""

Progress = Callable[[int, int, str], None]

_log = logging.getLogger("goldlabel")


def fetch(name: str, *, folder: str | Path | None = None, progress: Progress | None = None) -> Path:
    """Download a public dataset, unless it is already there.

    Every file is checked against the SHA-256 of the list, whether it is new or was there. A file
    appears under its name only when it is complete, so after an interruption the same call goes
    on with the files that are missing. Licence and citation are in `list_datasets`, and are
    logged (logger "goldlabel", level INFO); respect them.

    Parameters
    ----------
    name : str
        A name of `list_datasets`.
    folder : path, optional
        Where to put the files. By default ``TASK/NAME`` in the user's cache, or in the folder
        that the environment variable GOLDLABEL_CACHE names.
    progress : callable, optional
        Called with (bytes done, bytes in all, file). By default, a bar is shown on a terminal.

    Returns
    -------
    Path
        The folder with the dataset's files, as published: `list_datasets` has their licence.

    Raises
    ------
    InputError
        No such dataset; no network; a file that is gone, or is not the one of the list.

    Notes
    -----
    Where the environment variable GOLDLABEL_DATA names a folder, files are taken from
    ``TASK/NAME/FILE`` in it (or ``FILE.gz``) and the network is not used.
    """
    entry = find_dataset(name)
    place = _cache() / entry.task / entry.name if folder is None else Path(folder)
    _log.info("%s: licence: %s. Cite: %s.", entry.name, entry.licence, entry.citation)
    missing = [file for file in entry.files if not _is_complete(place / file.path, file)]
    if missing:
        with _shown(entry, progress) as say:
            _get(entry, missing, place, say)
    for table, vector in entry.made.items():
        _write_labels(place / vector, place / table)
    return place


def load(name: str, *, folder: str | Path | None = None, progress: Progress | None = None) -> Any:
    """Fetch a public dataset and read it into its task's container.

    Parameters
    ----------
    name : str
        A name of `list_datasets`.
    folder, progress
        As for `fetch`.

    Returns
    -------
    container
        What ``read`` of the task returns: for "multiclass", a
        `goldlabel.tasks.multiclass.MulticlassData`. It has ``pred_probs`` where the dataset
        was published with them.

    Raises
    ------
    InputError
        As for `fetch`; or the task is not installed, or cannot read this dataset.
    """
    entry = find_dataset(name)
    tasks = find_tasks()
    if entry.task not in tasks:
        raise InputError(
            name,
            f"is a dataset for {entry.task!r}, which is none of the installed tasks "
            f"({', '.join(tasks)})",
            f"fetch({name!r}) gets its files",
        )
    if entry.read_files is None:
        raise InputError(
            name, "has public files, but not all that its task reads", f"Use fetch({name!r})"
        )
    place = fetch(name, folder=folder, progress=progress)
    paths = {argument: place / path for argument, path in entry.read_files.items()}
    read = import_module(tasks[entry.task].package).read
    return read(**paths, **(entry.read_options or {}))


def _cache() -> Path:
    return Path(os.environ.get("GOLDLABEL_CACHE") or pooch.os_cache("goldlabel"))


def _is_complete(path: Path, file: RemoteFile) -> bool:
    return path.is_file() and path.stat().st_size == file.bytes and sha256(path) == file.sha256


def _get(entry: Dataset, missing: list[RemoteFile], place: Path, progress: Progress) -> None:
    """Put the missing files in their place, each whole or not at all."""
    mirror = os.environ.get("GOLDLABEL_DATA")
    total = sum(file.bytes for file in missing)
    done = 0
    for file in missing:
        progress(done, total, file.path)
        target = place / file.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                str(target.parent),
                f"cannot be made ({error.strerror})",
                "Name another folder, or set GOLDLABEL_CACHE to one that you may write to",
            ) from error
        if mirror:
            _copy(Path(mirror) / entry.task / entry.name / file.path, target, file)
        else:
            _download(target, file, _Received(progress, done, total, file))
        done += file.bytes
    progress(total, total, entry.name)


def _copy(origin: Path, target: Path, file: RemoteFile) -> None:
    packed = origin.with_name(origin.name + ".gz")
    if not origin.is_file() and not packed.is_file():
        raise InputError(
            str(origin),
            "is not there, and the network is not used while GOLDLABEL_DATA is set",
            "Put the file there, or unset GOLDLABEL_DATA",
        )
    with replacing(target) as temporary:
        if origin.is_file():
            shutil.copyfile(origin, temporary)
        else:
            _unpack(packed, temporary, file.bytes)
        if not _is_complete(temporary, file):
            where = origin if origin.is_file() else packed
            raise _WrongFile(where, temporary, file, "Replace it by the published file")


def _unpack(packed: Path, target: Path, size: int) -> None:
    try:
        with gzip.open(packed) as stream:
            target.write_bytes(stream.read(size + 1))  # no more than is needed to see it is wrong
    except (OSError, EOFError) as error:
        raise InputError(str(packed), f"is no whole gzip file ({error})", "Replace it") from error


def _download(target: Path, file: RemoteFile, received: _Received) -> None:
    """Download a file; try again where that can help: not if the server says no."""
    problem: InputError | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE * attempt)
        try:
            with replacing(target) as temporary:
                _receive(file, temporary, received)
                if _is_complete(temporary, file):
                    return
                fix = "Try again later; if it stays so, the published file has changed"
                raise _WrongFile(file.url, temporary, file, fix)
        except _WrongFile as error:
            problem = error
        except OSError as error:  # all that requests raises is one
            problem = _unreachable(error, target, file)
            if 400 <= (_status(error) or 0) < 500:
                break
    if problem is not None:
        raise problem


def _receive(file: RemoteFile, path: Path, received: _Received) -> None:
    """Write what the server sends, but no more than shows that it is too much, or too slow."""
    received.reset()
    latest = time.monotonic() + TIMEOUT + file.bytes / SLOWEST
    with requests.get(file.url, stream=True, timeout=TIMEOUT) as response, path.open("wb") as out:
        response.raise_for_status()
        room = file.bytes + 1
        for chunk in response.iter_content(1 << 16):
            out.write(chunk[:room])
            received.update(len(chunk))
            room -= len(chunk)
            if room <= 0:
                return
            if time.monotonic() > latest:
                raise requests.Timeout(f"fewer than {SLOWEST:,} bytes a second")


def _status(error: OSError) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _unreachable(error: OSError, target: Path, file: RemoteFile) -> InputError:
    status = _status(error)
    reason = " ".join(str(error).split())[:150]
    what = f"cannot be reached ({type(error).__name__}: {reason})"
    problem = InputError(
        file.url,
        what if status is None else f"the server answers {status}",
        f"Check the network and call again (files that are complete are kept); or put the file at "
        f"{target}; or set GOLDLABEL_DATA to a folder that holds the dataset",
    )
    problem.__cause__ = error
    return problem


class _WrongFile(InputError):
    """A file is not the one of the list."""

    def __init__(self, where: str | Path, path: Path, file: RemoteFile, fix: str) -> None:
        size = path.stat().st_size
        has = f"{size} bytes" if size <= file.bytes else f"more than {file.bytes} bytes"
        what = (
            f"has {has} with SHA-256 {sha256(path)[:12]}..., not {file.bytes} bytes with "
            f"{file.sha256[:12]}..."
        )
        super().__init__(str(where), what, fix)


class _Received:
    """Passes on how many bytes came."""

    def __init__(self, progress: Progress, before: int, total: int, file: RemoteFile) -> None:
        self._say = progress
        self._before = before
        self._all = total
        self._file = file
        self._count = 0

    def update(self, count: int) -> None:
        self._count = min(self._count + count, self._file.bytes)
        self._say(self._before + self._count, self._all, self._file.path)

    def reset(self) -> None:
        self._count = 0


@contextmanager
def _shown(entry: Dataset, progress: Progress | None) -> Iterator[Progress]:
    """Give what is to be told of the progress: the caller's, a bar on a terminal, or nothing."""
    if progress is not None or not sys.stderr.isatty():
        yield progress or _tell_nobody
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.console.print(f"{entry.name}: licence: {entry.licence}", markup=False)
        number = bar.add_task(entry.name, total=entry.bytes)

        def say(done: int, total: int, what: str) -> None:
            bar.update(number, completed=done, total=total, description=f"{entry.name}: {what}")

        yield say


def _tell_nobody(done: int, total: int, what: str) -> None:
    pass


def _write_labels(vector: Path, table: Path) -> None:
    """Write a vector of labels as a CSV file with the one column "label"."""
    labels = np.load(vector, allow_pickle=False)
    text = io.StringIO()
    text.write("label\n")
    text.writelines(f"{label}\n" for label in labels.tolist())
    content = text.getvalue().encode()
    if not table.is_file() or table.read_bytes() != content:
        with replacing(table) as temporary:
            temporary.write_bytes(content)
