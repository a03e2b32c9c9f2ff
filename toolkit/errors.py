"""What goldlabel raises and warns of: one tree, every message in the form ``where: what. fix``."""

from __future__ import annotations

__all__ = ["DataWarning", "GoldlabelError", "InputError", "MissingExtra"]


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
        self.where = where
        self.what = what.rstrip(".")
        self.fix = fix.rstrip(".")
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
