"""Summaries: which classes are given wrongly, and which words."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs.labels import as_array
from goldlabel.inputs.ragged import Ragged
from goldlabel.learning import confident, filters
from goldlabel.learning.confident import Counted
from goldlabel.learning.filters import Options
from goldlabel.learning.summary import ClassCounts, class_table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.token.inputs import FlatTokens, flat_tokens
from goldlabel.typing import Ints

__all__ = ["class_pairs", "common_label_issues", "flat_words", "health_of", "summarize"]


def summarize(
    labels: Any, pred_probs: Any, *, classes: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Rate the label quality of each class, token by token.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.

    Returns
    -------
    DataFrame
        A row per class, the worst first, ties by class index: `class`; `num_tokens` given it;
        `label_issues`: those of them that seem to be of another; `inverse_label_issues`: tokens
        given another that seem to be of it; `label_noise`: the share of the former among the
        tokens given it; `label_quality_score`: one minus that share.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> labels = [["O", "PER", "O"], ["PER", "O", "O"]]
    >>> pred_probs = [[[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]], [[0.3, 0.7], [0.8, 0.2], [0.9, 0.1]]]
    >>> table = summarize(labels, pred_probs, classes=["O", "PER"])
    >>> table[["class", "num_tokens", "label_issues", "label_quality_score"]].values.tolist()
    [['O', 4, 1, 0.75], ['PER', 2, 0, 1.0]]
    """
    rows = flat_tokens(labels, pred_probs, classes)
    return health_of(confident.count(rows.labels, rows.pred_probs, where=rows.place), rows)


def health_of(counted: Counted, rows: FlatTokens) -> pd.DataFrame:
    """Return the table of `summarize` of what was counted."""
    return class_table(_Judged(counted, rows), count_name="num_tokens")


class _Judged(NamedTuple):
    """Tokens that have been counted, to be judged."""

    counted: Counted
    rows: FlatTokens

    def by_class(self) -> ClassCounts:
        """Return how many of the tokens of each class are judged wrong."""
        flagged = filters.flag(self.counted, Options())
        k = len(self.rows.classes)
        wrong = np.bincount(self.rows.labels[flagged], minlength=k)
        lacking = np.bincount(self.counted.sweep.predicted[flagged], minlength=k)
        return ClassCounts(self.rows.classes, self.counted.class_counts, wrong, lacking)


def flat_words(tokens: Any, offsets: Ints | None = None) -> tuple[npt.NDArray[Any], Ints]:
    """Return all words as one array of objects, and their offsets.

    Raises
    ------
    InputError
        Sentences have other lengths than `offsets` says.
    """
    if isinstance(tokens, Ragged):
        words, ends = tokens.values.astype(object), tokens.offsets
    else:
        lists = [list(sentence) for sentence in tokens]
        ends = np.append(0, np.cumsum([len(each) for each in lists])).astype(np.int64)
        words = np.empty(int(ends[-1]), dtype=object)
        words[:] = [word for sentence in lists for word in sentence]
    if offsets is not None and (len(ends) != len(offsets) or (ends != offsets).any()):
        raise InputError(
            "tokens", "has sentences of other lengths than the labels", "Pass the words of each"
        )
    return words, ends


def common_label_issues(
    issues: LabelIssues | npt.ArrayLike,
    tokens: Any,
    *,
    exclude: Sequence[tuple[Hashable, Hashable]] = (),
) -> pd.DataFrame:
    """List the words that are mislabelled most often, and as what.

    Parameters
    ----------
    issues : LabelIssues, or array_like of shape (m, 2)
        What `find_label_issues` has found; or just sentence and token of each issue.
    tokens : list of n lists of str, or Ragged
        The words.
    exclude : sequence of (class, class)
        Pairs of given and suggested class that do not count.

    Returns
    -------
    DataFrame
        `token`, `given_label`, `suggested_label` (these two of a `LabelIssues` only), and
        `num_label_issues`; the most frequent first, ties by where the word first occurs in the
        dataset, then by class. Words are compared exactly.

    Raises
    ------
    InputError
        An issue names no token.

    Examples
    --------
    >>> tokens = [["Hello", "World"], ["Hello"]]
    >>> common_label_issues([(0, 0), (1, 0), (0, 1)], tokens).values.tolist()
    [['Hello', 2], ['World', 1]]
    """
    words, offsets = flat_words(tokens)
    codes, distinct = pd.factorize(words)
    if isinstance(issues, LabelIssues):
        parts = issues.parts
        kept = parts.given != parts.suggested
        if len(exclude):
            kept &= ~_excluded(issues, exclude)
        rows = _rows_of(parts.example[kept], parts.part[kept], offsets)
        table = pd.DataFrame(
            {"word": codes[rows], "given": parts.given[kept], "suggested": parts.suggested[kept]}
        )
    else:
        pairs = as_array(issues, "issues").reshape(-1, 2).astype(np.int64)
        table = pd.DataFrame({"word": codes[_rows_of(pairs[:, 0], pairs[:, 1], offsets)]})
    by = list(table.columns)
    counts = table.groupby(by, sort=True).size().rename("num_label_issues").reset_index()
    counts = counts.sort_values("num_label_issues", ascending=False, kind="stable")
    found = pd.DataFrame({"token": distinct[counts["word"].to_numpy(dtype=np.int64)]})
    if isinstance(issues, LabelIssues):
        names = pd.Index(issues.classes or (), tupleize_cols=False)
        found["given_label"] = names.take(counts["given"].to_numpy(dtype=np.int64))
        found["suggested_label"] = names.take(counts["suggested"].to_numpy(dtype=np.int64))
    return found.assign(num_label_issues=counts["num_label_issues"].to_numpy())


def _excluded(issues: LabelIssues, exclude: Sequence[Any]) -> npt.NDArray[np.bool_]:
    classes = list(issues.classes or ())
    pairs = {(classes.index(a), classes.index(b)) for a, b in exclude if {a, b} <= set(classes)}
    given, suggested = issues.parts.given.tolist(), issues.parts.suggested.tolist()
    return np.array([pair in pairs for pair in zip(given, suggested, strict=True)], dtype=np.bool_)


def _rows_of(sentences: Ints, tokens: Ints, offsets: Ints) -> Ints:
    n = len(offsets) - 1
    known = (sentences >= 0) & (sentences < n) & (tokens >= 0)
    known[known] = tokens[known] < np.diff(offsets)[sentences[known]]
    if not known.all():
        at = int(np.argmin(known))
        raise InputError(
            f"issues[{at}]",
            f"names token {tokens[at]} of sentence {sentences[at]}, which is none"
            f" ({np.count_nonzero(~known)} such)",
            "Pass the words of the sentences that were judged",
        )
    return np.asarray(offsets[sentences] + tokens, dtype=np.int64)


def class_pairs(issues: LabelIssues) -> pd.DataFrame:
    """Count issues by given and suggested class: a square table of those that occur."""
    parts = issues.parts
    used = np.unique(np.concatenate([parts.given, parts.suggested]))
    table = np.zeros((len(used), len(used)), dtype=np.int64)
    rows, columns = (np.searchsorted(used, each) for each in (parts.given, parts.suggested))
    np.add.at(table, (rows, columns), 1)
    names = [str((issues.classes or ())[code]) for code in used.tolist()]
    return pd.DataFrame(
        table,
        index=pd.Index(names, name="given"),
        columns=pd.Index(names, name="suggested"),
    )
