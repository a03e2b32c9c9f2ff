"""Texts cut into words, and words put together to texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

__all__ = ["filter_sentence", "get_sentence", "process_token", "tokenize"]

_PIECES = re.compile(r"\w+|\s+|.", re.DOTALL)
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiner: inside of words of Persian, Hindi and others."""


def tokenize(text: str) -> list[tuple[int, int]]:
    """Cut a text into words and signs.

    A word is a run of letters, digits and underscores, with the marks on them (accents and vowel
    signs that are characters of their own) and zero-width joiners in it; any other character that
    is no space is a token by itself.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of (int, int)
        Start and end of each token, in characters (Unicode code points).

    Examples
    --------
    >>> text = "Ann isn't in Paris."
    >>> [text[a:b] for a, b in tokenize(text)]
    ['Ann', 'isn', "'", 't', 'in', 'Paris', '.']
    """
    found: list[tuple[int, int]] = []
    goes_on = False  # a mark has just been added to a word: letters after it belong to it too
    for piece in _PIECES.finditer(text):
        start, end = piece.span()
        first = text[start]
        touches = bool(found) and found[-1][1] == start
        if first.isspace():
            goes_on = False
        elif touches and (first in _JOINERS or unicodedata.category(first)[0] == "M"):
            found[-1] = found[-1][0], end
            goes_on = _is_word(text[found[-1][0]])
        elif touches and goes_on and _is_word(first):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
            goes_on = False
    return found


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()


def get_sentence(words: Sequence[str]) -> str:
    """Put words together to a text that reads well.

    Examples
    --------
    >>> get_sentence(["Some", "reason", "(", "Explanation", ")", ".", "It", "'s", "so"])
    "Some reason (Explanation). It's so"
    """
    text = ""
    for word in words:
        punctuation = len(word) == 1 and unicodedata.category(word)[0] in "PS"
        text += word if punctuation and word not in "-(" else f" {word}"
    return text.replace(" '", "'").replace("( ", "(").strip()


def process_token(token: str, replace: Sequence[tuple[str, str]] = (("#", ""),)) -> str:
    """Replace pieces of a token, all at once: what one has put in, no other takes out.

    Examples
    --------
    >>> process_token("##ing"), process_token("Cleanlab", [("C", "a"), ("a", "C")])
    ('ing', 'aleCnlCb')
    """
    new: Mapping[str, str] = dict(replace)
    old = [re.escape(piece) for piece in new if piece]
    return re.sub("|".join(old), lambda found: new[found[0]], token) if old else token


def filter_sentence(
    sentences: Sequence[str], condition: Callable[[str], bool] | None = None
) -> tuple[list[str], list[bool]]:
    """Keep the sentences that fulfil a condition: if none is given, longer than 1 and without #.

    Returns
    -------
    kept : list of str
    mask : list of bool
        Whether each sentence was kept.

    Examples
    --------
    >>> filter_sentence(["One", "#a", "x"])
    (['One'], [True, False, False])
    """
    fulfils = condition or (lambda sentence: len(sentence) > 1 and "#" not in sentence)
    mask = [bool(fulfils(sentence)) for sentence in sentences]
    return [each for each, kept in zip(sentences, mask, strict=True) if kept], mask
