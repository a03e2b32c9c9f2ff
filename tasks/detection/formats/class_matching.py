"""Which class of the annotations each class of the predictions is, by what their files say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goldlabel.errors import InputError
from goldlabel.tasks.detection.formats.listed import Listed
from goldlabel.typing import Ints

__all__ = ["matched_classes"]


def matched_classes(given: Listed, found: Listed, names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Return the class of each class of the predictions."""
    by_name = {name: at for at, name in enumerate(names)}
    by_code = {code: at for at, code in enumerate(given.codes)}
    path = str(found.source.files[0])
    if found.is_named:
        unknown = [name for name in found.classes if name not in by_name]
        if unknown and set(found.labels.tolist()) & {
            at for at, name in enumerate(found.classes) if name not in by_name
        }:
            raise InputError(
                path,
                f"has boxes of {unknown[0]!r}, which the labels do not have",
                f"Use their names: {', '.join(names[:10])}; or name all classes in a file, with the"
                " option names",
            )
        return np.array([by_name.get(name, 0) for name in found.classes], dtype=np.int64), []
    if all(code in by_code for code in found.codes) and given.source.format == "coco":
        return np.array([by_code[code] for code in found.codes], dtype=np.int64), []
    used = [found.codes[at] for at in sorted(set(found.labels.tolist()))]
    try:
        numbers = {code: int(code) for code in found.codes}
    except ValueError:
        raise InputError(
            path, f"has the class {found.codes[0]!r}, which the labels do not", "Rename it"
        ) from None
    from_one = found.source.format == "coco_results" and max(
        (numbers[code] for code in used), default=0
    ) == len(names)
    shift = 1 if from_one else 0
    for code in used:
        if not 0 <= numbers[code] - shift < len(names):
            raise InputError(
                path,
                f"has boxes of class {code!r}, and the labels have {len(names)} classes",
                "Name the classes in the order of their numbers, with the option classes",
            )
    notes = []
    if given.is_named and given.source.format not in ("yolo", "coco"):
        order = ", ".join(f"{at + shift} {name}" for at, name in enumerate(names[:10]))
        notes.append(f"Class numbers of the predictions are taken as {order}.")
    return np.clip([numbers[code] - shift for code in found.codes], 0, len(names) - 1), notes
