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
from goldlabel.tasks.token.inputs import FlatTokens
from goldlabel.tasks.token.tags import TagSet
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["INVALID", "KINDS", "entity_parts"]

KINDS = (*ENTITY_KINDS, "invalid tag sequence")
"""What can be wrong where tags form entities."""
INVALID = len(ENTITY_KINDS)


class _Corrections(NamedTuple):
    """What is to be changed, region by region.

    Attributes
    ----------
    region : ndarray of shape (m,), int64
        Number of the region of each token; -1 = none.
    suggested : ndarray of shape (m,), int64
        Tag of each token after all changes.
    start, end : ndarray of shape (r,), int64
        Positions among the tokens.
    kind : ndarray of shape (r,), int8
        Index into `KINDS`.
    """

    region: Ints
    suggested: Ints
    start: Ints
    end: Ints
    kind: npt.NDArray[np.int8]


def entity_parts(rows: FlatTokens, rules: TagSet, scores: Floats, flagged: Mask) -> Parts:
    """Compare entities in the sentences with a chosen token or a broken rule.

    Parameters
    ----------
    rows : FlatTokens
    rules : TagSet
        Of ``rows.classes``.
    scores : ndarray of shape (t,), float64
        Quality of each token.
    flagged : ndarray of shape (t,), bool
        Tokens that the filter has flagged.

    Returns
    -------
    Parts
        A row for each tag to be changed, the worst region first.
    """
    broken = misplaced(rows.labels, rows.offsets, rules)
    sentences, _ = rows.locate(np.flatnonzero(flagged))
    tokens = _tokens_of(rows, np.union1d(broken, sentences))
    differences = compare(rows.labels, rows.pred_probs, tokens, rules)
    count = np.append(0, np.cumsum(flagged[tokens.rows]))
    has_flagged = count[differences.end] > count[differences.start]
    return _parts(rows, scores, differences, _corrections(differences, has_flagged, rules))


def _tokens_of(rows: FlatTokens, sentences: Ints) -> Tokens:
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


def _corrections(differences: Differences, kept: Mask, rules: TagSet) -> _Corrections:
    """Take the kept differences; mend what breaks the rules elsewhere, entity by entity."""
    given, first = differences.given, differences.tokens.first
    start, end = differences.start[kept], differences.end[kept]
    region = np.full(len(given), -1, dtype=np.int64)
    lengths = end - start
    inside = np.arange(int(lengths.sum())) + np.repeat(
        start - (np.cumsum(lengths) - lengths), lengths
    )
    region[inside] = np.repeat(np.arange(len(start)), lengths)
    legal = canonical(given, first, rules)
    alone = np.flatnonzero((region < 0) & (legal != given) & ~_beside_unknown(given, first))
    entities = spans(given, first, rules)
    entity = np.searchsorted(entities.start, alone, side="right") - 1
    broken, number = np.unique(entity, return_inverse=True)
    region[alone] = len(start) + number
    invalid = np.full(len(broken), INVALID, dtype=np.int8)
    return _Corrections(
        region=region,
        suggested=np.where(
            region < 0, given, np.where(region < len(start), differences.suggested, legal)
        ),
        start=np.append(start, entities.start[broken]),
        end=np.append(end, entities.end[broken]),
        kind=np.append(differences.kind[kept], invalid),
    )


def _beside_unknown(given: Ints, first: Mask) -> Mask:
    """Return the tokens with a neighbour whose tag is not known: their entity may be cut."""
    unknown = given < 0
    before = np.append(False, unknown[:-1]) & ~first
    after = np.append(unknown[1:], False) & ~np.append(first[1:], True)
    beside: Mask = before | after
    return beside


def _parts(
    rows: FlatTokens, scores: Floats, differences: Differences, corrections: _Corrections
) -> Parts:
    """One row for each token whose tag changes; rows of a region share its score."""
    inside = np.flatnonzero(corrections.region >= 0)
    number, row = corrections.region[inside], differences.tokens.rows[inside]
    given, suggested = differences.given[inside], corrections.suggested[inside]
    probs = rows.pred_probs
    p_given, p_suggested = (
        np.clip(np.nan_to_num(probs[row, tags].astype(np.float64)), 0.0, 1.0)
        for tags in (given, suggested)
    )
    score, confidence = np.ones(len(corrections.start)), np.ones(len(corrections.start))
    np.minimum.at(score, number, scores[row])
    np.minimum.at(confidence, number, p_suggested)
    changed = np.flatnonzero(given != suggested)
    changed = changed[ascending(score[number[changed]])]
    region = number[changed]
    sentence, token = rows.locate(row[changed])
    shift = token - inside[changed]
    return Parts(
        example=sentence,
        part=token,
        kind=corrections.kind[region],
        kinds=KINDS,
        given=given[changed],
        suggested=suggested[changed],
        score=score[region],
        confidence=confidence[region],
        evidence={
            "start": corrections.start[region] + shift,
            "end": corrections.end[region] + shift,
            "p_given": p_given[changed],
            "p_suggested": p_suggested[changed],
        },
        reasons={kind: partial(_reason, kind) for kind in KINDS},
        group=region,
    )


_CLAIMS = {
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
        f"By the model {what} {_CLAIMS[kind]}: {one}{suggested!r} with {p_suggested:.0%}, and the"
        f" given {given!r} with {p_given:.0%}."
    )
