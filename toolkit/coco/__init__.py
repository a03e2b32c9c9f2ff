"""Check files in COCO's format, and mend what can be mended without loss.

`check_coco` returns `Findings`, `fix_coco` applies the safe fixes, `RULES` says what can be found.
"""

from __future__ import annotations

import lazy_loader

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
