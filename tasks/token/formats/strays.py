"""Tags that are slips of the pen: a zero for an O, another case, a blank at the end.

One of them must not change how all other tags are read, nor end the audit: it is left out of
everything, and reported. Where they are many the names do not fit each other, and none is a slip.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.tasks.token.data import NO_TAG, BadLabel
from goldlabel.tasks.token.formats.sentences import TaggedSentences
from goldlabel.tasks.token.tags import OUTSIDE, is_prefixed, tag_set

__all__ = ["bad_tags", "few", "stray_classes", "stray_tags", "without_columns"]

_SHARE = 10
"""Strays are at most one in so many tags of entities."""


def few(strays: Iterable[str], counts: Mapping[str, int]) -> bool:
    """Return whether tags are so rare that they are slips, and no classes of their own."""
    names = set(strays)
    others = [tag for tag in counts if tag != OUTSIDE] if OUTSIDE in counts else list(counts)
    total = sum(counts[tag] for tag in others)
    return 0 < sum(counts[tag] for tag in names) * _SHARE <= total


def stray_tags(
    counts: Mapping[str, int], classes: Sequence[str] | None, scheme: str = "auto"
) -> frozenset[str]:
    """Return the tags that no scheme, or no class of the predictions, has.

    Parameters
    ----------
    counts : mapping of str to int
        How often each tag occurs in the file.
    classes : sequence of str, optional
        Of the predictions, if there are any.
    scheme : str
        As for `find_label_issues`.
    """
    strays = _without_prefix(counts) if OUTSIDE in counts and scheme != "io" else set()
    if scheme == "none" or not few(strays, counts):
        strays = set()
    if classes is not None:
        known = {tag: count for tag, count in counts.items() if tag not in strays}
        unknown = strays | _unknown_to(list(known), classes, scheme)
        strays = unknown if few(unknown, counts) else strays
    return frozenset(strays)


def _without_prefix(names: Iterable[str]) -> set[str]:
    """Return tags that say no place in an entity, where others do."""
    rest = {name for name in names if name != OUTSIDE}
    prefixed = {name for name in rest if is_prefixed(name)}
    return rest - prefixed if prefixed else set()


def _unknown_to(tags: Sequence[str], classes: Sequence[str], scheme: str) -> set[str]:
    """Return the tags that the classes can not say."""
    missing = {tag for tag in tags if tag not in set(classes)}
    if not missing or scheme == "none":
        return missing
    of_file, of_classes = (tag_set(sorted({*names, OUTSIDE})) for names in (tags, classes))
    if of_file is None or of_classes is None or OUTSIDE not in tags:
        return missing
    known = set(of_classes.types)
    types = dict(zip(of_file.names, of_file.type_of.tolist(), strict=True))
    return {tag for tag in missing if types[tag] >= 0 and of_file.types[types[tag]] not in known}


def stray_classes(classes: Sequence[str], counts: Mapping[str, int]) -> list[int]:
    """Return the positions of classes that are no tags, as [PAD] is none.

    Parameters
    ----------
    classes : sequence of str
        Of the predictions.
    counts : mapping of str to int
        How often each tag occurs in the file.
    """
    if OUTSIDE not in classes:
        return []
    strays = _without_prefix(classes)
    used = strays & set(counts)
    rare = not used or few(used, counts)
    if not rare or 2 * len(strays) > len(classes) - 1 - len(strays):
        return []
    return [at for at, name in enumerate(classes) if name in strays]


def bad_tags(sentences: TaggedSentences, strays: Collection[str]) -> list[BadLabel]:
    """Return the tokens whose tag is a slip."""
    rows = [row for row, tag in enumerate(sentences.tags) if tag in strays] if strays else []
    sentence = np.searchsorted(sentences.offsets, rows, side="right") - 1
    token = np.array(rows, dtype=np.int64) - sentences.offsets[sentence]
    return [
        BadLabel(s, at, at + 1, NO_TAG, str(sentences.tags[row]))
        for s, at, row in zip(sentence.tolist(), token.tolist(), rows, strict=True)
    ]


def without_columns(values: npt.NDArray[Any], columns: Sequence[int]) -> npt.NDArray[Any]:
    """Return probabilities without some classes, of which the others take the share."""
    kept = np.delete(values, columns, axis=-1)
    total = kept.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.where(total > 0, kept / total, 1 / kept.shape[-1])
    return np.ascontiguousarray(shared, dtype=values.dtype)
