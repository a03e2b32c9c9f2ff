"""Names of pictures that were uploaded somewhere, without the marks that they got there.

Label Studio puts eight hexadecimal digits and a hyphen before a name, Roboflow the picture's kind,
``.rf.`` and a hash behind it: models that run on the pictures at hand know nothing of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["by_original_name", "original_name"]

_LABEL_STUDIO = re.compile(r"[0-9a-f]{8}-(?=.)")
_ROBOFLOW = re.compile(r"(?:[_.](?:jpe?g|png|bmp|tiff?|webp|gif))?\.rf\.[0-9A-Za-z]+$", re.I)


def original_name(name: str) -> str:
    """Return a name, without extension, as it was before an upload.

    Examples
    --------
    >>> original_name("0a1b2c3d-part_005"), original_name("part_005_jpg.rf.9f8e7d")
    ('part_005', 'part_005')
    """
    return _ROBOFLOW.sub("", _LABEL_STUDIO.sub("", name, count=1))


def by_original_name(names: Sequence[str]) -> dict[str, int]:
    """Return the position of each name by what it was; -1 where two were one."""
    positions: dict[str, int] = {}
    for at, name in enumerate(map(original_name, names)):
        positions[name] = -1 if name in positions else at
    return positions
