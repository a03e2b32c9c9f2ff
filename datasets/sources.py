"""The list of public datasets, sources.toml: what they are, and where their files lie."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pandas as pd

from goldlabel.errors import InputError

__all__ = ["Dataset", "RemoteFile", "find_dataset", "list_datasets", "public_datasets"]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a public dataset.

    Attributes
    ----------
    path : str
        Where it lies in the dataset's folder, with ``/``.
    url : str
        Where it is published.
    sha256 : str
        SHA-256 of its bytes, as hex digits.
    bytes : int
        Its size.
    """

    path: str
    url: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Dataset:
    """A public dataset.

    Attributes
    ----------
    name, task, description, licence, citation : str
    files : tuple of RemoteFile
    made : mapping of str to str
        CSV files that are made of label vectors (NPY) among `files`.
    read_files, read_options : mapping, optional
        How the task reads it: arguments that are files, and others. None if no task does yet.
    """

    name: str
    task: str
    description: str
    licence: str
    citation: str
    files: tuple[RemoteFile, ...]
    made: Mapping[str, str]
    read_files: Mapping[str, str] | None = None
    read_options: Mapping[str, Any] | None = None

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)


@cache
def public_datasets() -> Mapping[str, Dataset]:
    """Return every dataset of sources.toml by name, sorted by task and name."""
    text = files("goldlabel.datasets").joinpath("sources.toml").read_text(encoding="utf-8")
    entries = {name: _dataset(name, entry) for name, entry in tomllib.loads(text)["sets"].items()}
    ordered = sorted(entries.values(), key=lambda entry: (entry.task, entry.name))
    return MappingProxyType({entry.name: entry for entry in ordered})


def _dataset(name: str, entry: Mapping[str, Any]) -> Dataset:
    single = [RemoteFile(**file) for file in entry.get("files", [])]
    grouped = [
        RemoteFile(f"{folder['path']}/{file}", folder["url"] + file, sha256, size)
        for folder in entry.get("folders", [])
        for file, size, sha256 in folder["files"]
    ]
    read = entry.get("read", {})
    return Dataset(
        name=name,
        task=entry["task"],
        description=entry["description"],
        licence=entry["licence"],
        citation=entry["citation"],
        files=(*single, *grouped),
        made=entry.get("made", {}),
        read_files=read.get("files"),
        read_options=read.get("options"),
    )


def find_dataset(name: str) -> Dataset:
    """Return one dataset.

    Raises
    ------
    InputError
        There is none of this name; the message names the most similar ones.
    """
    known = public_datasets()
    if name in known:
        return known[name]
    similar = difflib.get_close_matches(str(name), known, n=3)
    hint = f"Did you mean {' or '.join(similar)}? " if similar else ""
    raise InputError(
        "name",
        f"is {name!r}, not one of the {len(known)} public datasets",
        f"{hint}list_datasets() shows all of them",
    )


def list_datasets() -> pd.DataFrame:
    """List the public datasets that `fetch` can download.

    Returns
    -------
    DataFrame, a row per dataset
        Columns `name`, `task`, `description`, `files` (how many), `bytes` (of all), `licence`,
        `citation`, and `loads`: whether `load` gives its task's container.

    Examples
    --------
    >>> table = list_datasets().set_index("name")
    >>> table.index[table["loads"]].tolist()
    [...'20news_test', 'ag_news', 'banking77', 'cifar10_test', 'emotions', 'airquality_co', ...]
    """
    rows = [
        {
            "name": entry.name,
            "task": entry.task,
            "description": entry.description,
            "files": len(entry.files),
            "bytes": entry.bytes,
            "licence": entry.licence,
            "citation": entry.citation,
            "loads": entry.read_files is not None,
        }
        for entry in public_datasets().values()
    ]
    return pd.DataFrame(rows)
