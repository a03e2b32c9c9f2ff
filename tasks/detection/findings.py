"""Boxes judged wrong as the rows of `LabelIssues`: what to do, and why in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.results.label_issues import Parts
from goldlabel.tasks.detection.boxes import Boxes, Pair
from goldlabel.tasks.detection.judging import (
    ACTIONS,
    BADLOC,
    KINDS,
    OVERLOOKED,
    SPURIOUS,
    SWAP,
    Judged,
)
from goldlabel.tasks.detection.matching import Learned
from goldlabel.tasks.detection.objectlab import BoxScores, Constants
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["CORNERS", "from_judged", "from_objectlab"]


CORNERS = ("x1", "y1", "x2", "y2")
"""Evidence that names the suggested box: pixels from the top left; missing where there is none."""


def from_judged(pair: Pair, learned: Learned, judged: Judged) -> Parts:
    """Return what the default method flags, worst first."""
    rows = np.flatnonzero(judged.is_issue)
    return _parts(
        pair,
        kind=judged.kind[rows],
        box=judged.box[rows],
        model=judged.model[rows],
        score=judged.score[rows],
        confidence=judged.confidence[rows],
        overlap=judged.overlap[rows],
        usual=_usual(pair, learned, judged, rows),
    )


def _usual(pair: Pair, learned: Learned, judged: Judged, rows: Ints) -> Floats:
    """Return what a score or an overlap is compared with in the reason of each finding."""
    usual = np.full(len(rows), np.nan)
    kind, box, model = judged.kind[rows], judged.box[rows], judged.model[rows]
    sure = np.isin(kind, (OVERLOOKED, SWAP, BADLOC))
    usual[sure] = learned.thresholds[pair.predicted.labels[model[sure]]]
    lone = kind == SPURIOUS
    usual[lone] = learned.alone_rate[box[lone]]
    return usual


def from_objectlab(
    pair: Pair, scores: BoxScores, wrong: dict[str, Mask], constants: Constants
) -> Parts:
    """Return what ObjectLab flags, with the prediction that speaks most against each box."""
    missed = np.flatnonzero(wrong["overlooked"])
    moved = np.flatnonzero(wrong["badloc"])
    swapped = np.flatnonzero(wrong["swap"])
    moved_by = _best(pair, moved, same=True, least=constants.low_probability)
    swapped_by = _best(pair, swapped, same=False, least=constants.high_probability)
    probs = np.append(_scores(pair), np.nan)
    model = np.concatenate([missed, moved_by, swapped_by])
    sizes = [len(missed), len(moved), len(swapped)]
    overlap = np.full(len(model), np.nan)
    overlap[: len(missed)] = 0.0
    return _parts(
        pair,
        kind=np.repeat(np.array([OVERLOOKED, BADLOC, SWAP], dtype=np.int8), sizes),
        box=np.concatenate([np.full(len(missed), -1), moved, swapped]),
        model=model,
        score=np.concatenate(
            [scores.overlooked[missed], scores.badloc[moved], scores.swap[swapped]]
        ),
        confidence=np.nan_to_num(probs[model], nan=0.0),
        overlap=overlap,
        usual=np.full(len(model), np.nan),
    )


def _scores(pair: Pair) -> Floats:
    assert pair.predicted.scores is not None
    return pair.predicted.scores


def _best(pair: Pair, rows: Ints, *, same: bool, least: float) -> Ints:
    """Return for each annotation the prediction nearest to it that ObjectLab looks at; -1 = none.

    Only the few flagged boxes are asked for.
    """
    images = pair.given.images[rows]
    best = np.full(len(rows), -1, dtype=np.int64)
    for at, (row, image) in enumerate(zip(rows.tolist(), images.tolist(), strict=True)):
        first, last = pair.predicted.offsets[image : image + 2].tolist()
        agrees = pair.predicted.labels[first:last] == pair.given.labels[row]
        usable = (agrees == same) & (_scores(pair)[first:last] > least)
        if not usable.any():
            continue
        box, found = pair.given.boxes[row], pair.predicted.boxes[first:last]
        low, high = np.maximum(box[:2], found[:, :2]), np.minimum(box[2:], found[:, 2:])
        inter = np.prod(np.maximum(high - low, 0.0), axis=1)
        areas = np.prod(found[:, 2:] - found[:, :2], axis=1) + np.prod(box[2:] - box[:2])
        iou = inter / np.maximum(areas - inter, 1e-6)
        best[at] = first + int(np.argmax(np.where(usable, iou, -1.0)))
    return best


def _parts(
    pair: Pair,
    *,
    kind: npt.NDArray[np.int8],
    box: Ints,
    model: Ints,
    score: Floats,
    confidence: Floats,
    overlap: Floats,
    usual: Floats,
) -> Parts:
    given, found = pair.given, pair.predicted
    is_new = box < 0
    from_model = np.isin(kind, (OVERLOOKED, BADLOC, SWAP)) & (model >= 0)
    own, by = np.where(is_new, 0, box), np.where(from_model, model, 0)
    example = np.where(is_new, _at(found.images, by), _at(given.images, own))
    number = by - found.offsets[example] + pair.all_counts[example]
    part = np.where(is_new, number, _at(pair.positions, own))
    label = np.where(is_new, -1, _at(given.labels, own))
    suggested = np.where(from_model, _at(found.labels, by), -1)
    suggested = np.where(kind == BADLOC, label, suggested)
    corners = _suggested_boxes(given, found, kind, own, by, from_model)
    action = np.array(ACTIONS, dtype=object)[kind]
    action[(kind != OVERLOOKED) & ~from_model & np.isin(kind, (BADLOC, SWAP))] = ""
    order = np.lexsort((part, example, score))
    evidence = {
        "action": action,
        **{name: corners[:, at] for at, name in enumerate(CORNERS)},
        "model_score": np.where(from_model, _at(_scores(pair), by), np.nan),
        "iou": overlap,
        "usual": usual,
    }
    return Parts(
        example=example[order],
        part=part[order],
        kind=kind[order],
        kinds=KINDS,
        given=label[order],
        suggested=suggested[order],
        score=score[order],
        confidence=np.clip(confidence[order], 0.0, 1.0),
        evidence={name: values[order] for name, values in evidence.items()},
        reasons=dict(zip(KINDS, _TELL, strict=True)),
    )


def _at(values: npt.NDArray[Any], rows: Ints) -> npt.NDArray[Any]:
    """Return values by row; zeros where there are no values at all, to be masked."""
    return values[rows] if len(values) else np.zeros(len(rows), dtype=values.dtype)


def _suggested_boxes(
    given: Boxes,
    found: Boxes,
    kind: npt.NDArray[np.int8],
    own: Ints,
    by: Ints,
    from_model: Mask,
) -> Floats:
    """Return the box that is to be there: the model's to add or move, else the one given."""
    corners = np.full((len(kind), 4), np.nan)
    if len(given.boxes):
        stays = kind == SWAP
        corners[stays] = given.boxes[own[stays]]
    if len(found.boxes):
        new = from_model & np.isin(kind, (OVERLOOKED, BADLOC))
        corners[new] = found.boxes[by[new]]
    return corners


def _sure(model_score: float, usual: float) -> str:
    if model_score != model_score:
        return "The model"
    than = f"; right ones get {usual:.2f} on average" if usual == usual else ""
    return f"The model (score {model_score:.2f}{than})"


def _overlooked(*, suggested: str, model_score: float, usual: float, **_: Any) -> str:
    return f"{_sure(model_score, usual)} finds {suggested!r} where nothing is annotated."


def _badloc(*, given: str, model_score: float, usual: float, iou: float, **_: Any) -> str:
    how = f": the two overlap by {iou:.0%}" if iou == iou else ""
    return f"{_sure(model_score, usual)} places this {given!r} elsewhere{how}."


def _swap(*, given: str, suggested: str, model_score: float, usual: float, **_: Any) -> str:
    if suggested == "nothing":
        return f"Another annotation gives another class than {given!r} to the same place."
    return f"{_sure(model_score, usual)} finds {suggested!r} in this place, and no {given!r}."


def _duplicated(*, given: str, iou: float, **_: Any) -> str:
    return (
        f"Another annotation overlaps this {given!r} by {iou:.0%}, and the model finds one object."
    )


def _spurious(*, given: str, usual: float, **_: Any) -> str:
    return (
        f"The model finds nothing where this {given!r} is, at any score; that happens to"
        f" {usual:.1%} of the annotations of its size."
    )


_TELL: tuple[Callable[..., str], ...] = (_overlooked, _badloc, _swap, _duplicated, _spurious)
