"""Labels that are none, or lie wrong, as issues: known without a model, which says what is right.

They come first, have no part in any statistic, and what the model is sure of is suggested instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.token.data import (
    CUT,
    NO_LABEL,
    NO_SPAN,
    NO_TAG,
    OTHER_LENGTH,
    OTHER_TEXT,
    OUT_OF_TEXT,
    BadLabel,
)
from goldlabel.tasks.token.entities import Spans, Tokens, regions, spans
from goldlabel.tasks.token.inputs import FlatTokens
from goldlabel.tasks.token.kernels import most_probable
from goldlabel.tasks.token.tags import TagSet
from goldlabel.typing import Ints, Mask

__all__ = ["with_bad_labels"]


class _Finding(NamedTuple):
    """What to do about one bad label: new classes of tokens of its sentence."""

    bad: BadLabel
    start: int
    end: int
    suggested: Ints


def with_bad_labels(
    issues: LabelIssues,
    rows: FlatTokens,
    rules: TagSet | None,
    bad: Sequence[BadLabel],
    words: tuple[npt.NDArray[Any], Ints] | None = None,
) -> LabelIssues:
    """Put labels that are none before what else was found.

    Parameters
    ----------
    issues : LabelIssues
        Of `find_label_issues`.
    rows : FlatTokens
        Tags and probabilities; the tags of bad labels are not known.
    rules : TagSet, optional
        Of the classes, if they are tags of entities.
    bad : sequence of BadLabel
    words : ndarray of str and of int64, optional
        The tokens of all sentences, and where each sentence's begin.
    """
    findings = [
        finding for each in bad if (finding := _finding(each, rows, rules, issues)) is not None
    ]
    if not findings:
        return issues
    first = _parts(findings, rows, words)
    parts = _joined(first, _elsewhere(issues.parts, findings, rows))
    is_issue, scores = np.zeros_like(issues.is_issue), issues.scores.copy()
    is_issue[parts.example] = True
    scores[first.example] = 0.0
    return replace(issues, parts=parts, is_issue=is_issue, scores=scores)


def _finding(
    bad: BadLabel, rows: FlatTokens, rules: TagSet | None, issues: LabelIssues
) -> _Finding | None:
    begin, end = rows.offsets[bad.sentence : bad.sentence + 2].tolist()
    labels, probs = rows.labels[begin:end], rows.pred_probs[begin:end]
    if not len(labels):
        return None
    if bad.kind == CUT:
        found = issues.parts.part[issues.parts.example == bad.sentence]
        if ((found >= bad.start) & (found < bad.end)).any():
            return None  # what the model says of these words is the correction
        return _Finding(bad, bad.start, bad.end, labels[bad.start : bad.end])
    if bad.start >= bad.end:  # it lies where no word is
        return _Finding(bad, len(labels) - 1, len(labels), np.array([-1], dtype=np.int64))
    if rules is None:
        best = np.argmax(np.nan_to_num(probs), axis=1)
        return _Finding(bad, bad.start, bad.end, best[bad.start : bad.end])
    tokens = Tokens(np.arange(len(labels)), np.array([0, len(labels)], dtype=np.int64))
    best = most_probable(probs, tokens.rows, tokens.offsets, rules.rules, rules.type_of)
    start, end = _region(bad, spans(labels, tokens.first, rules), spans(best, tokens.first, rules))
    return _Finding(bad, start, end, best[start:end])


def _region(bad: BadLabel, given: Spans, predicted: Spans) -> tuple[int, int]:
    """Return the tokens to change: those of the label, and of entities that overlap with them."""
    start = np.concatenate([[bad.start], given.start, predicted.start])
    end = np.concatenate([[bad.end], given.end, predicted.end])
    order = np.lexsort((end, start))
    first = np.zeros(int(end.max()) + 1, dtype=np.bool_)
    number = regions(start[order], end[order], first, touching=False)
    inside = number == number[int(np.flatnonzero(order == 0)[0])]
    return int(start[order][inside].min()), int(end[order][inside].max())


def _parts(
    findings: Sequence[_Finding], rows: FlatTokens, words: tuple[npt.NDArray[Any], Ints] | None
) -> Parts:
    """One row for each token of each finding that has the bad label, or another tag to get."""
    kinds = tuple(dict.fromkeys(each.bad.kind for each in findings))
    number = np.repeat(np.arange(len(findings)), [each.end - each.start for each in findings])
    part = np.concatenate([np.arange(each.start, each.end) for each in findings])
    suggested = np.concatenate([each.suggested for each in findings]).astype(np.int64)
    is_own = np.concatenate([_is_own(each) for each in findings])
    sentence = np.array([each.bad.sentence for each in findings], dtype=np.int64)[number]
    row = rows.offsets[sentence] + part
    p_suggested = rows.pred_probs[row, suggested].astype(np.float64)
    p_suggested = np.where(suggested < 0, 0.0, np.clip(np.nan_to_num(p_suggested), 0.0, 1.0))
    confidence = np.ones(len(findings))
    np.minimum.at(confidence, number, p_suggested)
    given = np.where(is_own, -1, rows.labels[row])
    texts, hints = (
        _objects(getattr(each.bad, name) for each in findings)[number] for name in ("text", "hint")
    )
    evidence: dict[str, Any] = {
        "start": np.array([each.start for each in findings], dtype=np.int64)[number],
        "end": np.array([each.end for each in findings], dtype=np.int64)[number],
        "p_given": np.zeros(len(part)),
        "p_suggested": p_suggested,
        "given_text": np.where(is_own, texts, ""),
        "label": texts,
        "hint": hints,
    }
    if words is not None:
        evidence["token"] = words[0][words[1][sentence] + part]
        evidence["text"] = _objects(_text(each, *words) for each in findings)[number]
    parts = Parts(
        example=sentence,
        part=part,
        kind=np.array([kinds.index(each.bad.kind) for each in findings], dtype=np.int8)[number],
        kinds=kinds,
        given=given,
        suggested=suggested,
        score=np.zeros(len(part)),
        confidence=confidence[number],
        evidence=evidence,
        reasons={kind: partial(_reason, kind) for kind in kinds},
        group=number,
    )
    return _selected(parts, is_own | (given != suggested))


def _text(finding: _Finding, words: npt.NDArray[Any], offsets: Ints) -> str:
    begin = int(offsets[finding.bad.sentence])
    return " ".join(words[begin + finding.start : begin + finding.end])


def _objects(values: Any) -> npt.NDArray[Any]:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def _is_own(finding: _Finding) -> Mask:
    """Return which tokens of a finding have the bad label, and are not only beside it."""
    bad, tokens = finding.bad, np.arange(finding.start, finding.end)
    own: Mask = (tokens >= bad.start) & (tokens < bad.end)
    return own if bad.start < bad.end else ~own


def _elsewhere(parts: Parts, findings: Sequence[_Finding], rows: FlatTokens) -> Parts:
    """Return what was found about other tokens."""
    taken = np.zeros(len(rows.labels), dtype=np.bool_)
    for finding in findings:
        begin = int(rows.offsets[finding.bad.sentence])
        taken[begin + finding.start : begin + finding.end] = True
    hit = taken[rows.offsets[parts.example] + parts.part]
    if parts.group is not None:
        hit = np.isin(parts.group, parts.group[hit])
    return _selected(parts, ~hit)


def _selected(parts: Parts, kept: Mask) -> Parts:
    names = ("example", "part", "kind", "given", "suggested", "score", "confidence")
    return replace(
        parts,
        **{name: getattr(parts, name)[kept] for name in names},
        evidence={name: values[kept] for name, values in parts.evidence.items()},
        group=None if parts.group is None else parts.group[kept],
    )


def _joined(first: Parts, second: Parts) -> Parts:
    """Return the rows of two tables, one after the other; evidence that one lacks is empty."""
    m, n = len(first), len(second)
    evidence = {}
    for name in {**second.evidence, **first.evidence}:
        values = first.evidence.get(name), second.evidence.get(name)
        usual = next(each for each in values if each is not None)
        lacking: Any = "" if usual.dtype == object else np.nan if usual.dtype.kind == "f" else -1
        evidence[name] = np.concatenate(
            [
                np.full(size, lacking, dtype=usual.dtype) if each is None else each
                for each, size in zip(values, (m, n), strict=True)
            ]
        )
    assert first.group is not None
    assert isinstance(first.reasons, Mapping)
    assert isinstance(second.reasons, Mapping)
    after = int(first.group[-1]) + 1
    names = ("example", "part", "given", "suggested", "score", "confidence")
    return Parts(
        **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names},
        kind=np.concatenate([first.kind, second.kind + len(first.kinds)]).astype(np.int8),
        kinds=(*first.kinds, *second.kinds),
        evidence=evidence,
        reasons={**first.reasons, **second.reasons},
        group=np.append(
            first.group, after + (np.arange(n) if second.group is None else second.group)
        ),
    )


_CLAIMS = {
    NO_TAG: "is not a tag of the scheme, or of the predictions",
    OTHER_LENGTH: "are not one for each word",
    NO_SPAN: "has no start, end or label that could be read",
    OUT_OF_TEXT: "is empty, or reaches beyond the text",
    OTHER_TEXT: "has another text than what stands there",
    NO_LABEL: "has no label",
    CUT: "begins or ends inside of a word",
}


def _reason(
    kind: str,
    *,
    suggested: str,
    p_suggested: float,
    start: int,
    end: int,
    label: str,
    hint: str,
    text: str | None = None,
    **_: Any,
) -> str:
    here = f"token {start}" if end - start == 1 else f"tokens {start} to {end - 1}"
    what = here if text is None else f"{text!r} ({here})"
    if suggested == "nothing":
        return f"{label!r} {_CLAIMS[kind]}: no word is there."
    if not label:
        return (
            f"No tag stands there; of {what} the model says {suggested!r} with {p_suggested:.0%}."
        )
    if kind == CUT:
        return f"{label!r} {_CLAIMS[kind]}: it counts for all of {what}, {hint}."
    return (
        f"{label!r} {_CLAIMS[kind]}; of {what} the model says {suggested!r} with {p_suggested:.0%}."
    )
