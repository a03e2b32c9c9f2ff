"""Datasets in splits: predictions of images that belong to another one than that which is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from goldlabel.tasks.detection.formats.folders import files_of, image_files
from goldlabel.tasks.detection.formats.listed import Listed, stem
from goldlabel.typing import Mask

__all__ = ["of_other_splits"]

_LABELS, _IMAGES = "labels", "images"


def of_other_splits(given: Listed, keys: Sequence[str]) -> Mask:
    """Say which images that are not annotated belong to another split.

    Their label file or picture is in a folder beside that of the annotations: ``valid/labels`` or
    ``valid/images`` beside ``train/labels``, ``labels/valid`` beside ``labels/train``.

    Parameters
    ----------
    given : Listed
        The annotations.
    keys : sequence of str
        The images in question.
    """
    folder = given.source.files[0]
    if not keys or not folder.is_dir():
        return np.zeros(len(keys), dtype=np.bool_)
    extension = str(given.source.options.get("extension", ".txt"))
    elsewhere = {
        stem(path.name)
        for split in _other_splits(folder.resolve())
        for path in (*files_of(split, extension), *image_files(split))
    }
    return np.array([key in elsewhere for key in keys], dtype=np.bool_)


def _other_splits(folder: Path) -> list[Path]:
    """Return the folders of labels and of pictures of the other splits."""
    if folder.name == _LABELS:
        root = folder.parent.parent
        others = [
            root / split.name / kind for split in root.iterdir() for kind in (_LABELS, _IMAGES)
        ]
        return [path for path in others if path.parent != folder.parent and path.is_dir()]
    if folder.parent.name == _LABELS:
        root = folder.parent.parent
        beside = [root / kind for kind in (_LABELS, _IMAGES) if (root / kind).is_dir()]
        others = [path for kind in beside for path in kind.iterdir()]
        return [path for path in others if path.name != folder.name and path.is_dir()]
    return []
