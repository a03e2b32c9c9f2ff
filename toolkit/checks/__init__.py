"""Checks of a dataset: what besides its labels deserves a look, for every task.

Each check is a function with keyword-only parameters that can be used by itself, and answers with
a `CheckResult`. What the neighbours of examples are is found once, by
`goldlabel.neighbors.neighbor_graph`, and handed to every check as ``graph=``.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
