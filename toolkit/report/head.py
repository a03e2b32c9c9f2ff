"""The scenes of the worst examples, kept with an audit: a review shows them at once.

It reads them only while the dataset itself is being read again. Pictures are in it by name alone.
"""

from __future__ import annotations

import json

from goldlabel.results.audit import Audit
from goldlabel.scenes import as_json

from .examples import scenes_of
from .panels import has_layers
from .summary import plain

__all__ = ["LIMIT", "head"]

LIMIT = 2_000_000
"""Most bytes of the file."""
_EXAMPLES = 200
_AT_ONCE = 20
"""Scenes with masks take long to make: no more of them."""


def head(audit: Audit) -> bytes:
    """Return the scenes of the worst flagged examples as JSON, as many as there is room for."""
    ranked = audit.issues.ranked()[:_EXAMPLES].tolist()
    scenes = scenes_of(audit, ranked[:_AT_ONCE])
    if scenes and not has_layers(scenes[0]):
        scenes += scenes_of(audit, ranked[_AT_ONCE:])
    size = 100
    entries: list[str] = []
    for scene in scenes:
        entry = f'"{scene.example}": {json.dumps(plain(as_json(scene)), allow_nan=False)}'
        size += len(entry) + 2
        if size > LIMIT:
            break
        entries.append(entry)
    return f'{{"examples": {{{", ".join(entries)}}}}}\n'.encode("ascii")
