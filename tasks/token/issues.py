"""Which tags are wrong: by token, or by entity where tags form entities."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs.labels import checked_ids
from goldlabel.learning import confident, filters
from goldlabel.learning.confident import Counted, Flagged, Guess, Method
from goldlabel.learning.filters import FilterBy, Options
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.token.bad_labels import with_bad_labels
from goldlabel.tasks.token.entity_issues import KINDS, entity_parts
from goldlabel.tasks.token.inputs import FlatTokens, flat_tokens
from goldlabel.tasks.token.scores import Aggregator, check_aggregator, pooled
from goldlabel.tasks.token.summary import flat_words
from goldlabel.tasks.token.tags import TagSet, tag_set
from goldlabel.typing import Ints

__all__ = ["KINDS", "find_label_issues", "judge", "with_words"]


def find_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    aggregator: Aggregator = "min",
    temperature: float = 0.05,
    scheme: str = "auto",
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
    tokens: Any = None,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
    min_examples_per_class: int = 1,
    confident_joint: npt.ArrayLike | None = None,
    thresholds: npt.ArrayLike | None = None,
    guess: Guess = "argmax",
) -> LabelIssues:
    """Find the tags that are probably wrong, and the sentences that have some.

    Every token is a row of confident learning. Where the classes are tags of entities ("O",
    "B-PER", "I-PER" ...), what is reported is entities: at each place that the filter has chosen a
    token of, the given entities are compared with those of the most probable sequence of tags that
    is legal in the scheme.

    Parameters
    ----------
    labels : Ragged, list of n lists, or array of shape (n, t)
        Class of each token of each sentence: indices 0 .. k-1, or names. None, -1 and -100 are
        tokens to leave out. Sentences without tokens are normal.
    pred_probs : Ragged, list of n arrays (tokens, k), or array of shape (n, t, k) or (tokens, k)
        Probabilities that a model predicted for each token *without having seen the sentence in
        training*. An array of all sentences may be padded at their ends, and may be a memory map;
        one of all tokens needs labels that say where sentences end.
    filter_by, frac_noise, num_to_remove_per_class, min_examples_per_class, confident_joint
        How tokens are chosen; see `goldlabel.tasks.multiclass.find_label_issues`.
    rank_by : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        The score of a token.
    aggregator, temperature
        How they become the score of a sentence; see `get_label_quality_scores`.
    scheme : str
        Scheme of the tags: "io", "iob1", "iob2", "bioes", "bilou", "bmewo"; "auto" = what the
        classes show; "none" = judge every token by itself.
    classes : sequence of length k, optional
        Class names in the order of the columns.
    ids : array_like of shape (n,), optional
        Your own name of each sentence, for the tables.
    tokens : list of n lists of str, or Ragged, optional
        The words, for reasons and tables.
    thresholds : array_like of shape (k,), optional
        Probability from which a class counts as confident, in place of the class means.
    guess : {"argmax", "confident_only"}
        Which class a token with several confident ones is counted for.

    Returns
    -------
    LabelIssues
        One row of `parts` for each tag to be changed. By token the kind is "label error", and the
        suggestion the model's class. By entity it is "wrong type", "wrong boundary", "missed
        entity" or "spurious entity", or "invalid tag sequence" where the given tags break the
        scheme's rules and nothing else is wrong there. A label that is none of the classes is
        "not a tag", if less than one in ten is. All rows of one place have its score (the
        lowest of its given tags), confidence (the lowest of its suggested tags) and ``group``,
        and as evidence ``start`` and ``end`` (its tokens, the end not included): they are taken
        together or not at all, and then what is suggested is legal.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Warns
    -----
    DataWarning
        Rows do not sum to 1, columns look permuted, or probabilities look in-sample.

    References
    ----------
    E. Wang, J. Mueller. Detecting Label Errors in Token Classification Data. arXiv:2210.03920
    (2022).

    Examples
    --------
    >>> classes = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    >>> labels = [["B-PER", "O"], ["O", "B-LOC", "I-LOC"], ["B-PER", "O"], ["B-LOC", "O"]]
    >>> right = [[3, 0], [0, 1, 2], [1, 0], [1, 0]]
    >>> pred_probs = [[[0.92 if c == tag else 0.02 for c in range(5)] for tag in tags]
    ...               for tags in right]
    >>> issues = find_label_issues(
    ...     labels, pred_probs, classes=classes, min_examples_per_class=0
    ... )
    >>> issues
    <LabelIssues: token, 1 of 4 examples flagged>
    >>> issues.to_frame("part")[["example", "part", "kind", "given", "suggested"]]
       example  part        kind  given suggested
    0        2     0  wrong type  B-PER     B-LOC
    """
    options = Options(
        filter_by=filter_by,
        rank_by=rank_by,
        frac_noise=frac_noise,
        num_to_remove_per_class=num_to_remove_per_class,
        min_examples_per_class=min_examples_per_class,
        confident_joint=confident_joint,
        thresholds=thresholds,
        guess=guess,
    ).checked()
    check_aggregator(aggregator, temperature)
    rows = flat_tokens(labels, pred_probs, classes)
    names = checked_ids(ids, len(rows.offsets) - 1, rows="sentences")
    rules = tag_set(rows.classes, scheme, tags=rows.labels, offsets=rows.offsets)
    issues, _ = judge(rows, rules, options, aggregator, temperature, ids=names)
    words = None if tokens is None else flat_words(tokens)
    if words is not None:
        issues = replace(issues, parts=with_words(issues.parts, *words, np.diff(rows.offsets)))
    return with_bad_labels(issues, rows, rules, rows.bad, words)


def judge(
    rows: FlatTokens,
    rules: TagSet | None,
    options: Options,
    aggregator: Aggregator,
    temperature: float,
    *,
    ids: npt.NDArray[Any] | None = None,
) -> tuple[LabelIssues, Counted]:
    """Find the issues of checked rows; return them, and what was counted for them."""
    judged = filters.judge(
        rows.labels, rows.pred_probs, rows.classes, options, rows="tokens", where=rows.place
    )
    token_scores = judged.scores
    if rules is None:
        ranked = confident.rank_issues(judged.counted, token_scores, judged.is_issue)
        parts = _token_parts(rows, ranked)
    else:
        parts = entity_parts(rows, rules, token_scores, judged.is_issue)
    is_issue = np.zeros(len(rows.offsets) - 1, dtype=np.bool_)
    is_issue[parts.example] = True
    issues = LabelIssues(
        task="token",
        scores=pooled(rows, token_scores, aggregator, temperature),
        is_issue=is_issue,
        parts=parts,
        classes=rows.classes,
        ids=ids,
        params={
            **options.params(),
            "aggregator": aggregator,
            "temperature": temperature,
            "scheme": "none" if rules is None else rules.scheme,
        },
    )
    return issues, judged.counted


def with_words(parts: Parts, words: npt.NDArray[Any], offsets: Ints, lengths: Ints) -> Parts:
    """Add the words that the rows are about to their evidence."""
    if len(offsets) != len(lengths) + 1 or (np.diff(offsets) > lengths).any():
        raise InputError(
            "tokens", "has other sentences than the labels, or longer ones", "Pass their words"
        )
    at = offsets[parts.example] + parts.part
    evidence: dict[str, Any] = {"token": words[at], **parts.evidence}
    if "start" in evidence:
        starts, ends = (offsets[parts.example] + evidence[name] for name in ("start", "end"))
        texts = np.empty(len(at), dtype=object)
        texts[:] = [" ".join(words[a:b]) for a, b in zip(starts, ends, strict=True)]
        evidence["text"] = texts
    return replace(parts, evidence=evidence)


def _token_parts(rows: FlatTokens, found: Flagged) -> Parts:
    """One row for each flagged token, worst first."""
    sentence, token = rows.locate(found.rows)
    return Parts(
        example=sentence,
        part=token,
        kind=np.zeros(len(found.rows), dtype=np.int8),
        kinds=("label error",),
        given=found.given,
        suggested=found.suggested.astype(np.int64),
        score=found.score,
        confidence=found.confidence,
        evidence=found.evidence,
        reasons={"label error": _reason},
    )


def _reason(
    *,
    given: str,
    suggested: str,
    confidence: float,
    p_given: float,
    threshold_given: float,
    threshold_suggested: float,
    token: str | None = None,
    **_: Any,
) -> str:
    to = "" if token is None else f" to {token!r}"
    if given == suggested:
        return (
            f"The model gives{to} {given!r} with only {p_given:.0%}, and no other class with more;"
            f" its threshold is {threshold_given:.0%}."
        )
    usual = f" (its threshold is {threshold_suggested:.0%})" if threshold_suggested <= 1 else ""
    return (
        f"The model gives{to} {suggested!r} with {confidence:.0%}{usual}, and the given {given!r}"
        f" with {p_given:.0%} (threshold {threshold_given:.0%})."
    )
