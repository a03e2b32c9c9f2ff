r"""How values are written for people: safe to print, never too long, numbers that line up.

Everything shown comes from untrusted files. A terminal obeys control characters and a browser
obeys direction overrides, so both are written out (``\x1b``, ``\u202e``) instead of sent on.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Cut",
    "count",
    "cut",
    "exact",
    "flat_figures",
    "label",
    "number",
    "one_line",
    "percent",
    "value",
]

# C0 and C1 controls but tab and newline, direction overrides and isolates, line separators that
# only some programs break at, interlinear annotations, and halves of surrogate pairs.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
_SPACES = re.compile(r"\s+")
_SHARE = re.compile(r"(?:^|[_ ])(?:rate|share|fraction)(?:$|[_ ])", re.IGNORECASE)
_SAID = {"examples", "flagged"}
_JOINERS = "\u200d\ufe0e\ufe0f"
NOTHING = "nothing"
MISSING = "–"  # noqa: RUF001 (an en dash, as tables have it)


class Cut(NamedTuple):
    """A text that is safe to show, and its length before it was cut (0 if it was not)."""

    text: str
    length: int

    @property
    def marked(self) -> str:
        """The text, and where it was cut an ellipsis with the full length."""
        return f"{self.text}… ({self.length:,} characters)" if self.length else self.text


def cut(text: object, limit: int) -> Cut:
    r"""Return at most `limit` characters of a text, control characters written out.

    Examples
    --------
    >>> cut("\x1b[31mred", 40).text
    '\\x1b[31mred'
    >>> cut("a" * 1000, 3).marked
    'aaa… (1,000 characters)'
    """
    whole = text if isinstance(text, str) else str(text)
    kept = whole if len(whole) <= limit else whole[: _boundary(whole, limit)]
    safe = _UNSAFE.sub(_written_out, kept.replace("\r\n", "\n"))
    return Cut(safe, len(whole) if len(kept) < len(whole) else 0)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _boundary(text: str, limit: int) -> int:
    """Step back from `limit` so that no accent or emoji sequence is cut in two."""
    end = limit
    while 0 < end > limit - 16 and (
        unicodedata.combining(text[end])
        or text[end] in _JOINERS
        or text[end - 1] == _JOINERS[0]
        or 0x1F3FB <= ord(text[end]) <= 0x1F3FF
    ):
        end -= 1
    return max(end, 0)


def one_line(text: object, limit: int) -> str:
    """Return a text on one line, cut to `limit` characters with an ellipsis."""
    found = text if isinstance(text, str) else str(text)
    spaced = _SPACES.sub(" ", found[: 4 * limit + 64]).strip()
    shown = cut(spaced, limit)
    return f"{shown.text}…" if shown.length or len(found) > 4 * limit + 64 else shown.text


def label(name: object, limit: int = 60) -> str:
    """Turn a name of code into words: ``label_quality`` -> ``Label quality``."""
    words = one_line(name, limit).replace("_", " ")
    return words[:1].upper() + words[1:]


def count(n: int) -> str:
    """Write a count with a comma every three digits."""
    return f"{n:,}"


def number(figure: float) -> str:
    """Write a figure with four significant digits and no exponent where it can be avoided.

    Examples
    --------
    >>> [number(figure) for figure in (0.98234, 12345.6, 1e-7)]
    ['0.9823', '12,346', '1e-07']
    """
    if not math.isfinite(figure):
        return MISSING if math.isnan(figure) else ("∞" if figure > 0 else "-∞")
    if figure and not 1e-4 <= abs(figure) < 1e15:
        return f"{figure:.4g}"
    if abs(figure) >= 1000:
        return f"{figure:,.0f}"
    return f"{figure:.4g}"


def exact(figure: float) -> str:
    """Write a value of the dataset as it was written there, unless that is long.

    Examples
    --------
    >>> [exact(figure) for figure in (12.0, 3.14, 1 / 3, 1234567.5)]
    ['12', '3.14', '0.333333', '1234567.5']
    """
    text = repr(float(figure)).removesuffix(".0")
    return text if len(text) <= 12 else f"{figure:.6g}"


def class_name(name: object, limit: int) -> str:
    """Write the name of a class or a value; None is "nothing", and a blank name says so."""
    if name is None:
        return NOTHING
    if isinstance(name, float):
        return exact(name)
    shown = cut(name, limit).marked
    return shown if shown.strip() else "(empty)"


def percent(share: float) -> str:
    """Write a share of 0 .. 1 as a percentage; one that is not zero never reads 0%.

    Examples
    --------
    >>> [percent(share) for share in (0, 0.00012, 0.0251, 0.5, 1)]
    ['0%', '0.012%', '2.5%', '50%', '100%']
    """
    if not math.isfinite(share):
        return MISSING
    hundredths = 100 * share
    if hundredths >= 99.95 and share < 1:
        return f"{math.floor(hundredths * 100) / 100:g}%"
    return f"{hundredths:.2g}%" if hundredths < 10 else f"{hundredths:.3g}%"


def value(figure: object, name: object = "", limit: int = 120) -> str:
    """Write any figure for people; what its `name` ends with says whether it is a share."""
    if figure is None or figure is np.ma.masked:
        return MISSING
    if isinstance(figure, bool | np.bool_):
        return "yes" if figure else "no"
    if isinstance(figure, int | np.integer):
        return count(int(figure))
    if isinstance(figure, float | np.floating):
        share = isinstance(name, str) and _SHARE.search(name) and 0 <= figure <= 1
        return percent(float(figure)) if share else number(float(figure))
    text = one_line(figure, limit)
    return MISSING if text in ("<NA>", "NaT") else text


def flat_figures(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (name, figure) in words; a mapping inside gives a line for each of its entries.

    The numbers of examples and of flagged ones are left out: every headline says them.
    """
    flat = []
    for name, figure in figures.items():
        if name.casefold() in _SAID:
            continue
        if isinstance(figure, Mapping):
            flat += [
                (f"{label(name)}: {one_line(inner, 60)}", value(entry, inner))
                for inner, entry in figure.items()
            ]
        else:
            flat.append((label(name), value(figure, name)))
    return flat
