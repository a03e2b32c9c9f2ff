"""Multiclass: label issues, confident joint, scores and health, against cleanlab."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

MISTAKES = 0.08
"""Share of wrong labels."""
MARGIN = 4.0, 3.3
"""Mean and deviation of the right class's lead in logits: right for 89 % of the examples."""
SIMILAR = 5
"""How many classes look like one another."""
CELLS = 1 << 20
"""Cells of pred_probs that are made at a time."""

ABOUT = f"""\
Made up from a fixed seed, to look like the held-out predictions of a good model. Classes are
long-tailed, and come in groups of {SIMILAR} that resemble each other. The model's class is the true
one for about 89 % of the examples, mostly with high confidence, and its mistakes are mostly within
the group; so are the wrong labels, {100 * MISTAKES:g} % of all, made by
`goldlabel.datasets.plant_errors`."""


def make(n: int, k: int, dtype: str) -> Arrays:
    """Return labels, some of them wrong, and predicted probabilities."""
    from goldlabel.datasets import plant_errors

    rng = np.random.default_rng(n + k)
    alike = resemblance(k, rng)
    share = (1.0 + rng.permutation(k)) ** -0.6
    true = rng.choice(k, size=n, p=share / share.sum())
    confusion = np.exp(alike) * (1 - np.eye(k))
    confusion *= MISTAKES / confusion.sum(axis=0)
    planted = plant_errors(
        true, kind=confusion + (1 - MISTAKES) * np.eye(k), rate=MISTAKES, seed=1, classes=range(k)
    )
    pred_probs = np.empty((n, k), dtype=dtype)
    step = max(1, CELLS // k)
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        pred_probs[rows] = predictions(true[rows], alike, rng)
    return {"labels": planted.labels.astype(np.int64), "pred_probs": pred_probs}


def resemblance(k: int, rng: np.random.Generator) -> np.ndarray:
    """Return the logit that class j gets, on average, for an example of class i."""
    group = rng.permutation(k) // SIMILAR
    alike = np.full((k, k), -np.log(k))
    near = group[:, None] == group
    alike[near] = rng.uniform(1.0, 3.0, size=int(near.sum()))
    return alike


def predictions(true: np.ndarray, alike: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what the model predicts for examples of these classes."""
    rows = np.arange(len(true))
    logits = rng.standard_normal((len(true), len(alike)), dtype=np.float32) + alike[true]
    logits[rows, true] = -np.inf
    logits[rows, true] = logits.max(axis=1) + rng.normal(*MARGIN, size=len(true))
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def shape_name(n: int, k: int) -> str:
    return f"{n:,} x {k}"


def inputs(*shapes: tuple[int, int]) -> tuple[Input, ...]:
    return tuple(
        Input(f"{shape_name(n, k)} {dtype}", lambda n=n, k=k, dtype=dtype: make(n, k, dtype))
        for n, k in shapes
        for dtype in ("float64", "float32")
    )


# What both do


def rows(given: Arrays) -> tuple[np.ndarray, np.ndarray]:
    return given["labels"], given["pred_probs"]


def issues(given: Arrays) -> Any:
    from goldlabel.tasks import multiclass

    return multiclass.find_label_issues(*rows(given))


def peer_issues(given: Arrays, **options: Any) -> Any:
    from cleanlab.filter import find_label_issues

    return find_label_issues(*rows(given), **options)


def ranked(given: Arrays) -> Any:
    from goldlabel.tasks import multiclass

    return multiclass.find_label_issues(*rows(given), filter_by="confident_learning").ranked()


def peer_ranked(given: Arrays) -> Any:
    return peer_issues(
        given, filter_by="confident_learning", return_indices_ranked_by="self_confidence"
    )


def joint(given: Arrays) -> Any:
    from goldlabel.tasks import multiclass

    return multiclass.confident_joint(*rows(given))


def peer_joint(given: Arrays) -> Any:
    from cleanlab.count import compute_confident_joint

    return compute_confident_joint(*rows(given))


def scores(method: str) -> Any:
    def call(given: Arrays) -> Any:
        from goldlabel.tasks import multiclass

        return multiclass.get_label_quality_scores(*rows(given), method=method)

    return call


def peer_scores(method: str) -> Any:
    def call(given: Arrays) -> Any:
        from cleanlab.rank import get_label_quality_scores

        return get_label_quality_scores(*rows(given), method=method)

    return call


PAIR = ("self_confidence", "normalized_margin")


def one_pass(given: Arrays) -> Any:
    from goldlabel.learning import confident

    return confident.count(*rows(given), methods=PAIR)


def peer_passes(given: Arrays) -> Any:
    from cleanlab.count import compute_confident_joint

    uncalibrated = compute_confident_joint(*rows(given), calibrate=False)
    return uncalibrated, [peer_scores(method)(given) for method in PAIR]


def health(given: Arrays) -> Any:
    from goldlabel.tasks import multiclass

    return multiclass.health_summary(*rows(given))


def peer_health(given: Arrays) -> Any:
    from cleanlab.dataset import health_summary

    return health_summary(*rows(given), verbose=False)


def bare_read(given: Arrays) -> Any:
    import measure

    return measure.bare_read(given["pred_probs"])


# How equal the results must be


def few(differ: int, of: int, given: Arrays, what: str) -> str:
    """Nothing may differ, save a ten-thousandth in float32: cleanlab's means are float32 too."""
    allowed = 0 if is_double(given) else max(2, of // 10_000)
    assert differ <= allowed, f"{differ} of {of} {what} differ"
    return "equal" if differ == 0 else f"{differ:,} of {of:,} {what} differ: cleanlab's rounding"


def is_double(given: Arrays) -> bool:
    return given["pred_probs"].dtype == np.float64


def same_issues(given: Arrays, found: Any, flagged: np.ndarray) -> str:
    """The same flags from the same joint; every count that ties put elsewhere moves two."""
    ours, theirs = joint(given), peer_joint(given)
    with_our_joint = peer_issues(given, confident_joint=ours)
    few(int((found.is_issue != with_our_joint).sum()), len(found), given, "flags")
    differ = int((found.is_issue != flagged).sum())
    if not differ:
        return "equal"
    assert differ <= np.abs(ours - theirs).sum(), f"{differ} of {len(found)} flags differ"
    return f"{differ:,} of {len(found):,} flags differ: ties in the joint's rounding"


def same_order(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    said = few(len(np.setxor1d(ours, theirs)), len(ours), given, "flags")
    if said == "equal":
        # Examples of equal score may change places.
        own = given["pred_probs"][np.arange(len(given["labels"])), given["labels"]]
        np.testing.assert_array_equal(own[ours], own[theirs])
    return said


def same_joint(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    np.testing.assert_array_equal(ours.sum(axis=1), theirs.sum(axis=1))
    assert np.abs(ours - theirs).max() <= 2
    moved = int(np.abs(ours - theirs).sum()) // 2
    return f"{moved:,} of {ours.sum():,} counts moved: ties in rounding" if moved else "equal"


def same_scores(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    tolerance = 1e-9 if is_double(given) else 2e-6
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
    return f"equal to {tolerance:g}"


def near_scores(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Ours floors probabilities before it takes their entropy, so that sure rows score right."""
    unsure = given["pred_probs"].max(axis=1) < 0.9
    worst = float(np.abs(ours - theirs)[unsure].max())
    assert worst < 0.01, f"a score differs by {worst}"
    return f"equal to {worst:.0e} where the model is less than 90 % sure: different by design"


def same_pass(given: Arrays, counted: Any, theirs: Any) -> str:
    uncalibrated, pair = theirs
    for method, score in zip(PAIR, pair, strict=True):
        same_scores(given, getattr(counted.sweep, method), score)
    moved = int(np.abs(counted.confident_joint - uncalibrated).sum())
    return few(moved, int(uncalibrated.sum()), given, "counts")


def same_health(given: Arrays, ours: Any, theirs: Any) -> str:
    n = len(given["labels"])
    differ = round(abs(ours.health_score - theirs["overall_label_health_score"]) * n)
    assert np.abs(ours.joint - theirs["joint"]).sum() < 0.02
    return few(differ, n, given, "issues counted")


CASES = (
    Case(
        "find_label_issues",
        "Label issues, default filter",
        issues,
        peer_issues,
        same_issues,
        first=True,
    ),
    Case(
        "confident_learning_ranked",
        "Label issues by confident learning, ranked",
        ranked,
        peer_ranked,
        same_order,
    ),
    Case("confident_joint", "Confident joint", joint, peer_joint, same_joint),
    *(
        Case(
            method,
            f"Score: {method.replace('_', ' ')}",
            scores(method),
            peer_scores(method),
            near_scores if method == "confidence_weighted_entropy" else same_scores,
        )
        for method in (*PAIR, "confidence_weighted_entropy")
    ),
    Case(
        "one_pass", "Confident joint and two scores in one pass", one_pass, peer_passes, same_pass
    ),
    Case("health_summary", "Health summary", health, peer_health, same_health),
)

SMALLEST, LONG, WIDE, WIDEST = (50_000, 10), (1_000_000, 10), (200_000, 100), (50_000, 1_000)


def both(*shapes: tuple[int, int]) -> tuple[str, ...]:
    return tuple(
        f"{shape_name(*shape)} {dtype}" for shape in shapes for dtype in ("float64", "float32")
    )


def faster(shapes: tuple[str, ...], least: float) -> tuple[Target, Target]:
    """At least so many times less processor time than the peer, and twice that in wall time."""
    return (
        Target(
            "find_label_issues",
            shapes,
            "ratio.processor",
            f"label issues: at least {least:g} x less processor time than cleanlab",
            at_least=least,
        ),
        Target(
            "find_label_issues",
            shapes,
            "ratio.wall",
            f"label issues: at least {2 * least:g} x faster than cleanlab, with all cores free",
            at_least=2 * least,
        ),
    )


TARGETS = (
    *faster(both(LONG), 15),
    *faster(both(WIDE, WIDEST), 12),
    *(
        Target(
            "one_pass",
            both(WIDE, WIDEST),
            f"floors.{clock}",
            f"joint and two scores: at most 3 bare reads ({clock} time)",
            at_most=3,
        )
        for clock in ("processor", "wall")
    ),
    *(
        Target(
            "find_label_issues",
            both(SMALLEST, LONG, WIDE, WIDEST),
            f"memory.ours.{figure}",
            f"label issues: extra memory, {words} the result, under 15 % of pred_probs",
            at_most=0.15,
        )
        for figure, words in (("share", "with"), ("share_without_result", "without"))
    ),
    Target(
        "find_label_issues",
        both(SMALLEST)[:1],
        "first.ratio.wall",
        "first call, compiled code cached: no slower than cleanlab's",
        at_least=1,
    ),
    Target(
        "find_label_issues",
        both(SMALLEST)[:1],
        "first.cold.wall",
        "first call, nothing cached: under 15 s",
        at_most=15,
    ),
)

SECTION = Section(
    name="multiclass",
    title="Multiclass",
    about=ABOUT,
    peer="cleanlab",
    largest="pred_probs",
    inputs={
        "tiny": inputs((600, 6)),
        "small": inputs((5_000, 10), (100_000, 10), (20_000, 100), (5_000, 1_000)),
        "full": inputs(SMALLEST, LONG, WIDE, WIDEST),
    },
    cases=CASES,
    targets=TARGETS,
    floor=bare_read,
)
