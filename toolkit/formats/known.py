"""Files that many tools write: how they are recognised, and what they are in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from goldlabel.formats.coco.recognising import kind_of_coco
from goldlabel.formats.head import Head
from goldlabel.formats.label_studio import looks_like

__all__ = [
    "foreign",
    "is_coco",
    "is_coco_results",
    "is_label_studio",
    "is_one_document",
    "is_parquet",
]


class _Known(NamedTuple):
    what: str
    fix: str
    looks_like: Callable[[Head], bool]


def foreign(head: Head) -> tuple[str, str] | None:
    """Return what a file is and what can be done with it; None where nothing is known of it."""
    for known in _KNOWN:
        if known.looks_like(head):
            return known.what, known.fix
    return None


def _begins(*magics: bytes) -> Callable[[Head], bool]:
    return lambda head: head.magic.startswith(magics)


def is_coco(head: Head) -> bool:
    """Return whether JSON is a COCO file of boxes or masks, panoptic ones too."""
    return kind_of_coco(head) in ("instances", "panoptic")


def is_coco_results(head: Head) -> bool:
    """Return whether JSON lists detections of images, with scores."""
    return kind_of_coco(head) == "results"


def is_one_document(head: Head) -> bool:
    """Return whether JSON is one object of a tool, even on one line, and no row of JSON Lines."""
    return not head.rest and (is_coco(head) or _LABELME(head) or _VIA(head))


def is_parquet(head: Head) -> bool:
    """Return whether a file is Parquet."""
    return head.magic.startswith(b"PAR1")


def is_label_studio(head: Head) -> bool:
    """Return whether JSON lists tasks of Label Studio, in its long or its short form."""
    return looks_like(head.json)


def _has(*keys: str) -> Callable[[Head], bool]:
    """Return whether JSON is an object with some keys."""
    return lambda head: isinstance(head.json, Mapping) and set(keys) <= head.json.keys()


def _is_list_with(value: Any, keys: Sequence[str]) -> bool:
    is_list = isinstance(value, list) and value and isinstance(value[0], dict)
    return bool(is_list and set(keys) <= value[0].keys())


def _is_xml_of(root: str, *inside: str) -> Callable[[Head], bool]:
    def looks_like(head: Head) -> bool:
        text = head.text.lstrip("\ufeff \t\r\n")
        return text[:1] == "<" and f"<{root}" in text and all(tag in text for tag in inside)

    return looks_like


def _is_folder_of_labelme(head: Head) -> bool:
    files = head.files(".json")[:3]
    return bool(files) and all(_LABELME(Head(path, False)) for path in files)


_LABELME = _has("shapes", "imagePath")
_VIA = _has("_via_img_metadata")
_PICKLE = "a pickle, which can run code when opened"
_BOXES = "Convert it to COCO or Pascal VOC, which every annotation tool exports"

_KNOWN = (
    _Known(
        "is a zip archive, perhaps an Excel sheet", "Save it as CSV, or unpack it",
        _begins(b"PK\x03\x04"),
    ),
    _Known(
        "is a NumPy array", "Name a table; arrays are for predictions", _begins(b"\x93NUMPY")
    ),
    _Known(
        "is an Arrow file", "Name the folder that save_to_disk wrote, or save as Parquet",
        _begins(b"ARROW1"),
    ),
    _Known("is a Parquet file", "Name a text file, or another format", is_parquet),
    _Known("is compressed with bzip2", "Decompress it, or use gzip", _begins(b"BZh")),
    _Known("is compressed with xz", "Decompress it, or use gzip", _begins(b"\xfd7zXZ")),
    _Known("is an SQLite database", "Save the table as CSV", _begins(b"SQLite format 3")),
    _Known("is an HDF5 file", "Save the table as CSV or Parquet", _begins(b"\x89HDF")),
    _Known("is a PDF", "Save the table as CSV", _begins(b"%PDF")),
    _Known(
        "is a picture", "Name the file of labels, or the folder of the pictures",
        _begins(b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"),
    ),
    _Known(
        f"is {_PICKLE}", "Save it as CSV or Parquet",
        _begins(b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    ),
    _Known(
        "is the XML of CVAT for images, which is not read yet", "Export it from CVAT as COCO 1.0",
        _is_xml_of("annotations", "<image"),
    ),
    _Known(
        "is the XML of CVAT for videos, which is not read yet", "Export it from CVAT as COCO 1.0",
        _is_xml_of("annotations", "<track"),
    ),
    _Known(
        "is XML of Pascal VOC, of one image", "Name the folder of these files",
        _is_xml_of("annotation", "<object"),
    ),
    _Known("is a web page", "Fetch the file itself", _is_xml_of("html")),
    _Known("is XML of an unknown kind", "Convert it to a format that is known", _is_xml_of("?xml")),
    _Known("is a file of LabelMe, which is not read yet", _BOXES, _LABELME),
    _Known("is a folder of LabelMe's JSON, which is not read yet", _BOXES, _is_folder_of_labelme),
    _Known(
        "is a project of VIA (VGG Image Annotator), which is not read yet",
        "Export it from VIA as COCO", _VIA,
    ),
    _Known(
        "is a COCO file of boxes or masks", "Audit it as the task that it is for", is_coco
    ),
    _Known(
        "is a file of COCO results, predictions without labels",
        "Name the annotations, and this as predictions",
        is_coco_results,
    ),
    _Known(
        "is an export of Label Studio",
        "Export it from there as CSV or JSON Lines, with one label in a column of its own",
        is_label_studio,
    ),
    _Known(
        "is a file of spaCy 2, texts in paragraphs", "Audit it as what it is for",
        lambda head: _is_list_with(head.json, ["paragraphs"]),
    ),
    _Known(
        "is one JSON array, and JSON Lines is expected",
        "Write one object on each line, e.g. with jq -c '.[]'",
        lambda head: isinstance(head.json, list) and ".json" in head.path.name.lower(),
    ),
    _Known(
        "is JSON of an unknown kind", "Say what it is with the option format, or convert it",
        lambda head: bool(head.json) and not head.rest,
    ),
)  # fmt: skip
