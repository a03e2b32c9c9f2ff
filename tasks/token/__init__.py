"""Token classification: a tag for each token of each sentence, as in named entity recognition.

Labels are a list of tags for each sentence, a `goldlabel.Ragged` of all of them, or an array of
shape (sentences, tokens): class indices 0 .. k-1, or names; None, -1 and -100 are tokens to leave
out. pred_probs is an array of shape (tokens, k) for each sentence, a `goldlabel.Ragged` or one
array of all tokens, or an array of shape (sentences, tokens, k), padded at the ends of sentences.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task(
    "token", "a tag for each token of a sentence: named entities, parts of speech", __name__
)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
