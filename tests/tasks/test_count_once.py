"""An audit reads predictions as often as its method needs, and nothing is counted twice."""

from __future__ import annotations

from contextlib import ExitStack
from unittest import mock

import numpy as np
import pytest
import strategies

from goldlabel.kernels import class_means, confident, selection
from goldlabel.learning import filters
from goldlabel.tasks.multiclass.auditing import audit as audit_multiclass
from goldlabel.tasks.multilabel import counting as multilabel_counting
from goldlabel.tasks.multilabel import kernels as multilabel_kernels
from goldlabel.tasks.multilabel.auditing import audit as audit_multilabel
from goldlabel.tasks.segmentation import counting as segmentation_counting
from goldlabel.tasks.segmentation.auditing import audit as audit_segmentation

pytestmark = pytest.mark.filterwarnings("ignore::goldlabel.errors.DataWarning")


def calls(audit, *functions):
    """Run an audit, and return how often it calls each function, a pair (module, name)."""
    with ExitStack() as stack:
        spies = [
            stack.enter_context(mock.patch.object(module, name, side_effect=getattr(module, name)))
            for module, name in functions
        ]
        audit()
    return [spy.call_count for spy in spies]


@pytest.mark.parametrize(
    ("filter_by", "selections"),
    [("prune_by_noise_rate", 1), ("both", 2), ("confident_learning", 0)],
)
def test_multiclass(tmp_path, filter_by, selections):
    labels, probs = strategies.realistic(2, n=300, k=3, noise=0.2)
    path = tmp_path / "labels.csv"
    path.write_text("label\n" + "\n".join(f"c{label}" for label in labels))
    np.save(tmp_path / "probs.npy", probs)
    counts = calls(
        lambda: audit_multiclass(path, pred_probs=tmp_path / "probs.npy", filter_by=filter_by),
        (class_means, "class_sums"),
        (confident, "sweep"),
        (selection, "select_by_quota"),
        (filters, "judge"),
    )
    assert counts == [1, 1, selections, 1]


@pytest.mark.parametrize(
    ("filter_by", "searches"), [("prune_by_noise_rate", 1), ("confident_learning", 2)]
)
def test_multilabel(tmp_path, filter_by, searches):
    """The health is by the default filter: what is flagged by another one is looked for besides."""
    random = np.random.default_rng(0)
    probs = random.random((90, 3))
    np.save(tmp_path / "labels.npy", (probs > 0.5) ^ (random.random((90, 3)) < 0.1))
    np.save(tmp_path / "probs.npy", probs)
    paths = tmp_path / "labels.npy", tmp_path / "probs.npy"
    counts = calls(
        lambda: audit_multilabel(paths[0], pred_probs=paths[1], filter_by=filter_by),
        (multilabel_counting, "_value_sums"),
        (multilabel_kernels, "count_guesses"),
    )
    assert counts == [1, 1]
    passes = calls(
        lambda: audit_multilabel(paths[0], pred_probs=paths[1], filter_by=filter_by),
        (multilabel_kernels, "candidates"),
        (multilabel_kernels, "disagreements"),
    )
    assert sum(passes) == searches


def test_segmentation(tmp_path):
    """Two passes read every probability; the candidates are ranked by that of the given class."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (4, 8, 8), dtype=np.uint8)
    p = np.where(labels == 1, 0.9, 0.1) + random.random(labels.shape) / 20
    labels[1, :4] = 1 - labels[1, :4]
    np.save(tmp_path / "masks.npy", labels)
    np.save(tmp_path / "probs.npy", np.stack([1 - p, p], axis=1))
    counts = calls(
        lambda: audit_segmentation(tmp_path / "masks.npy", pred_probs=tmp_path / "probs.npy"),
        (segmentation_counting, "_given_pass"),
        (segmentation_counting, "_guess_pass"),
    )
    assert counts == [1, 1]
