"""Several annotators: CROWDLAB and ActiveLab against cleanlab, and the consensus on real sets."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from case import Arrays, Case, Figures, Input, Section, Target

VOTES, CLASSES = 5, 10
"""Labels for each item, and classes."""

ABOUT = f"""\
Made up from a fixed seed: each item has {VOTES} labels of {CLASSES} classes by random annotators,
who are right in 50 to 95 % of cases; the model's class is right for about 80 % of the items. Both
packages are given the same matrix of items by annotators, NaN where there is no label. Labels of
active learning have no gaps in the comparison of results: only there does cleanlab count votes as
they are (spec 15-04); times are of the matrix with gaps."""


def make(n: int, m: int) -> Arrays:
    """Return votes (n, m) with NaN, and predicted probabilities."""
    rng = np.random.default_rng(n + m)
    true = rng.integers(0, CLASSES, n)
    skill = rng.uniform(0.5, 0.95, m)
    labels = np.full((n, m), np.nan)
    rows = np.arange(n)[:, None]
    who = (rng.integers(0, m, (n, 1)) + rng.permutation(m)[:VOTES]) % m
    right = rng.random((n, VOTES)) < skill[who]
    labels[rows, who] = np.where(right, true[:, None], rng.integers(0, CLASSES, (n, VOTES)))
    probs = rng.dirichlet(np.full(CLASSES, 0.3), n)
    probs[np.arange(n), true] += 0.6
    return {"labels": labels, "pred_probs": probs / probs.sum(axis=1, keepdims=True)}


def inputs(*shapes: tuple[int, int]) -> tuple[Input, ...]:
    return tuple(Input(name(*shape), lambda shape=shape: make(*shape)) for shape in shapes)


def name(n: int, m: int) -> str:
    return f"{n:,} x {m} annotators"


def consensus(given: Any) -> Any:
    from goldlabel.tasks import multiannotator

    found = multiannotator.get_consensus_labels(given["labels"], given["pred_probs"])
    return found, found.to_frame("annotator")


def peer_consensus(given: Any) -> Any:
    from cleanlab.multiannotator import get_label_quality_multiannotator

    return get_label_quality_multiannotator(given["labels"], given["pred_probs"], verbose=False)


def active(given: Any) -> Any:
    from goldlabel.tasks import multiannotator

    return multiannotator.get_active_learning_scores(given["labels"], given["pred_probs"])


def peer_active(given: Any) -> Any:
    from cleanlab.multiannotator import get_active_learning_scores

    return get_active_learning_scores(given["labels"], given["pred_probs"])


def same_consensus(given: Any, found: Any, expected: Any) -> str:
    mine, people = found
    items = expected["label_quality"]
    assert (mine.labels == items["consensus_label"]).all()
    np.testing.assert_allclose(mine.quality, items["consensus_quality_score"], rtol=0, atol=1e-9)
    theirs = expected["annotator_stats"].loc[people["annotator"]]
    np.testing.assert_allclose(people["quality"], theirs["annotator_quality"], rtol=0, atol=1e-9)
    return "equal to 1e-09"


def same_scores(given: Any, found: Any, expected: Any) -> str:
    """Compare on a few rows without gaps; with them, cleanlab miscounts and so differs."""
    assert found.labeled.shape == expected[0].shape
    rng = np.random.default_rng(0)
    probs = given["pred_probs"][:100]
    labels = np.tile(probs.argmax(axis=1)[:, None], 3)
    labels = np.where(
        rng.random(labels.shape) < 0.2, rng.integers(0, CLASSES, labels.shape), labels
    )
    dense = {"labels": labels, "pred_probs": probs}
    np.testing.assert_allclose(active(dense).labeled, peer_active(dense)[0], rtol=0, atol=1e-9)
    return "equal to 1e-09 without gaps"


def accuracy() -> Figures | None:
    """Return the accuracy of every method on every real set, as tests/real has it."""
    folder = Path(os.environ.get("GOLDLABEL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "multiannotator").is_dir():
        return None
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from consensus_accuracy import METHODS, SETS, accuracies

    rows = [("set", *(method.replace("_", " ") for method in METHODS))]
    for each in SETS:
        found = accuracies(folder / "multiannotator" / each, each)
        rows.append((each, *(f"{found[m]:.4f}" if m in found else "-" for m in METHODS)))
    return Figures(
        "Accuracy of the consensus",
        "Share of items whose consensus is the true class, on real sets (`tests/real` holds these"
        " figures); CROWDLAB where there are predictions.",
        tuple(rows),
    )


ROOT = Path(__file__).parent.parent.parent.parent
MIDDLE, LARGE = (10_000, 50), (50_000, 500)

CASES = (
    Case(
        "crowdlab",
        "CROWDLAB: consensus, quality of labels, votes and annotators",
        consensus,
        peer_consensus,
        same_consensus,
        first=True,
    ),
    Case("active_learning", "ActiveLab scores", active, peer_active, same_scores),
)

TARGETS = tuple(
    Target(
        case,
        (name(*shape),),
        "ratio.processor",
        f"{what}: at least {least} x less processor time than cleanlab",
        at_least=least,
    )
    for case, what, shape, least in (
        ("crowdlab", "CROWDLAB", MIDDLE, 20),
        ("crowdlab", "CROWDLAB", LARGE, 200),
        ("active_learning", "ActiveLab", MIDDLE, 100),
        ("active_learning", "ActiveLab", LARGE, 300),
    )
)

SECTION = Section(
    name="multiannotator",
    title="Several annotators",
    about=ABOUT,
    peer="cleanlab",
    largest="labels",
    inputs={
        "tiny": inputs((200, 6)),
        "small": inputs((2_000, 20)),
        "full": inputs(MIDDLE, LARGE),
    },
    cases=CASES,
    targets=TARGETS,
    figures=accuracy,
)
