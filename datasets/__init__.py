"""Datasets for trying goldlabel out, for docs, tests and benchmarks; see `list_datasets`.

Public datasets are downloaded from where they were published (`fetch`, `load`); small ones come
with scikit-learn (`load_sample`, `write_csv`, `write_digits`); `plant_errors` makes labels wrong on
purpose and records which.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public names are loaded on first use, as in goldlabel itself.
_HOME = {
    "PlantedErrors": "noise",
    "Sample": "bundled",
    "fetch": "download",
    "list_datasets": "sources",
    "load": "download",
    "load_sample": "bundled",
    "plant_errors": "noise",
    "write_csv": "bundled",
    "write_digits": "bundled",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
