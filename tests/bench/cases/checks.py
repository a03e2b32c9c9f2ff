"""Checks of a dataset: a full audit, outliers and duplicates alone, values, against cleanlab."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

ABOUT = """\
Made up from a fixed seed: embeddings in single precision around 20 centres, labels of which 3 % are
wrong, out-of-sample probabilities, some outliers and near duplicates. Both sides search for the
exact neighbours. The audit runs on all that there is: labels, probabilities and embeddings."""

CENTERS = 20


def make(n: int, d: int) -> Arrays:
    rng = np.random.default_rng(n)
    true = rng.integers(0, CENTERS, n)
    features = rng.normal(size=(CENTERS, d))[true] + rng.normal(size=(n, d))
    few = n // 100
    features[:few] *= -2
    features[few : 2 * few] = features[2 * few : 3 * few] + 1e-3
    probs = rng.dirichlet(np.ones(CENTERS), n) + 4 * np.eye(CENTERS)[true]
    labels = np.where(rng.random(n) < 0.03, rng.integers(0, CENTERS, n), true)
    return {
        "features": features.astype(np.float32),
        "labels": labels,
        "pred_probs": probs / probs.sum(axis=1, keepdims=True),
    }


def inputs(*shapes: tuple[int, int]) -> tuple[Input, ...]:
    return tuple(
        Input(f"{n:,} examples, {d} features", lambda n=n, d=d: make(n, d)) for n, d in shapes
    )


# What both do


def audit(given: Arrays) -> Any:
    from goldlabel import checks
    from goldlabel.neighbors import neighbor_graph

    known = {**given, "graph": neighbor_graph(given["features"])}
    return {
        name: each.run(known)
        for name, each in checks.find_checks().items()
        if each.is_default and each.missing(known) is None
    }


def search(given: Arrays) -> Any:
    from goldlabel import checks
    from goldlabel.neighbors import neighbor_graph

    graph = neighbor_graph(given["features"])
    return {
        "outlier": checks.find_outliers(graph=graph),
        "near_duplicate": checks.find_near_duplicates(graph=graph),
    }


def values(given: Arrays) -> Any:
    from goldlabel import checks

    return checks.data_values(features=given["features"], labels=given["labels"], k=10)


def lab(given: Arrays) -> Any:
    from cleanlab import Datalab

    return Datalab({"labels": given["labels"]}, label_name="labels", verbosity=0)


def peer_audit(given: Arrays) -> Any:
    found = lab(given)
    found.find_issues(features=given["features"], pred_probs=given["pred_probs"])
    return found.get_issues()


def peer_search(given: Arrays) -> Any:
    found = lab(given)
    types: dict[str, dict[str, Any]] = {"outlier": {}, "near_duplicate": {}}
    found.find_issues(features=given["features"], issue_types=types)
    return found.get_issues()


def peer_values(given: Arrays) -> Any:
    from cleanlab.data_valuation import data_shapley_knn

    return data_shapley_knn(given["labels"], features=given["features"], k=10)


# How equal the results must be

SAME = ("null", "label", "outlier", "near_duplicate", "class_imbalance")


def same_results(given: Arrays, ours: Any, theirs: Any) -> str:
    compared = [name for name in SAME if name in ours]
    for name in compared:
        np.testing.assert_allclose(ours[name].scores, theirs[f"{name}_score"], atol=5e-5)
        same = np.mean(ours[name].is_issue == theirs[f"is_{name}_issue"])
        assert same > 0.999, f"{name}: only {same:.2%} of the flags are equal"
    return f"scores of {len(compared)} checks equal to 5e-05"


def same_values(given: Arrays, ours: Any, theirs: np.ndarray) -> str:
    worst = float(np.abs(ours.scores - theirs).max())
    assert worst < 1e-5, f"a value differs by {worst}"
    return "equal to 1e-05: two neighbours equally far in single precision"


SHAPES = ((10_000, 128), (20_000, 384))

CASES = (
    Case("audit", "All default checks", audit, peer_audit, same_results),
    Case("search", "Outliers and near duplicates", search, peer_search, same_results, first=True),
    Case("values", "KNN-Shapley values", values, peer_values, same_values),
)


def named(*shapes: tuple[int, int]) -> tuple[str, ...]:
    return tuple(f"{n:,} examples, {d} features" for n, d in shapes)


TARGETS = (
    Target(
        "audit", named(SHAPES[0]), "ratio.processor",
        "audit of 10,000 x 128: at least 10 x less processor time than cleanlab", at_least=10,
    ),
    Target(
        "search", named(SHAPES[1]), "ratio.processor",
        "outliers and near duplicates of 20,000 x 384: at least 5 x less", at_least=5,
    ),
    Target(
        "values", named(SHAPES[0]), "ratio.processor",
        "KNN-Shapley values of 10,000 x 128: at least 10 x less", at_least=10,
    ),
)  # fmt: skip

SECTION = Section(
    name="checks",
    title="Checks of a dataset",
    about=ABOUT,
    peer="cleanlab",
    largest="features",
    inputs={
        "tiny": inputs((300, 8)),
        "small": inputs((2_000, 32)),
        "full": inputs(*SHAPES),
    },
    cases=CASES,
    targets=TARGETS,
)
