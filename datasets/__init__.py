"""Datasets for trying goldlabel out, for docs, tests and benchmarks; see `list_datasets`.

Public datasets are downloaded from where they were published (`fetch`, `load`); small ones come
with scikit-learn (`load_sample`, `write_csv`, `write_digits`); `plant_errors` makes labels wrong on
purpose and records which.
"""

from __future__ import annotations

import lazy_loader

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
