"""One JSON shape, plain and safe, whatever was found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from made_views import MadeView

from goldlabel import report
from goldlabel.report.summary import plain, to_bytes
from goldlabel.results.audit import Source

KINDS = ["text", "image", "token", "box", "value", "empty", "none", "bare", "hostile"]


@pytest.mark.parametrize("kind", KINDS)
def test_json_is_strict_and_ascii(audits, kind):
    text = report.to_json(audits[kind]())
    assert text.isascii()
    assert "\x1b" not in text
    json.loads(text, parse_constant=lambda name: pytest.fail(name))


def test_json_is_the_summary_with_the_worst(make):
    audit = make()
    found = json.loads(report.to_json(audit, top=3, command="goldlabel x", out="out"))
    described = report.describe(audit, command="goldlabel x")
    assert {k: found[k] for k in described if k not in ("started", "seconds")} == {
        k: v for k, v in described.items() if k not in ("started", "seconds")
    }
    assert found["out"] == "out"
    assert [entry["example"] for entry in found["worst"]] == audit.issues.ranked()[:3].tolist()
    first = found["worst"][0]
    position = first["example"]
    assert first["id"] == f"row-{position}"
    assert first["text"] == f"Text of example {position}."
    assert first["score"] == audit.issues.scores[position]
    [finding] = first["findings"]
    assert finding["given"] == audit.issues.classes[audit.issues.given[position]]
    assert finding["suggested"] == audit.issues.classes[audit.issues.suggested[position]]
    assert finding["reason"] == f"The model says {finding['suggested']}."


def test_share_of_nothing_is_zero(audits):
    described = report.describe(audits["none"]())
    assert (described["examples"], described["share"]) == (0, 0.0)


def test_kinds_are_counted(audits):
    assert report.describe(audits["token"]())["kinds"] == {"wrong tag": 2, "missing tag": 1}
    assert report.describe(audits["empty"]())["kinds"] == {"label error": 0}


def test_words_are_those_of_the_audit(audits):
    audit = replace(audits["token"](), part="token", verdict=("has odd tags", "have odd tags"))
    assert report.describe(audit)["words"] == {
        "part": "token", "verdict": ["has odd tags", "have odd tags"],
    }  # fmt: skip


def test_times_without_a_zone_are_local(make):
    started = datetime.now().replace(microsecond=0)
    described = report.describe(make(), started=started)
    assert datetime.fromisoformat(described["started"]).timestamp() == started.timestamp()
    assert described["seconds"] < 60


def test_seed_is_taken_from_the_parameters(make):
    assert report.describe(make())["seed"] is None
    assert report.describe(make(), seed=4)["seed"] == 4


def test_large_arrays_are_named_and_not_listed():
    small, large = np.arange(3), np.zeros((100, 100))
    assert plain(small) == [0, 1, 2]
    described = plain(large)
    assert described["shape"] == [100, 100]
    assert len(described["sha256"]) == 64
    assert plain(large + 1)["sha256"] != described["sha256"]
    assert plain(np.full(2000, "x", dtype=object)).keys() == {"shape", "dtype"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64("nan"), None),
        (float("inf"), None),
        (np.int8(3), 3),
        (np.True_, True),
        ({1: (np.float32(0.5), None)}, {"1": [0.5, None]}),
        (Path("a") / "b", str(Path("a") / "b")),
        (np.array([1.0, np.nan]), [1.0, None]),
    ],
)
def test_plain_values(value, expected):
    assert plain(value) == expected


def test_names_that_are_no_text_survive_the_file():
    document = {"path": "a\udc80b", "word": "日本"}
    written = to_bytes(document)
    assert json.loads(written.decode("utf-8")) == document
    assert "日本".encode() in written


def test_folders_are_told_apart_by_names_and_sizes(make, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "one.png").write_bytes(b"123")
    audit = make(source=Source("image folder", (tmp_path / "a",)))
    [before] = report.describe(audit)["inputs"]
    assert (before["files"], before["size"]) == (1, 3)
    assert report.describe(audit)["inputs"] == [before]
    (tmp_path / "a" / "b" / "one.png").rename(tmp_path / "a" / "b" / "two.png")
    [after] = report.describe(audit)["inputs"]
    assert after["tree_sha256"] != before["tree_sha256"]


def test_input_that_has_gone_is_said_to_be_missing(make, tmp_path):
    audit = make(source=Source("csv", (tmp_path / "gone.csv",)))
    [entry] = report.describe(audit)["inputs"]
    assert entry["missing"] == "No such file or directory"
    assert "No such file" in report.render(audit)


def test_wrong_number_of_scenes_is_an_error(make):
    from goldlabel import InputError

    class OneScene(MadeView):
        def scenes(self, examples):
            return super().scenes(examples)[:1]

    with pytest.raises(InputError, match="gave 1 scenes for 10 examples"):
        report.to_json(make(view=OneScene(lambda at: ()), share=1.0))
    with pytest.raises(InputError, match="top: is -1"):
        report.to_json(make(), top=-1)
