"""From flagged tokens to findings about entities: one row for each tag to be changed."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels.ordering import ascending
from goldlabel.results.label_issues import Parts
from goldlabel.tasks.token.entities import (
    ENTITY_KINDS,
    Differences,
    Tokens,
    canonical,
    compare,
    misplaced,
    spans,
)
from goldlabel.tasks.token.rows import TokenRows
from goldlabel.tasks.token.tags import TagSet
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["INVALID", "KINDS", "entity_parts"]

KINDS = (*ENTITY_KINDS, "invalid tag sequence")
"""What can be wrong where tags form entities."""
INVALID = len(ENTITY_KINDS)


class _Places(NamedTuple):
    """What is to be changed, place by place.

    Attributes
    ----------
    of : ndarray of shape (m,), int64
        Number of the place of each token; -1 = none.
    suggested : ndarray of shape (m,), int64
        Tag of each token after all changes.
    start, end : ndarray of shape (p,), int64
        Positions among the tokens.
    kind : ndarray of shape (p,), int8
        Index into `KINDS`.
    """

    of: Ints
    suggested: Ints
    start: Ints
    end: Ints
    kind: npt.NDArray[np.int8]


def entity_parts(rows: TokenRows, rules: TagSet, scores: Floats, chosen: Mask) -> Parts:
    """Compare entities in the sentences with a chosen token or a broken rule.

    Parameters
    ----------
    rows : TokenRows
    rules : TagSet
        Of ``rows.classes``.
    scores : ndarray of shape (t,), float64
        Quality of each token.
    chosen : ndarray of shape (t,), bool
        Tokens that the filter has flagged.

    Returns
    -------
    Parts
        A row for each tag to be changed, the worst place first.
    """
    broken = misplaced(rows.labels, rows.offsets, rules)
    flagged, _ = rows.locate(np.flatnonzero(chosen))
    tokens = _tokens_of(rows, np.union1d(broken, flagged))
    found = compare(rows.labels, rows.pred_probs, tokens, rules)
    counted = np.append(0, np.cumsum(chosen[tokens.rows]))
    places = _places(found, counted[found.end] > counted[found.start], rules)
    return _parts(rows, scores, found, places)


def _tokens_of(rows: TokenRows, sentences: Ints) -> Tokens:
    """Return the tokens of some sentences, up to the last one that has a tag."""
    starts, ends = rows.offsets[sentences], rows.offsets[sentences + 1]
    lengths = ends - starts
    offsets = np.append(0, np.cumsum(lengths))
    each = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
    known = np.flatnonzero(rows.labels[each] >= 0)
    last = np.searchsorted(known, offsets[1:]) - 1
    lengths = np.append(known, -1)[last] + 1 - offsets[:-1] if len(known) else 0 * lengths
    kept = np.arange(len(each)) < np.repeat(offsets[:-1] + lengths, np.diff(offsets))
    return Tokens(each[kept], np.append(0, np.cumsum(np.maximum(lengths, 0))))


def _places(found: Differences, kept: Mask, rules: TagSet) -> _Places:
    """Take the kept differences; mend what breaks the rules elsewhere, entity by entity."""
    first = found.tokens.first
    start, end = found.start[kept], found.end[kept]
    of = np.full(len(found.given), -1, dtype=np.int64)
    within = np.arange(int((end - start).sum())) + np.repeat(
        start - np.append(0, np.cumsum(end - start))[:-1], end - start
    )
    of[within] = np.repeat(np.arange(len(start)), end - start)
    mended = canonical(found.given, first, rules)
    alone = np.flatnonzero(
        (of < 0) & (mended != found.given) & ~_beside_unknown(found.given, first)
    )
    entities = spans(found.given, first, rules)
    entity = np.searchsorted(entities.start, alone, side="right") - 1
    broken, number = np.unique(entity, return_inverse=True)
    of[alone] = len(start) + number
    return _Places(
        of=of,
        suggested=np.where(of < 0, found.given, np.where(of < len(start), found.suggested, mended)),
        start=np.append(start, entities.start[broken]),
        end=np.append(end, entities.end[broken]),
        kind=np.append(found.kind[kept], np.full(len(broken), INVALID, dtype=np.int8)),
    )


def _beside_unknown(given: Ints, first: Mask) -> Mask:
    """Return the tokens with a neighbour whose tag is not known: their entity may be cut."""
    unknown = given < 0
    before = np.append(False, unknown[:-1]) & ~first
    after = np.append(unknown[1:], False) & ~np.append(first[1:], True)
    beside: Mask = before | after
    return beside


def _parts(rows: TokenRows, scores: Floats, found: Differences, places: _Places) -> Parts:
    """One row for each token whose tag changes; rows of a place share its score."""
    inside = np.flatnonzero(places.of >= 0)
    number, row = places.of[inside], found.tokens.rows[inside]
    given, suggested = found.given[inside], places.suggested[inside]
    probs = rows.pred_probs
    p_given, p_suggested = (
        np.clip(np.nan_to_num(probs[row, tags].astype(np.float64)), 0.0, 1.0)
        for tags in (given, suggested)
    )
    score, confidence = np.ones(len(places.start)), np.ones(len(places.start))
    np.minimum.at(score, number, scores[row])
    np.minimum.at(confidence, number, p_suggested)
    changed = np.flatnonzero(given != suggested)
    changed = changed[ascending(score[number[changed]])]
    at = number[changed]
    sentence, token = rows.locate(row[changed])
    shift = token - inside[changed]
    return Parts(
        example=sentence,
        part=token,
        kind=places.kind[at],
        kinds=KINDS,
        given=given[changed],
        suggested=suggested[changed],
        score=score[at],
        confidence=confidence[at],
        evidence={
            "start": places.start[at] + shift,
            "end": places.end[at] + shift,
            "p_given": p_given[changed],
            "p_suggested": p_suggested[changed],
        },
        reasons={kind: partial(_reason, kind) for kind in KINDS},
        group=at,
    )


_SAID = {
    "wrong type": "is an entity of another type",
    "wrong boundary": "holds such an entity with other boundaries",
    "missed entity": "holds an entity that is not given",
    "spurious entity": "is no entity",
}


def _reason(
    kind: str,
    *,
    given: str,
    suggested: str,
    p_given: float,
    p_suggested: float,
    start: int,
    end: int,
    token: str | None = None,
    text: str | None = None,
    **_: Any,
) -> str:
    here = f"token {start}" if end - start == 1 else f"tokens {start} to {end - 1}"
    what = here if text is None else f"{text!r} ({here})"
    if kind == KINDS[INVALID]:
        return (
            f"{given!r} may not stand here by the rules of the scheme; for {what} {suggested!r} is"
            " what it means."
        )
    one = "" if token is None or end - start == 1 else f"{token!r} is "
    return (
        f"By the model {what} {_SAID[kind]}: {one}{suggested!r} with {p_suggested:.0%}, and the"
        f" given {given!r} with {p_given:.0%}."
    )
