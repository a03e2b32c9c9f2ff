"""How often the consensus of each method is right, on the real sets: one audit each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from goldlabel.tasks import multiannotator

METHODS = ("majority_vote", "wawa", "dawid_skene", "glad", "mace", "crowdlab")
SETS = {
    "bluebirds": ("labels.csv", "truth.csv"),
    "d_product": ("answer.csv", "truth.csv"),
    "labelme": ("answers.txt", "LabelMe_Z_train.txt"),
    "rte": ("label.csv", "truth.csv"),
    "s4_dog": ("answer.csv", "truth.csv"),
}


def audited(folder, name):
    """Return the audit of a set, read as a user would, and the true class of each item, as text."""
    votes, truth = (folder / file for file in SETS[name])
    if name == "labelme":
        options = {"format": "wide", "delimiter": " ", "pred_probs": [folder / "pred_probs.npy"]}
        true = pd.Series(np.loadtxt(truth, dtype=int).astype(str)).rename(str)
    else:
        options = {}
        table = pd.read_csv(truth, dtype=str)
        true = table.set_index(table.columns[0])["truth"]
    return multiannotator.audit(votes, **options), true


def accuracies(folder, name):
    """Return the share of items with a truth whose consensus is right, by method."""
    audit, true = audited(folder, name)
    frame = audit.frames["consensus"].set_index("id")
    known = frame.loc[true.index]
    found = {m: known[m].astype(str) for m in METHODS if m in known}
    return {m: float((labels == true).mean()) for m, labels in found.items()}
