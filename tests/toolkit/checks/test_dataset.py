"""One object for a whole dataset: in every form, saved and read again, compared with new data."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from goldlabel import checks
from goldlabel.errors import InputError
from goldlabel.neighbors import neighbor_graph

RNG = np.random.default_rng(0)
N = 60
LABELS = RNG.choice(["cat", "dog"], N)
FEATURES = RNG.normal(size=(N, 6)) + 3 * (LABELS == "dog")[:, None]
FEATURES[50] = FEATURES[3]
PROBS = np.where((LABELS == "dog")[:, None], [0.1, 0.9], [0.9, 0.1])
TABLE = pd.DataFrame({
    "label": LABELS, "text": [f"text number {i}" * 3 for i in range(N)],
    "row": np.arange(N), "size": RNG.normal(size=N),
})  # fmt: skip


def hugging_face(table):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "path", [p for p in sys.path if Path(p or ".").resolve().name != "checks"]
        )
        datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["cat", "dog", "eel"])
    coded = table.assign(label=[names.names.index(each) for each in table["label"]])
    found = datasets.Dataset.from_pandas(coded, preserve_index=False)
    return found.cast_column("label", names)


FORMS = {
    "pandas": lambda: TABLE,
    "pandas with ids": lambda: TABLE.set_index(pd.Index([f"id{i}" for i in range(N)])),
    "dict": lambda: TABLE.to_dict("list"),
    "list of dicts": lambda: TABLE.to_dict("records"),
    "arrow": lambda: pa.Table.from_pandas(TABLE, preserve_index=False),
    "polars": lambda: pytest.importorskip("polars").from_dict(TABLE.to_dict("list")),
    "hugging face": lambda: hugging_face(TABLE),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_audit(form):
    expected = checks.audit_dataset(TABLE, label="label", text="text", features=FEATURES)
    found = checks.audit_dataset(FORMS[form](), label="label", text="text", features=FEATURES)
    assert list(found.results) == list(expected.results)
    assert not found.failed
    shared = [name for name in found.results if form != "hugging face" or name != "class_imbalance"]
    for name in shared:
        np.testing.assert_array_equal(found[name].scores, expected[name].scores)
    if form == "hugging face":
        assert found["class_imbalance"].figures["absent_classes"] == ["eel"]


class Frame(pd.DataFrame):
    """DIVERGE 3-01: subclasses are what they are subclasses of."""


def test_subclasses_and_arrays_alone():
    found = checks.audit_dataset(Frame(TABLE), label="label")
    assert list(found.results) == ["null", "class_imbalance"]
    alone = checks.audit_dataset(features=FEATURES, label=LABELS, pred_probs=PROBS)
    assert list(alone.results) == [
        "null", "label", "outlier", "near_duplicate", "non_iid", "class_imbalance",
        "underperforming_group",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"pred_probs": PROBS}, ["non_iid"]),
        ({"features": FEATURES}, ["null", "outlier", "near_duplicate", "non_iid"]),
        ({"graph": neighbor_graph(FEATURES)}, ["outlier", "near_duplicate", "non_iid"]),
        ({"label": LABELS}, ["class_imbalance"]),
        ({"label": LABELS, "pred_probs": PROBS},
         ["label", "outlier", "non_iid", "class_imbalance"]),
        ({"label": RNG.normal(size=N), "features": FEATURES},
         ["null", "outlier", "near_duplicate", "non_iid"]),
        ({"label": [["a"], ["a", "b"]] * 30, "features": FEATURES},
         ["null", "outlier", "near_duplicate", "non_iid"]),
    ],
)  # fmt: skip
def test_what_runs_is_what_the_inputs_allow(inputs, expected):
    found = checks.audit_dataset(**inputs)
    assert list(found.results) == expected
    assert not found.failed
    assert "underperforming_group" in found.skipped


def test_neighbours_are_searched_once(monkeypatch):
    from goldlabel.neighbors import graph

    calls = []
    own = graph.nearest_of_each
    monkeypatch.setattr(
        graph, "nearest_of_each", lambda *given: calls.append(given[1]) or own(*given)
    )
    wide = {"outlier": {"k": 5}, "near_duplicate": {}, "data_valuation": {"k": 5, "horizon": 20}}
    found = checks.audit_dataset(features=FEATURES, label=LABELS, checks=wide)
    assert calls == [20]
    assert found["outlier"].params["k"] == 5
    np.testing.assert_array_equal(
        found["outlier"].scores, checks.find_outliers(features=FEATURES, k=5).scores
    )


def test_a_check_that_fails_does_not_stop_the_others():
    features = FEATURES * np.nan
    found = checks.audit_dataset(features=features, label=LABELS)
    assert {"outlier", "near_duplicate", "non_iid", "label"} <= set(found.failed)
    assert found["null"].num_issues == N
    with pytest.raises(InputError, match="failed: features: has no row"):
        found["outlier"]
    with pytest.raises(InputError, match="did not run: it needs"):
        found["underperforming_group"]
    assert "outlier: failed" in found.report()


def test_summary_frame_and_report():
    found = checks.audit_dataset(TABLE, label="label", features=FEATURES)
    assert found.summary()["check"][0] == "near_duplicate"
    assert found.to_frame().columns[:2].tolist() == ["is_null_issue", "null_score"]
    assert len(found.to_frame()) == N
    report = found.report(top=1)
    assert "near_duplicate: 2 examples are near duplicates, in 1 group; labels contra" in report
    assert "  3  in group 0" in report


def test_saved_and_read_again(tmp_path):
    found = checks.audit_dataset(
        TABLE, label="label", text="text", features=FEATURES, pred_probs=PROBS
    )
    found.save(tmp_path / "audit")
    again = checks.DatasetAudit.load(tmp_path / "audit")
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    pd.testing.assert_frame_equal(again.summary(), found.summary())
    assert again.report() == found.report()
    assert again.skipped == found.skipped
    groups = again["near_duplicate"].frames["groups"]
    assert [list(rows) for rows in groups["examples"]] == [[3, 50]]
    new = again.compare(FEATURES + 9, labels=["eel"] * N)
    assert new.figures["new_classes"] == ["eel"]
    assert new.figures["drift_p_value"] < 0.05
    with pytest.raises(InputError, match="exists already"):
        found.save(tmp_path / "audit")


def damage(folder, what):
    index = json.loads((folder / "checks.json").read_text())
    if what == "gone":
        (folder / "checks.json").unlink()
    elif what == "no JSON":
        (folder / "checks.json").write_text("{")
    elif what == "another file":
        (folder / "features.npy").write_bytes(b"\x80\x04other")
    elif what == "another schema":
        (folder / "checks.json").write_text(json.dumps({**index, "schema": 99}))
    elif what == "another length":
        (folder / "checks.json").write_text(json.dumps({**index, "examples": 3}))
    elif what == "no verdict":
        index["checks"]["null"].pop("verdict")
        (folder / "checks.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    "what",
    ["gone", "no JSON", "another file", "another schema", "another length", "no verdict"],
)
def test_a_folder_that_was_changed_is_refused(tmp_path, what):
    """DIVERGE 3-43 and 3-44: hashes of what is there, and nothing that could be run."""
    checks.audit_dataset(features=FEATURES, label=LABELS).save(tmp_path / "audit")
    damage(tmp_path / "audit", what)
    with pytest.raises(InputError):
        checks.DatasetAudit.load(tmp_path / "audit")


@pytest.mark.parametrize(
    ("given", "where", "what"),
    [
        ({}, "data", "missing"),
        ({"data": np.ones((3, 2))}, "data", "ndarray"),
        ({"data": {"train": TABLE, "test": TABLE}}, "data", "dict of tables"),
        ({"data": {"a": [1], "b": [1, 2]}}, "data", "lengths"),
        ({"data": TABLE, "label": "klass"}, "label", "'klass'"),
        ({"data": TABLE, "features": ["size", "none"]}, "features", "'none'"),
        ({"data": TABLE, "features": FEATURES[:9]}, "data", "features has 9"),
        ({"features": FEATURES, "graph": neighbor_graph(FEATURES[:20])}, "data", "graph has 20"),
        ({"features": FEATURES, "checks": ["outlyer"]}, "checks", "'outlyer'"),
        ({"features": FEATURES, "checks": "outlier"}, "checks", "'outlier'"),
        ({"features": FEATURES, "checks": {"outlier": {"kk": 2}}}, "outlier", "'kk'"),
        ({"features": 7}, "features", "is a int"),
    ],
)
def test_refused(given, where, what):
    with pytest.raises(InputError) as caught:
        checks.audit_dataset(**given)
    assert caught.value.where == where
    assert what in caught.value.what


def test_options_of_the_caller_are_left_alone():
    """DIVERGE 3-09."""
    options = {"outlier": {"k": 3}}
    checks.audit_dataset(features=FEATURES, checks=options)
    assert options == {"outlier": {"k": 3}}


def test_columns_as_features_and_as_identifiers():
    found = checks.audit_dataset(
        TABLE, label="label", features=["size", "row"], checks=["outlier", "identifier_column"]
    )
    assert found["identifier_column"].figures["identifier_columns"] == ["row"]
    assert len(found["outlier"]) == N
