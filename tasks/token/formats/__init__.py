"""Native formats of token classification: read one into the container, write it back corrected.

`conll` and `lists` have words and tags; `span_files` (JSON Lines and JSON of doccano, Prodigy,
Label Studio and spaCy) has texts with spans of characters, of which `characters` makes words and
tags; `spacy_json` and `docbin` are spaCy's own. `given` is what each of them gives, `predictions`
reads what a model says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.options import options_of
from goldlabel.formats.reading import check_keywords
from goldlabel.formats.registry import Formats
from goldlabel.formats.tables.table import check_unchanged
from goldlabel.inputs.ragged import Ragged
from goldlabel.results.audit import Source
from goldlabel.tasks.token.data import TokenData
from goldlabel.tasks.token.formats import conll, docbin, lists, spacy_json, span_files
from goldlabel.tasks.token.formats.aligning import aligned, class_codes, corrected
from goldlabel.tasks.token.formats.options import Asked, Options, TokenReading
from goldlabel.tasks.token.formats.predictions import Predictions, read_predictions
from goldlabel.tasks.token.formats.sentences import TaggedSentences
from goldlabel.tasks.token.formats.strays import bad_tags, without_columns
from goldlabel.tasks.token.merging import SubwordMethod

__all__ = ["FORMATS", "export", "read", "read_again"]

FORMATS: Formats[Asked, TaggedSentences] = Formats(
    "token",
    docbin.FORMAT,
    spacy_json.FORMAT,
    span_files.FORMAT,
    *lists.FORMATS,
    conll.FORMAT,
)
"""The native formats."""


def read(
    path: str | Path,
    *,
    pred_probs: str | Path | None = None,
    classes: Sequence[str] | None = None,
    scheme: str = "auto",
    format: str | None = None,
    tokens: str | None = None,
    tags: str | None = None,
    id: str | None = None,
    token_column: int | None = None,
    tag_column: int | None = None,
    separator: str | None = None,
    softmax: bool = False,
    subwords: SubwordMethod = "first",
    **reading: Unpack[TokenReading],
) -> TokenData:
    r"""Read sentences with a tag for each token, and predictions if there are any.

    Parameters
    ----------
    path : str or Path
        Columns (CoNLL, CoNLL-U); a table with lists of words and tags (JSON Lines, Parquet, a
        Hugging Face dataset saved to disk); texts with spans of characters (JSON Lines of doccano
        and Prodigy, JSON of Label Studio and spaCy); JSON or DocBin of spaCy.
    pred_probs : str or Path, optional
        File of predicted probabilities; see the page on token data.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of `pred_probs`; if not given, what that
        file says, what the labels' file says, or the tags that occur, sorted.
    scheme : str
        Scheme of the tags in the file, as for `find_label_issues`.
    format : str, optional
        One of `FORMATS`, taken instead of what the content looks like.
    tokens, tags : str, optional
        Of a table: the columns of words and tags. Of texts with spans, `tags` is the key of the
        spans, or of Label Studio the name of the labels.
    id : str, optional
        Of a table: the column of ids.
    token_column, tag_column : int, optional
        Of columns: which one, from 0; below 0 from the end.
    separator : str, optional
        Of columns: what separates them.
    softmax, subwords
        Of `pred_probs`: turn logits into probabilities; how pieces of words become one row
        ("first", "mean", "max").
    **reading
        How to read the files; see `goldlabel.tasks.token.formats.options.TokenReading`.

    Returns
    -------
    TokenData

    Raises
    ------
    InputError
        A file can't be read, or what it holds does not fit; says which file, line and token.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "news.conll")
    >>> _ = path.write_text("Ann B-PER\nlives O\n\nParis B-LOC\n")
    >>> data = read(path)
    >>> data.classes, list(data.labels)
    (('B-LOC', 'B-PER', 'O'), [array([1, 2]), array([0])])
    """
    path = Path(path)
    check_keywords(reading, TokenReading)
    if isinstance(classes, str):
        raise InputError("classes", f"is the text {classes!r}", "Pass a list of names")
    names = None if classes is None else tuple(classes)
    probs = None
    if pred_probs is not None:
        probs = read_predictions(
            Path(pred_probs), softmax=softmax, subwords=subwords, key=reading.get("key")
        )
    found = FORMATS.find(path, format, encoding=reading.get("encoding"))
    asked = Asked(
        tokens=tokens,
        tags=tags,
        id=id,
        token_column=token_column,
        tag_column=tag_column,
        separator=separator,
        encoding=reading.get("encoding"),
        split=reading.get("split"),
        classes=_names(names, probs),
        words=None if probs is None else probs.spans,
    )
    given = found.read(path, asked)
    return _assembled(given, probs, names, scheme, pred_probs)


def _names(classes: tuple[str, ...] | None, probs: Predictions | None) -> tuple[str, ...] | None:
    return classes if classes is not None or probs is None else probs.classes


def _assembled(
    given: TaggedSentences,
    probs: Predictions | None,
    classes: tuple[str, ...] | None,
    scheme: str,
    path: str | Path | None,
) -> TokenData:
    if probs is not None:
        if given.left_out is not None:
            probs = probs.of(given.left_out)
        _check_lengths(given, probs, Path(str(path)))
    fit = aligned(given, probs, classes, scheme)
    if probs is not None and fit.dropped:
        probs = probs._replace(values=without_columns(probs.values, fit.dropped))
    unknown = sum(tag is None for tag in given.tags)
    notes = [*given.notes, *fit.notes, *(probs.notes if probs is not None else ())]
    if unknown:
        notes.append(f"{unknown:,} of {len(given.tags):,} tokens have no tag; they are left out.")
    options = replace(
        options_of(given.source, Options),
        classes=fit.classes,
        scheme=fit.scheme,
        file_scheme=scheme,
        sentences=len(given.offsets) - 1,
        strays=tuple(sorted(fit.strays)),
    )
    inputs = (*given.source.inputs, *([] if path is None else [Path(path)]))
    return TokenData(
        labels=Ragged(fit.codes, given.offsets),
        tokens=tuple(given.tokens),
        classes=fit.classes,
        source=replace(given.source, options=options, inputs=inputs),
        scheme=fit.scheme,
        ids=given.ids,
        pred_probs=None if probs is None else probs.values,
        broken=fit.broken,
        bad=(*given.bad, *bad_tags(given, fit.strays)),
        notes=tuple(notes),
        texts=given.texts,
    )


def _reopened(source: Source) -> tuple[Source, TaggedSentences]:
    """Read the sentences of an audit again, as they were read then.

    Raises
    ------
    InputError
        What the source says is not of its format, or the file is not what it was.
    """
    source = FORMATS.restored(source)
    options = options_of(source, Options)
    sentences = FORMATS.named(source.format).read(source.files[0], options.asked())
    check_unchanged(source, options_of(sentences.source, Options).sha256)
    return source, sentences


def read_again(source: Source) -> TokenData:
    """Read the sentences of an audit again, without predictions; see `export`."""
    source, sentences = _reopened(source)
    options = options_of(source, Options)
    return TokenData(
        labels=Ragged(class_codes(options, sentences), sentences.offsets),
        tokens=tuple(sentences.tokens),
        classes=options.classes,
        source=source,
        scheme=options.scheme,
        ids=sentences.ids,
        texts=sentences.texts,
    )


def _check_lengths(given: TaggedSentences, probs: Predictions, path: Path) -> None:
    n, total = len(given.offsets) - 1, len(given.tokens)
    fix = "Predict every token of the file, in its order"
    if probs.values.ndim == 3:
        longest = int(np.diff(given.offsets).max(initial=0))
        if probs.values.shape[0] != n or probs.values.shape[1] < longest:
            raise InputError(
                str(path),
                f"has {probs.values.shape[0]:,} sentences of up to {probs.values.shape[1]} tokens,"
                f" and {given.source.files[0]} {n:,} of up to {longest}",
                fix,
            )
        return
    if probs.offsets is not None:
        if len(probs.offsets) != n + 1:
            raise InputError(
                str(path),
                f"has {len(probs.offsets) - 1:,} sentences, and {given.source.files[0]} {n:,}",
                fix,
            )
        wrong = np.flatnonzero(np.diff(probs.offsets) != np.diff(given.offsets))
        if wrong.size:
            at = int(wrong[0])
            words = given.tokens[given.offsets[at] : given.offsets[at + 1]]
            raise InputError(
                f"{path}: sentence {at}",
                f"has {np.diff(probs.offsets)[at]} tokens, and the labels {len(words)}:"
                f" {' '.join(words)[:80]!r} ({wrong.size} such sentences)",
                fix,
            )
    if len(probs.values) != total:
        raise InputError(
            str(path),
            f"has {len(probs.values):,} rows, and {given.source.files[0]} {total:,} tokens",
            fix,
        )


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some tags changed, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of `TokenData`.
    corrections : DataFrame
        A row per changed tag: ``example`` and ``part`` (sentence and token) and ``suggested`` (a
        class by its name).
    out : str or Path
        File to write; for a Hugging Face dataset, a new folder.

    Raises
    ------
    InputError
        A correction names no sentence, token or class, the dataset changed since it was read, or
        `out` can't be written. Nothing is written then.
    """
    source, sentences = _reopened(source)
    FORMATS.export(source, corrected(options_of(source, Options), sentences, corrections), out)
