"""Boxes judged wrong as the rows of `LabelIssues`: what to do, and why in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen
from goldlabel.results.label_issues import Parts
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.boxes import Pair
from goldlabel.tasks.detection.objectlab import BoxScores, Constants
from goldlabel.tasks.detection.scoring import (
    ACTIONS,
    BADLOC,
    KINDS,
    OVERLOOKED,
    SPURIOUS,
    SWAP,
    Scoring,
)
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["CORNERS", "from_objectlab", "from_scoring"]


CORNERS = ("x1", "y1", "x2", "y2")
"""Evidence that names the suggested box: pixels from the top left; missing where there is none."""


def from_scoring(scoring: Scoring) -> Parts:
    """Return what the default method flags, worst first."""
    boxes = scoring.boxes.select(np.flatnonzero(scoring.boxes.is_issue))
    usual = np.full(len(boxes.kind), np.nan)
    by_model = np.isin(boxes.kind, (OVERLOOKED, SWAP, BADLOC))
    classes = scoring.pair.predictions.labels[boxes.other[by_model]]
    usual[by_model] = scoring.calibration.thresholds[classes]
    lone = boxes.kind == SPURIOUS
    usual[lone] = scoring.calibration.missed_rate[boxes.annotation[lone]]
    return _parts(
        scoring.pair,
        kind=boxes.kind,
        annotation=boxes.annotation,
        other=boxes.other,
        score=boxes.score,
        confidence=boxes.confidence,
        iou=boxes.iou,
        usual=usual,
    )


def from_objectlab(
    pair: Pair, scores: BoxScores, wrong: dict[str, Mask], constants: Constants
) -> Parts:
    """Return what ObjectLab flags, with the prediction that speaks most against each box."""
    missed = np.flatnonzero(wrong["overlooked"])
    moved = np.flatnonzero(wrong["badloc"])
    swapped = np.flatnonzero(wrong["swap"])
    moved_by = _best(pair, moved, same=True, least=constants.low_probability)
    swapped_by = _best(pair, swapped, same=False, least=constants.high_probability)
    predicted_scores = np.append(pair.predictions.scores, np.nan)
    other = np.concatenate([missed, moved_by, swapped_by])
    sizes = [len(missed), len(moved), len(swapped)]
    iou = np.full(len(other), np.nan)
    iou[: len(missed)] = 0.0
    return _parts(
        pair,
        kind=np.repeat(np.array([OVERLOOKED, BADLOC, SWAP], dtype=np.int8), sizes),
        annotation=np.concatenate([np.full(len(missed), -1), moved, swapped]),
        other=other,
        score=np.concatenate(
            [scores.overlooked[missed], scores.badloc[moved], scores.swap[swapped]]
        ),
        confidence=np.nan_to_num(predicted_scores[other], nan=0.0),
        iou=iou,
        usual=np.full(len(other), np.nan),
    )


def _best(pair: Pair, rows: Ints, *, same: bool, least: float) -> Ints:
    """Return for each annotation the prediction nearest to it that ObjectLab looks at; -1 = none.

    Only the few flagged boxes are asked for.
    """
    annotations, predictions = pair.annotations, pair.predictions
    best = np.empty(len(rows), dtype=np.int64)
    kernels.best_predictions(
        frozen(annotations.boxes[rows]), frozen(annotations.labels[rows]),
        frozen(annotations.images[rows]), frozen(predictions.boxes), frozen(predictions.labels),
        frozen(predictions.scores), frozen(predictions.offsets), same, least, best,
    )  # fmt: skip
    return best


def _parts(
    pair: Pair,
    *,
    kind: npt.NDArray[np.int8],
    annotation: Ints,
    other: Ints,
    score: Floats,
    confidence: Floats,
    iou: Floats,
    usual: Floats,
) -> Parts:
    annotations, predictions = pair.annotations, pair.predictions
    is_new = annotation < 0
    from_model = np.isin(kind, (OVERLOOKED, BADLOC, SWAP)) & (other >= 0)
    own, by = np.where(is_new, 0, annotation), np.where(from_model, other, 0)
    example = np.where(is_new, _at(predictions.images, by), _at(annotations.images, own))
    number = by - predictions.offsets[example] + pair.all_counts[example]
    part = np.where(is_new, number, _at(pair.positions, own))
    label = np.where(is_new, -1, _at(annotations.labels, own))
    suggested = np.where(from_model, _at(predictions.labels, by), -1)
    suggested = np.where(kind == BADLOC, label, suggested)
    corners = _suggested_boxes(pair, kind, own, by, from_model)
    action = np.array(ACTIONS, dtype=object)[kind]
    action[(kind != OVERLOOKED) & ~from_model & np.isin(kind, (BADLOC, SWAP))] = ""
    order = np.lexsort((part, example, score))
    evidence = {
        "action": action,
        **{name: corners[:, at] for at, name in enumerate(CORNERS)},
        "model_score": np.where(from_model, _at(predictions.scores, by), np.nan),
        "iou": iou,
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
        reasons=dict(zip(KINDS, _REASONS, strict=True)),
    )


def _at(values: npt.NDArray[Any], rows: Ints) -> npt.NDArray[Any]:
    """Return values by row; zeros where there are no values at all, to be masked."""
    return values[rows] if len(values) else np.zeros(len(rows), dtype=values.dtype)


def _suggested_boxes(
    pair: Pair, kind: npt.NDArray[np.int8], own: Ints, by: Ints, from_model: Mask
) -> Floats:
    """Return the box that is to be there: the model's to add or move, else the one given."""
    corners = np.full((len(kind), 4), np.nan)
    if len(pair.annotations.boxes):
        stays = kind == SWAP
        corners[stays] = pair.annotations.boxes[own[stays]]
    if len(pair.predictions.boxes):
        new = from_model & np.isin(kind, (OVERLOOKED, BADLOC))
        corners[new] = pair.predictions.boxes[by[new]]
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


_REASONS: tuple[Callable[..., str], ...] = (_overlooked, _badloc, _swap, _duplicated, _spurious)
