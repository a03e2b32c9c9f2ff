"""Which labels change: by confidence, or by a person's decisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from goldlabel import InputError, LabelIssues
from goldlabel.actions import corrections
from goldlabel.actions.corrections import COLUMNS, suggested, to_decide
from goldlabel.formats.spreadsheet import write_csv
from goldlabel.results.label_issues import Parts


def decided(issues, path):
    return corrections.decided(issues, path).changes


def parts(rows, dtype=np.int64):
    """Build parts from (example, part, given, suggested, confidence), worst first."""
    example, part, given, suggestion, confidence = zip(*rows, strict=True) if rows else [()] * 5
    return Parts(
        example=np.array(example, dtype=np.int64),
        part=np.array(part, dtype=np.int64),
        kind=np.zeros(len(rows), dtype=np.int8),
        kinds=("label error",),
        given=np.array(given, dtype=dtype),
        suggested=np.array(suggestion, dtype=dtype),
        score=np.linspace(0.0, 0.4, len(rows)),
        confidence=np.array(confidence, dtype=np.float64),
        reasons={"label error": "rather {suggested}".format},
    )


@pytest.fixture
def issues():
    """Four examples of one label each, two of them flagged; ids are text."""
    return LabelIssues(
        task="ledger",
        scores=np.array([0.9, 0.1, 0.8, 0.2]),
        is_issue=np.array([False, True, False, True]),
        parts=parts([(3, -1, 2, 0, 0.7), (1, -1, 0, 1, 0.95)]),
        classes=("cat", "dog", "3"),
        ids=np.array(["a", "b", "c", "b"], dtype=object),
        given=np.array([0, 0, 1, 2]),
        suggested=np.array([0, 1, 1, 0]),
    )


@pytest.fixture
def tokens():
    """Two sentences whose parts are tokens."""
    return LabelIssues(
        task="ledger",
        scores=np.array([0.1, 0.2]),
        is_issue=np.array([True, True]),
        parts=parts([(1, 4, 0, 1, 0.9), (0, 2, 0, 1, 0.8), (1, 4, 0, 2, 0.99), (1, 0, 1, 0, 0.8)]),
        classes=("O", "PER", "LOC"),
    )


@pytest.fixture
def write(tmp_path):
    def write(text, name="decisions.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def rows(frame):
    return list(frame[["example", "part", "given", "suggested"]].itertuples(index=False, name=None))


def test_sure_suggestions_are_taken_in_the_order_of_the_dataset(issues):
    both = suggested(issues, min_confidence=0.7)
    assert list(both.columns) == COLUMNS
    assert rows(both) == [(1, -1, "cat", "dog"), (3, -1, "3", "cat")]
    assert both["reason"].tolist() == ["rather dog", "rather cat"]
    assert set(both["decided_by"]) == {"confidence >= 0.7"}
    assert rows(suggested(issues)) == [(1, -1, "cat", "dog")]
    assert len(suggested(issues, min_confidence=1.0)) == 0


def test_only_flagged_examples_change(issues):
    unflagged = replace(issues, is_issue=np.array([False, False, False, True]))
    assert rows(suggested(unflagged, min_confidence=0)) == [(3, -1, "3", "cat")]


def test_the_worst_finding_of_a_part_decides(tokens):
    assert rows(suggested(tokens, min_confidence=0)) == [
        (0, 2, "O", "PER"),
        (1, 0, "PER", "O"),
        (1, 4, "O", "PER"),
    ]


def test_no_suggestion_changes_nothing(issues):
    nothing = parts([(1, -1, 0, -1, 0.99), (3, -1, 2, 2, 0.99)])
    assert len(suggested(replace(issues, parts=nothing), min_confidence=0)) == 0


def test_values_are_corrected_as_values(issues):
    values = parts([(1, -1, 1.5, 2.5, 0.99), (3, -1, 1.0, np.nan, 0.99)], np.float64)
    found = suggested(replace(issues, parts=values, classes=None), min_confidence=0)
    assert rows(found) == [(1, -1, 1.5, 2.5)]


def test_labels_that_are_no_values_are_logged_as_they_are_written(issues, write):
    values = parts([(1, -1, np.nan, 2.5, 0.0), (3, -1, 1.0, 2.0, 0.99)], np.float64)
    texts = {"given_text": np.array(["about 5", ""], dtype=object)}
    odd = replace(issues, parts=replace(values, evidence=texts), classes=None)
    assert rows(suggested(odd)) == [(3, -1, 1.0, 2.0)]
    assert rows(suggested(odd, min_confidence=0))[0] == (1, -1, "about 5", 2.5)
    assert rows(decided(odd, write("example,label\n1,7\n")))[0] == (1, -1, "about 5", 7.0)


def test_no_findings_at_all(issues, write):
    empty = replace(issues, parts=parts([]), is_issue=np.zeros(4, dtype=np.bool_))
    assert len(suggested(empty)) == 0
    assert list(suggested(empty).columns) == COLUMNS
    assert rows(decided(empty, write("example,label\n0,dog\n"))) == [(0, -1, "cat", "dog")]


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_confidence_is_a_probability(issues, bad):
    with pytest.raises(InputError, match="min_confidence"):
        suggested(issues, min_confidence=bad)


def test_decisions_by_position(issues, write):
    found = decided(issues, write("example,label,note\n3,dog,x\n0,dog,\n1,dog,y\n"))
    assert rows(found) == [(0, -1, "cat", "dog"), (1, -1, "cat", "dog"), (3, -1, "3", "dog")]
    assert found["id"].tolist() == ["a", "b", "b"]
    confidence = found["confidence"].tolist()
    assert confidence[1] == 0.95  # the suggestion
    assert np.isnan(confidence[0])
    assert np.isnan(confidence[2])
    assert set(found["decided_by"]) == {"decisions.csv"}


def test_the_given_label_and_no_label_change_nothing(issues, write):
    assert len(decided(issues, write("example,label\n1,cat\n3,\n0,cat\n"))) == 0


def test_decisions_by_id(issues, write):
    assert rows(decided(issues, write("id,label\nc,3\n"))) == [(2, -1, "dog", "3")]


def test_decisions_by_id_where_there_are_no_ids(issues, write):
    plain = replace(issues, ids=None)
    assert rows(decided(plain, write("id,label\n2,3\n"))) == [(2, -1, "dog", "3")]


def test_decisions_about_parts(tokens, write):
    found = decided(tokens, write("example,part,label\n1,4,LOC\n1,0,PER\n0,7,LOC\n"))
    assert rows(found) == [(0, 7, None, "LOC"), (1, 4, "O", "LOC")]


def test_decided_values(issues, write):
    values = replace(
        issues,
        parts=parts([(1, -1, 1.5, 2.5, 0.99)], np.float64),
        classes=None,
        given=np.array([1.0, 1.5, 2.0, 3.0]),
    )
    found = decided(values, write("example,label\n1,2.25\n2,2\n3,1e3\n"))
    assert rows(found) == [(1, -1, 1.5, 2.25), (3, -1, 3.0, 1000.0)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spreadsheets_write_csv_in_many_ways(issues, write, separator, encoding, newline):
    text = newline.join(["example,label,note", '1,dog,"two words"', ""]).replace(",", separator)
    assert rows(decided(issues, write(text, encoding=encoding))) == [(1, -1, "cat", "dog")]


def test_class_names_that_are_numbers(issues, write):
    numbers = replace(issues, classes=(10, 20, 30))
    found = decided(numbers, write("example,label\n0,30\n"))
    assert rows(found) == [(0, -1, 10, 30)]
    assert [type(value) for value in (*found["given"], *found["suggested"])] == [int, int]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "decisions.csv", "has the columns none"),
        ("example,class\n1,dog\n", "decisions.csv", "has the columns 'example', 'class'"),
        ("label\ndog\n", "decisions.csv", "has the columns 'label'"),
        ("example,label\n1,dog\n4,dog\n", "line 3", "example is 4, and the audit has 4 examples"),
        ("example,label\n-1,dog\n", "line 2", "example is -1"),
        ("example,label\none,dog\n", "line 2", "example is 'one', not a whole number"),
        ("example,label\n1.0,dog\n", "line 2", "example is '1.0', not a whole number"),
        ("example,label\n1,cow\n", "line 2", "label is 'cow', not one of 'cat', 'dog', '3'"),
        ("example,label\n1,Dog\n", "line 2", "label is 'Dog'"),
        ("example,label\n1,dog\n1,cat\n", "line 3", "decides example 1 again, after"),
        ("example,label\n1,dog,x\n", "line 2", "has more fields than the header"),
        ("example,label\n1\n", "line 2", "has fewer fields than the header"),
        ("example,part,label\n1,0,dog\n", "line 2", "names part 0"),
        ("example,part,label\n1,x,dog\n", "line 2", "part is 'x', not a whole number"),
        ("id,label\nz,dog\n", "line 2", "id is 'z', which no example has"),
        ("id,label\nb,dog\n", "line 2", "id is 'b', which 2 examples have, the first at 1"),
        ("example,id,label\n1,a,dog\n", "line 2", "example 1 has the id 'b', not 'a'"),
        ('example,label\n1,"dog\n', "decisions.csv", "cannot be read"),
        ("example,label\n1,d\udcffg\n", "decisions.csv", "cannot be read"),
    ],
)
def test_a_decision_that_cannot_be_right(issues, tmp_path, text, where, what):
    path = tmp_path / "decisions.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        decided(issues, path)
    assert where in caught.value.where
    assert what in caught.value.what


def test_a_part_has_to_be_named(tokens, write):
    with pytest.raises(InputError, match="names no part"):
        decided(tokens, write("example,label\n1,PER\n"))


@pytest.mark.parametrize("bad", ["x", "nan", "inf"])
def test_a_decided_value_is_a_number(issues, write, bad):
    values = replace(issues, parts=parts([], np.float64), classes=None, given=np.zeros(4))
    with pytest.raises(InputError, match="not a number"):
        decided(values, write(f"example,label\n0,{bad}\n"))


@pytest.mark.parametrize(
    ("name", "what"), [("missing.csv", "does not exist"), (".", "is a folder")]
)
def test_no_file_of_decisions(issues, tmp_path, name, what):
    with pytest.raises(InputError, match=what):
        decided(issues, tmp_path / name)


def test_all_that_is_found_is_to_be_decided_worst_first(issues, write):
    table = to_decide(issues)
    assert table["id"].tolist() == ["b", "b"]
    assert table["example"].tolist() == [3, 1]
    assert table["suggested"].tolist() == ["cat", "dog"]
    assert table["label"].tolist() == ["", ""]
    decisions = corrections.decided(issues, write(table.assign(part="").to_csv(index=False)))
    assert (len(decisions.changes), decisions.kept, decisions.undecided) == (0, 0, 2)
    filled = table.assign(part="", label=["3", "dog"]).to_csv(index=False)
    decisions = corrections.decided(issues, write(filled))
    assert decisions.changes[["example", "suggested"]].to_numpy().tolist() == [[1, "dog"]]
    assert (decisions.kept, decisions.undecided) == (1, 0)


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "@x", "+a", "-a", "'=b", "''=c", "'tis", "-1"])
def test_what_looks_like_a_formula_is_text_and_is_read_back(issues, tmp_path, name):
    odd = replace(issues, classes=("cat", name, "3"))
    write_csv(to_decide(odd).assign(part="", label=name), tmp_path / "decisions.csv")
    text = (tmp_path / "decisions.csv").read_text()
    assert not any(cell[:1] in tuple("=+@") for cell in text.replace("\n", ",").split(","))
    changes = decided(odd, tmp_path / "decisions.csv")
    assert changes["suggested"].tolist() == [name, name]
