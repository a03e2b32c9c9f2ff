"""Tags of a file as classes of the predictions, and corrections of classes as tags of the file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.predictions import Predictions
from goldlabel.tasks.token.formats.sentences import (
    Changes,
    TagChange,
    TaggedSentences,
    coded,
    in_scheme,
    misplaced_tags,
)
from goldlabel.tasks.token.tags import TagSet, tag_set
from goldlabel.typing import Ints

__all__ = ["Aligned", "aligned", "corrected"]


_SAMPLE = 100_000
"""So many tokens of the predictions show their scheme."""


class Aligned(NamedTuple):
    """Labels as classes.

    Attributes
    ----------
    codes : ndarray of shape (t,), int64
        Class of each token; -1 = not known.
    classes : tuple of str
    scheme : str
        Of the classes; "none": no entities.
    broken : tuple of (int, int, str)
        Sentence, token and tag where the file breaks its scheme, if tags were converted.
    notes : list of str
    """

    codes: Ints
    classes: tuple[str, ...]
    scheme: str
    broken: tuple[tuple[int, int, str], ...]
    notes: list[str]


def aligned(
    given: TaggedSentences, probs: Predictions | None, classes: tuple[str, ...] | None, scheme: str
) -> Aligned:
    """Put the classes in order, and tags into the scheme of the predictions.

    Raises
    ------
    InputError
        A tag is no class; or columns have no names, and which is whose is not known.
    """
    names, said = _order(given, probs, classes)
    own = _file_rules(given, scheme)
    codes = coded(given.tags, names)
    other = None if own is None else _rules_of(names, probs, given, own)
    notes = [f"{len(names):,} classes, in the order of {said}."]
    if own is None or other is None or _same(own, other):
        _check_known(given, codes, names)
        if own is not None:
            notes.append(f"Tags are {own.scheme.upper()}.")
        return Aligned(codes, names, "none" if own is None else own.scheme, (), notes)
    tags = coded(given.tags, own.names)
    codes = in_scheme(tags, given.offsets, own, other)
    notes.append(
        f"Tags are {own.scheme.upper()}; they were turned into the {other.scheme.upper()} of the"
        " predictions, and are turned back on export."
    )
    full = _complete(own, other)
    broken = tuple(misplaced_tags(coded(given.tags, full.names), given.offsets, full))
    return Aligned(codes, names, other.scheme, broken, notes)


def _order(
    given: TaggedSentences, probs: Predictions | None, classes: tuple[str, ...] | None
) -> tuple[tuple[str, ...], str]:
    k = None if probs is None else probs.values.shape[-1]
    named = None if probs is None else probs.classes
    if classes is not None and named is not None and set(classes) != set(named):
        other = sorted(set(classes) ^ set(named))
        raise InputError(
            "classes", f"and the names in the predictions differ in {other[0]!r}", "Give both alike"
        )
    for names, said in (
        (named, "the predictions"),
        (classes, "the given classes"),
        (given.listed, "the file's own list"),
    ):
        if names is None:
            continue
        if k is not None and len(names) != k:
            if names is given.listed:
                continue
            raise InputError(
                "classes", f"has {len(names)} names, and pred_probs {k} columns", "Name each column"
            )
        if len(set(names)) < len(names):
            raise InputError("classes", "has a name twice", "Name each class once")
        return names, said
    found = tuple(sorted({tag for tag in given.tags if tag is not None}))
    if k is not None and len(found) != k:
        raise InputError(
            str(given.source.files[0]),
            f"has {len(found)} different tags, and pred_probs {k} columns without names",
            "Name the columns in order, with the option classes",
        )
    return found, "their names"


def _file_rules(given: TaggedSentences, scheme: str) -> TagSet | None:
    """Return the tags of the file as a scheme of their own."""
    names = sorted({tag for tag in given.tags if tag is not None} | {"O"})
    if scheme == "auto" and "O" not in given.tags:
        return None
    tags = coded(given.tags, names)
    return tag_set(names, scheme, tags=tags, offsets=given.offsets)


def _rules_of(
    names: tuple[str, ...], probs: Predictions | None, given: TaggedSentences, own: TagSet
) -> TagSet | None:
    """Return the rules of the classes: what the predictions themselves follow."""
    if probs is None or not _is_ambiguous(own):
        return _with_names(own, names) if probs is None else tag_set(names, "auto")
    flat = probs.values.reshape(-1, len(names)) if probs.values.ndim == 2 else probs.values[:2000]
    if probs.values.ndim == 3:
        lengths = np.diff(given.offsets)[: len(flat)]
        inside = np.arange(flat.shape[1]) < lengths[:, None]
        best = np.argmax(flat, axis=-1)[inside]
    else:
        best = np.argmax(flat[:_SAMPLE], axis=1)
    ends = given.offsets[given.offsets <= len(best)]
    return tag_set(names, "auto", tags=best[: ends[-1]], offsets=ends)


def _is_ambiguous(rules: TagSet) -> bool:
    """Return whether the letters alone do not tell the scheme: IOB1 and IOB2 have the same."""
    return rules.scheme in ("iob1", "iob2")


def _with_names(rules: TagSet, names: tuple[str, ...]) -> TagSet | None:
    return tag_set(names, rules.scheme) if set(rules.names) <= set(names) else rules


def _same(own: TagSet, other: TagSet) -> bool:
    return own.scheme == other.scheme and own.style == other.style


def _check_known(given: TaggedSentences, codes: Ints, names: tuple[str, ...]) -> None:
    bad = np.flatnonzero(codes == -2)
    if not bad.size:
        return
    row = int(bad[0])
    sentence = int(np.searchsorted(given.offsets, row, side="right")) - 1
    shown = ", ".join(map(repr, names[:8])) + (", ..." if len(names) > 8 else "")
    raise InputError(
        f"{given.source.files[0]}: sentence {sentence}, token {row - given.offsets[sentence]}"
        f" ({given.tokens[row]!r})",
        f"has the tag {given.tags[row]!r}, not one of the {len(names)} classes {shown}"
        f" ({bad.size} such tokens)",
        "Predict every tag of the labels, or name the classes",
    )


def corrected(source: Source, given: TaggedSentences, corrections: pd.DataFrame) -> Changes:
    """Return the new tags of each sentence with a correction, as the file writes them.

    Raises
    ------
    InputError
        A correction names no sentence, token or class.
    """
    names = tuple(source.options["classes"])
    own = _file_rules(given, source.options["file_scheme"])
    other = None if own is None else tag_set(names, source.options["scheme"])
    wanted = _wanted(given, corrections, set(names))
    changes: Changes = {}
    for sentence, tags in wanted.items():
        old = given.sentence(sentence)
        if own is None or other is None or _same(own, other):
            new = [tags.get(at, tag) for at, tag in enumerate(old)]
        else:
            new = _converted(old, tags, own, other)
        if new != old:
            changes[sentence] = TagChange(old, new)
    return changes


def _converted(
    old: list[str | None], tags: dict[int, str], own: TagSet, other: TagSet
) -> list[str | None]:
    """Apply tags of one scheme to a sentence that is written in another.

    Tags that mean the same as before stay as they are written.
    """
    ends = np.array([0, len(old)], dtype=np.int64)
    before = in_scheme(coded(old, own.names), ends, own, other)
    after = before.copy()
    for at, tag in tags.items():
        after[at] = other.names.index(tag)
    full = _complete(own, other)
    was, now = (in_scheme(codes, ends, other, full) for codes in (before, after))
    return [tag if was[at] == now[at] else full.names[now[at]] for at, tag in enumerate(old)]


def _complete(own: TagSet, other: TagSet) -> TagSet:
    """Return the scheme and style of a file with every tag of every type."""
    roles = {"io": "I", "iob1": "BI", "iob2": "BI"}.get(own.scheme, "BIES")
    types = [*own.types, *(kind for kind in other.types if kind not in own.types)]
    names = ["O", *(own.write(role, kind) for kind in types for role in roles)]
    found = tag_set(names, own.scheme)
    assert found is not None
    return found


def _wanted(
    given: TaggedSentences, corrections: pd.DataFrame, names: set[str]
) -> dict[int, dict[int, str]]:
    for column in ("example", "part", "suggested"):
        if column not in corrections:
            raise InputError("corrections", f"has no column {column!r}", "Add it")
    n = len(given.offsets) - 1
    lengths = np.diff(given.offsets)
    wanted: dict[int, dict[int, str]] = {}
    columns = (corrections[name].tolist() for name in ("example", "part", "suggested"))
    for row, (sentence, token, tag) in enumerate(zip(*columns, strict=True)):
        where = f"corrections: row {row + 1}"
        if not isinstance(sentence, int) or not 0 <= sentence < n:
            raise InputError(where, f"names sentence {sentence!r}, which is none", "Use positions")
        if not isinstance(token, int) or not 0 <= token < lengths[sentence]:
            raise InputError(
                where,
                f"names token {token!r} of sentence {sentence}, which has {lengths[sentence]}",
                "Use positions",
            )
        if tag not in names:
            raise InputError(where, f"suggests {tag!r}, which is no class", "Use one of them")
        if wanted.setdefault(sentence, {}).setdefault(token, tag) != tag:
            raise InputError(
                where, f"says another tag of token {token} of sentence {sentence}", "Leave one row"
            )
    return wanted
