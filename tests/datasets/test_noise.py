import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel import InputError
from goldlabel.datasets import plant_errors


@st.composite
def labeled(draw):
    k = draw(st.integers(2, 8))
    codes = draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=60))
    return np.array(codes), list(range(k))


@given(
    labeled(),
    st.sampled_from(["uniform", "pair", "confusion"]),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_exactly_so_many_errors_and_none_onto_itself(case, kind, rate, seed):
    labels, classes = case
    planted = plant_errors(labels, kind=kind, rate=rate, seed=seed, classes=classes)
    assert planted.is_error.sum() == round(rate * len(labels))
    np.testing.assert_array_equal(planted.is_error, planted.labels != planted.original)
    np.testing.assert_array_equal(planted.original, labels)
    assert np.isin(planted.labels, classes).all()
    np.testing.assert_allclose(planted.noise_matrix.sum(axis=0), 1)


@given(labeled(), st.integers(0, 99), st.floats(0, 1))
def test_given_matrix_sets_the_pairs(case, seed, scale):
    labels, classes = case
    k = len(classes)
    rng = np.random.default_rng(seed)
    matrix = scale * rng.dirichlet(np.full(k, 0.3), size=k).T + (1 - scale) * np.eye(k)
    planted = plant_errors(labels, kind=matrix, seed=seed, classes=classes)
    counts = np.bincount(labels, minlength=k)
    assert abs(planted.is_error.sum() - (counts * (1 - np.diag(matrix))).sum()) <= 0.5 + 1e-6
    done = planted.noise_matrix * counts
    off = ~np.eye(k, dtype=bool)
    # Within one of what is expected, after scaling the total to a whole number.
    assert (np.abs(done - matrix * counts)[off] <= 1.51).all()


def test_same_seed_same_errors_and_another_seed_others():
    labels = np.arange(400) % 4
    first, again, other = (plant_errors(labels, rate=0.2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.labels, again.labels)
    assert (first.labels != other.labels).any()


def test_uniform_spreads_evenly():
    planted = plant_errors(np.repeat(np.arange(4), 300), rate=0.3, seed=0)
    off = planted.noise_matrix[~np.eye(4, dtype=bool)]
    np.testing.assert_allclose(off, 0.1, atol=1 / 300 + 1e-9)
    np.testing.assert_allclose(np.diag(planted.noise_matrix), 0.7, atol=1 / 300 + 1e-9)


def test_uniform_is_unbiased_where_fractions_are_tiny():
    # 3 errors over 90 pairs: no pair may be favoured for where it stands.
    labels = np.repeat(np.arange(10), 3)
    hits = np.zeros((10, 10))
    for seed in range(1500):
        planted = plant_errors(labels, rate=0.1, seed=seed)
        np.add.at(hits, (planted.labels[planted.is_error], labels[planted.is_error]), 1)
    off = hits[~np.eye(10, dtype=bool)]
    assert off.sum() == 4500
    assert 20 < off.min()
    assert off.max() < 90  # 50 on average


def test_pair_goes_to_the_next_class():
    planted = plant_errors(["a", "b", "c"] * 20, kind="pair", rate=0.5, seed=0)
    pairs = {(str(a), str(b)) for a, b in zip(planted.original, planted.labels, strict=True)}
    assert pairs == {("a", "a"), ("b", "b"), ("c", "c"), ("a", "b"), ("b", "c"), ("c", "a")}


def test_confusion_has_favourites_and_uneven_rates():
    planted = plant_errors(np.arange(5000) % 5, kind="confusion", rate=0.2, seed=3)
    rates = 1 - np.diag(planted.noise_matrix)
    assert rates.max() > 1.3 * rates.min()
    off = planted.noise_matrix - np.diag(np.diag(planted.noise_matrix))
    assert (off.max(axis=0) > 0.4 * rates).all()


def test_rate_scales_a_given_matrix():
    matrix = np.array([[0.9, 0.0], [0.1, 1.0]])
    planted = plant_errors([0, 1] * 50, kind=matrix, rate=0.3)
    assert planted.is_error.sum() == 30
    assert (planted.original[planted.is_error] == 0).all()
    assert plant_errors([0, 1] * 50, kind=matrix).is_error.sum() == 5


def test_every_label_can_be_wrong():
    planted = plant_errors([0] * 7 + [1] * 3, rate=1.0)
    assert planted.is_error.all()
    assert planted.labels.tolist() == [1] * 7 + [0] * 3


def test_absent_classes_can_be_wrong_labels():
    planted = plant_errors(["a"] * 30, classes=["a", "b", "c"], rate=0.5)
    assert set(planted.labels) == {"a", "b", "c"}
    np.testing.assert_array_equal(planted.noise_matrix[:, 1], [0, 1, 0])


@pytest.mark.parametrize(
    "labels",
    [
        ["x", "y"] * 10,
        pd.Series(["x", "y"] * 10, dtype="category"),
        pd.Series([True, False] * 10),
        np.array([1.0, 2.0] * 10),
    ],
    ids=["list", "category", "bool", "float"],
)
def test_types_of_labels(labels):
    planted = plant_errors(labels, rate=0.25)
    assert planted.is_error.sum() == 5
    assert set(planted.labels.tolist()) == set(np.asarray(labels).tolist())


def test_repr_counts():
    assert repr(plant_errors([0, 1] * 5, rate=0.2)) == "<PlantedErrors: 2 of 10 labels>"


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([], {}, "labels: has shape"),
        ([[0, 1]], {}, "labels: has shape"),
        ([0, None, 1], {}, r"labels\[1\]: is missing"),
        ([0.0, np.nan], {}, r"labels\[1\]: is missing"),
        ([1, 1, 1], {}, "labels: has 1 different classes"),
        ([0, 1], {"classes": [0, 0, 1]}, "classes: has 2 different classes in 3"),
        ([0, 1, 2], {"classes": [0, 1]}, r"labels\[2\]: is .*2.*not one of classes"),
        (pd.Series([1, "a"], dtype=object), {}, "mixes types"),
        ([0, 1], {"rate": 1.5}, "rate: is 1.5"),
        ([0, 1], {"rate": float("nan")}, "rate: is nan"),
        ([0, 1], {"kind": "random"}, "kind: is 'random'"),
        ([0, 1], {"kind": [[1.0]]}, "kind: has shape"),
        ([0, 1], {"kind": [["a", "b"], ["c", "d"]]}, "kind: is no matrix"),
        ([0, 1], {"kind": [[0.5, 0.2], [0.2, 0.8]]}, r"kind\[:, 0\]: .*sums to 0.7"),
        ([0, 1], {"kind": [[1.5, 0.0], [-0.5, 1.0]]}, r"kind\[:, 0\]"),
        ([0, 1], {"kind": [[1.0, 0.5], [0.0, 0.5]], "rate": 1.0}, "asks for 2 errors.*lets 1"),
        ([0, 1], {"kind": np.eye(2), "rate": 0.5}, "lets 0"),
        ([0, 1], {"seed": -1}, "seed: is -1"),
    ],
)
def test_bad_input(labels, options, message):
    with pytest.raises(InputError, match=message):
        plant_errors(labels, **options)
