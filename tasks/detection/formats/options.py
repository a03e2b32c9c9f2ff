"""What each format of boxes needs to be written again; checked when it is read back."""

from __future__ import annotations

from typing import Literal, TypedDict

from goldlabel.formats.options import Scalar
from goldlabel.formats.tables import TableKeys

__all__ = ["CocoKeys", "RowKeys", "StudioKeys", "TextKeys", "VocKeys"]


class Pictured(TypedDict, total=False):
    """The place of the folder of pictures among the inputs of the source."""

    pictures: int


class Joined(Pictured):
    """What every format has: names of classes and images, and how many boxes each image has."""

    classes: tuple[str, ...]
    images: tuple[str, ...]
    counts: tuple[int, ...]


class CocoKeys(Joined):
    """A COCO file."""

    encoding: str
    sha256: str
    is_lvis: bool


class StudioKeys(Joined):
    """An export of Label Studio; `codes` is what it calls each class."""

    encoding: str
    sha256: str
    codes: tuple[str, ...]


class Folder(Joined):
    """A folder with a file for each image; `new_files` are those of images without one."""

    extension: Literal[".txt", ".xml"]
    sha256: str
    files: tuple[str, ...]
    new_files: tuple[str, ...]


class TextKeys(Folder):
    """Lines of text: how a box is written, and what a line calls each class."""

    layout: Literal["yolo", "text", "text_xywh", "text_cxcywh"]
    codes: tuple[Scalar, ...]


class VocKeys(Folder):
    """Pascal VOC: `shift` is what pixels count from."""

    shift: float


class Columns(TypedDict):
    """Which column holds what."""

    image: str
    label: str
    box: tuple[str, str, str, str]
    has_sizes: bool
    score: str | None
    ignore: str | None


class RowKeys(Joined, TableKeys):
    """A table with a row for each box."""

    columns: Columns
    codes: tuple[Scalar, ...]
