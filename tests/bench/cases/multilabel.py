"""Multilabel: label issues, confident joint, scores and health, against cleanlab."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

PER_EXAMPLE = 3.0
"""Mean number of classes of an example."""
MISTAKES = 0.05
"""Share of the given classes that are dropped, and as many that are added."""
MARGIN = 3.5, 1.5
"""Mean and deviation of a cell's logit on the right side."""

ABOUT = f"""\
Made up from a fixed seed. An example has {PER_EXAMPLE:g} classes on average, long-tailed;
{100 * MISTAKES:g} % of what is given was dropped, and as much was added at random. The model's
probability of a class is on the right side of a half for about 99 % of the cells. cleanlab is
given lists of classes, as it asks for, and goldlabel the matrix; both are made beforehand."""


def make(n: int, k: int, dtype: str) -> Arrays:
    """Return labels, some of them wrong, and predicted probabilities."""
    rng = np.random.default_rng(n + k)
    share = (1.0 + rng.permutation(k)) ** -0.6
    share = np.minimum(share * PER_EXAMPLE / share.sum(), 0.6)
    labels = np.empty((n, k), dtype=np.int8)
    probs = np.empty((n, k), dtype=dtype)
    for start in range(0, n, 4096):
        rows = slice(start, min(start + 4096, n))
        size = (rows.stop - rows.start, k)
        true = rng.random(size) < share
        logits = rng.normal(*MARGIN, size=size)
        probs[rows] = 1.0 / (1.0 + np.exp(np.where(true, -logits, logits)))
        wrong = rng.random(size) < np.where(true, MISTAKES, MISTAKES * share)
        labels[rows] = true ^ wrong
    return {"labels": labels, "pred_probs": probs}


def inputs(*shapes: tuple[int, int]) -> tuple[Input, ...]:
    return tuple(
        Input(f"{shape_name(n, k)} {dtype}", lambda n=n, k=k, dtype=dtype: make(n, k, dtype))
        for n, k in shapes
        for dtype in ("float64", "float32")
    )


def shape_name(n: int, k: int) -> str:
    return f"{n:,} x {k}"


class Given(dict[str, Any]):
    """The arrays, and the same labels as lists."""


def prepare(arrays: Arrays) -> Any:
    """Make the lists that cleanlab asks for."""
    given = Given(arrays)
    rows, members = np.nonzero(arrays["labels"])
    ends = np.searchsorted(rows, np.arange(len(arrays["labels"]) + 1))
    flat = members.tolist()
    given["lists"] = [flat[a:b] for a, b in pairwise(ends)]
    return given


def ours(given: Any) -> tuple[np.ndarray, np.ndarray]:
    return given["labels"], given["pred_probs"]


def theirs(given: Any) -> tuple[list[list[int]], np.ndarray]:
    return given["lists"], given["pred_probs"]


# What both do


def issues(given: Any) -> Any:
    from goldlabel.tasks import multilabel

    return multilabel.find_label_issues(*ours(given))


def peer_issues(given: Any) -> Any:
    """Find issues per example and class: what one call of ours gives is two of theirs."""
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
    from cleanlab.multilabel_classification.rank import get_label_quality_scores

    return find_multilabel_issues_per_class(*theirs(given)), get_label_quality_scores(
        *theirs(given)
    )


def peer_filter(given: Any) -> Any:
    from cleanlab.filter import find_label_issues

    return find_label_issues(*theirs(given), multi_label=True)


def joint(given: Any) -> Any:
    from goldlabel.tasks import multilabel

    return multilabel.confident_joint(*ours(given))


def peer_joint(given: Any) -> Any:
    from cleanlab.count import compute_confident_joint

    return compute_confident_joint(*theirs(given), multi_label=True)


def scores(**options: Any) -> Any:
    def call(given: Any) -> Any:
        from goldlabel.tasks import multilabel

        return multilabel.get_label_quality_scores(*ours(given), **options)

    return call


def peer_scores(**options: Any) -> Any:
    def call(given: Any) -> Any:
        from cleanlab.multilabel_classification.rank import get_label_quality_scores

        return get_label_quality_scores(*theirs(given), **options)

    return call


# How equal the results must be


def is_double(given: Any) -> bool:
    return given["pred_probs"].dtype == np.float64


def same_scores(given: Any, found: np.ndarray, expected: np.ndarray) -> str:
    tolerance = 1e-9 if is_double(given) else 1e-5
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    return f"equal to {tolerance:g}"


def same_cells(given: Any, found: Any, expected: Any) -> str:
    cells, expected_scores = expected
    same_scores(given, found.scores, expected_scores)
    mine = np.zeros(cells.shape, dtype=bool)
    mine[found.parts.example, found.parts.part] = True
    return few(given, int((mine != cells).sum()), len(found.parts), "cells")


def same_examples(given: Any, found: Any, expected: np.ndarray) -> str:
    return few(given, int((found.is_issue != expected).sum()), len(found), "examples")


def few(given: Any, differ: int, of: int, what: str) -> str:
    """Count what differs: by ties in the joint's rounding, and in float32 by cleanlab's means."""
    allowed = int(np.abs(joint(given) - peer_joint(given)).sum()) + (
        0 if is_double(given) else max(2, of // 1000)
    )
    assert differ <= allowed, f"{differ} of {of} {what} differ"
    return "equal" if not differ else f"{differ:,} of {of:,} {what} differ: ties in rounding"


def same_joint(given: Any, found: np.ndarray, expected: np.ndarray) -> str:
    np.testing.assert_array_equal(found.sum(axis=2), expected.sum(axis=2))
    most = 1 if is_double(given) else 3
    assert np.abs(found - expected).max() <= most
    moved = int(np.abs(found - expected).sum()) // 2
    return f"{moved:,} of {found.sum():,} counts moved: ties in rounding" if moved else "equal"


def bare_read(given: Any) -> Any:
    import measure

    return measure.bare_read(given["pred_probs"])


CASES = (
    Case(
        "find_label_issues",
        "Label issues per example, default filter",
        issues,
        peer_filter,
        same_examples,
        first=True,
    ),
    Case(
        "find_label_issues_and_cells",
        "Label issues per example and class, with scores",
        issues,
        peer_issues,
        same_cells,
    ),
    Case("confident_joint", "Confident joint of each class", joint, peer_joint, same_joint),
    Case(
        "scores", "Score: moving average of self-confidence", scores(), peer_scores(), same_scores
    ),
    Case(
        "softmin",
        "Score: softmin of self-confidence",
        scores(aggregator="softmin"),
        peer_scores(aggregator_kwargs={"method": "softmin", "temperature": 0.1}),
        same_scores,
    ),
)

LONG, WIDE = (100_000, 20), (20_000, 500)


def both(*shapes: tuple[int, int]) -> tuple[str, ...]:
    return tuple(
        f"{shape_name(*shape)} {dtype}" for shape in shapes for dtype in ("float64", "float32")
    )


TARGETS = (
    *(
        Target(
            "find_label_issues",
            both(shape),
            "ratio.processor",
            f"label issues: at least {least} x less processor time than cleanlab",
            at_least=least,
        )
        for shape, least in ((LONG, 30), (WIDE, 100))
    ),
    Target(
        "find_label_issues",
        both(LONG, WIDE),
        "memory.ours.share_without_result",
        "label issues: extra memory, without the result, under 20 % of pred_probs",
        at_most=0.2,
    ),
    Target(
        "find_label_issues",
        both(WIDE),
        "memory.ours.share",
        "label issues: extra memory, with the result, under 20 % of pred_probs",
        at_most=0.2,
    ),
)

SECTION = Section(
    name="multilabel",
    title="Multilabel",
    about=ABOUT,
    peer="cleanlab",
    largest="pred_probs",
    inputs={
        "tiny": inputs((300, 4)),
        "small": inputs((5_000, 10), (1_000, 100)),
        "full": inputs(LONG, WIDE),
    },
    cases=CASES,
    targets=TARGETS,
    floor=bare_read,
    prepare=prepare,
)
