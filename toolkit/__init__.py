"""Find the wrong labels in a dataset, and fix them."""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

# Public names are those of `__init__.pyi`, loaded on first use: `goldlabel --help` must not wait
# for numba or pandas.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
