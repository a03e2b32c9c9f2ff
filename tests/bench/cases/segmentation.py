"""Segmentation: pixel issues and scores of images, against cleanlab."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

WRONG = 0.2
"""Share of the images with a wrong region."""
SHARP = 3.0
"""How far the logit of the true class is above the others."""

ABOUT = f"""\
Made up from a fixed seed. A mask is patches of classes of different sizes; in {100 * WRONG:g} %
of the images a rectangle was given another class. The model's class is the true one for about
93 % of the pixels. cleanlab finds issues with its default number of worker processes, whose
processor time counts; what goldlabel finds includes scores of images and regions."""


def make(n: int, k: int, h: int, w: int, dtype: str) -> Arrays:
    """Return masks, some of them wrong, and predicted probabilities."""
    rng = np.random.default_rng(n + k)
    labels = np.empty((n, h, w), dtype=np.int64)
    probs = np.empty((n, k, h, w), dtype=dtype)
    for image in range(n):
        rows, columns = (np.sort(rng.integers(0, 9, side)) for side in (h, w))
        true = rng.integers(0, k, (9, 9))[rows][:, columns]
        logits = rng.standard_normal((k, h, w), dtype=np.float32)
        at = true[None]
        np.put_along_axis(logits, at, np.take_along_axis(logits, at, 0) + SHARP, 0)
        np.exp(logits, out=logits)
        probs[image] = logits / logits.sum(axis=0)
        labels[image] = true
        if rng.random() < WRONG:
            labels[image, h // 4 : h // 2, w // 4 : w // 2] = rng.integers(k)
    labels.reshape(-1)[:k] = np.arange(k)  # cleanlab needs every class
    return {"labels": labels, "pred_probs": probs}


def inputs(*shapes: tuple[int, int, int, int], dtype: str = "float32") -> tuple[Input, ...]:
    return tuple(Input(shape_name(*each), lambda each=each: make(*each, dtype)) for each in shapes)


def shape_name(n: int, k: int, h: int, w: int) -> str:
    return f"{n} x {k} x {h} x {w}"


def both(given: Any) -> tuple[np.ndarray, np.ndarray]:
    return given["labels"], given["pred_probs"]


def issues(given: Any) -> Any:
    from goldlabel.tasks import segmentation

    return segmentation.find_label_issues(*both(given))


def pixels(given: Any) -> Any:
    from goldlabel.tasks import segmentation

    return np.stack(segmentation.find_pixel_issues(*both(given)))


def peer_issues(given: Any) -> Any:
    from cleanlab.segmentation.filter import find_label_issues

    return find_label_issues(*both(given), verbose=False)


def scores(method: str) -> Any:
    def call(given: Any) -> Any:
        from goldlabel.tasks import segmentation

        return segmentation.get_label_quality_scores(*both(given), method=method)

    return call


def peer_softmin(given: Any) -> Any:
    from cleanlab.segmentation.rank import get_label_quality_scores

    return get_label_quality_scores(*both(given), verbose=False)[0]


def same_pixels(given: Any, found: Any, expected: np.ndarray) -> str:
    mine = found if isinstance(found, np.ndarray) else pixels(given)
    differ = int((mine != expected).sum())
    assert differ <= max(4, mine.sum() // 1000), f"{differ} of {mine.sum()} pixels differ"
    return "equal" if not differ else f"{differ:,} of {mine.sum():,} pixels differ: ties"


def same_scores(given: Any, found: np.ndarray, expected: np.ndarray) -> str:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    return "equal to 1e-5"


def bare_read(given: Any) -> Any:
    import measure

    probs = given["pred_probs"]
    return measure.bare_read(probs.reshape(-1, probs.shape[-1]))


CASES = (
    Case(
        "find_label_issues",
        "Label issues: images, regions, pixels",
        issues,
        peer_issues,
        same_pixels,
        first=True,
    ),
    Case("find_pixel_issues", "Masks of the wrong pixels", pixels, peer_issues, same_pixels),
    Case("softmin", "Score: softmin", scores("softmin"), peer_softmin, same_scores),
)

MANY, LARGE = (100, 11, 256, 256), (20, 21, 512, 512)

TARGETS = tuple(
    target
    for shape, least in ((MANY, 200), (LARGE, 60))
    for target in (
        Target(
            "find_label_issues",
            (shape_name(*shape),),
            "ratio.processor",
            f"issues: at least {least} x less processor time than cleanlab",
            at_least=least,
        ),
        Target(
            "find_label_issues",
            (shape_name(*shape),),
            "memory.ours.share",
            "issues: extra memory under two images' worth, one for each core",
            at_most=2 / shape[0],
        ),
    )
)

SECTION = Section(
    name="segmentation",
    title="Segmentation",
    about=ABOUT,
    peer="cleanlab",
    largest="pred_probs",
    inputs={
        "tiny": inputs((3, 3, 16, 16)),
        "small": inputs((8, 5, 64, 64)),
        "full": inputs(MANY, LARGE),
    },
    cases=CASES,
    targets=TARGETS,
    floor=bare_read,
)
