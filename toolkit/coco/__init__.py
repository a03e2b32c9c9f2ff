"""Check files in COCO's format, and mend what can be mended without loss.

`check_coco` returns `Findings`, `fix_coco` applies the safe fixes, `RULES` says what can be found.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public names are loaded on first use: the command line must not wait for numba.
_HOME = {
    "Finding": "findings",
    "Findings": "findings",
    "Fixed": "fixing",
    "RULES": "rules",
    "Rule": "rules",
    "check_coco": "checking",
    "fix_coco": "fixing",
    "write_json": "writing",
    "write_sarif": "writing",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
