"""Put the classes of a file into the order of the predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.predictions import PredProbs
from goldlabel.formats.tables.class_order import arrange
from goldlabel.inputs.labels import NOT_A_CLASS
from goldlabel.tasks.multilabel.formats.given import Given, rows_of
from goldlabel.tasks.multilabel.inputs import BadLabel

__all__ = ["Arranged", "arranged"]

_FEW = 10
"""From so many entries on, lists whose entries all differ list no classes."""
_MANY = 50
"""Up to so many classes a column of lists may have without any of them coming twice."""


class Arranged(NamedTuple):
    """Annotations by class, classes in their final order.

    Attributes
    ----------
    labels : ndarray of shape (n, k), int8
    names : tuple of str
    values : tuple
        What the file holds for each class.
    places : tuple of int
        Which of the file's classes each one is.
    notes : tuple of str
    bad : tuple of BadLabel
        Entries of lists that are none of the classes, and cells that are neither yes nor no.
    """

    labels: npt.NDArray[np.int8]
    names: tuple[str, ...]
    values: tuple[Any, ...]
    places: tuple[int, ...]
    notes: tuple[str, ...]
    bad: tuple[BadLabel, ...] = ()


def arranged(given: Given, probs: PredProbs | None, classes: Sequence[str] | None) -> Arranged:
    """Put classes in order: of the columns of predictions, of `classes`, or else of the file.

    Raises
    ------
    InputError
        The classes of labels and predictions are not the same; says which differ.
    """
    k = None if probs is None else probs.values.shape[1]
    named = None if probs is None else probs.classes
    if not given.is_whole:
        return _of_lists(given, k, named, classes)
    given, own_places, notes = _without_groups(given, k, named or classes)
    own = given.found.names
    if k is not None and k != len(own):
        raise InputError(
            "pred_probs",
            f"has {k} columns, and {given.where} has {len(own)} classes: {_shown(own)}",
            "Predict each of these classes, or name the right ones with the option labels",
        )
    order = tuple(named or classes or own)
    if named is not None and classes is not None and set(named) != set(classes):
        other = sorted(set(named) ^ set(classes))
        raise InputError(
            "classes", f"and the columns of pred_probs differ in {other[0]!r}", "Give both alike"
        )
    if given.positions:
        if len(order) != len(own):
            raise InputError(
                "classes", f"has {len(order)} names, and {given.where} {len(own)}", "Name each"
            )
        places = tuple(range(len(own)))
    else:
        places = _places(given, order, "pred_probs" if named is not None else "classes")
    labels = given.labels
    if places != tuple(range(len(own))):
        labels = np.ascontiguousarray(labels[:, list(places)])
    note = f"{len(order):,} classes: {_shown(order)}."
    places = tuple(own_places[at] for at in places)
    of_file = {at: part for part, at in enumerate(places)}
    bad = tuple(each._replace(part=of_file[each.part]) for each in given.bad)
    return Arranged(labels, order, order, places, (*notes, note), bad)


def _without_groups(
    given: Given, k: int | None, wanted: Sequence[str] | None
) -> tuple[Given, tuple[int, ...], list[str]]:
    """Leave out classes that only group others, unless the predictions are of them too."""
    names = given.found.names
    everything = tuple(range(len(names)))
    named = [names[at] for at in given.groups if wanted is not None and names[at] in wanted]
    if not given.groups or named or (wanted is None and k == len(names)):
        return given, everything, []
    kept = tuple(at for at in everything if at not in given.groups)
    groups = _shown([names[at] for at in given.groups])
    rest = tuple(names[at] for at in kept)
    labels = np.ascontiguousarray(given.labels[:, list(kept)])
    found = given.found._replace(names=rest, values=rest)
    note = f"Left out {groups}: the group of other classes, which no image has."
    return given._replace(labels=labels, found=found), kept, [note]


def _places(given: Given, order: Sequence[str], said: str) -> tuple[int, ...]:
    place = {name: at for at, name in enumerate(given.found.names)}
    strange = [name for name in order if name not in place]
    if strange or len(set(order)) != len(place):
        lacking = [name for name in place if name not in set(order)]
        what = f"{said} names {strange[0]!r}, and the labels do not" if strange else ""
        if lacking:
            what += (" but " if what else "") + f"the labels name {lacking[0]!r}"
            what += "" if strange else f", and {said} does not"
        raise InputError(
            given.where,
            f"{what or 'a class is named twice'} ({len(strange) + len(lacking)} such)",
            "Name the classes alike in both",
        )
    return tuple(place[name] for name in order)


def _of_lists(
    given: Given, k: int | None, named: Sequence[str] | None, classes: Sequence[str] | None
) -> Arranged:
    found = given.found
    entries = len(found.codes)
    unlike = len(found.names) == entries >= _FEW and len(found.names) != k
    if unlike or len(found.names) > max(_MANY, entries / 2, k or 0):
        raise InputError(
            given.where,
            f"has {len(found.names):,} different values in lists of {entries:,} in all, too many"
            " for classes",
            "Name another column, or say what separates classes with the option separator",
        )
    order = rows_of(
        given.rows,
        lambda: arrange(
            found,
            given.where,
            listed=given.listed,
            positions=given.listed is not None,
            classes=classes,
            columns=named,
            k=k,
            mark_unknown=True,
        ),
    )
    n = len(given.labels)
    labels = np.zeros((n, len(order.names)), dtype=np.int8)
    is_class = order.place != NOT_A_CLASS
    labels[:, order.place[is_class]] = given.labels[:, is_class]
    if given.labels.size:
        labels[(given.labels < 0).all(axis=1)] = -1
    bad = tuple(
        BadLabel(int(row), -1, found.names[code])
        for row, code in zip(given.rows.tolist(), found.codes.tolist(), strict=True)
        if not is_class[code]
    )
    places = tuple(range(len(order.names)))
    return Arranged(labels, order.names, order.values, places, order.notes, bad)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
