"""Tags of a file as classes of the predictions, and corrections of classes as tags of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.changes import by_part, class_value
from goldlabel.tasks.token.data import CUT
from goldlabel.tasks.token.formats.options import Options
from goldlabel.tasks.token.formats.predictions import Predictions
from goldlabel.tasks.token.formats.sentences import (
    Changes,
    TagChange,
    TaggedSentences,
    coded,
    in_scheme,
    misplaced_tags,
)
from goldlabel.tasks.token.formats.strays import few, stray_classes, stray_tags
from goldlabel.tasks.token.tags import TagSet, tag_set
from goldlabel.typing import Ints

__all__ = ["Aligned", "aligned", "class_codes", "corrected"]


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
    strays : frozenset of str
        Tags of the file that are none of its scheme, or of the predictions.
    dropped : list of int
        Columns of the predictions that are no tags.
    notes : list of str
    """

    codes: Ints
    classes: tuple[str, ...]
    scheme: str
    broken: tuple[tuple[int, int, str], ...]
    strays: frozenset[str]
    dropped: list[int]
    notes: list[str]


def aligned(
    sentences: TaggedSentences,
    probs: Predictions | None,
    classes: tuple[str, ...] | None,
    scheme: str,
) -> Aligned:
    """Put the classes in order, and tags into the scheme of the predictions.

    Raises
    ------
    InputError
        A tag is no class; or columns have no names, and which is whose is not known.
    """
    counts = Counter(tag for tag in sentences.tags if tag is not None)
    slips = stray_tags(counts, None, scheme)
    names, origin = _order(sentences, probs, classes, sorted(set(counts) - slips))
    dropped = stray_classes(names, counts) if scheme not in ("none", "io") else []
    notes = []
    if dropped:
        columns = ", ".join(repr(names[at]) for at in dropped)
        notes.append(f"The columns {columns} of the predictions are no tags: they are left out.")
        names = tuple(name for at, name in enumerate(names) if at not in dropped)
    notes.insert(0, f"{len(names):,} classes, in the order of {origin}.")
    if probs is not None or classes is not None:
        slips = stray_tags(counts, names, scheme)
    tags = _without(sentences, slips)
    file_tags = _tag_set_of(tags, scheme)
    class_tags = None if file_tags is None else _rules_of(names, probs, tags, file_tags, dropped)
    if file_tags is None or class_tags is None or _same(file_tags, class_tags):
        return _of_equal_scheme(sentences, names, file_tags, slips)._replace(
            dropped=dropped, notes=[*notes, *_scheme_note(file_tags)]
        )
    codes = in_scheme(coded(tags.tags, file_tags.names), tags.offsets, file_tags, class_tags)
    complete = _complete(file_tags, class_tags)
    broken = misplaced_tags(coded(tags.tags, complete.names), tags.offsets, complete)
    notes.append(
        f"Tags are {file_tags.scheme.upper()}; they were turned into the"
        f" {class_tags.scheme.upper()} of the predictions, and are turned back on export."
    )
    return Aligned(codes, names, class_tags.scheme, tuple(broken), slips, dropped, notes)


def _of_equal_scheme(
    sentences: TaggedSentences, names: tuple[str, ...], rules: TagSet | None, slips: frozenset[str]
) -> Aligned:
    """Return tags as they are: every one is a class, or a slip."""
    counts = Counter(tag for tag in sentences.tags if tag is not None)
    unknown = set(counts) - slips - set(names)
    if unknown and few(slips | unknown, counts):
        slips |= unknown
    tags = _without(sentences, slips)
    codes = coded(tags.tags, names)
    _check_known(tags, codes, names)
    return Aligned(codes, names, "none" if rules is None else rules.scheme, (), slips, [], [])


def _scheme_note(rules: TagSet | None) -> list[str]:
    return [] if rules is None else [f"Tags are {rules.scheme.upper()}."]


def _without(sentences: TaggedSentences, strays: frozenset[str]) -> TaggedSentences:
    """Return sentences whose stray tags are not known."""
    if not strays:
        return sentences
    return sentences._replace(tags=[None if tag in strays else tag for tag in sentences.tags])


def _order(
    sentences: TaggedSentences,
    probs: Predictions | None,
    classes: tuple[str, ...] | None,
    tags: Sequence[str],
) -> tuple[tuple[str, ...], str]:
    k = None if probs is None else probs.values.shape[-1]
    named = None if probs is None else probs.classes
    if classes is not None and named is not None and set(classes) != set(named):
        other = sorted(set(classes) ^ set(named))
        raise InputError(
            "classes", f"and the names in the predictions differ in {other[0]!r}", "Give both alike"
        )
    for names, origin in (
        (named, "the predictions"),
        (classes, "the given classes"),
        (sentences.listed, "the file's own list"),
    ):
        if names is None:
            continue
        if k is not None and len(names) != k:
            if names is sentences.listed:
                continue
            raise InputError(
                "classes", f"has {len(names)} names, and pred_probs {k} columns", "Name each column"
            )
        if len(set(names)) < len(names):
            raise InputError("classes", "has a name twice", "Name each class once")
        return names, origin
    every = sorted({tag for tag in sentences.tags if tag is not None})
    used = every if len(every) == k else tags
    if k is not None and len(used) != k:
        raise InputError(
            str(sentences.source.files[0]),
            f"has {len(used)} different tags, and pred_probs {k} columns without names",
            "Name the columns in order, with the option classes",
        )
    return tuple(used), "their names"


def _tag_set_of(sentences: TaggedSentences, scheme: str) -> TagSet | None:
    """Return the tags of the file as a scheme of their own."""
    names = sorted({tag for tag in sentences.tags if tag is not None} | {"O"})
    if scheme == "auto" and "O" not in sentences.tags:
        return None
    tags = coded(sentences.tags, names)
    return tag_set(names, scheme, tags=tags, offsets=sentences.offsets)


def _rules_of(
    names: tuple[str, ...],
    probs: Predictions | None,
    sentences: TaggedSentences,
    file_tags: TagSet,
    dropped: Sequence[int],
) -> TagSet | None:
    """Return the rules of the classes: what the predictions themselves follow."""
    if probs is None:
        known = set(file_tags.names) <= set(names)
        return tag_set(names, file_tags.scheme) if known else file_tags
    if not _is_ambiguous(file_tags):
        return tag_set(names, "auto")
    values = probs.values
    if values.ndim == 3:
        values = values[:2000]
        lengths = np.diff(sentences.offsets)[: len(values)]
        values = values[np.arange(values.shape[1]) < lengths[:, None]]
    values = np.delete(values[:_SAMPLE], dropped, axis=-1) if dropped else values[:_SAMPLE]
    best = np.argmax(values, axis=1)
    ends = sentences.offsets[sentences.offsets <= len(best)]
    return tag_set(names, "auto", tags=best[: ends[-1]], offsets=ends)


def _is_ambiguous(rules: TagSet) -> bool:
    """Return whether the letters alone do not tell the scheme: IOB1 and IOB2 have the same."""
    return rules.scheme in ("iob1", "iob2")


def _same(file_tags: TagSet, class_tags: TagSet) -> bool:
    return file_tags.scheme == class_tags.scheme and file_tags.style == class_tags.style


def _check_known(sentences: TaggedSentences, codes: Ints, names: tuple[str, ...]) -> None:
    bad = np.flatnonzero(codes == -2)
    if not bad.size:
        return
    row = int(bad[0])
    sentence = int(np.searchsorted(sentences.offsets, row, side="right")) - 1
    token = row - sentences.offsets[sentence]
    shown = ", ".join(map(repr, names[:8])) + (", ..." if len(names) > 8 else "")
    raise InputError(
        f"{sentences.source.files[0]}: sentence {sentence}, token {token}"
        f" ({sentences.tokens[row]!r})",
        f"has the tag {sentences.tags[row]!r}, not one of the {len(names)} classes {shown}"
        f" ({bad.size} such tokens)",
        "Predict every tag of the labels, or name the classes",
    )


def class_codes(options: Options, sentences: TaggedSentences) -> Ints:
    """Return the class of each token of an audited file; -1 = not known."""
    names = options.classes
    known = _without(sentences, frozenset(options.strays))
    file_tags, class_tags = _tag_sets(options, known)
    if file_tags is None or class_tags is None or _same(file_tags, class_tags):
        codes = coded(known.tags, names)
        _check_known(known, codes, names)
        return codes
    return in_scheme(coded(known.tags, file_tags.names), known.offsets, file_tags, class_tags)


def _tag_sets(options: Options, known: TaggedSentences) -> tuple[TagSet | None, TagSet | None]:
    """Return the tags of the file, and of the classes, as schemes of their own."""
    file_tags = _tag_set_of(known, options.file_scheme)
    return file_tags, None if file_tags is None else tag_set(options.classes, options.scheme)


def corrected(options: Options, sentences: TaggedSentences, corrections: pd.DataFrame) -> Changes:
    """Return the new tags of each sentence with a correction, as the file writes them.

    Raises
    ------
    InputError
        A correction names no sentence, token or class.
    """
    names = options.classes
    known = _without(sentences, frozenset(options.strays))
    file_tags, class_tags = _tag_sets(options, known)
    cut = {
        (bad.sentence, at)
        for bad in sentences.bad
        if bad.kind == CUT
        for at in range(bad.start, bad.end)
    }
    changes: Changes = {}
    for sentence, tags in _wanted(sentences, corrections, names).items():
        old, kept = sentences.sentence(sentence), known.sentence(sentence)
        if file_tags is None or class_tags is None or _same(file_tags, class_tags):
            new = [tags.get(at, tag) for at, tag in enumerate(old)]
        else:
            converted = _converted(kept, tags, file_tags, class_tags)
            new = [a if b == c else b for a, b, c in zip(old, converted, kept, strict=True)]
        confirmed = frozenset(at for at in tags if (sentence, at) in cut)
        if new != old or confirmed:
            changes[sentence] = TagChange(old, new, confirmed)
    return changes


def _converted(
    old: list[str | None], tags: dict[int, str], file_tags: TagSet, class_tags: TagSet
) -> list[str | None]:
    """Apply tags of one scheme to a sentence that is written in another.

    Tags that mean the same as before stay as they are written.
    """
    ends = np.array([0, len(old)], dtype=np.int64)
    before = in_scheme(coded(old, file_tags.names), ends, file_tags, class_tags)
    after = before.copy()
    for at, tag in tags.items():
        after[at] = class_tags.names.index(tag)
    complete = _complete(file_tags, class_tags)
    was, now = (in_scheme(codes, ends, class_tags, complete) for codes in (before, after))
    return [tag if was[at] == now[at] else complete.names[now[at]] for at, tag in enumerate(old)]


def _complete(file_tags: TagSet, class_tags: TagSet) -> TagSet:
    """Return the scheme and style of a file with every tag of every type."""
    roles = {"io": "I", "iob1": "BI", "iob2": "BI"}.get(file_tags.scheme, "BIES")
    types = dict.fromkeys([*file_tags.types, *class_tags.types])
    names = ["O", *(file_tags.write(role, type_) for type_ in types for role in roles)]
    complete = tag_set(names, file_tags.scheme)
    assert complete is not None
    return complete


def _wanted(
    sentences: TaggedSentences, corrections: pd.DataFrame, names: Sequence[str]
) -> dict[int, dict[int, str]]:
    wanted: dict[int, dict[int, str]] = {}
    value = class_value(names, names)
    lengths = np.diff(sentences.offsets).tolist()
    for (sentence, token), tag in by_part(corrections, value, parts=lengths, named="token").items():
        wanted.setdefault(sentence, {})[token] = tag
    return wanted
