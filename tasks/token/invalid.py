"""Tags that break the rules of their scheme: found without a model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs.ragged import Ragged
from goldlabel.tasks.token.entities import Tokens, canonical
from goldlabel.tasks.token.summary import flat_words
from goldlabel.tasks.token.tags import tag_set

__all__ = ["find_invalid_tags"]


def find_invalid_tags(labels: Any, *, scheme: str = "auto") -> pd.DataFrame:
    """Find tags that may not stand where they stand, e.g. an I-PER after an O in IOB2.

    Parameters
    ----------
    labels : list of n lists of str, or Ragged
        Tags of each sentence; None = not known, which breaks no rule.
    scheme : str
        As for `find_label_issues`.

    Returns
    -------
    DataFrame
        `sentence`, `token`, `tag`, and `suggested`: the tag that says what it means, as the
        evaluation of CoNLL reads it. In reading order.

    Raises
    ------
    InputError
        The tags are of no scheme.

    Examples
    --------
    >>> find_invalid_tags([["B-PER", "I-PER", "O"], ["O", "I-LOC"], ["B-LOC", "O"]])
       sentence  token    tag suggested
    0         1      1  I-LOC     B-LOC
    """
    if not isinstance(labels, Ragged) and (
        isinstance(labels, str) or any(isinstance(tags, str) for tags in labels)
    ):
        raise InputError("labels", "holds text where lists of tags are expected", "Pass lists")
    flat, offsets = flat_words(labels)
    names = sorted({tag for tag in flat.tolist() if isinstance(tag, str)} | {"O"})
    codes = pd.Index(names).get_indexer(pd.Index(flat)).astype(np.int64)
    rules = tag_set(names, scheme, tags=codes, offsets=offsets)
    if rules is None:
        raise InputError("labels", "has tags of no scheme", "Pass tags such as B-PER, I-PER, O")
    # The tag that is meant may not occur in the data.
    full = _completed(names, rules.scheme)
    rules = tag_set(full, rules.scheme)
    assert rules is not None
    codes = pd.Index(full).get_indexer(pd.Index(flat)).astype(np.int64)
    first = Tokens(np.arange(len(codes)), offsets).first
    meant = canonical(codes, first, rules)
    unknown = np.append(np.append(True, codes < 0), True)
    rows = np.flatnonzero(meant != codes)
    beside = (unknown[rows] & ~first[rows]) | (
        unknown[rows + 2] & ~np.append(first, True)[rows + 1]
    )
    rows = rows[~beside]
    sentence = np.searchsorted(offsets, rows, side="right") - 1
    tags = np.array(full, dtype=object)
    return pd.DataFrame(
        {
            "sentence": sentence,
            "token": rows - offsets[sentence],
            "tag": tags[codes[rows]],
            "suggested": tags[meant[rows]],
        }
    )


def _completed(names: Sequence[Hashable], scheme: str) -> list[str]:
    """Return the classes and every other tag that their types could have."""
    rules = tag_set(names, scheme)
    assert rules is not None
    roles = {"io": "I", "iob1": "BI", "iob2": "BI"}.get(scheme, "BIES")
    found = [str(name) for name in names]
    wanted = (rules.write(role, kind) for kind in rules.types for role in roles)
    return found + [tag for tag in wanted if tag not in found]
