"""Annotations and predictions of two files, read so that they belong together.

Which images are the same, what the four numbers of a box and the number of a class mean: files say
it, or seem to. Where annotations and predictions agree far better if it is read otherwise, it is
read so, and a warning says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from goldlabel.errors import InputError, warn
from goldlabel.learning.pairing import CLEAR, FEW, GAIN, Reading, best_reading, compared
from goldlabel.tasks.detection.formats.class_matching import matched_classes
from goldlabel.tasks.detection.formats.image_matching import (
    ImageMatch,
    image_matches,
    notes_on_images,
    unmatched,
)
from goldlabel.tasks.detection.formats.listed import Listed
from goldlabel.tasks.detection.formats.readings import (
    Comparison,
    class_orders,
    forms,
    geometries,
)
from goldlabel.tasks.detection.formats.splits import of_other_splits
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["FilePairing", "paired_files"]

_AS_WRITTEN = "as they are written"
_POOR = 0.05
_ENOUGH_TO_WARN = 20


class _How(NamedTuple):
    """How the two files are read."""

    match: ImageMatch
    geometry: str
    as_stored: bool


@dataclass(frozen=True, eq=False)
class FilePairing:
    """How the predictions of a file are read beside annotations.

    Attributes
    ----------
    image : ndarray of shape (images of the predictions,), int64
        Which image each of them is; those that are not annotated count on, and those of another
        split are -1.
    more : list of int
        Images of the predictions that are not annotated.
    as_stored : bool
        Whether pictures that a viewer turns have the sizes that they are stored with.
    notes : list of str
    """

    image: Ints
    more: list[int]
    as_stored: bool
    notes: list[str]
    _given: Listed
    _found: Listed
    _codes: Ints
    _geometry: str

    def predictions(self, sizes: Floats) -> Listed:
        """Return predictions, with scores, with the images, classes and units of the annotations.

        Parameters
        ----------
        sizes : ndarray of shape (n, 2), float64
            Of all images.
        """
        given, found = self._given, _of_images(self._found, self.image >= 0)
        image = self.image[found.image]
        labels = self._codes[found.labels] if len(self._codes) else found.labels
        boxes = found.boxes
        own = sizes[image] if len(image) else np.empty((0, 2))
        if self._geometry != _AS_WRITTEN:
            if given.is_relative and found.is_relative:
                own = np.ones_like(own)
            boxes = next(boxes for name, boxes in geometries(found, own) if name == self._geometry)
            boxes = boxes / np.tile(own, 2) if given.is_relative else boxes
            boxes = np.concatenate(
                [np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])],
                axis=1,
            )
        elif given.is_relative != found.is_relative and len(boxes):
            _check_sizes(found, own)
            scale = np.tile(own, 2)
            boxes = boxes * scale if found.is_relative else boxes / scale
        return replace(found, image=image, labels=labels, boxes=boxes)


def _of_images(found: Listed, kept: Mask) -> Listed:
    """Return the predictions of some images."""
    rows = kept[found.image]
    scores = np.empty(0) if found.scores is None else found.scores[rows]
    return replace(
        found,
        image=found.image[rows],
        boxes=found.boxes[rows],
        labels=found.labels[rows],
        ignore=found.ignore[rows],
        scores=scores,
    )


def _check_sizes(found: Listed, sizes: Floats) -> None:
    unknown = np.flatnonzero(np.isnan(sizes).any(axis=1))
    if unknown.size:
        raise InputError(
            str(found.source.files[0]),
            f"is in {'shares' if found.is_relative else 'pixels'}, the labels are not, and the"
            f" size of {found.names[found.image[unknown[0]]]!r} is not known",
            "Name the folder of the images with the option images",
        )


def paired_files(
    given: Listed,
    found: Listed,
    names: Sequence[str],
    sizes: tuple[Floats, Floats],
) -> FilePairing:
    """Read two files so that they belong together.

    Parameters
    ----------
    given, found : Listed
        Annotations, and predictions.
    names : sequence of str
        The classes.
    sizes : tuple of two ndarrays of shape (images, 2)
        Of the annotated images: as a viewer shows them, and as they are stored.

    Raises
    ------
    InputError
        No image of the predictions is one of the annotations, a class of theirs is unknown, or
        units differ and sizes are not known; or the annotations agree only if they are read
        otherwise than they are written.

    Warns
    -----
    DataWarning
        Predictions are read otherwise than they are written, or hardly anything agrees.
    """
    scores = np.empty(0) if found.scores is None else found.scores
    path = str(found.source.files[0])
    if len(scores) < len(found.boxes):
        raise InputError(path, "has no scores", "Write the model's score of each box")
    matches = image_matches(given, found)
    files = _Files(given, found, scores, sizes)
    if not matches or (matches[0].by.startswith("place") and not files.can_compare):
        if found.keys:
            raise unmatched(given, found)
        matches = [ImageMatch("file name", np.empty(0, dtype=np.int64))]
    how = files.best(matches)
    codes, notes = _codes(files, how, names)
    image = how.match.image.copy()
    alone = np.flatnonzero(image < 0)
    is_other = of_other_splits(given, [found.keys[at] for at in alone])
    more = alone[~is_other].tolist()
    image[more] = len(given.keys) + np.arange(len(more))
    on_images = notes_on_images(given, found, image, more, how.match.by)
    if is_other.any():
        shown = ", ".join(found.names[at] for at in alone[is_other][:5])
        on_images.append(
            f"{np.count_nonzero(is_other):,} images of the predictions are of another split, and"
            f" left out, such as {shown}."
        )
    if files.has_turned and given.is_relative != found.is_relative:
        as_said = "as they are stored" if how.as_stored else "as viewers show them"
        notes.append(f"Pictures that EXIF turns have the size {as_said}.")
    return FilePairing(
        image, more, how.as_stored, [*on_images, *notes], given, found, codes, how.geometry
    )


class _Files:
    """Two files, and how well they agree in one reading and another."""

    def __init__(
        self, given: Listed, found: Listed, scores: Floats, sizes: tuple[Floats, Floats]
    ) -> None:
        self.given, self.found, self.scores = given, found, scores
        self.sizes = sizes
        if given.is_relative and found.is_relative:  # then the size of an image is one
            self.sizes = (np.ones_like(sizes[0]),) * 2
        self.has_turned = not np.array_equal(sizes[0], sizes[1], equal_nan=True)
        self.comparisons = [Comparison(given, self._in_pixels(each)) for each in self.sizes]
        are_known = not np.isnan(self.sizes[0][given.image]).any()
        self.can_compare = min(len(self.comparisons[0]), len(found.boxes)) >= FEW and (
            are_known or given.is_relative == found.is_relative
        )

    def _in_pixels(self, sizes: Floats) -> Floats:
        given = self.given
        if not given.is_relative or not len(given.boxes):
            return given.boxes
        pixels: Floats = given.boxes * np.tile(sizes[given.image], 2)
        return pixels

    def rows(self, how: _How) -> tuple[Ints, Floats]:
        """Return the image of each predicted box, -1 = none, and the size of that image."""
        image = how.match.image[self.found.image]
        sizes = np.concatenate([self.sizes[how.as_stored], np.full((1, 2), np.nan)])
        return image, sizes[image]

    def boxes(self, how: _How) -> Floats:
        """Return predicted boxes in pixels."""
        _, sizes = self.rows(how)
        if how.geometry != _AS_WRITTEN:
            each = geometries(self.found, sizes)
            return next(boxes for name, boxes in each if name == how.geometry)
        scale = np.tile(sizes, 2) if self.found.is_relative else 1.0
        boxes: Floats = self.found.boxes * scale
        return boxes

    def best(self, matches: Sequence[ImageMatch]) -> _How:
        """Return how the two are read; see the module."""
        how = _How(matches[0], _AS_WRITTEN, False)
        if not self.can_compare:
            return how
        taken = Reading(how.geometry, how, self._share(how, self.boxes(how)))
        best = best_reading(taken, self._others(matches))
        path = self.found.source.files[0].name
        if best is taken:
            if matches[0].by.startswith("place") and taken.agreement < CLEAR:
                raise unmatched(self.given, self.found)
            self._check_poor(taken)
        elif best.value._replace(as_stored=False) != how:
            names = _differences(best.value, how), _differences(how, best.value)
            why = compared(
                best._replace(name=names[0]), taken._replace(name=names[1]), "annotated boxes"
            )
            warn(f"{path}: read {why}. Check that it is so.")
        return best.value

    def _share(self, how: _How, boxes: Floats) -> float:
        image, _ = self.rows(how)
        return self.comparisons[how.as_stored].share(image, boxes, self.scores)

    def _others(self, matches: Sequence[ImageMatch]) -> Iterator[Reading[_How]]:
        for as_stored in (False, True) if self.has_turned else (False,):
            for at, match in enumerate(matches):
                how = _How(match, _AS_WRITTEN, as_stored)
                if at or as_stored:
                    yield Reading(how.geometry, how, self._share(how, self.boxes(how)))
                _, sizes = self.rows(how)
                for name, boxes in geometries(self.found, sizes):
                    if at and "pixels of" in name:
                        continue
                    other = how._replace(geometry=name)
                    yield Reading(name, other, self._share(other, boxes))

    def _check_poor(self, taken: Reading[_How]) -> None:
        """Refuse annotations that fit if they are read otherwise; warn where nothing fits."""
        image, boxes = self.rows(taken.value)[0], self.boxes(taken.value)
        comparison = self.comparisons[0]
        for name, corners in forms(self.given) if taken.agreement < CLEAR else ():
            share = comparison.with_boxes(corners).share(image, boxes, self.scores)
            if share >= CLEAR and share >= taken.agreement + GAIN:
                raise InputError(
                    str(self.given.source.files[0]),
                    f"has boxes that fit the predictions if they are read {name}: {share:.1%} do"
                    f" so, and {taken.agreement:.1%} as its format has them",
                    "Write them as the format has them, or say which format it is",
                )
        if taken.agreement < _POOR and len(comparison) >= _ENOUGH_TO_WARN:
            warn(
                f"predictions: only {taken.agreement:.1%} of the annotated boxes have one over"
                " them, in this reading and in others. What is flagged says nothing about the"
                " labels unless images, units and order of numbers are the same on both sides."
            )


def _differences(how: _How, other: _How) -> str:
    """Say how files are read, as far as another reading differs."""
    parts = []
    if how.geometry != other.geometry:
        parts.append(how.geometry)
    if how.match.by != other.match.by:
        parts.append(f"by {how.match.by}")
    if how.as_stored != other.as_stored:
        parts.append(
            f"with pictures as {'they are stored' if how.as_stored else 'viewers show them'}"
        )
    return " and ".join(parts)


def _codes(files: _Files, how: _How, names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Return the class of each class of the predictions."""
    given, found = files.given, files.found
    error = None
    try:
        codes, notes = matched_classes(given, found, names)
    except InputError as unknown:
        error, codes, notes = unknown, np.full(len(found.codes), -1, dtype=np.int64), []
    if found.is_named or not files.can_compare:
        if error is not None:
            raise error
        return codes, notes
    image, _ = files.rows(how)
    comparison = files.comparisons[how.as_stored]
    rows, is_found = comparison.partners(image, files.boxes(how), files.scores)
    own, theirs = comparison.labels[is_found], found.labels[rows[is_found]]
    if len(own) < FEW:
        if error is not None:
            raise error
        return codes, notes

    def reading(name: str, labels: Ints) -> Reading[Ints]:
        return Reading(name, labels, float((labels[theirs] == own).mean()))

    taken = reading("as they are", codes)
    best = best_reading(taken, [reading(*each) for each in class_orders(given, found, names)])
    if best is taken:
        if error is not None:
            raise error
        _warn_of_permuted(taken, own, theirs, names)
        return codes, notes
    used = np.unique(found.labels).tolist()
    order = ", ".join(f"{found.codes[at]} {names[best.value[at]]}" for at in used[:10])
    path = found.source.files[0].name
    warn(
        f"{path}: class numbers are read {compared(best, taken, 'classes of boxes')}. They are"
        f" taken for {order}; if they are others, name the classes in the order of their numbers."
    )
    return best.value, notes


def _warn_of_permuted(taken: Reading[Ints], own: Ints, theirs: Ints, names: Sequence[str]) -> None:
    """Warn if each class of the predictions is another one of the labels, and always the same."""
    pairs, counts = np.unique(theirs * len(names) + own, return_counts=True)
    rows, columns = np.divmod(pairs, len(names))
    order = np.lexsort((-counts, rows))  # the most frequent of each row first
    used, first = np.unique(rows[order], return_index=True)
    best = order[first]
    usual = columns[best]
    agreement = counts[best].sum() / len(own)
    is_one_to_one = len(np.unique(usual)) == len(used) > 1
    if is_one_to_one and agreement >= CLEAR and agreement >= taken.agreement + GAIN:
        examples = ", ".join(
            f"{names[taken.value[at]]!r} lies over {names[under]!r}"
            for at, under in zip(used[:5], usual[:5], strict=True)
        )
        warn(
            f"predictions: their classes seem to be numbered otherwise: {examples}. Then"
            f" {agreement:.1%} of the classes agree, and {taken.agreement:.1%} as they are. Name"
            " the classes in the order of the predictions' numbers."
        )
