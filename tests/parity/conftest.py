"""cleanlab as a black box, ours under one set of names, and the sets to compare them on."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest
import reference
import strategies

from goldlabel.errors import DataWarning
from goldlabel.tasks import multiclass


class Quiet:
    """A module whose functions warn of nothing."""

    def __init__(self, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._module = importlib.import_module(name)

    def __getattr__(self, name):
        function = getattr(self._module, name)

        def call(*args, **options):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*args, **options)

        return call


class Cleanlab:
    """The modules of cleanlab that compute what spec 01 describes."""

    count = Quiet("cleanlab.count")
    filter = Quiet("cleanlab.filter")
    rank = Quiet("cleanlab.rank")
    dataset = Quiet("cleanlab.dataset")
    latent_algebra = Quiet("cleanlab.internal.latent_algebra")
    util = Quiet("cleanlab.internal.util")


@pytest.fixture(scope="session")
def cleanlab():
    return Cleanlab


class Package:
    """What is tested, under the names of the twin."""

    @staticmethod
    def class_thresholds(labels, probs):
        return multiclass.class_thresholds(labels, probs)

    @staticmethod
    def confident_joint(labels, probs, **options):
        return multiclass.confident_joint(labels, probs, **options)

    @staticmethod
    def num_label_issues(labels, probs, **options):
        return multiclass.num_label_issues(labels, probs, **options)

    @staticmethod
    def label_issues(labels, probs, *, joint=None, **options):
        with warnings.catch_warnings():  # of small classes, and of columns that look permuted
            warnings.simplefilter("ignore", DataWarning)
            found = multiclass.find_label_issues(labels, probs, confident_joint=joint, **options)
        return found.is_issue

    @staticmethod
    def ranked(labels, probs, filter_by, rank_by):
        return multiclass.find_label_issues(
            labels, probs, filter_by=filter_by, rank_by=rank_by
        ).ranked()

    @staticmethod
    def label_quality(labels, probs, method, *, adjust=False):
        return multiclass.get_label_quality_scores(
            labels, probs, method=method, adjust_pred_probs=adjust
        )

    @staticmethod
    def ensemble_quality(labels, models, method="self_confidence", *, weights, adjust=False):
        named = {"weights": weights} if isinstance(weights, str) else {}
        return multiclass.get_label_quality_ensemble_scores(
            labels,
            models,
            method=method,
            adjust_pred_probs=adjust,
            **named or {"weights": "custom", "custom_weights": weights},
        )


class Twin(Package):
    """The reference."""

    class_thresholds = staticmethod(reference.class_thresholds)
    num_label_issues = staticmethod(reference.num_label_issues)
    confident_joint = staticmethod(reference.confident_joint)
    label_issues = staticmethod(reference.label_issues)
    label_quality = staticmethod(reference.label_quality)
    ensemble_quality = staticmethod(reference.ensemble_quality)

    @staticmethod
    def ranked(labels, probs, filter_by, rank_by):
        scores = reference.label_quality(labels, probs, rank_by)
        flagged = np.flatnonzero(reference.label_issues(labels, probs, filter_by=filter_by))
        return flagged[np.argsort(scores[flagged], kind="stable")]


@pytest.fixture(scope="session", params=[Package, Twin], ids=["package", "reference"])
def ours(request):
    return request.param


SETS = [
    pytest.param(dict(seed=0, n=300, k=2), id="2 classes"),
    pytest.param(dict(seed=1, n=400, k=5), id="5 classes"),
    pytest.param(dict(seed=2, n=120, k=7, noise=0.4), id="noisy"),
    pytest.param(dict(seed=3, n=500, k=12, noise=0.02), id="clean"),
    pytest.param(dict(seed=4, n=300, k=6, absent=(0, 5)), id="absent classes"),
    pytest.param(dict(seed=5, n=300, k=4, dtype=np.float32), id="float32"),
    pytest.param(dict(seed=6, n=40, k=6, noise=0.3), id="small classes"),
]


@pytest.fixture(params=SETS)
def made_up(request):
    return strategies.realistic(**request.param)


@pytest.fixture(scope="session", params=["cifar10_test", "20news_test"])
def real(request, data):
    """Return a real test set with its out-of-sample probabilities.

    20news_test is full of ties: 61 given labels of probability 0, and a row of the joint that
    scales to halves.
    """
    return strategies.load_real(data, request.param)
