"""Numbers as plain texts write them; matched in time that grows with the length of the text."""

from __future__ import annotations

import re

__all__ = ["NUMBER", "NUMBER_OR_COMMA"]

# Possessive: what digits have been read is not tried again in all other ways to split it.
NUMBER = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
"""``7``, ``-0.5``, ``.5``, ``1e-3``; no inf, no nan."""
NUMBER_OR_COMMA = re.compile(r"[+-]?(?:\d++[.,]?\d*+|[.,]\d++)(?:[eE][+-]?\d++)?", re.ASCII)
"""The same, with a decimal comma too."""
