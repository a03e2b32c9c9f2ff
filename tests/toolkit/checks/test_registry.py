"""Checks are found by entry points, ours as those of others, and run on the inputs they take."""

from __future__ import annotations

import sys
import textwrap

import numpy as np
import pytest

from goldlabel import checks
from goldlabel.checks import Check, CheckResult, registry
from goldlabel.errors import InputError

THEIRS = """
import numpy as np
from goldlabel.checks import Check, CheckResult

def find_short(*, text, least=3):
    lengths = np.array([len(each) for each in text])
    return CheckResult(
        check="short", scores=np.minimum(lengths / least, 1.0), is_issue=lengths < least,
        score=1.0, verdict="Some are short.", is_found=True,
        reason="has {length} letters", columns={"length": lengths},
    )

CHECK = Check("short", "texts that are too short", find_short, needs=(("text",),))
NONE = "no check"
"""


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    (tmp_path / "shorties.py").write_text(textwrap.dedent(THEIRS), encoding="utf-8")
    info = tmp_path / "shorties-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shorties\nVersion: 1.0\n")
    points = (
        "[goldlabel.checks]\nshort = shorties:CHECK\nbroken = shorties:NONE\nlost = gone:CHECK\n"
    )
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("shorties", None)


def test_our_checks_are_found_in_order():
    found = checks.find_checks()
    ours = [name for name, each in found.items() if each.find.__module__.startswith("goldlabel.")]
    assert ours[:3] == ["null", "label", "outlier"]
    assert set(ours) == {
        "null", "label", "outlier", "near_duplicate", "text_duplicate", "non_iid",
        "class_imbalance", "underperforming_group", "data_valuation", "identifier_column",
        "spurious_correlation",
    }  # fmt: skip
    for name, each in found.items():
        assert each.name == name
        assert {part for names in each.needs for part in names} <= each.takes


def test_a_check_of_others_is_found_and_used_like_ours(third_party):
    found = checks.find_check("short")
    result = found.run({"text": ["a", "four"], "features": None}, {"least": 2})
    assert result.ranked().tolist() == [0]
    assert result.reasons() == ["has 1 letters"]
    assert result.to_frame().columns.tolist() == ["example", "score", "is_issue", "length"]


@pytest.mark.parametrize(
    ("name", "what"), [("broken", "is no Check"), ("lost", "ModuleNotFoundError"), ("x", "not one")]
)
def test_a_check_that_cannot_be_used_is_named(third_party, name, what):
    with pytest.raises(InputError, match=what):
        checks.find_check(name)


def test_parameters_nobody_has_are_refused():
    """DIVERGE 3-08."""
    with pytest.raises(InputError, match="has no parameter 'treshold'"):
        checks.find_check("outlier").run({"features": np.eye(5)}, {"treshold": 1})


def test_a_check_says_what_it_needs():
    """DIVERGE 3-07."""
    found = checks.find_check("underperforming_group")
    assert found.missing(["labels", "pred_probs", "graph"]) is None
    assert "labels and pred_probs and features, or" in found.missing(["pred_probs"])
    with pytest.raises(InputError, match="needs"):
        found.run({"pred_probs": np.eye(3), "labels": None})


def result(**changes):
    fields = {"check": "x", "scores": np.ones(3), "is_issue": np.zeros(3, bool), "score": 1.0,
              "verdict": "", "is_found": False}  # fmt: skip
    return CheckResult(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": np.array([0.5, 1.5, np.nan])}, r"scores\[1\]: is 1.5.*2 such"),
        ({"score": float("nan")}, "score: is nan"),
        ({"is_issue": np.zeros(2, bool)}, "is_issue: has shape"),
        ({"columns": {"group": np.zeros(4)}}, "group: has shape"),
    ],
)
def test_every_result_keeps_what_readers_rely_on(changes, message):
    with pytest.raises(InputError, match=message):
        result(**changes)


def test_a_result_is_neither_true_nor_false():
    with pytest.raises(InputError, match="is_found"):
        bool(result())
    assert len(result()) == 3
    assert result(reason=np.array(["a", "b", "c"])).reasons([2]) == ["c"]


def test_the_same_check_of_two_packages_is_refused(third_party, monkeypatch):
    points = registry.entry_points

    class Another:
        value, name = "other:CHECK", "short"

    monkeypatch.setattr(registry, "entry_points", lambda **names: [*points(**names), Another()])
    with pytest.raises(InputError, match="is offered by other:CHECK and shorties:CHECK"):
        checks.find_check("short")


def test_names_of_inputs_are_known():
    assert isinstance(checks.find_check("null"), Check)
    assert set(registry.INPUTS) >= {"labels", "features", "pred_probs", "graph", "text", "table"}
