"""Which of COCO's files one is, from its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import SECTIONS
from goldlabel.formats.head import Head
from goldlabel.formats.text import read_text

__all__ = ["kind_of_coco"]

_FIELDS = {
    "images": {"file_name", "width", "height", "coco_url"},
    "annotations": {"image_id", "category_id"},
    "categories": {"name", "supercategory"},
}
"""What an entry of each list has; any of it is enough."""
_INNER = "segments_info"


def kind_of_coco(head: Head) -> str | None:
    """Return "instances", "panoptic" or "results"; None of a file that is none of COCO's.

    A file cut off, or broken further down, has the kind that it would have whole. Where the first
    bytes do not reach the annotations, what only panoptic ones have is looked for in the file.
    """
    if isinstance(head.json, list):
        is_empty = not head.json and head.is_whole
        return "results" if is_empty or {"image_id", "score"} <= _first(head.json).keys() else None
    if not isinstance(head.json, Mapping) or not _is_dataset(head, head.json):
        return None
    first = _first(head.json.get("annotations"))
    is_panoptic = _INNER in first or (not first and not head.is_whole and _is_in(head, _INNER))
    return "panoptic" if is_panoptic else "instances"


def _is_dataset(head: Head, begin: Mapping[str, Any]) -> bool:
    lists = [name for name in SECTIONS if isinstance(begin.get(name), list)]
    if any(_first(begin[name]).keys() & _FIELDS[name] for name in lists) or len(lists) > 1:
        return True
    if lists and begin.keys() & {"info", "licenses"}:
        return True
    return not head.is_whole and all(_is_in(head, name) for name in SECTIONS)


def _first(listed: Any) -> Mapping[str, Any]:
    is_one = isinstance(listed, list) and listed and isinstance(listed[0], dict)
    return listed[0] if is_one else {}


def _is_in(head: Head, word: str) -> bool:
    """Return whether a word in quotes is anywhere in a text."""
    try:
        return f'"{word}"'.encode() in read_text(head.path, encoding=head.encoding).data
    except InputError:
        return False  # whoever reads the file says why
