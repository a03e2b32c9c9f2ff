"""spaCy's binary documents (``.spacy``); needs spaCy for its numbers of strings and attributes.

Only the columns of entities change: a file that is written again keeps all else that it holds.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, MissingExtra
from goldlabel.files import replacing, sha256
from goldlabel.formats.registry import Format
from goldlabel.formats.tables.table import check_unchanged
from goldlabel.formats.tables.writing import check_output
from goldlabel.formats.unpacking import inflate
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.options import Asked, Options
from goldlabel.tasks.token.formats.recognising import is_docbin
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["FORMAT"]

_MISSING, _INSIDE, _OUTSIDE, _BEGIN = range(4)
_LETTERS = {_INSIDE: "I", _BEGIN: "B"}
_DAMAGED = (ValueError, KeyError, TypeError, IndexError, EOFError, zlib.error)


class _Spacy(NamedTuple):
    """What of spaCy is needed."""

    attributes: dict[str, int]
    strings: Any
    loads: Any
    dumps: Any


def _spacy() -> _Spacy:
    try:
        import srsly
        from spacy.attrs import IDS
        from spacy.strings import StringStore
    except ImportError as error:
        raise MissingExtra("spacy", "to read DocBin files (.spacy)", "spacy") from error
    return _Spacy(IDS, StringStore, srsly.msgpack_loads, srsly.msgpack_dumps)


class _Bin(NamedTuple):
    """A file, unpacked.

    Attributes
    ----------
    message : dict
        All that it holds.
    tokens : ndarray of shape (t, attributes), uint64
    offsets : ndarray of shape (n + 1,), int64
    columns : dict of str to int
        Column of each attribute that is needed.
    strings : StringStore
    """

    message: dict[str, Any]
    tokens: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    columns: dict[str, int]
    strings: Any


def _unpacked(path: Path, spacy: _Spacy) -> _Bin:
    try:
        message = spacy.loads(inflate(path, path.read_bytes()))
        attributes = list(message["attrs"])
        tokens = np.frombuffer(message["tokens"], dtype=np.uint64).reshape(-1, len(attributes))
        lengths = np.frombuffer(message["lengths"], dtype=np.int32).astype(np.int64)
        strings = spacy.strings(message["strings"])
    except InputError:
        raise
    except (*_DAMAGED, OSError) as error:
        raise InputError(
            str(path), f"is no DocBin that can be read ({error})", "Save it with DocBin.to_disk"
        ) from error
    columns = {}
    for name in ("ORTH", "ENT_IOB", "ENT_TYPE"):
        if spacy.attributes[name] not in attributes:
            raise InputError(
                str(path), f"has no attribute {name}", "Save it with the attributes of entities"
            )
        columns[name] = attributes.index(spacy.attributes[name])
    if (lengths < 0).any() or int(lengths.sum()) != len(tokens) or not len(tokens):
        raise InputError(
            str(path), f"has {len(tokens)} tokens in documents of {lengths.sum()}", "Save it again"
        )
    return _Bin(message, tokens, np.append(0, np.cumsum(lengths)), columns, strings)


def _read(path: Path, asked: Asked) -> TaggedSentences:
    """Read a file; each document is one sentence of the audit.

    Raises
    ------
    InputError
        It is damaged, or has no entities.
    MissingExtra
        spaCy is not installed.
    """
    unpacked = _unpacked(path, _spacy())
    options = Options(sha256=sha256(path))
    try:
        words = [unpacked.strings[int(n)] for n in unpacked.tokens[:, unpacked.columns["ORTH"]]]
        tags = list(_tags(unpacked))
    except KeyError as error:
        raise InputError(str(path), f"lacks a string ({error})", "Save it again") from error
    note = f"Read {path.name} as a DocBin of spaCy: {len(unpacked.offsets) - 1:,} documents."
    source = Source("docbin", (path,), options)
    return TaggedSentences(words, tags, unpacked.offsets, source, [note])


def _tags(unpacked: _Bin) -> Iterator[str | None]:
    columns, strings = unpacked.columns, unpacked.strings
    kinds = unpacked.tokens[:, columns["ENT_IOB"]].tolist()
    types = unpacked.tokens[:, columns["ENT_TYPE"]].tolist()
    for kind, number in zip(kinds, types, strict=True):
        if kind == _MISSING:
            yield None
        else:
            yield f"{_LETTERS[kind]}-{strings[number]}" if kind in _LETTERS else "O"


def _export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file with some entities changed, and everything else as it was."""
    path = source.files[0]
    check_output(path, out)
    check_unchanged(source, sha256(path))
    with replacing(out) as temporary:
        if changes:
            temporary.write_bytes(_changed(path, changes))
        else:
            shutil.copyfile(path, temporary)


def _changed(path: Path, changes: Changes) -> bytes:
    spacy = _spacy()
    unpacked = _unpacked(path, spacy)
    tokens = unpacked.tokens.copy()
    for sentence, change in changes.items():
        for at in change.changed:
            row = int(unpacked.offsets[sentence]) + at
            tag = change.new[at] or "O"
            kind = {"B": _BEGIN, "I": _INSIDE}.get(tag[0], _OUTSIDE)
            tokens[row, unpacked.columns["ENT_IOB"]] = kind
            name = "" if kind == _OUTSIDE else tag[2:]
            tokens[row, unpacked.columns["ENT_TYPE"]] = unpacked.strings.add(name) if name else 0
    message = {**unpacked.message, "tokens": tokens.tobytes()}
    message["strings"] = sorted({*message["strings"], *unpacked.strings})
    return zlib.compress(spacy.dumps(message))


FORMAT: Format[Asked, TaggedSentences] = Format(
    "docbin", "a DocBin of spaCy", is_docbin, _read, _export, Options
)
"""spaCy's binary documents."""
