"""Two pictures of an audit: given against predicted, and how far off labels are.

Flagged examples differ from others by colour, by shape and by size, and both stand on white, so
that they can be told apart in grey and in a dark page.
"""

from __future__ import annotations

import io
import warnings
from contextlib import ExitStack
from typing import Any

import numpy as np

from goldlabel.results.audit import Figure
from goldlabel.typing import Floats, Mask

__all__ = ["plots"]


_BLUE, _ORANGE, _GREY = "#3b6ea5", "#c2410c", "#6b7280"
_POINTS = 4000
"""So many unflagged examples are drawn one by one; the plot of more is a sample of them."""
_FLAGGED = 1000
_STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": "#1f2937",
    "xtick.color": "#374151",
    "ytick.color": "#374151",
    "svg.hashsalt": "goldlabel",
}


def plots(labels: Floats, predictions: Floats, flagged: Mask, name: str) -> tuple[Figure, ...]:
    """Draw the pictures of n examples whose labels are numbers.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n,), float64
    flagged : ndarray of shape (n,), bool
    name : str
        What the label is called.
    """
    if not labels.size:
        return ()
    return (
        _scatter(labels, predictions, flagged, name),
        _histogram(predictions - labels, flagged),
    )


def _scatter(labels: Floats, predictions: Floats, flagged: Mask, name: str) -> Figure:
    right, wrong = np.flatnonzero(~flagged), np.flatnonzero(flagged)
    right, wrong = right[:: max(1, -(-len(right) // _POINTS))], wrong[:_FLAGGED]
    low, high = _frame(labels, predictions, flagged)
    inside = (labels[wrong] >= low) & (labels[wrong] <= high)
    with _axes((6.4, 5.2)) as (figure, axes):
        axes.plot([low, high], [low, high], color=_GREY, linewidth=1, label="given = predicted")
        axes.scatter(
            predictions[right], labels[right], s=12, color=_BLUE, alpha=0.45, linewidths=0,
            label="not flagged",
        )  # fmt: skip
        axes.scatter(
            predictions[wrong[inside]], labels[wrong[inside]], s=44, marker="x", color=_ORANGE,
            linewidths=1.6, label="flagged",
        )  # fmt: skip
        margin = 0.02 * (high - low)
        for marker, place, off in (
            ("^", high + margin, labels[wrong] > high),
            ("v", low - margin, labels[wrong] < low),
        ):
            if off.any():
                axes.scatter(
                    predictions[wrong[off]], np.full(off.sum(), place), s=44, marker=marker,
                    color=_ORANGE, linewidths=0, label="flagged, beyond", clip_on=False,
                )  # fmt: skip
        axes.set_xlim(*_padded(predictions.min(), predictions.max()))
        axes.set_ylim(low - 2 * margin, high + 2 * margin)
        axes.set_xlabel("predicted, without having seen the label")
        axes.set_ylabel(f"given ({_short(name)})")
        figure.legend(frameon=False, loc="outside upper left", ncols=4, fontsize=9)
        png = _png(figure)
    beyond = int(np.count_nonzero((labels < low) | (labels > high)))
    outer = f" Triangles: {beyond:,} labels lie beyond the frame." if beyond else ""
    alt = (
        f"Given against predicted values of {len(labels):,} examples, labels from"
        f" {labels.min():.4g} to {labels.max():.4g}; the {int(flagged.sum()):,} flagged ones are"
        " crosses far from the diagonal."
    )
    note = f"On the line a label is what the model predicts. Crosses are flagged.{outer}"
    return Figure("Given and predicted", png, alt, note)


def _frame(labels: Floats, predictions: Floats, flagged: Mask) -> tuple[float, float]:
    """Return the range of labels to draw: flagged ones do not push all others into a corner."""
    usual = np.concatenate([labels[~flagged], predictions])
    low, high = float(usual.min()), float(usual.max())
    reach = 0.5 * (high - low) or 1.0
    low, high = (
        max(low - reach, min(low, float(labels.min()))),
        min(high + reach, max(high, float(labels.max()))),
    )
    return low, high if high > low else low + 1.0


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.03 * (high - low) or 1.0
    return low - margin, high + margin


def _histogram(residuals: Floats, flagged: Mask) -> Figure:
    reach = float(np.quantile(np.abs(residuals), 0.98)) * 2 or 1.0
    edges = np.linspace(-reach, reach, 61)
    inside = np.clip(residuals, -reach, reach)
    beyond = int(np.count_nonzero(np.abs(residuals) > reach))
    with _axes((6.4, 3.4)) as (figure, axes):
        axes.hist(
            [inside[~flagged], inside[flagged]], bins=edges, stacked=True, linewidth=0,
            color=[_BLUE, _ORANGE], label=["not flagged", "flagged"],
        )  # fmt: skip
        for patch in axes.containers[1]:
            patch.set_hatch("////")
            patch.set_edgecolor("white")
        axes.set_yscale("symlog", linthresh=10)
        axes.set_ylim(bottom=0)
        axes.axvline(0, color=_GREY, linewidth=1)
        axes.set_xlabel("predicted less given")
        axes.set_ylabel("examples")
        axes.legend(frameon=False, loc="upper right")
        png = _png(figure)
    outer = f" The outermost bars hold the {beyond:,} beyond." if beyond else ""
    alt = (
        f"Histogram of predicted less given: median {np.median(residuals):.4g}, half of the"
        f" examples within {np.median(np.abs(residuals)):.4g} of 0, flagged ones at both ends."
    )
    note = f"Heights are linear up to 10 and logarithmic from there on.{outer}"
    return Figure("How far labels are off", png, alt, note)


class _axes:
    """A figure with one pair of axes, in our style and without any global state."""

    def __init__(self, size: tuple[float, float]) -> None:
        self._size = size

    def __enter__(self) -> tuple[Any, Any]:
        # Half a second to load: only a report waits for it.
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas

        # Whatever a user's own settings are, a report looks the same.
        style: dict[Any, Any] = {**mpl.rcParamsDefault, **_STYLE, "backend": "agg"}
        self._stack = ExitStack()
        self._stack.enter_context(mpl.rc_context(style))
        # A name that the font has no letters for is shown as boxes, and no reason to stop.
        self._stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        figure = Canvas(figsize=self._size, dpi=110, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        return figure, figure.add_subplot()

    def __exit__(self, *error: object) -> None:
        self._stack.close()


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _short(name: str, limit: int = 40) -> str:
    """Return a name that cannot be taken for mathematics, nor fill the figure."""
    plain = "".join(c if c.isprintable() else " " for c in name).replace("$", r"\$")
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
