"""Texts that are the same or nearly so, by their letters: no embeddings, and no model.

References
----------
A. Broder. On the resemblance and containment of documents. Compression and Complexity of
Sequences 1997.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import shingles
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.typing import Bytes, Floats, Ints

from .columns import coded_labels
from .near_duplicates import Keep, group_table, grouped_pairs, kept, verdict
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_text_duplicates", "text_pairs"]

BANDS, ROWS = 16, 4
"""A signature has BANDS x ROWS hashes; texts that agree in all ROWS of a band are compared."""
REACH = 8
"""How many of those that share a band's key a text is compared with, besides the first."""
BLOCK = 4096


class Texts(NamedTuple):
    """Texts as bytes without case, punctuation and more than one space at a time."""

    text: Bytes
    offsets: Ints

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.offsets) - 1


def find_text_duplicates(
    *,
    text: Any,
    labels: Any = None,
    threshold: float = 0.7,
    shingle: int = 5,
    keep: Keep = "first",
    seed: int = 0,
) -> CheckResult:
    """Find groups of texts that are the same, or nearly so.

    Case, punctuation and spaces do not count. Texts are compared by the share of their shingles
    (runs of bytes) that both have; which to compare is found by MinHash, so that nearly all of
    the pairs above the threshold are.

    Parameters
    ----------
    text : sequence of str
        None, or a missing value: left out.
    labels : array_like of shape (n,), optional
        Groups whose labels contradict each other come first.
    threshold : float
        Share in (0, 1]; 1 finds equal texts only.
    shingle : int
        Bytes of a shingle.
    keep : {"first", "last", "majority"}
        Which text of a group to keep; see `goldlabel.checks.find_near_duplicates`.
    seed : int
        Of the hash functions.

    Returns
    -------
    CheckResult
        A text scores 1 less its similarity to the nearest found. Columns `group` (-1: none),
        `similarity`, `is_kept`; frames `groups`, `pairs` (every text with the first that is equal,
        and distinct texts that are near); figure `expected_recall`: of pairs at the threshold.

    Raises
    ------
    InputError
        Something that is no text, or that does not fit.

    Examples
    --------
    >>> found = find_text_duplicates(
    ...     text=["Where is my card?", "where is my card", "I lost my new card today",
    ...           "I lost my new card today!!", "Hello"],
    ...     labels=["arrival", "arrival", "lost", "arrival", "other"],
    ... )
    >>> found.frames["groups"][["examples", "labels", "is_conflict"]]
      examples         labels  is_conflict
    0   [2, 3]  lost, arrival         True
    1   [0, 1]        arrival        False
    """
    check.number(threshold, name="threshold", low=0.0, high=1.0)
    check.choice(keep, get_args(Keep), name="keep")
    pairs, n, notes = text_pairs(text, threshold, shingle, seed)
    group = grouped_pairs(pairs, n)
    similarity = np.zeros(n)
    np.maximum.at(similarity, pairs["example"], pairs["similarity"])
    np.maximum.at(similarity, pairs["other"], pairs["similarity"])
    coded = None if labels is None else coded_labels(labels, n=n)
    is_kept = kept(group, keep, coded)
    groups = group_table(group, is_kept, coded)
    scores = 1.0 - similarity
    expected = 1.0 - (1.0 - threshold**ROWS) ** BANDS
    return CheckResult(
        check="text_duplicate",
        scores=scores,
        is_issue=group >= 0,
        score=float(scores.mean()),
        verdict=verdict(groups),
        is_found=len(groups) > 0,
        reason="in group {group} of texts alike; it shares {similarity:.0%} with the nearest",
        columns={"group": group, "similarity": similarity, "is_kept": is_kept},
        frames={"groups": groups, "pairs": pairs},
        figures={"groups": len(groups), "conflicts": int(groups["is_conflict"].sum()),
                 "surplus": int((~is_kept).sum()), "expected_recall": expected},
        params={"threshold": threshold, "shingle": shingle, "keep": keep, "seed": seed},
        notes=notes + (() if coded is None else coded.notes),
    )  # fmt: skip


def text_pairs(
    text: Any, threshold: float, shingle: int, seed: int
) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """Return the pairs of texts that are alike: `example`, `other`, `similarity`; n; notes."""
    check.whole_number(shingle, name="shingle", low=1)
    column, notes = _plain(text)
    encoded = column.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = np.flatnonzero(codes >= 0)
    first = np.full(len(encoded.dictionary), -1, dtype=np.int64)
    first[codes[known][::-1]] = known[::-1]  # the first is written last
    again = known[first[codes[known]] != known]
    equal = pd.DataFrame({"example": first[codes[again]], "other": again, "similarity": 1.0})
    if threshold >= 1 or len(first) < 2:
        return equal, len(codes), notes
    near = _near(_bytes(encoded.dictionary), threshold, shingle, seed)
    near["example"], near["other"] = first[near["example"]], first[near["other"]]
    pairs = pd.concat([equal, near], ignore_index=True) if len(near) else equal
    pairs = pairs.sort_values(["example", "other"], kind="stable").reset_index(drop=True)
    return pairs, len(codes), notes


def _plain(text: Any) -> tuple[Any, tuple[str, ...]]:
    """Return texts as an Arrow column without case, punctuation and runs of spaces."""
    if isinstance(text, str | bytes) or not hasattr(text, "__len__"):
        raise InputError("text", f"is a {type(text).__name__}", "Pass a sequence of texts")
    try:
        column = pa.array(text, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        entries = list(text)
        bad = [at for at, each in enumerate(entries) if not (each is None or _is_text(each))]
        where = f"text[{bad[0]}]" if bad else "text"
        what = f"is {entries[bad[0]]!r} ({len(bad)} such)" if bad else f"can't be read ({error})"
        raise InputError(where, what, "Pass texts, and None where there is none") from error
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not len(column):
        raise InputError("text", "has no entries", "Pass a text for each example")
    missing = column.null_count
    notes = (f"text: {missing} of {len(column)} are missing; they were left out.",) * bool(missing)
    words = pc.replace_substring_regex(pc.utf8_lower(column), r"[\p{P}\p{Z}\p{C}\s]+", " ")
    words = pc.utf8_trim_whitespace(words)
    return pc.if_else(pc.equal(pc.binary_length(words), 0), column, words), notes


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _bytes(column: Any) -> Texts:
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    text = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    return Texts(frozen(text), frozen(places))


def _near(texts: Texts, threshold: float, width: int, seed: int) -> pd.DataFrame:
    """Return the pairs of distinct texts that are alike."""
    first, second = _candidates(_signatures(texts, width, seed))
    similarity = _similarity(texts, first, second, width)
    alike = similarity >= threshold
    return pd.DataFrame(
        {"example": first[alike], "other": second[alike], "similarity": similarity[alike]}
    )


def _signatures(texts: Texts, width: int, seed: int) -> npt.NDArray[np.uint32]:
    rng = np.random.default_rng(check.whole_number(seed, name="seed"))
    factors = rng.integers(0, 1 << 32, BANDS * ROWS, dtype=np.uint32) | np.uint32(1)
    out = np.empty((texts.size, BANDS * ROWS), dtype=np.uint32)

    def run(worker: int, block: int, rows: slice) -> None:
        places = frozen(texts.offsets[rows.start : rows.stop + 1])
        shingles.signatures(texts.text, places, width, frozen(factors), out[rows])

    each_block(run, texts.size, BLOCK)
    return out


def _candidates(signature: npt.NDArray[np.uint32]) -> tuple[Ints, Ints]:
    """Return the pairs that agree in a band, each once."""
    n = len(signature)
    found = [np.empty(0, dtype=np.int64)]
    keys = np.empty(n, dtype=np.uint64)
    for band in range(BANDS):
        shingles.band_keys(frozen(signature), band * ROWS, ROWS, keys)
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        same = np.append(ranked[1:] == ranked[:-1], False)
        inside = np.flatnonzero(same | np.append(False, same[:-1]))
        ranked, order = ranked[inside], order[inside]
        for gap in range(1, REACH + 1):
            match = ranked[gap:] == ranked[:-gap]
            if not match.any():
                break
            found.append(order[:-gap][match] * n + order[gap:][match])
        if ranked.size:
            starts = np.append(True, ranked[1:] != ranked[:-1])
            leader = order[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
            found.append((leader * n + order)[leader != order])
    pairs = np.unique(np.concatenate(found))
    return pairs // n, pairs % n


def _similarity(texts: Texts, first: Ints, second: Ints, width: int) -> Floats:
    """Return the Jaccard similarity of pairs of texts."""
    out = np.empty(len(first))
    chosen = np.unique(np.append(first, second))
    counts = np.empty(len(chosen), dtype=np.int64)
    shingles.shingle_counts(texts.offsets, frozen(chosen), width, counts)
    starts = np.cumsum(counts) - counts
    hashes, sizes = np.empty(int(counts.sum()), dtype=np.uint32), np.empty_like(counts)

    def hash_texts(worker: int, block: int, rows: slice) -> None:
        shingles.shingle_hashes(
            texts.text, texts.offsets, frozen(chosen[rows]), width, frozen(starts[rows]), hashes,
            sizes[rows],
        )  # fmt: skip

    each_block(hash_texts, len(chosen), BLOCK)
    a, b = np.searchsorted(chosen, first), np.searchsorted(chosen, second)

    def compare(worker: int, block: int, rows: slice) -> None:
        shingles.jaccard(
            frozen(hashes), frozen(starts), frozen(sizes), frozen(a[rows]), frozen(b[rows]),
            out[rows],
        )  # fmt: skip

    each_block(compare, len(first), BLOCK)
    return out


CHECK = Check(
    "text_duplicate",
    "texts that are the same, or nearly so",
    find_text_duplicates,
    needs=(("text",),),
    label_kinds=("class", "number", "classes"),
)
