"""Which of COCO's files a text is, from its first bytes."""

from __future__ import annotations

from goldlabel.formats.json.head import outline

__all__ = ["kind_of_coco"]

_HEAD = 1 << 16
_SECTIONS = {
    "images": {"file_name", "width", "height", "coco_url"},
    "annotations": {"image_id", "category_id"},
    "categories": {"name", "supercategory"},
}
"""What an entry of each list has; any of it is enough."""
_OTHER_KEYS = {"info", "licenses"}


def kind_of_coco(data: bytes) -> str | None:
    """Return "instances", "panoptic" or "results"; None if a text is none of COCO's files.

    Only the first bytes are looked at, and for panoptic files whether a word is anywhere. So a
    file cut off, or broken further down, has the kind that it would have whole.

    Parameters
    ----------
    data : bytes
        UTF-8 without byte-order mark.

    Examples
    --------
    >>> kind_of_coco(b'{"info": {}, "images": [{"id": 1, "file_name": "a.jpg", "wi')
    'instances'
    >>> kind_of_coco(b'[{"image_id": 1, "category_id": 3, "score": 0.5}]')
    'results'
    >>> kind_of_coco(b'[{"id": 1, "data": {"image": "a.jpg"}}]')
    """
    begin = outline(data[:_HEAD])
    if begin.is_list:
        first = begin.first[""]
        is_empty = data[:_HEAD].strip(b" \t\r\n[") == b"]"
        return "results" if is_empty or {"image_id", "score"} <= first else None
    lists = [name for name in _SECTIONS if name in begin.first]
    is_one = any(begin.first[name] & _SECTIONS[name] for name in lists)
    if not (is_one or len(lists) > 1 or (lists and begin.keys & _OTHER_KEYS)):
        return None
    return "panoptic" if b'"segments_info"' in data else "instances"
