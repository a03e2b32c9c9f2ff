"""The answer of every task: ranked, as a table, and on disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel import InputError, LabelIssues
from goldlabel.results.label_issues import Parts

REASON = "{given} is rather {suggested} ({confidence:.0%}), {votes} votes say"


def made(classes=("cat", "dog", "cow"), ids=None, **changes):
    """Three examples, of which the last two are flagged, the last one first."""
    issues = LabelIssues(
        task="pets",
        scores=np.array([0.9, 0.2, 0.1]),
        is_issue=np.array([False, True, True]),
        parts=Parts(
            example=np.array([2, 1]),
            part=np.array([-1, -1]),
            kind=np.array([0, 1], dtype=np.int8),
            kinds=("label error", "odd one"),
            given=np.array([0, 1]),
            suggested=np.array([1, -1]),
            score=np.array([0.1, 0.2]),
            confidence=np.array([0.95, 0.5]),
            evidence={"votes": np.array([7, 3])},
            reasons={"label error": REASON.format},
        ),
        classes=classes,
        ids=ids,
        params={"seed": np.int64(3), "limits": np.array([0.5, 1.0]), "method": None},
        given=np.array([0, 1, 0]),
        suggested=np.array([0, 2, 1]),
    )
    return replace(issues, **changes)


def test_length_is_the_number_of_examples_and_truth_is_refused():
    issues = made()
    assert len(issues) == len(issues.scores) == len(issues.to_frame()) == 3
    assert issues.num_issues == 2
    for none_flagged in (issues, made(is_issue=np.zeros(3, dtype=np.bool_))):
        with pytest.raises(InputError, match="neither true nor false"):
            bool(none_flagged)
    assert repr(made()) == "<LabelIssues: pets, 2 of 3 examples flagged>"


def test_ranked_is_worst_first_and_ties_are_by_position():
    assert made().ranked().tolist() == [2, 1]
    tied = made(scores=np.array([0.5, 0.5, 0.5]), is_issue=np.ones(3, dtype=np.bool_))
    assert tied.ranked().tolist() == [0, 1, 2]


def test_a_row_per_example():
    frame = made(ids=np.array(["x", "y", "z"])).to_frame()
    assert list(frame.columns) == ["example", "id", "score", "is_issue", "given", "suggested"]
    assert frame["id"].tolist() == ["x", "y", "z"]
    assert frame["given"].tolist() == ["cat", "dog", "cat"]
    assert frame["suggested"].tolist() == ["cat", "cow", "dog"]


def test_a_row_per_part():
    frame = made().to_frame("part")
    assert frame["example"].tolist() == frame["id"].tolist() == [2, 1]
    assert frame["kind"].tolist() == ["label error", "odd one"]
    assert frame["suggested"].isna().tolist() == [False, True]
    assert frame["reason"].tolist() == ["cat is rather dog (95%), 7 votes say", ""]
    assert frame["votes"].tolist() == [7, 3]


def test_an_unknown_level():
    with pytest.raises(InputError, match="level"):
        made().to_frame("token")


def test_reasons_are_the_same_in_memory_and_on_disk(tmp_path):
    issues = made()
    issues.to_parquet(tmp_path / "once")
    read = LabelIssues.from_parquet(tmp_path / "once")
    assert read.reasons() == issues.reasons()
    assert read.reasons([1]) == issues.reasons([1])
    assert list(read.parts.evidence) == list(issues.parts.evidence)
    read.to_parquet(tmp_path / "twice")
    again = LabelIssues.from_parquet(tmp_path / "twice")
    pd.testing.assert_frame_equal(again.to_frame("part"), issues.to_frame("part"))


def test_reasons_of_some_rows():
    assert made().reasons([1, 0]) == ["", "cat is rather dog (95%), 7 votes say"]
    assert made().reasons([]) == []


def test_names_with_braces_are_not_templates():
    issues = made(classes=("{votes}", "{0}", "}{"))
    assert issues.reasons([0]) == ["{votes} is rather {0} (95%), 7 votes say"]


def same(a, b):
    assert (a.task, a.params) == (b.task, b.params)
    for name in ("scores", "is_issue", "given", "suggested"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("example", "part", "kind", "given", "suggested", "score", "confidence"):
        np.testing.assert_array_equal(getattr(a.parts, name), getattr(b.parts, name))
    assert a.reasons() == b.reasons()


@pytest.mark.parametrize(
    "classes", [("cat", "dog", "cow"), (3, 1, 2), (0.5, 1.5, 2.5), ("", "0", "ß 猫")]
)
def test_what_is_written_is_read_again(tmp_path, classes):
    issues = made(classes=classes)
    issues.to_parquet(tmp_path / "one")
    read = LabelIssues.from_parquet(tmp_path / "one")
    same(replace(issues, params={"seed": 3, "limits": [0.5, 1.0], "method": None}), read)
    assert read.classes == classes
    assert read.ids is None
    read.to_parquet(tmp_path / "two")
    same(read, LabelIssues.from_parquet(tmp_path / "two"))


@pytest.mark.parametrize(
    "classes",
    [
        (1, "1", 2),
        (True, False, "True"),
        (None, "None", "nan"),
        (float("nan"), 1.0, 2.0),
        (("a", 1), ("a", 2), ("b", 1)),
    ],
)
def test_classes_of_any_kind_stay_apart(tmp_path, classes):
    issues = made(classes=classes)
    issues.to_parquet(tmp_path)
    read = LabelIssues.from_parquet(tmp_path)
    np.testing.assert_array_equal(read.given, issues.given)
    np.testing.assert_array_equal(read.parts.suggested, issues.parts.suggested)
    assert len(set(read.classes)) == 3


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (np.array(["x", "y", "z"]), ["x", "y", "z"]),
        (np.array([7, 8, 9]), [7, 8, 9]),
        (np.array([1, "a", 2.5], dtype=object), ["1", "a", "2.5"]),
    ],
)
def test_ids_are_kept(tmp_path, ids, expected):
    made(ids=ids).to_parquet(tmp_path)
    assert LabelIssues.from_parquet(tmp_path).ids.tolist() == expected


def test_values_instead_of_classes(tmp_path):
    values = np.array([1.5, np.nan])
    issues = made(
        classes=None,
        given=np.array([1.0, 2.0, 3.0]),
        suggested=np.array([1.0, np.nan, 3.5]),
        parts=replace(made().parts, given=values, suggested=values[::-1].copy(), reasons={}),
    )
    issues.to_parquet(tmp_path)
    read = LabelIssues.from_parquet(tmp_path)
    np.testing.assert_array_equal(read.suggested, issues.suggested)
    np.testing.assert_array_equal(read.parts.given, values)


def test_nothing_found(tmp_path):
    parts = made().parts
    nothing = {name: getattr(parts, name)[:0] for name in ("example", "part", "kind", "given")}
    rest = {name: getattr(parts, name)[:0] for name in ("suggested", "score", "confidence")}
    empty = replace(parts, **nothing, **rest, evidence={"votes": np.array([], dtype=np.int64)})
    issues = made(is_issue=np.zeros(3, dtype=np.bool_), parts=empty)
    issues.to_parquet(tmp_path)
    read = LabelIssues.from_parquet(tmp_path)
    assert read.num_issues == len(read.parts) == 0
    assert read.ranked().tolist() == []


def test_the_files_say_what_wrote_them(tmp_path):
    made().to_parquet(tmp_path)
    for name in ("examples.parquet", "issues.parquet"):
        meta = pq.read_schema(tmp_path / name).metadata[b"goldlabel"]
        assert b'"task": "pets"' in meta
        assert b'"version"' in meta


@pytest.mark.parametrize("content", [b"", b"not a table", None])
def test_what_is_not_an_audit(tmp_path, content):
    if content is not None:
        (tmp_path / "examples.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"examples\.parquet: is not a file of an audit"):
        LabelIssues.from_parquet(tmp_path)


def test_a_table_of_somebody_else(tmp_path):
    made().to_frame().to_parquet(tmp_path / "examples.parquet")
    with pytest.raises(InputError, match="is not a file of an audit"):
        LabelIssues.from_parquet(tmp_path)


@pytest.mark.parametrize("name", ["examples.parquet", "issues.parquet"])
def test_what_pandas_wrote_into_the_schema_is_not_trusted(tmp_path, name):
    made().to_parquet(tmp_path)
    table = pq.read_table(tmp_path / name)
    metadata = {**table.schema.metadata, b"pandas": b'{"columns": \x8a'}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / name)
    assert LabelIssues.from_parquet(tmp_path).to_frame().equals(made().to_frame())


def test_positions_that_are_no_whole_numbers(tmp_path):
    made().to_parquet(tmp_path)
    table = pq.read_table(tmp_path / "issues.parquet")
    at = table.column_names.index("part")
    huge = table.set_column(at, "part", [[1e300] * len(table)])
    pq.write_table(huge, tmp_path / "issues.parquet")
    with pytest.raises(InputError, match="column 'part': is float64, not int64"):
        LabelIssues.from_parquet(tmp_path)


def test_ids_beyond_64_bits_are_kept_as_text(tmp_path):
    made(ids=np.array([7, 10**30, 2**63], dtype=object)).to_parquet(tmp_path)
    assert list(LabelIssues.from_parquet(tmp_path).ids) == ["7", str(10**30), str(2**63)]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_ranking_orders_all_flagged_examples(rows):
    scores, flags = (np.array(column) for column in zip(*rows, strict=True))
    issues = made(scores=scores, is_issue=flags)
    ranked = issues.ranked()
    assert sorted(ranked) == np.flatnonzero(flags).tolist()
    assert (np.diff(scores[ranked]) >= 0).all()


def test_names_of_parts(tmp_path):
    parts = replace(
        made().parts,
        part=np.array([1, 0]),
        reasons=dict.fromkeys(("label error", "odd one"), "{part}: {given}".format),
    )
    issues = made(parts=parts, part_names=("left", "right"))
    table = issues.to_frame("part")
    assert table[["part", "part_name"]].values.tolist() == [[1, "right"], [0, "left"]]
    assert issues.reasons() == ["right: cat", "left: dog"]
    issues.to_parquet(tmp_path)
    again = LabelIssues.from_parquet(tmp_path)
    assert again.part_names == ("left", "right")
    assert again.reasons() == issues.reasons()
    assert "part_name" not in made().to_frame("part")


def test_rows_of_one_finding(tmp_path):
    assert made().parts.leads.tolist() == [True, True]
    assert "group" not in made().to_frame("part")
    issues = made(parts=replace(made().parts, kind=np.int8([1, 1]), group=np.array([4, 4])))
    issues.to_parquet(tmp_path)
    for each in (issues, LabelIssues.from_parquet(tmp_path)):
        assert each.parts.leads.tolist() == [True, False]
        assert each.parts.kind_counts() == {"label error": 0, "odd one": 1}
        assert each.to_frame("part")["group"].tolist() == [4, 4]
