"""Regression: scores from predictions, and the cross-validated search, against cleanlab."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

MANY = 100_000
"""Examples of the case that cleanlab has no memory for."""
SEARCHED = 500
"""Examples that are searched by cross-validation: cleanlab fits 80 models for each call."""
COLUMNS = 10

ABOUT = f"""\
Made up from a fixed seed: {COLUMNS} columns of normal numbers, a linear label with noise, and 5 %
of the labels moved by several standard deviations. Predictions are right but for noise of heavy
tails. The search looks at the first {SEARCHED:,} examples."""


def make(n: int) -> Arrays:
    """Return features, labels of which some are wrong, predictions, and many of these two."""
    rng = np.random.default_rng(n)
    features = rng.normal(size=(n, COLUMNS))
    true = features @ rng.normal(size=COLUMNS)
    labels = true + 0.3 * rng.normal(size=n)
    wrong = rng.random(n) < 0.05
    labels[wrong] += 8 * rng.choice([-1, 1], int(wrong.sum()))
    many = rng.normal(size=MANY)
    return {
        "features": features,
        "labels": labels,
        "predictions": true + 0.2 * rng.standard_t(3, size=n),
        "labels_many": many,
        "predictions_many": many + rng.standard_t(3, size=MANY),
    }


def inputs(*sizes: int) -> tuple[Input, ...]:
    return tuple(Input(f"{n:,} examples", lambda n=n: make(n)) for n in sizes)


# What both do


def pair(given: Arrays) -> tuple[np.ndarray, np.ndarray]:
    return given["labels"], given["predictions"]


def scores(method: str, **options: Any) -> Any:
    def call(given: Arrays) -> Any:
        from goldlabel.tasks import regression

        return regression.get_label_quality_scores(*pair(given), method=method, **options)

    return call


def peer_scores(method: str) -> Any:
    def call(given: Arrays) -> Any:
        from cleanlab.regression.rank import get_label_quality_scores

        return get_label_quality_scores(*pair(given), method=method)

    return call


def many(given: Arrays) -> Any:
    from goldlabel.tasks import regression

    return regression.get_label_quality_scores(given["labels_many"], given["predictions_many"])


def issues(given: Arrays) -> Any:
    from goldlabel.tasks import regression

    return regression.find_label_issues(*pair(given))


def peer_issues(given: Arrays) -> Any:
    found = peer_scores("outre")(given)
    return found < 0.05 * np.median(found)


def searched(given: Arrays) -> Any:
    from goldlabel.tasks import regression

    learner = regression.CleanLearning(criterion="r2")
    return learner.find_label_issues(given["features"][:SEARCHED], given["labels"][:SEARCHED])


def peer_searched(given: Arrays) -> Any:
    from cleanlab.regression.learn import CleanLearning

    learner = CleanLearning(seed=0)
    return learner.find_label_issues(given["features"][:SEARCHED], given["labels"][:SEARCHED])


# How equal the results must be


def same_scores(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)
    return "equal to 1e-08"


def near_scores(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    worst = float(np.abs(ours - theirs).max())
    assert worst < 0.01, f"a score differs by {worst}"
    return f"equal to {worst:.0e}: cells in place of examples, by design"


def not_the_same(given: Arrays, ours: np.ndarray, theirs: np.ndarray) -> str:
    assert len(ours) == MANY
    assert ((ours >= 0) & (ours <= 1)).all()
    return f"not the same work: ours {MANY:,} examples, cleanlab's {len(theirs):,}"


def same_flags(given: Arrays, ours: Any, theirs: np.ndarray) -> str:
    np.testing.assert_array_equal(ours.is_issue, theirs)
    return "equal"


def alike_search(given: Arrays, ours: Any, theirs: Any) -> str:
    """Folds are drawn otherwise: the ranking must agree, not the flags."""
    n = max(1, int(0.03 * len(theirs)))
    worst = np.argsort(theirs["label_quality"].to_numpy(), kind="stable")[:n]
    shared = np.isin(worst, np.argsort(ours.scores, kind="stable")[: 2 * n]).mean()
    assert shared > 0.8, f"only {shared:.0%} of the worst are the same"
    return f"{shared:.0%} of cleanlab's {n} worst are among ours: other folds"


SIZES = (2_000, 6_000)

CASES = (
    Case("outre", "Score: OUTRE, exact", scores("outre"), peer_scores("outre"), same_scores),
    Case(
        "outre_cells",
        "Score: OUTRE, by cells",
        scores("outre", exact=False),
        peer_scores("outre"),
        near_scores,
    ),
    Case(
        "outre_many",
        f"Score: OUTRE of {MANY:,} examples, against cleanlab's of those of the input",
        many,
        peer_scores("outre"),
        not_the_same,
    ),
    Case(
        "residual",
        "Score: residual",
        scores("residual"),
        peer_scores("residual"),
        same_scores,
    ),
    Case("find_label_issues", "Label issues", issues, peer_issues, same_flags, first=True),
    Case(
        "search",
        "Cross-validated search, least squares",
        searched,
        peer_searched,
        alike_search,
    ),
)


def named(*sizes: int) -> tuple[str, ...]:
    return tuple(f"{n:,} examples" for n in sizes)


TARGETS = (
    Target(
        "outre",
        named(6_000),
        "ratio.processor",
        "OUTRE: at least 50 x less processor time than cleanlab",
        at_least=50,
    ),
    Target(
        "outre_many",
        named(*SIZES),
        "ours.wall",
        f"OUTRE of {MANY:,} examples: under a second",
        at_most=1,
    ),
    Target(
        "search",
        named(*SIZES),
        "ratio.processor",
        "search by least squares: at least 5 x less processor time than cleanlab",
        at_least=5,
    ),
)

SECTION = Section(
    name="regression",
    title="Regression",
    about=ABOUT,
    peer="cleanlab",
    largest="labels",
    inputs={
        "tiny": inputs(300),
        "small": inputs(2_000),
        "full": inputs(*SIZES),
    },
    cases=CASES,
    targets=TARGETS,
)
