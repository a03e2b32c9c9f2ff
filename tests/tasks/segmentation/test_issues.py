"""Pixels, regions and scores against slow twins, whatever form the input has."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import segmentation_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.kernels.ranks import BINS
from goldlabel.tasks import segmentation
from goldlabel.tasks.segmentation import kernels, runs
from goldlabel.tasks.segmentation.counting import count
from goldlabel.tasks.segmentation.flagging import evidence, flag, surprise
from goldlabel.tasks.segmentation.pixels import labeled_pixels
from goldlabel.tasks.segmentation.regions import find_regions

SETS = [
    dict(seed=0),
    dict(seed=1, k=2, noise=0.3),
    dict(seed=2, n=7, k=9, noise=0.4, sharp=1.0),
    dict(seed=3, dtype=np.float32),
    dict(seed=4, dtype=np.float32, ragged=True, k=3),
    dict(seed=5, ragged=True),
    dict(seed=6, n=1, h=40, w=37, k=5),
]


@pytest.mark.parametrize("options", SETS, ids=lambda options: str(options["seed"]))
def test_equal_to_slow_twins(options):
    labels, probs = reference.made_up(**options)
    issues = segmentation.find_pixel_issues(labels, probs)
    for found, expected in zip(issues, reference.pixel_issues(labels, probs), strict=True):
        np.testing.assert_array_equal(found, expected)
    for method, twin in (
        ("softmin", reference.softmin(labels, probs, 0.1)),
        ("regions", reference.region_scores(labels, probs)),
    ):
        scores = segmentation.get_label_quality_scores(labels, probs, method=method)
        np.testing.assert_allclose(scores, twin, atol=2e-7)
    for found, mask, each in zip(
        segmentation.get_pixel_quality_scores(labels, probs), labels, probs, strict=True
    ):
        np.testing.assert_array_equal(found, reference.pixel_scores(mask, each))


@given(st.integers(0, 10**6), st.sampled_from([1, 4, 20]), st.booleans())
@settings(max_examples=40)
def test_ties_go_to_the_first_pixels(seed, levels, with_ignored):
    """Few different probabilities: nearly everything is a tie."""
    rng = np.random.default_rng(seed)
    n, k, h, w = rng.integers((1, 2, 1, 1), (5, 6, 5, 5))
    labels = rng.integers(-1 if with_ignored else 0, k, (n, h, w))
    probs = rng.integers(0, levels + 1, (n, k, h, w)) / levels
    probs = np.where(probs.sum(axis=1, keepdims=True) > 0, probs, 1.0)
    probs = probs / probs.sum(axis=1, keepdims=True)
    found = segmentation.find_pixel_issues(labels, probs, ignore_index=-1)
    for mask, expected in zip(found, reference.pixel_issues(labels, probs), strict=True):
        np.testing.assert_array_equal(mask, expected)


def forms():
    labels, probs = reference.made_up(seed=7, n=5, k=3, dtype=np.float16)
    wide = probs.astype(np.float32)
    last = np.ascontiguousarray(np.moveaxis(wide, 1, -1))
    yield "arrays", labels, wide
    yield "half floats", labels, probs
    yield "small labels", labels.astype(np.uint8), wide
    yield "boolean and whole floats", labels.astype(np.float64), wide
    yield "lists", [mask.tolist() for mask in labels], list(wide)
    yield "classes last", labels, np.moveaxis(last, -1, 1)
    yield "other byte order", labels.astype(">i4"), wide.astype(">f4")
    yield "iterators", (mask for mask in labels), (each for each in wide)
    yield "half floats in an iterator", iter(labels), iter(probs)


@pytest.mark.parametrize(
    ("name", "labels", "probs"), [pytest.param(*each, id=each[0]) for each in forms()]
)
def test_the_form_of_the_input_does_not_matter(name, labels, probs):
    expected, wide = reference.made_up(seed=7, n=5, k=3, dtype=np.float16)
    wide = wide.astype(np.float32)
    issues = segmentation.find_label_issues(labels, probs, threshold=1.0)
    usual = segmentation.find_label_issues(expected, wide, threshold=1.0)
    np.testing.assert_array_equal(issues.scores, usual.scores)
    assert issues.to_frame("part").equals(usual.to_frame("part"))


def test_memory_maps_are_read_where_they_lie(tmp_path):
    labels, probs = reference.made_up(seed=8, dtype=np.float16)
    np.save(tmp_path / "probs.npy", probs)
    np.save(tmp_path / "labels.npy", labels)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("labels", "probs")]
    found = segmentation.find_label_issues(*mapped)
    np.testing.assert_array_equal(
        found.scores, segmentation.find_label_issues(labels, probs).scores
    )


def test_the_number_of_threads_does_not_matter(monkeypatch):
    labels, probs = reference.made_up(seed=9, n=9, k=5)
    results = []
    for threads in ("1", "3", "8"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        found = segmentation.find_label_issues(labels, probs, threshold=1.0)
        results.append((found.scores.tobytes(), found.to_frame("part").to_csv()))
    assert len(set(results)) == 1


def test_memory_does_not_grow_with_the_number_of_images(monkeypatch):
    """What one image needs is all that a hundred of them need: nothing is kept of a pixel."""
    monkeypatch.setenv("GOLDLABEL_THREADS", "1")
    labels, probs = reference.made_up(seed=3, n=1, k=8, h=20, w=20, dtype=np.float32)
    mask = np.kron(labels[0], np.ones((16, 16), int)).astype(np.uint8)
    plane = np.ascontiguousarray(np.kron(probs[0], np.ones((16, 16), np.float32)))

    class Repeated:
        def __init__(self, array, n):
            self.array, self.n = array, n

        def __len__(self):
            return self.n

        def __getitem__(self, at):
            return self.array

    peaks = []
    for n in (8, 80):
        tracemalloc.start()
        segmentation.get_label_quality_scores(Repeated(mask, n), Repeated(plane, n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= peaks[0] + 200_000
    histograms = 8 * BINS
    assert max(peaks) < plane.nbytes + 3 * histograms


@given(st.integers(0, 10**6))
@settings(max_examples=60)
def test_components_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 14, 2))
    labels = rng.integers(0, 3, shape).astype(np.int32)
    predicted = rng.integers(-1, 2, shape).astype(np.int32)
    numbers = np.empty(shape, dtype=np.int32)
    count_ = kernels.components(labels, predicted, numbers)
    expected, expected_count = reference.components(labels, predicted)
    assert count_ == expected_count
    assert ((numbers > 0) == (expected > 0)).all()
    pairs = {*zip(numbers.ravel().tolist(), expected.ravel().tolist(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_scores_of_regions_add_up_to_that_of_their_image():
    labels, probs = reference.made_up(seed=11, n=6, k=4)
    counted = count(labeled_pixels(labels, probs))
    unusual = surprise(counted)
    scores = segmentation.get_label_quality_scores(labels, probs)
    for image in range(6):
        found = flag(counted, image)
        regions = find_regions(found, evidence(found, unusual), covered=1.0)
        together = sum((1 - each.score) ** 2 for each in regions)
        assert np.sqrt(together) == pytest.approx(1 - scores[image], abs=1e-9)
        assert sum(each.area for each in regions) == found.is_issue.sum()
        assert [each.score for each in regions] == sorted(each.score for each in regions)
        for each in regions:
            rle = {"size": list(each.size), "counts": each.counts}
            mask = runs.to_mask(*runs.from_coco(rle, "region"))
            y, x = np.nonzero(mask)
            assert (x.min(), y.min()) == (each.x, each.y)
            assert (np.ptp(x) + 1, np.ptp(y) + 1, len(x)) == (each.width, each.height, each.area)
            assert (labels[image][mask] == each.given).all()
            assert found.is_issue[mask].all()
            own = reference.pixel_scores(labels[image], probs[image])[mask]
            assert each.self_confidence == pytest.approx(own.mean())
            assert each.confidence == pytest.approx(probs[image, each.predicted][mask].mean())


def test_issues_rank_and_tell():
    labels, probs = reference.made_up(seed=12, n=6, k=3, sharp=5)
    issues = segmentation.find_label_issues(
        labels, probs, classes=["road", "car", "sky"], ids=list("abcdef"), threshold=0.94
    )
    frame = issues.to_frame("part")
    assert frame["score"].is_monotonic_increasing
    assert set(frame["example"]) == set(issues.ranked())
    assert (issues.scores[issues.is_issue] < 0.94).all()
    assert (issues.scores[~issues.is_issue] >= 0.94).all()
    row = frame.iloc[0]
    assert (
        f"{row['area']:,} pixels labelled {row['given']} look like {row['suggested']}"
        in (row["reason"])
    )


@pytest.mark.parametrize("method", ["regions", "softmin", "num_pixel_issues"])
def test_images_are_ranked_by_the_score_asked_for(method):
    labels, probs = reference.made_up(seed=13, n=5)
    issues = segmentation.find_label_issues(labels, probs, rank_by=method, threshold=0.9)
    scores = segmentation.get_label_quality_scores(labels, probs, method=method)
    np.testing.assert_array_equal(issues.scores, scores)
    np.testing.assert_array_equal(issues.is_issue, scores < 0.9)


def test_nothing_to_judge():
    empty = segmentation.find_label_issues(np.zeros((0, 2, 2), int), np.zeros((0, 3, 2, 2)))
    assert len(empty) == 0
    assert len(empty.to_frame("part")) == 0
    labels, probs = np.full((2, 3, 3), 255, np.uint8), np.full((2, 2, 3, 3), 0.5)
    issues = segmentation.find_label_issues(labels, probs, ignore_index=255)
    assert issues.scores.tolist() == [1.0, 1.0]
    assert not issues.is_issue.any()
    one = segmentation.find_label_issues(np.zeros((1, 2, 2), int), np.ones((1, 1, 2, 2)))
    assert one.scores.tolist() == [1.0]


def test_summaries_count_the_same_pixels():
    labels, probs = reference.made_up(seed=14, n=5, k=4, noise=0.3)
    flagged = np.stack(segmentation.find_pixel_issues(labels, probs))
    table = segmentation.summarize(labels, probs, classes=list("abcd"))
    assert table["label_issues"].sum() == flagged.sum() == table["inverse_label_issues"].sum()
    assert table["pixels"].sum() == labels.size
    assert table["label_quality_score"].is_monotonic_increasing
    pairs = segmentation.common_label_issues(labels, probs)
    assert pairs["num_pixel_issues"].sum() == flagged.sum()
    guess = probs.argmax(axis=1)
    for given_, predicted, n in pairs.values.tolist():
        assert ((labels == given_) & (guess == predicted) & flagged).sum() == n


def test_sums_far_from_one_are_pointed_out():
    labels, probs = reference.made_up(seed=15, n=2)
    probs[1, :, 3, 4] *= 0.5
    with pytest.warns(UserWarning, match=r"pred_probs\[1\]: the probabilities.*sum to 0\.5"):
        segmentation.find_label_issues(labels, probs)
