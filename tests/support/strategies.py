"""Classification sets: what hypothesis draws, what looks real, and what is."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = (np.float32, np.float64)


def _rows(weights, dtype):
    """Turn weights into rows that sum to 1; a row of zeros becomes a uniform one."""
    weights = np.asarray(weights, np.float64)
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, 1.0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(dtype)


@st.composite
def pred_probs(draw, shape, dtypes=DTYPES):
    """Rows of probabilities: coarse ones full of ties, one-hot ones, or any."""
    n, k = shape
    dtype = draw(st.sampled_from(dtypes))
    kind = draw(st.sampled_from(["coarse", "one hot", "any"]))
    if kind == "one hot":
        hot = draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))
        return np.eye(k, dtype=dtype)[hot]
    element = st.integers(0, 4) if kind == "coarse" else st.integers(0, 10_000)
    return _rows(draw(hnp.arrays(np.int64, (n, k), elements=element)), dtype)


@st.composite
def labeled_rows(draw, *, min_n=1, max_n=24, min_k=1, max_k=6, dtypes=DTYPES):
    """(labels, pred_probs): few rows, ties, absent classes, both float types."""
    n, k = draw(st.integers(min_n, max_n)), draw(st.integers(min_k, max_k))
    used = draw(st.integers(1, k))  # the classes from here on occur in no label
    labels = draw(hnp.arrays(np.int64, n, elements=st.integers(0, used - 1)))
    order = np.array(draw(st.permutations(range(k))))
    return order[labels], draw(pred_probs((n, k), dtypes))


@st.composite
def joints(draw, *, max_k=6):
    """(confident joint, class counts) that need not fit each other; rows of zeros occur."""
    k = draw(st.integers(1, max_k))
    counted = draw(hnp.arrays(np.int64, (k, k), elements=st.integers(0, 30)))
    return counted, draw(hnp.arrays(np.int64, k, elements=st.integers(0, 40)))


def realistic(seed, *, n=400, k=5, noise=0.15, absent=(), dtype=np.float64):
    """(labels, pred_probs) as from a decent model: imbalanced classes, some labels flipped."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(k, 2.0))
    shares[list(absent)] = 0.0
    true = random.choice(k, n, p=shares / shares.sum())
    logits = random.normal(0, 1.2, (n, k))
    logits[np.arange(n), true] += random.normal(2.5, 1.0, n)
    probs = np.exp(logits)
    present = np.flatnonzero(shares)
    flipped = np.where(random.random(n) < noise, random.choice(present, n), true)
    return flipped, _rows(probs, dtype)


def load_real(data, name):
    """(labels, pred_probs) of one of the folders in ``multiclass`` of the real data."""
    folder = data / "multiclass" / name
    return np.load(folder / "given_labels.npy").astype(np.int64), np.load(folder / "pred_probs.npy")


@st.composite
def labeled_cells(draw, *, max_n=14, max_k=4, dtypes=(np.float64, np.float32), unknown=True):
    """Draw a matrix of labels, some not known, and probabilities, many of them equal."""
    shape = draw(st.integers(1, max_n)), draw(st.integers(1, max_k))
    values = st.sampled_from([-1, 0, 1] if unknown else [0, 1])
    labels = draw(hnp.arrays(np.int8, shape, elements=values))
    levels = [0.0, 1e-7, 0.1, 0.25, 0.4999999, 0.5, 0.5000001, 0.5000006, 0.75, 0.9, 1 - 1e-7, 1.0]
    level = st.sampled_from(levels) | st.floats(0, 1)
    dtype = draw(st.sampled_from(dtypes))
    return labels, draw(hnp.arrays(np.float64, shape, elements=level)).astype(dtype)


def realistic_cells(seed, *, n=300, k=6, density=0.3, noise=0.08, dtype=np.float64):
    """Make labels, some wrong, and what a fair model predicts."""
    rng = np.random.default_rng(seed)
    true = rng.random((n, k)) < density
    logits = rng.normal(0, 1.5, (n, k)) + np.where(true, 2.0, -2.0)
    given = np.where(rng.random((n, k)) < noise, ~true, true)
    return given.astype(np.int8), (1 / (1 + np.exp(-logits))).astype(dtype)
