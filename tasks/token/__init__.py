"""Token classification: a tag for each token of each sentence, as in named entity recognition.

Labels are a list of tags for each sentence, a `goldlabel.Ragged` of all of them, or an array of
shape (sentences, tokens): class indices 0 .. k-1, or names; None, -1 and -100 are tokens to leave
out. pred_probs is an array of shape (tokens, k) for each sentence, a `goldlabel.Ragged` or one
array of all tokens, or an array of shape (sentences, tokens, k), padded at the ends of sentences.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="token",
    title="a tag for each token of a sentence: named entities, parts of speech",
    package=__name__,
)

_HOME = {
    "TokenData": "data",
    "align_subwords": "merging",
    "audit": "auditing",
    "common_label_issues": "summary",
    "export": "formats",
    "find_invalid_tags": "invalid",
    "find_label_issues": "issues",
    "find_span_issues": "span_classes",
    "get_label_quality_scores": "scores",
    "get_span_quality_scores": "span_classes",
    "get_token_quality_scores": "scores",
    "issues_from_scores": "scores",
    "merge_labels": "merging",
    "merge_probs": "merging",
    "read": "formats",
    "summarize": "summary",
    "tokenize": "words",
}
__all__ = [*_HOME, "TASK"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
