"""Several annotators: label models and agreement, against crowd-kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

PER_ITEM = 5
CLASSES = 5

ABOUT = f"""\
Made up from a fixed seed: {PER_ITEM} votes on each item by different annotators, who are right with
a probability from a beta distribution with mean 0.7, and else answer any of {CLASSES} classes.
goldlabel is given `Votes`, crowd-kit its table of tasks, workers and labels; both are made
beforehand. Each runs with its defaults, but for these: crowd-kit's GLAD makes one round of at most
100, and goldlabel's runs to its end; MACE makes one restart of ten on both sides, since
those of crowd-kit are all alike."""


def make(items: int, people: int) -> Arrays:
    """Return votes, annotators and classes numbered in the order in which they appear."""
    rng = np.random.default_rng(items + people)
    true = rng.integers(0, CLASSES, items)
    accuracy = rng.beta(5.6, 2.4, people)
    item = np.repeat(np.arange(items), PER_ITEM)
    steps = rng.integers(1, max(2, people // PER_ITEM), (items, PER_ITEM))
    annotator = ((rng.integers(0, people, (items, 1)) + np.cumsum(steps, axis=1)) % people).ravel()
    right = rng.random(len(item)) < accuracy[annotator]
    label = np.where(right, true[item], rng.integers(0, CLASSES, len(item)))
    for _ in range(2):  # a new number can change the order within an item
        order = np.lexsort((annotator, item))
        annotator, label = (first_seen(values[order]) for values in (annotator, label))
    return {"item": item, "annotator": annotator, "label": label}


def first_seen(values: np.ndarray) -> np.ndarray:
    """Number values by where they first appear."""
    _, first, codes = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes]


class Checked(dict[str, Any]):
    """The arrays, as `Votes` and as a table."""


def prepare(arrays: Arrays) -> Any:
    import pandas as pd

    from goldlabel.tasks.multiannotator.votes import Votes

    given = Checked(arrays)
    given["votes"] = Votes.from_arrays(*arrays.values(), num_classes=CLASSES)
    names = {"item": "task", "annotator": "worker", "label": "label"}
    given["table"] = pd.DataFrame({names[name]: values for name, values in arrays.items()})
    return given


# What both do


def ours(name: str, **options: Any) -> Callable[[Any], Any]:
    def call(given: Any) -> Any:
        from importlib import import_module

        model = import_module(f"goldlabel.tasks.multiannotator.aggregation.label_models.{name}")
        return model.fit(given["votes"], **options)

    return call


def peer(name: str, **options: Any) -> Callable[[Any], Any]:
    def call(given: Any) -> Any:
        from crowdkit import aggregation

        return getattr(aggregation, name)(**options).fit(given["table"])

    return call


def alpha(given: Any) -> np.ndarray:
    from goldlabel.tasks.multiannotator.agreement.coefficients import krippendorff_alpha

    found = krippendorff_alpha(given["votes"])
    return np.array([found.value, found.low, found.high])


def peer_alpha(given: Any) -> np.ndarray:
    """Return the value: crowd-kit has no interval."""
    from crowdkit.metrics.data import alpha_krippendorff

    return np.array([alpha_krippendorff(given["table"])])


# How equal the results must be


def same_alpha(given: Any, found: np.ndarray, expected: np.ndarray) -> str:
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    return "equal to 1e-9"


def same_consensus(given: Any, found: Any, expected: Any) -> str:
    """Compare consensus labels; where the majority is tied both may choose."""
    theirs = expected.labels_.sort_index().to_numpy()
    differ = int((found.consensus != theirs).sum())
    assert differ <= 0.08 * len(theirs), f"{differ} of {len(theirs)} items"
    return f"{differ:,} of {len(theirs):,} items differ"


CASES = (
    Case("majority_vote", "Majority vote", ours("majority"), peer("MajorityVote"), same_consensus),
    Case(
        "dawid_skene",
        "Dawid-Skene",
        ours("dawid_skene"),
        peer("DawidSkene"),
        same_consensus,
        first=True,
    ),
    Case("glad", "GLAD", ours("glad"), peer("GLAD", n_iter=1), same_consensus),
    Case(
        "mace",
        "MACE, one restart",
        ours("mace", restarts=1),
        peer("MACE", n_restarts=1),
        same_consensus,
    ),
    Case("alpha", "Krippendorff's alpha, with interval", alpha, peer_alpha, same_alpha),
)

SMALL, LARGE = (10_000, 50), (50_000, 500)


def name_of(items: int, people: int) -> str:
    return f"{items:,} items x {people} annotators"


def inputs(*shapes: tuple[int, int]) -> tuple[Input, ...]:
    return tuple(Input(name_of(*shape), lambda shape=shape: make(*shape)) for shape in shapes)


TARGETS = tuple(
    Target(
        case.name,
        (name_of(*SMALL), name_of(*LARGE)),
        "ratio.processor",
        f"{case.title}: at least 15 x less processor time than crowd-kit",
        at_least=15,
    )
    for case in CASES
    if case.name != "alpha"
)

SECTION = Section(
    name="multiannotator_models",
    title="Several annotators: label models",
    about=ABOUT,
    peer="crowd-kit",
    largest="label",
    inputs={
        "tiny": inputs((60, 6)),
        "small": inputs((2_000, 20)),
        "full": inputs(SMALL, LARGE),
    },
    cases=CASES,
    targets=TARGETS,
    prepare=prepare,
)
