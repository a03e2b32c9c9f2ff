"""Annotations changed, taken out and added in the bytes of a file; all else stays as it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from goldlabel.formats.json import numbers, places
from goldlabel.formats.json.document import Document, Section
from goldlabel.formats.json.records import Records

__all__ = ["Edit", "edited", "member_edits", "next_id", "separators", "spliced"]


class Edit(NamedTuple):
    """Bytes from `start` to `stop`, and what stands there afterwards."""

    start: int
    stop: int
    new: bytes


def edited(
    document: Document,
    listed: Section,
    edits: Sequence[Edit] = (),
    *,
    removed: Collection[int] = (),
    added: Sequence[str] = (),
    separator: str = ", ",
) -> bytes:
    """Return the bytes of a document with a list in it changed.

    Parameters
    ----------
    document : Document
    listed : Section
        The list.
    edits : sequence of Edit
        In entries that stay; they do not overlap.
    removed : collection of int
        Positions of entries that go, each with what stands between it and the one before.
    added : sequence of str
        New entries, as they are to be written at the end.
    separator : str
        What to put between entries where the list has fewer than two.
    """
    starts, stops = listed.starts.tolist(), listed.stops.tolist()
    cuts = [edit for edit in edits if edit.start != edit.stop or edit.new]
    out = sorted(set(removed))
    kept = len(starts) - len(out)
    if out and not kept and not added:
        cuts = [Edit(listed.start + 1, listed.stop - 1, b"")]
    elif out:
        cuts += _removals(starts, stops, out)
    if added:
        between = _usual(document, listed, separator)
        new = between.join(each.encode("utf-8") for each in added)
        end = stops[-1] if stops else listed.start + 1
        cuts.append(Edit(end, end if stops else listed.stop - 1, (between if kept else b"") + new))
    return spliced(document, cuts)


def _removals(starts: list[int], stops: list[int], out: Sequence[int]) -> list[Edit]:
    """Return what to cut: an entry and the text before it, or behind it where it was first."""
    gone = np.zeros(len(starts), dtype=bool)
    gone[list(out)] = True
    first = int(np.argmin(gone)) if not gone.all() else len(starts)
    cuts = [Edit(stops[at - 1], stops[at], b"") for at in out if at > first]
    if first == len(starts):
        return [Edit(starts[0], stops[-1], b"")]
    return [Edit(starts[0], starts[first], b""), *cuts] if first else cuts


def _usual(document: Document, listed: Section, separator: str) -> bytes:
    """Return what most often stands between two entries."""
    gaps = Counter(
        document.raw(stop, start)
        for stop, start in zip(listed.stops[:-1].tolist(), listed.starts[1:].tolist(), strict=True)
    )
    return gaps.most_common(1)[0][0] if gaps else separator.encode("ascii")


def spliced(document: Document, edits: Sequence[Edit]) -> bytes:
    """Return the bytes of a document with some, which do not overlap, replaced."""
    data = document.data.data
    pieces: list[bytes | memoryview] = []
    done = 0
    for start, stop, new in sorted(edits):
        pieces += [data[done:start], new]
        done = stop
    return b"".join([*pieces, data[done:]])


def separators(document: Document, listed: Section) -> tuple[str, str]:
    """Return how a file separates members, and keys from values, as its first entry does."""
    start, stop = listed.start, min(listed.start + 200, len(document.data))
    if len(listed.starts):
        start, stop = int(listed.starts[0]), int(listed.stops[0])
    piece = document.raw(start, stop)
    return (", " if b", " in piece else ","), (": " if b'": ' in piece else ":")


def next_id(annotations: Records) -> int | None:
    """Return an id that no annotation has; None where some have none that is a whole number."""
    ids = annotations.numbers("id")
    if not (ids.found == numbers.WHOLE).all():
        return None
    return int(ids.ints.max(initial=0)) + 1


def member_edits(
    records: Records,
    row: int,
    members: Mapping[str, Any],
    style: tuple[str, str] = (", ", ": "),
    *,
    adds: bool = True,
) -> list[Edit]:
    """Return the edits that give an entry some members: in place, or else at its end.

    Parameters
    ----------
    records : Records
        With the fields that are changed.
    row : int
    members : mapping
        New values by key.
    style : (str, str)
        Of `separators`.
    adds : bool
        Whether members that the entry lacks are added; else they are passed over.
    """
    edits, new = [], []
    for key, value in members.items():
        text = json.dumps(value, separators=style)
        if records.kinds(key)[row] != places.MISSING:
            start, stop = (int(each[row]) for each in records.spans(key))
            edits.append(Edit(start, stop, text.encode("ascii")))
        elif adds:
            new.append(f"{json.dumps(key)}{style[1]}{text}")
    if new:
        end = records.document.end_of_members(int(records.starts[row]), int(records.stops[row]))
        edits.append(Edit(end, end, (style[0] + style[0].join(new)).encode("ascii")))
    return edits
