"""One bad label never ends or bends an audit; many classes; labels as models need them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from goldlabel import DataWarning, InputError
from goldlabel.cli import main
from goldlabel.tasks import multiclass, multilabel


def audit(*arguments):
    """Run an audit by the command line and return its parts and its summary."""
    assert main([*map(str, arguments), "--out", "audit", "--quiet"]) == 0
    with open("audit/summary.json", encoding="utf-8") as file:
        return pd.read_parquet("audit/issues.parquet"), json.load(file)


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_one_unknown_label(case):
    folder = case("one-unknown-label-multiclass")
    found, summary = audit(
        "audit", "multiclass", folder / "reviews.csv", "--pred-probs", folder / "probs.csv"
    )
    assert summary["examples"] == 60
    first = found.iloc[0]
    assert (first["example"], first["kind"], first["given_text"]) == (20, "not a class", "negatve")
    assert (first["suggested"], round(first["confidence"], 2)) == ("neg", 0.92)
    assert set(found["example"]) == {20, 7, 31}
    table = pd.read_csv(folder / "reviews.csv").drop(index=20)
    table.to_csv("without.csv", index=False)
    pd.read_csv(folder / "probs.csv").drop(index=20).to_csv("p.csv", index=False)
    main(["audit", "multiclass", "without.csv", "--pred-probs", "p.csv", "--out", "b", "--quiet"])
    alone = pd.read_parquet("b/issues.parquet")
    columns = ["given", "suggested", "score", "p_given", "threshold_given"]
    rest = found[found["kind"] == "label error"]
    assert rest[columns].astype(str).to_numpy().tolist() == (
        alone[columns].astype(str).to_numpy().tolist()
    )
    found[["example", "suggested"]].rename(columns={"suggested": "label"}).to_csv("d.csv")
    assert main(["export", "audit", "--decisions", "d.csv", "--out", "fixed.csv"]) == 0
    assert pd.read_csv("fixed.csv")["label"][20] == "neg"


def test_one_mistyped_label_bends_no_estimate(case):
    folder = case("one-typo-label-estimate")
    found, summary = audit(
        "audit", "multiclass", folder / "reviews.csv", "--pred-probs", folder / "probs.csv"
    )
    assert set(found["example"]) == {100, 17, 230}
    first = found.iloc[0]
    assert (first["example"], first["given"], first["suggested"]) == (100, "neg ", "neg")
    assert first["kind"] == "class with hardly an example"
    assert first["reason"].endswith("Is it a slip of the pen for 'neg'?")
    assert summary["figures"]["estimated_label_errors"] in (2, 3)


def test_labels_are_passed_to_models_in_the_form_they_need(case):
    folder = case("crossval-labels-as-given")
    ran = subprocess.run(
        [sys.executable, folder / "strict.py"], capture_output=True, text=True, check=True
    )
    lines = ran.stdout.splitlines()
    assert lines[0] == "(90, 3)"
    assert [line.rpartition("] ")[2] for line in lines[1:]] == ["(90, 3)"] * 3 + ["(90, 4)"]


def test_a_hundred_thousand_classes(case):
    folder = case("hostile-classes-100k")
    ran = subprocess.run(
        [sys.executable, folder / "use.py"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [
        "[0.89999998 0.89999998 0.89999998]",
        "<LabelIssues: multiclass, 0 of 1000 examples flagged>",
    ]


# The same kinds in other shapes


def clean(n, k, *, seed=0):
    """Labels of k classes that a model knows well, and its probabilities."""
    random = np.random.default_rng(seed)
    codes = np.arange(n) % k
    probs = np.full((n, k), 0.04 / max(k - 1, 1)) + random.random((n, k)) / 500
    probs[np.arange(n), codes] += 0.9
    return codes, probs / probs.sum(axis=1, keepdims=True)


def found_in(labels, probs, **options):
    issues = multiclass.find_label_issues(labels, probs, **options)
    parts = issues.to_frame("part")
    return list(zip(parts["example"], parts["kind"], parts["suggested"], strict=True)), issues


@pytest.mark.parametrize("bad", ["negatve", "", "  ", "3", "O"])
@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "both", "predicted_neq_given"])
def test_a_name_that_is_no_class(bad, filter_by):
    codes, probs = clean(60, 2)
    names = np.array(["neg", "pos"], dtype=object)[codes]
    names[20] = bad
    parts, issues = found_in(names, probs, classes=["neg", "pos"], filter_by=filter_by)
    assert parts == [(20, "not a class", "neg")]
    assert issues.scores[20] == 0.0
    assert issues.parts.evidence["given_text"].tolist() == [bad]
    assert issues.to_frame().loc[20, "given"] is np.nan
    assert multiclass.get_label_quality_scores(names, probs, classes=["neg", "pos"])[20] == 0.0
    rest = np.delete(np.arange(60), 20)
    for verb in (multiclass.confident_joint, multiclass.class_thresholds):
        np.testing.assert_array_equal(
            verb(names, probs, classes=["neg", "pos"]),
            verb(names[rest], probs[rest], classes=["neg", "pos"]),
        )


@pytest.mark.parametrize("bad", [7, -1, 2, 1.5, np.inf])
def test_a_number_that_is_no_class(bad):
    codes, probs = clean(60, 2)
    numbers = codes.astype(type(bad) if isinstance(bad, float) else np.int64)
    numbers[20] = bad
    parts, issues = found_in(numbers, probs)
    assert parts == [(20, "not a class", 0)]
    assert issues.parts.evidence["given_text"].tolist() == [str(numbers[20])]


@pytest.mark.parametrize(("bad", "refused"), [(5, False), (6, True), (30, True)])
def test_from_one_in_ten_on_names_do_not_fit(bad, refused):
    codes, probs = clean(60, 2)
    names = np.array(["neg", "pos"], dtype=object)[codes]
    names[:bad] = "positive"
    if not refused:
        assert found_in(names, probs, classes=["neg", "pos"])[1].num_issues == bad
        return
    with pytest.raises(InputError, match=rf"labels\[0\].*{bad} such"):
        multiclass.find_label_issues(names, probs, classes=["neg", "pos"])


@pytest.mark.parametrize("slip", ["neg ", "Neg", "negg", "n e g"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_class_that_hardly_exists(slip, times):
    codes, probs = clean(400, 2)
    names = np.array(["neg", "pos"], dtype=object)[codes]
    names[100 : 100 + 2 * times : 2] = slip  # all of them look like neg
    classes = ["neg", slip, "pos"]
    probs = np.column_stack([probs[:, 0] - 1e-5, np.full(400, 1e-5), probs[:, 1]])
    parts, issues = found_in(names, probs, classes=classes)
    rows = list(range(100, 100 + 2 * times, 2))
    assert parts == [(row, "class with hardly an example", "neg") for row in rows]
    assert all(each.endswith("a slip of the pen for 'neg'?") for each in issues.reasons())
    health = multiclass.health_summary(names, probs, classes=classes)
    assert health.issues_by_joint == 0


def test_a_long_tail_of_classes_is_no_list_of_slips():
    """Twenty classes with one example each, which no model knows: only the one with a twin."""
    codes, probs = clean(1000, 4)
    probs = np.column_stack([probs * (1 - 20e-5), np.full((1000, 20), 1e-5)])
    others = [f"rare animal {at:x}{at:x}" for at in range(19)]
    classes = ["bird", "cat", "dog", "fish", "dogg", *others]
    codes[np.arange(20) * 40 + 2] = np.arange(4, 24)
    labels = np.array(classes, dtype=object)[codes]
    parts, _ = found_in(labels, probs, classes=classes, min_examples_per_class=0)
    assert parts == [(2, "class with hardly an example", "dog")]
    health = multiclass.health_summary(labels, probs, classes=classes)
    assert health.issues_by_joint == 0


def test_a_small_class_that_the_model_knows_is_judged_as_any_other():
    codes, probs = clean(300, 3)
    codes[codes == 2] = 0
    codes[2] = 2
    keep = (np.arange(300) % 3 != 2) | (np.arange(300) == 2)
    with pytest.warns(DataWarning, match="no more than 1 example"):
        parts, _ = found_in(codes[keep], probs[keep])
    assert parts == []
    with pytest.warns(DataWarning, match="no more than 1 example"):
        issues = multiclass.find_label_issues(codes[keep], probs[keep])
    assert issues.scores.min() > 0.8


LAYOUTS = {
    "names": (["neg", "pos"], "neg,pos"),
    "numbers from 0": (["0", "1"], "neg,pos"),
    "numbers from 1": (["1", "2"], "neg,pos"),
    "numbers": (["0", "1"], "0,1"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bad", ["negatve", "9", "-1", "1.5"])
@pytest.mark.parametrize("predictions", ["csv", "npy"])
def test_a_table_with_one_bad_label(layout, bad, predictions):
    codes, probs = clean(80, 2)
    written, columns = LAYOUTS[layout]
    labels = np.array(written, dtype=object)[codes]
    labels[20] = bad
    pd.DataFrame({"label": labels}).to_csv("labels.csv", index=False)
    pd.DataFrame(probs, columns=columns.split(",")).to_csv("probs.csv", index=False)
    np.save("probs.npy", probs)
    found, summary = audit(
        "audit", "multiclass", "labels.csv", "--pred-probs", f"probs.{predictions}"
    )
    assert found[["example", "kind", "given_text"]].to_numpy().tolist() == [
        [20, "not a class", bad]
    ]
    assert summary["figures"]["estimated_label_errors"] == 0
    assert any("none of the classes" in note for note in summary["notes"])


def test_no_label_is_taken_for_a_slip_where_classes_may_be_rare():
    """Three names, two columns without names, and no gap: which one is none is not known."""
    codes, probs = clean(80, 2)
    labels = np.array(["neg", "pos"], dtype=object)[codes]
    labels[:6:2] = "other"
    labels[20:70] = "neg"
    pd.DataFrame({"label": labels[:70]}).to_csv("labels.csv", index=False)
    np.save("probs.npy", probs[:70])
    assert main(["audit", "multiclass", "labels.csv", "--pred-probs", "probs.npy"]) == 2


def test_a_label_that_is_none_of_the_given_classes_without_predictions():
    random = np.random.default_rng(0)
    codes = np.arange(120) % 2
    labels = np.array(["neg", "pos"], dtype=object)[codes]
    labels[20] = "negatve"
    table = pd.DataFrame({"label": labels, "x": codes + random.normal(0, 0.1, 120)})
    table.to_csv("labels.csv", index=False)
    found, _ = audit("audit", "multiclass", "labels.csv", "--features", "x", "--classes", "neg,pos")
    assert found[["example", "kind", "suggested"]].to_numpy().tolist() == [
        [20, "not a class", "neg"]
    ]


def test_a_dense_joint_of_many_classes_says_what_it_takes():
    labels, probs = np.arange(40), np.full((40, 40_000), 1e-5, dtype=np.float32)
    with (
        pytest.warns(DataWarning, match="sums to"),
        pytest.raises(InputError, match=r"40,000 classes would take 12 GiB"),
    ):
        multiclass.confident_joint(labels, probs)


# Several classes for each example


def tags(n=60):
    """Lists of classes that a model knows well, and its probabilities."""
    present = np.stack([np.arange(n) % 2, np.arange(n) % 3 > 0, np.arange(n) % 5 > 1], axis=1) > 0
    names = np.array(["calm", "loud", "slow"])
    return [names[row].tolist() for row in present], present, np.where(present, 0.9, 0.1)


def test_a_class_in_a_list_that_is_none():
    lists, _, probs = tags()
    classes = ["calm", "loud", "slow"]
    lists[20].append("lowd")
    issues = multilabel.find_label_issues(lists, probs, classes=classes)
    parts = issues.to_frame("part")
    assert parts[["example", "part", "kind", "given_text"]].to_numpy().tolist() == [
        [20, -1, "not a label", "lowd"]
    ]
    assert issues.reasons() == ["'lowd' is not one of the classes."]
    assert issues.scores[20] == 0.0
    unharmed = tags()[0]
    np.testing.assert_array_equal(
        multilabel.confident_joint(lists, probs, classes=classes),
        multilabel.confident_joint(unharmed, probs, classes=classes),
    )


@pytest.mark.parametrize("bad", [2, 7, 0.5, np.inf])
def test_a_number_that_is_neither_0_nor_1(bad):
    _, present, probs = tags()
    labels = present.astype(np.float64 if isinstance(bad, float) else np.int64)
    labels[20, 1] = bad
    issues = multilabel.find_label_issues(labels, probs)
    parts = issues.to_frame("part")
    assert parts[["example", "part", "kind", "suggested"]].to_numpy().tolist() == [
        [20, 1, "not a label", "present"]
    ]
    assert parts["confidence"].tolist() == [0.9]
    assert parts["given"].isna().all()


def test_too_many_numbers_that_are_no_labels_are_refused():
    _, present, probs = tags()
    labels = present.astype(np.int64)
    labels[:6, 1] = 2
    with pytest.raises(InputError, match=r"is 2, not 0 or 1 \(6 such\)"):
        multilabel.find_label_issues(labels, probs)


@pytest.mark.parametrize("path", ["p.csv", "p.npy"])
def test_a_table_of_lists_with_one_bad_class(path):
    lists, _, probs = tags()
    lists[20].append("lowd")
    texts = ["|".join(each) for each in lists]
    pd.DataFrame({"tags": texts}).to_csv("songs.csv", index=False)
    pd.DataFrame(probs, columns=["calm", "loud", "slow"]).to_csv("p.csv", index=False)
    np.save("p.npy", probs)
    options = ["--labels", "tags", "--separator", "|"]
    found, summary = audit("audit", "multilabel", "songs.csv", "--pred-probs", path, *options)
    assert found[["example", "kind", "given_text"]].to_numpy().tolist() == [
        [20, "not a label", "lowd"]
    ]
    assert summary["figures"]["label_health"] == 1.0
    assert main(["decisions", "audit", "--out", "d.csv"]) == 0
    assert main(["export", "audit", "--decisions", "d.csv", "--out", "fixed.csv"]) == 0
    assert pd.read_csv("fixed.csv", keep_default_na=False)["tags"].tolist() == texts


# Arrays as people have them


def test_a_ragged_of_lists(case):
    folder = case("hostile-ragged-of-list")
    ran = subprocess.run(
        [sys.executable, folder / "use.py"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "<LabelIssues: token, 0 of 2 examples flagged>\n"


def test_rows_in_another_order_change_nothing():
    random = np.random.default_rng(0)
    probs = random.dirichlet(np.ones(4), 700).astype(np.float32)
    labels = np.where(random.random(700) < 0.8, probs.argmax(axis=1), random.integers(0, 4, 700))
    options = {"filter_by": "both", "min_examples_per_class": 0}
    issues = multiclass.find_label_issues(labels, probs, **options)
    adjusted = multiclass.get_label_quality_scores(labels, probs, adjust_pred_probs=True)
    for _ in range(20):
        order = random.permutation(700)
        again = multiclass.find_label_issues(labels[order], probs[order], **options)
        np.testing.assert_array_equal(again.is_issue, issues.is_issue[order])
        np.testing.assert_array_equal(again.scores, issues.scores[order])
        scores = multiclass.get_label_quality_scores(
            labels[order], probs[order], adjust_pred_probs=True
        )
        np.testing.assert_array_equal(scores, adjusted[order])
