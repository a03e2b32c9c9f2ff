"""Label, train, select, label again: a loop on real data, with the curve against random choice.

    python docs/active_learning_loop.py [--seeds 5] [--rounds 15] [--out docs/active_learning.svg]

The data is wall_robot: 24 ultrasound readings of a robot, and which of four moves it made. Nobody
labelled it by hand, so five annotators are simulated, right in 75 to 95 % of cases. Each round
buys 50 labels and measures an ExtraTrees classifier, trained on the consensus, on held-out rows.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from goldlabel.tasks.multiannotator import Votes, get_consensus_labels, select

SKILLS = (0.75, 0.8, 0.85, 0.9, 0.95)
BATCH = 50


def load():
    """Return features, true classes and which rows are the pool; the others are for testing."""
    shared = os.environ.get("GOLDLABEL_DATA")
    if shared:
        folder = Path(shared) / "active_learning" / "wall_robot"
        text = gzip.decompress((folder / "sensor_readings_24.data.gz").read_bytes())
        split = pd.read_csv(folder / "split.csv.gz")["role"].to_numpy()
    else:
        from goldlabel.datasets import fetch

        text = (fetch("wall_robot") / "sensor_readings_24.data").read_bytes()
        rows = text.count(b"\n") - 1
        split = np.where(np.random.default_rng(0).random(rows) < 2 / 3, "pool", "test")
    table = pd.read_csv(io.BytesIO(text))
    classes = pd.factorize(table.iloc[:, -1])[0]
    return table.iloc[:, :-1].to_numpy(float), classes, split[: len(table)] == "pool"


class Crowd:
    """Annotators who are wrong now and then, and what they have said so far."""

    def __init__(self, true, seed):
        self.true, self.rng = true, np.random.default_rng(seed)
        self.said = {}

    def label(self, item, annotator):
        """Ask an annotator about an item."""
        right = self.rng.random() < SKILLS[annotator]
        wrong = (self.true[item] + self.rng.integers(1, 4)) % 4
        self.said[item, annotator] = self.true[item] if right else wrong

    def votes(self):
        """Return what has been said so far."""
        item, annotator = np.array(list(self.said)).T
        return Votes.from_arrays(
            item,
            annotator,
            list(self.said.values()),
            num_items=len(self.true),
            num_annotators=len(SKILLS),
            num_classes=4,
        )


def model(seed):
    """Return an untrained classifier."""
    return ExtraTreesClassifier(100, random_state=seed)


def predicted(features, labels, known, seed):
    """Return probabilities of all items: of labelled ones by a model that has not seen them."""
    trained = model(seed).fit(features[known], labels[known])
    probs = np.full((len(features), 4), 1e-3)
    probs[:, trained.classes_] += trained.predict_proba(features)
    least = np.bincount(labels[known])
    least = least[least > 0].min()
    if least > 1:
        folds = StratifiedKFold(min(5, least), shuffle=True, random_state=seed)
        own = cross_val_predict(
            model(seed), features[known], labels[known], cv=folds, method="predict_proba"
        )
        probs[known] = 1e-3
        probs[np.ix_(known, trained.classes_)] += own
    return probs / probs.sum(axis=1, keepdims=True)


def run(method, seed, rounds, data):
    """Return the accuracy on held-out rows after each round."""
    features, true, in_pool = data
    pool, truth = features[in_pool], true[in_pool]
    crowd = Crowd(truth, seed)
    rng = np.random.default_rng(seed)
    for item in rng.choice(len(pool), BATCH, replace=False):
        crowd.label(item, rng.integers(len(SKILLS)))
    accuracy, probs = [], None
    for _ in range(rounds):
        votes = crowd.votes()
        several = bool((votes.votes_per_item > 1).any())
        found = get_consensus_labels(
            votes,
            probs if several else None,
            consensus_method=None if several else "majority_vote",
        )
        known = np.flatnonzero(votes.votes_per_item > 0)
        trained = model(seed).fit(pool[known], found.labels[known])
        accuracy.append((trained.predict(features[~in_pool]) == true[~in_pool]).mean())
        probs = predicted(pool, found.labels, known, seed)
        batch = select(votes, probs, n=BATCH, method=method, seed=int(rng.integers(2**31)))
        for item, annotator in zip(batch["item"], batch["annotator"], strict=True):
            if annotator is not None:
                crowd.label(item, annotator)
    return accuracy


def picture(curves):
    """Return the curves as SVG: labels bought by accuracy, mean and range over seeds."""
    colors = {"active_learning": "#8a5a00", "random": "#6b7280"}
    names = {"active_learning": "ActiveLab", "random": "random choice"}
    rounds = len(next(iter(curves.values()))[0])
    low = min(np.min(each) for each in curves.values()) - 0.01

    def x(at):
        return 60 + 500 * at / max(rounds - 1, 1)

    def y(value):
        return 300 - 270 * (value - low) / (1 - low)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 350" font-family="sans-serif"'
        ' font-size="12"><rect width="680" height="350" fill="#fff"/>'
    ]
    for value in np.arange(np.ceil(low * 20) / 20, 1.001, 0.05):
        parts.append(
            f'<line x1="60" x2="560" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e5e7eb"/>'
            f'<text x="52" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0%}</text>'
        )
    for at in range(0, rounds, max(1, rounds // 7)):
        parts.append(
            f'<text x="{x(at):.0f}" y="320" text-anchor="middle">{BATCH * (at + 1)}</text>'
        )
    parts.append('<text x="310" y="340" text-anchor="middle">labels bought</text>')
    ends = sorted(curves, key=lambda method: -np.mean(curves[method], 0)[-1])
    for method, each in curves.items():
        mean, least, most = np.mean(each, 0), np.min(each, 0), np.max(each, 0)
        band = [f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(most)]
        band += [f"{x(i):.1f},{y(v):.1f}" for i, v in reversed(list(enumerate(least)))]
        line = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(mean))
        parts.append(
            f'<polygon points="{" ".join(band)}" fill="{colors[method]}" opacity="0.15"/>'
            f'<polyline points="{line}" fill="none" stroke="{colors[method]}" stroke-width="2"/>'
            f'<text x="566" y="{y(mean[-1]) + 16 * ends.index(method) - 2:.1f}"'
            f' fill="{colors[method]}">'
            f"{names[method]}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def main():
    """Run the loop in both ways, print the curves and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "active_learning.svg")
    asked = parser.parse_args()
    data = load()
    curves = {
        method: [run(method, seed, asked.rounds, data) for seed in range(asked.seeds)]
        for method in ("active_learning", "random")
    }
    for method, each in curves.items():
        shown = ", ".join(f"{value:.3f}" for value in np.mean(each, axis=0))
        print(f"{method}: {shown}")
    asked.out.write_text(picture(curves), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
