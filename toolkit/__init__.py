"""Find the wrong labels in a dataset, and fix them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public names are loaded on first use: `goldlabel --help` must not wait for numba or pandas.
_HOME = {
    "Audit": "audit",
    "DataWarning": "errors",
    "GoldlabelError": "errors",
    "InputError": "errors",
    "LabelIssues": "result",
    "MissingExtra": "errors",
    "Ragged": "ragged",
    "crossval": "crossvalidation",
    "crossval_predictions": "crossvalidation",
    "find_tasks": "task",
}
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
