"""Processor seconds and peak memory of label models and agreement, up to ten million votes.

``python tests/bench/label_models_scale.py [--votes 100000 1000000 10000000]`` prints a table in
Markdown. There are as many items as votes / 20, and annotators as votes / 200; 10 classes. Each
size is measured in a process of its own, after a little call of the same kind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import measure
import numpy as np

SIZES = (100_000, 1_000_000, 10_000_000)
CLASSES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(run(asked.one)))
        return
    found = [each_size(votes) for votes in asked.votes]
    heads = [f"{votes:,} votes" for votes in asked.votes]
    print("|  | " + " | ".join(heads) + " |\n| --- |" + " ---: |" * len(heads))
    for name in found[0]:
        cells = [f"{each[name][0]:.2f} s, {each[name][1]:,.0f} MB" for each in found]
        print(f"| {name} | " + " | ".join(cells) + " |")


def each_size(votes: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(votes)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def columns(count: int) -> dict[str, np.ndarray]:
    """Return votes in random order, at most one of an annotator on an item."""
    rng = np.random.default_rng(0)
    items, people = max(count // 20, 30), max(count // 200, 25)
    true = rng.integers(0, CLASSES, items, dtype=np.int32)
    accuracy = rng.beta(5.6, 2.4, people)
    cells = rng.permutation(np.unique(rng.integers(0, items * people, count)))
    item, annotator = np.divmod(cells, people)
    right = rng.random(len(cells)) < accuracy[annotator]
    label = np.where(right, true[item], rng.integers(0, CLASSES, len(cells)))
    names = ("item", "annotator", "label")
    arrays = (each.astype(np.int32) for each in (item, annotator, label))
    return dict(zip(names, arrays, strict=True))


def calls() -> dict[str, Callable[[Any], Any]]:
    from goldlabel.tasks.multiannotator.aggregation.label_models import (
        dawid_skene,
        glad,
        mace,
        majority,
        one_coin,
        wawa,
    )
    from goldlabel.tasks.multiannotator.agreement import coefficients, pairs

    return {
        "majority vote": majority.fit,
        "Wawa": wawa.fit,
        "Dawid-Skene": dawid_skene.fit,
        "Dawid-Skene, one coin": one_coin.fit,
        "GLAD": glad.fit,
        "MACE, 10 restarts": mace.fit,
        "Fleiss' kappa": coefficients.fleiss_kappa,
        "Krippendorff's alpha, ordinal": ordinal(coefficients.krippendorff_alpha),
        "Cohen's kappa of all pairs": pairs.cohen_kappa,
    }


def ordinal(alpha: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda votes: alpha(votes, level="ordinal")


def run(count: int) -> dict[str, tuple[float, float]]:
    """Return processor seconds, and peak megabytes above the input, of each call."""
    from goldlabel.tasks.multiannotator.votes import Votes

    little = Votes.from_arrays(**columns(2000), num_classes=CLASSES)
    for call in calls().values():
        call(little)
    arrays = columns(count)
    found = {}
    with measure.peak_memory() as peak:
        start = measure.processor_seconds()
        votes = Votes.from_arrays(**arrays, num_classes=CLASSES)
        found["sorting the votes"] = (measure.processor_seconds() - start, peak.above() / 1e6)
    for name, call in calls().items():
        with measure.peak_memory() as peak:
            start = measure.processor_seconds()
            result = call(votes)
            found[name] = (measure.processor_seconds() - start, peak.above() / 1e6)
        print(
            f"{count:,} {name}: {found[name]} {getattr(result, 'iterations', '')}", file=sys.stderr
        )
        del result
    return found


if __name__ == "__main__":
    main()
