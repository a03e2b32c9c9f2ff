"""What each format of masks needs to be written again; checked when it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from goldlabel.formats.options import Inside

__all__ = ["ArrayKeys", "CocoKeys", "MaskKeys", "PanopticKeys", "StudioKeys"]


class Rle(TypedDict):
    """Runs of pixels as COCO writes them."""

    size: tuple[int, int]
    counts: str


class Part(TypedDict):
    """A region that can be repainted."""

    rle: Rle
    given: int
    scale: int


class Found(TypedDict):
    """Which annotations and which results a finding concerns."""

    given: tuple[int, ...]
    predicted: tuple[int, ...]


class Fitted(TypedDict, total=False):
    """What every format has: names of the classes, and the regions of each image.

    `pictures` is the place of the folder of pictures among the inputs of the source.
    """

    pictures: int
    classes: tuple[str, ...]
    regions: Mapping[str, tuple[Part, ...]]


class MaskKeys(Fitted):
    """A folder of masks: the value or the colour of each class."""

    files: tuple[Inside, ...]
    mode: str
    values: tuple[int, ...]
    colors: tuple[tuple[int, ...], ...] | None
    ignore: tuple[int, ...]


class ArrayKeys(Fitted):
    """An array of masks."""

    key: str | None
    one_hot: bool
    table: tuple[int, ...]
    values: tuple[int, ...]
    sha256: str


class JsonKeys(Fitted, total=False):
    """JSON: the class of pixels that no object covers, or -1."""

    encoding: str
    sha256: str
    empty: int


class CocoKeys(JsonKeys, total=False):
    """A COCO file of masks, or of instances with what was found of each."""

    codes: tuple[int, ...]
    instances: bool
    findings: Mapping[str, Mapping[str, Found]]


class PanopticKeys(JsonKeys):
    """A panoptic COCO file."""

    category_ids: tuple[int | str, ...]
    codes: tuple[int, ...]


class StudioKeys(JsonKeys):
    """An export of Label Studio: the tasks that have strokes, and the class of each label."""

    tasks: tuple[int, ...]
    code: Mapping[str, int]
