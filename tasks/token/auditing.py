"""From native files to an audit: read, find what is wrong, sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Unpack

import numpy as np
import pandas as pd

from goldlabel.errors import collected_warnings, warn
from goldlabel.inputs.ragged import Ragged
from goldlabel.learning.confident import Method
from goldlabel.learning.filters import FilterBy, Options
from goldlabel.results.audit import Audit, Table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.token.bad_labels import with_bad_labels
from goldlabel.tasks.token.data import CUT, TokenData
from goldlabel.tasks.token.entity_table import entity_table
from goldlabel.tasks.token.formats import FORMATS, read
from goldlabel.tasks.token.formats.options import TokenReading
from goldlabel.tasks.token.inputs import flat_tokens
from goldlabel.tasks.token.issues import judge, with_words
from goldlabel.tasks.token.merging import SubwordMethod
from goldlabel.tasks.token.scores import Aggregator, check_aggregator
from goldlabel.tasks.token.summary import class_pairs, common_label_issues, flat_words, health_of
from goldlabel.tasks.token.tags import OUTSIDE, tag_set
from goldlabel.tasks.token.views import SentenceView

__all__ = ["audit"]

LIMITS = (
    "Errors that the model makes too: a tag is only questioned where the model, which has not seen"
    " the sentence, prefers another.",
    "Rules of annotation that are applied the same way everywhere, rightly or wrongly: the model"
    " has learnt them.",
    "Which of the flagged tags are truly wrong: look at the worst first, and stop where most of"
    " what you see is right.",
)
_COMMON = 100


def audit(
    path: Path,
    *,
    pred_probs: Path,
    classes: Sequence[str] | None = None,
    scheme: Literal["auto", "none", "io", "iob1", "iob2", "bioes", "bilou", "bmewo"] = "auto",
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    aggregator: Aggregator = "min",
    temperature: float = 0.05,
    format: Annotated[str | None, FORMATS] = None,
    tokens: str | None = None,
    tags: str | None = None,
    id: str | None = None,
    token_column: int | None = None,
    tag_column: int | None = None,
    separator: str | None = None,
    softmax: bool = False,
    subwords: SubwordMethod = "first",
    **reading: Unpack[TokenReading],
) -> Audit:
    r"""Find the wrong tags of a dataset of sentences, entity by entity.

    Tags come from columns (CoNLL, CoNLL-U), lists of words and tags (JSON Lines, Parquet, a Hugging
    Face dataset saved to disk), texts with spans of characters (doccano, Prodigy, Label Studio,
    spaCy), or JSON and DocBin of spaCy.

    Parameters
    ----------
    path : Path
        The file, or the folder of a Hugging Face dataset.
    pred_probs : Path
        File of out-of-sample predicted probabilities for each token: .npy, .npz, JSON Lines or
        Parquet.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of the predictions.
    scheme : str
        Scheme of the tags; "none" judges every token by itself.
    filter_by : str
        How tokens are chosen.
    rank_by : str
        The quality score of a token.
    aggregator : str
        How the scores of a sentence's tokens become one, by which sentences are ordered.
    temperature : float
        Of the softmin.
    format : str, optional
        Format of the labels, in place of what the content looks like.
    tokens : str, optional
        Column of the words, in a table.
    tags : str, optional
        Column of the tags, in a table; key of the spans; name of Label Studio's labels.
    id : str, optional
        Column of ids, in a table.
    token_column : int, optional
        Column of the words in a file of columns, from 0.
    tag_column : int, optional
        Column of the tags, from 0, or below 0 from the end; if not given, the last one.
    separator : str, optional
        What separates columns; if not given, tabs if all lines have some, else spaces.
    softmax : bool
        The predictions are logits: turn them into probabilities.
    subwords : str
        How predictions for the pieces of a word become one.
    **reading
        How to read the files; see `goldlabel.tasks.token.formats.options.TokenReading`.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        A file can't be read or what it holds does not fit; says which file, line and token.

    Examples
    --------
    >>> import json, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.conll").write_text("Ann B-PER\nsings O\n\nBob O\nsings O\n\nEve B-PER\n")
    >>> rows = [[[0.9, 0.1], [0.1, 0.9]], [[0.95, 0.05], [0.1, 0.9]], [[0.9, 0.1]]]
    >>> lines = [json.dumps({"probs": each, "classes": ["B-PER", "O"]}) for each in rows]
    >>> _ = (folder / "p.jsonl").write_text("\n".join(lines))
    >>> found = audit(folder / "a.conll", pred_probs=folder / "p.jsonl")
    >>> found.issues.to_frame("part")[["example", "part", "kind", "suggested"]].values.tolist()
    [[1, 0, 'missed entity', 'B-PER']]
    """
    data = read(
        path, pred_probs=pred_probs, classes=classes, scheme=scheme, format=format, tokens=tokens,
        tags=tags, id=id, token_column=token_column, tag_column=tag_column, separator=separator,
        softmax=softmax, subwords=subwords, **reading,
    )  # fmt: skip
    options = Options(filter_by=filter_by, rank_by=rank_by).checked()
    check_aggregator(aggregator, temperature)
    words = Ragged(np.array(data.tokens, dtype=object), data.labels.offsets)
    with collected_warnings() as warned:
        rows = flat_tokens(data.labels, data.pred_probs, data.classes)
        rules = tag_set(rows.classes, data.scheme, tags=rows.labels, offsets=rows.offsets)
        issues, counted = judge(rows, rules, options, aggregator, temperature, ids=data.ids)
        if not _is_labeled(data):
            warn("Nothing was labelled: no token has another tag than O.")
    by_class = health_of(counted, rows)
    flat = flat_words(words)
    issues = replace(issues, parts=with_words(issues.parts, *flat, np.diff(rows.offsets)))
    issues = with_bad_labels(issues, rows, rules, data.bad, flat)
    issues = issues.with_params(model=f"predictions in {pred_probs.name}")
    entities = entity_table(issues, data.tokens, data.labels.offsets)
    frames = {} if entities is None else {"entities": entities}
    if data.broken:
        frames["invalid_tags"] = _broken_table(data)
    return Audit(
        issues=issues,
        source=data.source,
        summary=_figures(data, issues, by_class),
        view=SentenceView(data, issues),
        tables=_tables(words, issues, by_class, frames),
        frames=frames,
        notes=(*data.notes, f"Probabilities were taken from {pred_probs.name}."),
        limits=LIMITS,
        warnings=tuple(warned),
        part="token",
    )


def _figures(data: TokenData, issues: LabelIssues, by_class: pd.DataFrame) -> dict[str, Any]:
    bad = sum(each.end - each.start for each in data.bad if each.kind != CUT)
    known = int(np.count_nonzero(data.codes >= 0)) + bad
    wrong = int(by_class["label_issues"].sum()) + bad
    figures: dict[str, Any] = {
        "sentences": len(data),
        "tokens": len(data.tokens),
        "classes": len(data.classes),
    }
    if _is_labeled(data):
        figures["token_label_health"] = 1.0 - wrong / max(known, 1)
    if issues.parts.group is not None:
        figures["tags_that_would_change"] = len(issues.parts)
    if data.bad:
        figures["bad_labels"] = len(data.bad)
    if data.broken:
        figures["invalid_tags"] = len(data.broken)
    return figures


def _is_labeled(data: TokenData) -> bool:
    """Return whether anything was labelled: a file of O alone says nothing about its labels."""
    outside = data.classes.index(OUTSIDE) if OUTSIDE in data.classes else -1
    return bool(((data.codes >= 0) & (data.codes != outside)).any()) or bool(data.bad)


def _broken_table(data: TokenData) -> pd.DataFrame:
    rows = [
        {"sentence": sentence, "token": token, "word": data.words(sentence)[token], "tag": tag}
        for sentence, token, tag in data.broken
    ]
    return pd.DataFrame(rows)


def _tables(
    words: Ragged, issues: LabelIssues, by_class: pd.DataFrame, frames: dict[str, pd.DataFrame]
) -> tuple[Table, ...]:
    common = common_label_issues(issues, words).head(_COMMON)
    tables = []
    if len(issues.parts):
        tables.append(
            Table(
                "Given and suggested tags",
                class_pairs(issues),
                "How many tags are given as the row and suggested as the column.",
                "heatmap",
            )
        )
        tables.append(
            Table(
                "Words most often in question",
                common.rename(columns={"token": "word", "num_label_issues": "issues"}),
                "The same word in the same place of many sentences is most often one rule of"
                " annotation that was not clear.",
            )
        )
    if "invalid_tags" in frames:
        tables.append(
            Table(
                "Tags that break the rules of their scheme",
                frames["invalid_tags"].head(_COMMON),
                "They were read as the evaluation of CoNLL reads them.",
            )
        )
    tables.append(
        Table(
            "Classes",
            by_class.rename(
                columns={
                    "num_tokens": "tokens",
                    "label_issues": "wrongly given",
                    "inverse_label_issues": "lacking",
                    "label_noise": "wrongly given share",
                    "label_quality_score": "label quality",
                }
            ),
            "Token by token. Wrongly given: tokens given the class that seem to be of another."
            " Lacking: tokens given another that seem to be of it.",
        )
    )
    return tuple(tables)
