"""Which image of the annotations each image of the predictions is, in every way that names tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.upload_names import by_original_name, original_name
from goldlabel.tasks.detection.formats.listed import Listed
from goldlabel.typing import Ints

__all__ = ["ImageMatch", "image_matches", "notes_on_images", "unmatched"]

_SHOWN = 5


class ImageMatch(NamedTuple):
    """One way to match images.

    Attributes
    ----------
    by : str
        What they are matched by.
    image : ndarray of shape (images of the predictions,), int64
        Row of the annotations' image; -1 = none.
    """

    by: str
    image: Ints

    @property
    def matched(self) -> int:
        """How many are matched."""
        return int(np.count_nonzero(self.image >= 0))


def image_matches(given: Listed, found: Listed) -> list[ImageMatch]:
    """Return the ways to match images, that by which most are matched first.

    The last ones are by the place among the sorted file names, which says something only where
    boxes agree.

    Raises
    ------
    InputError
        Two images of the predictions are the same one of the annotations.
    """
    matches: list[ImageMatch] = []
    for name, place in _ways(given, found):
        image = np.fromiter(map(place, range(len(found.keys))), np.int64, len(found.keys))
        is_new = not any(np.array_equal(image, each.image) for each in matches)
        if (image >= 0).any() and is_new:
            matches.append(ImageMatch(name, image))
    matches.sort(key=lambda match: -match.matched)
    if matches:
        _check_once(given, found, matches[0])
    by_place = _by_place(given, found)
    return [
        each for at, each in enumerate([*matches, *by_place]) if not at or not _twice(each).size
    ]


def _ways(given: Listed, found: Listed) -> list[tuple[str, Callable[[int], int]]]:
    by_id = {name: at for at, name in enumerate(given.ids)}
    by_text = {str(name): at for at, name in enumerate(given.ids)}
    by_key: dict[str, int] = {}
    for at, key in enumerate(given.keys):
        by_key[key] = -1 if key in by_key else at  # two images of one name tell nothing
    numbers = {_number(key): at for key, at in by_key.items() if key.isdigit()}
    endings = _numbers_in(given.keys)
    originals = by_original_name(given.keys)
    return [
        ("id", lambda at: by_id.get(found.ids[at], by_text.get(str(found.ids[at]), -1))),
        ("file name", lambda at: by_key.get(found.keys[at], -1)),
        (
            "file name without the marks of an upload",
            lambda at: originals.get(original_name(found.keys[at]), -1),
        ),
        ("number", lambda at: numbers.get(_number(found.keys[at]), -1)),
        ("number in the file name", lambda at: endings.get(_number(found.keys[at]), -1)),
    ]


def _number(key: str) -> str:
    return key.lstrip("0") or "0"


def _by_place(given: Listed, found: Listed) -> list[ImageMatch]:
    """Match numbers to places among the sorted file names, from 0 and from 1 on."""
    ids = np.array([each if type(each) is int else -1 for each in found.ids], dtype=np.int64)
    order = np.array(
        sorted(range(len(given.names)), key=lambda at: given.names[at]), dtype=np.int64
    )
    matches: list[ImageMatch] = []
    for first in (0, 1):
        at = ids - first
        if len(ids) and len(order) and ((at >= 0) & (at < len(order))).all():
            matches.append(
                ImageMatch(f"place among the sorted file names, from {first} on", order[at])
            )
    return matches


def _twice(match: ImageMatch) -> Ints:
    return np.flatnonzero(np.bincount(match.image[match.image >= 0], minlength=1) > 1)


def _check_once(given: Listed, found: Listed, match: ImageMatch) -> None:
    twice = _twice(match)
    if twice.size:
        raise InputError(
            str(found.source.files[0]),
            f"has {given.names[twice[0]]!r} twice ({twice.size} such images)",
            "Give each image one file of predictions",
        )


def unmatched(given: Listed, found: Listed) -> InputError:
    """Return what to say where no image is the same."""
    return InputError(
        str(found.source.files[0]),
        f"is of images such as {found.names[0]!r}, and the labels of {given.names[0]!r}:"
        " none is the same",
        "Name the predictions' files, or ids, as those of the labels",
    )


def _numbers_in(keys: Sequence[str]) -> dict[str, int]:
    """Return images by the number that their names end with, where it is each one's own."""
    found: dict[str, int] = {}
    for at, key in enumerate(keys):
        digits = key[len(key.rstrip("0123456789")) :]
        if digits:
            number = _number(digits)
            found[number] = -1 if number in found else at
    return found


def notes_on_images(
    given: Listed, found: Listed, where: Ints, more: Sequence[int], by: str
) -> list[str]:
    """Say how images are matched, and which are on one side alone."""
    both = int(np.count_nonzero((where >= 0) & (where < len(given.keys))))
    notes = [f"Predictions are matched to {both:,} images by {by}."]
    without = len(given.keys) - both
    if without:
        lone = sorted(set(range(len(given.keys))) - set(where.tolist()))[:_SHOWN]
        names = ", ".join(given.names[at] for at in lone)
        notes.append(f"{without:,} images have no predictions, such as {names}.")
    if more:
        names = ", ".join(found.names[at] for at in more[:_SHOWN])
        notes.append(
            f"{len(more):,} images have predictions and are not among the labels, such as {names}:"
            " they count as images without objects."
        )
    return notes
