"""Hugging Face datasets saved to disk, read and written with pyarrow alone.

A dataset is a folder with ``state.json`` (which names its Arrow files), ``dataset_info.json`` and
the files, Arrow streams. A dictionary of datasets is a folder with ``dataset_dict.json`` and a
dataset folder for each split.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.files import list_files, new_folder, path_inside, replacing, sha256
from goldlabel.formats.tables.arrow import (
    ARROW_ERRORS,
    class_names,
    feature_names,
    with_values,
)

__all__ = ["Dataset", "columns", "is_dataset", "open_dataset", "read", "write"]


@dataclass(frozen=True)
class Dataset:
    """A dataset folder.

    Attributes
    ----------
    folder : Path
        What was named: the dataset, or the dictionary of datasets.
    split : str or None
        Which dataset of a dictionary.
    files : tuple of Path
        The Arrow files, in order.
    """

    folder: Path
    split: str | None
    files: tuple[Path, ...]

    @property
    def home(self) -> Path:
        """The folder of the dataset itself."""
        return self.folder / self.split if self.split else self.folder

    @property
    def sha256(self) -> str:
        """One hash over the Arrow files."""
        return hashlib.sha256("".join(map(sha256, self.files)).encode()).hexdigest()


def is_dataset(folder: Path) -> bool:
    """Return whether a folder is a dataset, or a dictionary of datasets, saved to disk."""
    return any(
        (folder / name).is_file()
        for name in ("state.json", "dataset_info.json", "dataset_dict.json")
    )


def open_dataset(folder: Path, *, split: str | None = None) -> Dataset:
    """Find the Arrow files of a dataset.

    Raises
    ------
    InputError
        There are several splits and none was chosen, or the folder is not what save_to_disk
        writes.
    """
    if (folder / "dataset_dict.json").is_file():
        split = _choose_split(folder, split)
    elif split is not None:
        raise InputError(str(folder), f"has no splits, so no {split!r}", "Leave out split")
    home = folder / split if split else folder
    state = _json(home / "state.json") if (home / "state.json").is_file() else {}
    if state.get("_indices_data_files"):
        raise InputError(
            str(home), "is a view into a larger dataset", "Save it after flatten_indices()"
        )
    listed = state.get("_data_files")
    if listed is not None and not isinstance(listed, list):
        raise InputError(
            str(home / "state.json"), "lists no files in _data_files", "Save the set again"
        )
    if listed is None:
        files = sorted(home.glob("*.arrow"))
    else:
        files = [home / _plain_name(home, entry) for entry in listed]
    for file in files:
        if not os.path.isfile(file):  # which a name too long for the system is not, either
            raise InputError(str(file), "is named in state.json and missing", "Save the set again")
    if not files:
        raise InputError(str(home), "has no Arrow files", "Name what save_to_disk has written")
    return Dataset(folder, split, tuple(files))


def _choose_split(folder: Path, split: str | None) -> str:
    splits = _json(folder / "dataset_dict.json").get("splits")
    names = [name for name in splits if isinstance(name, str)] if isinstance(splits, list) else []
    for name in names:
        _plain_name(folder, {"filename": name})
    if split is None and len(names) == 1:
        return names[0]
    if split not in names:
        what = "was not chosen" if split is None else f"is {split!r}"
        raise InputError(
            f"{folder}: split",
            f"{what}; the dataset has {', '.join(names) or 'none'}",
            "Pass split=",
        )
    return split


def _plain_name(home: Path, entry: Any) -> str:
    """Return a file's name from state.json if it stays in the folder."""
    name = entry.get("filename") if isinstance(entry, dict) else None
    if (
        not isinstance(name, str)
        or name in ("", "..")
        or Path(name).name != name
        or "\0" in name
        or "\\" in name
    ):
        raise InputError(
            str(home), f"names {name!r}, which is no file in it", "Save the dataset again"
        )
    return name


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"is not JSON ({error})", "Save the dataset again") from error
    if not isinstance(content, dict):
        raise InputError(str(path), "is not a JSON object", "Save the dataset again")
    return content


@contextmanager
def _reader(path: Path) -> Iterator[tuple[Any, bool]]:
    """Open an Arrow file; yields the reader, and whether it is a stream (else a file format)."""
    try:
        with pa.memory_map(str(path)) as source:
            stream = source.read(6) != b"ARROW1"
            source.seek(0)
            yield (pa.ipc.open_stream if stream else pa.ipc.open_file)(source), stream
    except InputError:
        raise
    except ARROW_ERRORS as error:
        raise InputError(
            str(path), f"is a damaged Arrow file ({error})", "Save the dataset again"
        ) from error


def columns(dataset: Dataset) -> list[str]:
    """Return the names of a dataset's columns."""
    with _reader(dataset.files[0]) as (reader, _):
        return list(reader.schema.names)


def read(dataset: Dataset) -> tuple[pa.Table, dict[str, tuple[str, ...]]]:
    """Return all rows, and the class names of its ClassLabel columns."""
    tables = []
    for file in dataset.files:
        with _reader(file) as (reader, _):
            tables.append(reader.read_all())
            tables[-1].validate(full=True)  # an untrusted file: no offset outside, no broken text
        if not tables[-1].schema.equals(tables[0].schema):
            raise InputError(str(file), "has other columns than the first file", "Save it again")
    names = class_names(tables[0].schema)
    info = dataset.home / "dataset_info.json"
    if info.is_file():
        names = {**names, **feature_names(_json(info).get("features"))}
    return pa.concat_tables(tables), names


def write(dataset: Dataset, changes: Mapping[str, Mapping[int, object]], out: Path) -> None:
    """Write the folder to `out` with some values replaced, by column and row.

    Files that hold no changed row are copied; a changed one keeps schema, metadata and batches.
    The fingerprint in state.json becomes a new one, as Hugging Face's caches go by it.
    """
    names = list_files(dataset.folder)
    with new_folder(out, inputs=(dataset.folder,)) as folder:
        for name in names:
            shutil.copy2(dataset.folder / name, path_inside(folder, name))
        if not changes:
            return
        home = dataset.home.relative_to(dataset.folder)
        first = 0
        for file in dataset.files:
            first += _rewrite(file, path_inside(folder, home / file.name), changes, first)
        _new_fingerprint(path_inside(folder, home / "state.json"), changes)


def _rewrite(path: Path, out: Path, changes: Mapping[str, Mapping[int, object]], first: int) -> int:
    """Rewrite one Arrow file if a change is in it; return how many rows it has."""
    with _reader(path) as (reader, stream):
        parts = reader if stream else map(reader.get_batch, range(reader.num_record_batches))
        schema, batches = reader.schema, list(parts)
    rows = sum(len(batch) for batch in batches)
    if not any(first <= row < first + rows for column in changes.values() for row in column):
        return rows
    open_writer = pa.ipc.new_stream if stream else pa.ipc.new_file
    with replacing(out) as temporary, open_writer(str(temporary), schema) as writer:
        start = first
        for batch in batches:
            for column, of_row in changes.items():
                batch = _changed(batch, path, column, of_row, start)
            writer.write_batch(batch)
            start += len(batch)
    return rows


def _changed(
    batch: pa.RecordBatch, path: Path, column: str, changes: Mapping[int, object], start: int
) -> pa.RecordBatch:
    here = {row - start: v for row, v in changes.items() if start <= row < start + len(batch)}
    if not here:
        return batch
    position = batch.schema.get_field_index(column)
    rows = {row: start + row for row in here}
    new = with_values(batch.column(position), here, f"{path}: column {column!r}", rows)
    arrays = [new if i == position else array for i, array in enumerate(batch.columns)]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _new_fingerprint(state: Path, changes: Mapping[str, Mapping[int, object]]) -> None:
    if not state.is_file():
        return
    content = _json(state)
    changed = [[column, *sorted(rows.items())] for column, rows in sorted(changes.items())]
    told = json.dumps([content.get("_fingerprint"), changed], default=str)
    content["_fingerprint"] = hashlib.sha256(told.encode()).hexdigest()[:16]
    with replacing(state) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True), encoding="utf-8")
