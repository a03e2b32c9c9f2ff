"""What goldlabel raises and warns of: one tree, every message in the form ``where: what. fix``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "DataWarning",
    "GoldlabelError",
    "InputError",
    "MissingExtra",
    "collected_warnings",
    "warn",
]


_LONGEST = 600
"""So many characters of each part of a message: values of others are in it, of any length."""


def shortened(text: str, length: int = _LONGEST) -> str:
    """Return a text, or its beginning and its end."""
    if len(text) <= length:
        return text
    end = length // 4
    left_out = len(text) - length
    return f"{text[: length - end]} … ({left_out:,} characters) … {text[-end:]}"


class GoldlabelError(Exception):
    """Base of every error that goldlabel raises on purpose."""


class InputError(GoldlabelError, ValueError):
    """Something that was handed to goldlabel does not fit.

    Parameters
    ----------
    where : str
        The argument or the file and record: ``labels[1]``, ``data.csv: row 12, column label``.
    what : str
        What was found and what was expected: both values, and how many entries are bad.
    fix : str
        What to do about it.
    """

    def __init__(self, where: str, what: str, fix: str) -> None:
        self.where = shortened(where)
        self.what = shortened(what.rstrip("."))
        self.fix = shortened(fix.rstrip("."))
        super().__init__(where, what, fix)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.fix}."


class MissingExtra(GoldlabelError, ImportError):
    """An optional dependency is needed and not installed."""

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        self.where = package
        self.what = f"is needed {purpose}, and is not installed"
        self.fix = f"pip install 'goldlabel[{extra}]'"
        super().__init__(package, purpose, extra)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.fix}."


class DataWarning(UserWarning):
    """The input can be used, and something about it deserves a look."""


def warn(message: str) -> None:
    """Issue a `DataWarning` that points at the caller's own line, outside goldlabel."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_ours(str(frame.f_globals.get("__name__", ""))):
        frame, level = frame.f_back, level + 1
    warnings.warn(shortened(message, 2 * _LONGEST), DataWarning, stacklevel=level)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect what is warned of in a ``with`` block, each text once, for the notes of an audit.

    The list is filled when the block ends. Other warnings than `DataWarning` speak to developers:
    where they are not turned into errors, they are dropped.

    Examples
    --------
    >>> with collected_warnings() as messages:
    ...     warn("labels: look odd.")
    >>> messages
    ['labels: look odd.']
    """
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        yield messages
    texts = (str(each.message) for each in caught if issubclass(each.category, DataWarning))
    messages.extend(dict.fromkeys(texts))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]
