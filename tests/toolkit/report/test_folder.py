"""An audit is written whole or not at all, and what is read back is checked."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from goldlabel import InputError, report
from goldlabel.report import folder
from goldlabel.results.audit import Source
from goldlabel.results.folder import changed_inputs, read_audit
from goldlabel.scenes import Scene, Text

FILES = {"examples.parquet", "issues.parquet", "summary.json", "report.html", "head.json"}


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def source(tmp_path) -> Source:
    (tmp_path / "labels.csv").write_text("y\ncat\n")
    (tmp_path / "probs.npy").write_bytes(b"12345678")
    options = {"label": "y", "delimiter": ","}
    return Source("csv", (tmp_path / "labels.csv",), options, (tmp_path / "probs.npy",))


@pytest.fixture
def written(tmp_path, make, source) -> Path:
    out = tmp_path / "out"
    report.write(make(source=source), out, command="goldlabel audit", seed=3)
    return out


def test_writes_the_files_of_the_design(written):
    assert {path.name for path in written.iterdir()} == FILES
    assert not list(written.parent.glob(".*"))
    modes = {path.stat().st_mode & 0o777 for path in written.iterdir()}
    mask = os.umask(0)
    os.umask(mask)
    assert modes == {0o666 & ~mask}


@pytest.mark.parametrize(
    "kind", ["text", "image", "token", "box", "value", "empty", "none", "bare"]
)
def test_what_was_written_is_read_back(audits, tmp_path, kind):
    audit = audits[kind]()
    report.write(audit, tmp_path / "out")
    issues, source, summary = read_audit(tmp_path / "out")
    assert (issues.task, issues.num_issues) == (audit.issues.task, audit.issues.num_issues)
    np.testing.assert_array_equal(issues.scores, audit.issues.scores)
    np.testing.assert_array_equal(issues.is_issue, audit.issues.is_issue)
    for name in ("example", "part", "given", "suggested", "score", "confidence"):
        np.testing.assert_array_equal(
            getattr(issues.parts, name), getattr(audit.issues.parts, name), name
        )
    assert issues.reasons() == audit.issues.reasons()
    assert source == audit.source
    assert summary["flagged"] == issues.num_issues
    assert summary["examples"] == len(issues.scores)


def test_source_comes_back_with_absolute_paths(written, source, monkeypatch, tmp_path, make):
    assert read_audit(written)[1] == source
    monkeypatch.chdir(tmp_path)
    report.write(make(source=Source("csv", (Path("labels.csv"),))), "here")
    monkeypatch.chdir("/")
    assert read_audit(tmp_path / "here")[1].files == (tmp_path / "labels.csv",)


def test_changed_inputs_are_named(written, source):
    summary = read_audit(written)[2]
    assert changed_inputs(summary) == []
    source.files[0].write_text("y\ndog\n")
    source.inputs[0].unlink()
    assert changed_inputs(summary) == [
        (str(source.files[0]), "has changed since the audit"),
        (str(source.inputs[0]), "is no longer there"),
    ]


def test_further_tables_are_written(make, tmp_path):
    frame = pd.DataFrame({"annotator": ["a", "b"], "quality": [0.5, 1.0]})
    report.write(make(frames={"annotators": frame}), tmp_path / "out")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "annotators.parquet"), frame)
    assert read_audit(tmp_path / "out")[2]["files"].keys() == {
        "examples.parquet", "issues.parquet", "annotators.parquet", "head.json"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["../x", "examples", "a/b", "", ".hidden", "x" * 65])
def test_further_table_with_a_bad_name_is_refused(make, tmp_path, name):
    with pytest.raises(InputError, match="not a name for a further table"):
        report.write(make(frames={name: pd.DataFrame({"a": [1]})}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_new_audit_replaces_the_old_and_leaves_the_rest(make, tmp_path):
    out = tmp_path / "out"
    report.write(make(frames={"annotators": pd.DataFrame({"a": [1]})}), out)
    (out / "notes.txt").write_text("mine")
    (out / "mine.parquet").write_text("mine")
    (out / "folder").mkdir()
    report.write(make(seed=1), out)
    assert set(os.listdir(out)) == FILES | {"notes.txt", "mine.parquet", "folder"}
    assert (out / "notes.txt").read_text() == "mine"
    assert len(read_audit(out)[0]) == len(make(seed=1).issues)


def test_left_over_table_that_was_changed_is_left(make, tmp_path):
    out = tmp_path / "out"
    report.write(make(frames={"annotators": pd.DataFrame({"a": [1]})}), out)
    (out / "annotators.parquet").write_text("changed by hand")
    report.write(make(seed=1), out)
    assert (out / "annotators.parquet").read_text() == "changed by hand"


@pytest.mark.parametrize("at", range(1, 15))
def test_failure_while_moving_leaves_the_old_audit(make, tmp_path, monkeypatch, at):
    out = tmp_path / "out"
    report.write(make(frames={"old": pd.DataFrame({"a": [1]})}), out)
    (out / "notes.txt").write_text("mine")
    before = contents(out)
    replace, calls, moves = os.replace, [], []

    def fail(source, target):
        if Path(source).parent == out or Path(target).parent == out:
            moves.append(target)
            if len(moves) == at:
                calls.append(target)
                raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    new = make(seed=1, frames={"new": pd.DataFrame({"a": [1]})})
    if at < 13:
        with pytest.raises(InputError, match="No space left on device"):
            report.write(new, out)
        assert contents(out) == before
    else:  # one old table away, five replaced in two moves each, one new: twelve moves
        report.write(new, out)
        assert not calls
        assert len(moves) == 12


@pytest.mark.parametrize("step", ["render_document", "describe", "to_bytes"])
def test_failure_while_making_leaves_nothing(make, tmp_path, monkeypatch, step):
    out = tmp_path / "out"
    monkeypatch.setattr(folder, step, lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.write(make(), out)
    assert list(tmp_path.iterdir()) == []
    out.mkdir()
    with pytest.raises(ZeroDivisionError):
        report.write(make(), out)
    assert list(out.iterdir()) == []


def test_interrupt_leaves_nothing(make, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "render_document", stop)
    with pytest.raises(KeyboardInterrupt):
        report.write(make(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_out_that_is_a_file_is_refused(make, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="is a file, not a folder"):
        report.write(make(), tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_out_in_a_missing_folder_is_refused(make, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        report.write(make(), tmp_path / "no" / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_out_without_permission_is_refused(make, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match=r"cannot be written to \(Permission denied\)"):
            report.write(make(), tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)


def test_refusal_of_the_system_is_said_plainly(make, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folder.tempfile, "mkdtemp", refuse)
    with pytest.raises(InputError, match=r"cannot be written to \(Permission denied\)"):
        report.write(make(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_of_others_are_not_replaced(make, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(InputError, match="was not written by an audit"):
        report.write(make(), tmp_path)
    assert contents(tmp_path) == {"report.html": b"mine"}


def test_a_folder_in_the_way_is_not_replaced(make, tmp_path):
    out = tmp_path / "out"
    report.write(make(), out)
    (out / "report.html").unlink()
    (out / "report.html").mkdir()
    (out / "report.html" / "mine").write_text("mine")
    with pytest.raises(InputError, match=r"report\.html.*is in the way"):
        report.write(make(), out)
    assert (out / "report.html" / "mine").read_text() == "mine"


@pytest.mark.parametrize("name", ["summary.json", "issues.parquet"])
def test_a_pipe_in_the_way_is_neither_read_nor_replaced(make, tmp_path, name):
    report.write(make(), tmp_path / "out")
    (tmp_path / "out" / name).unlink()
    os.mkfifo(tmp_path / "out" / name)
    with pytest.raises(InputError, match="is in the way"):
        report.write(make(), tmp_path / "out")
    assert (tmp_path / "out" / name).is_fifo()


def test_summary_holds_what_was_found_and_run(make, tmp_path, source):
    started = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    audit = make(source=source, warnings=("Look here.",))
    report.write(audit, tmp_path / "out", command=["goldlabel", "a b"], started=started, seed=5)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["task"] == "multiclass"
    assert summary["kinds"] == {"label error": len(audit.issues.parts)}
    assert summary["share"] == audit.issues.num_issues / 60
    assert summary["figures"] == dict(audit.summary)
    assert summary["command"] == "goldlabel 'a b'"
    assert summary["started"] == "2025-03-01T12:30:00+00:00"
    assert summary["seconds"] > 0
    assert summary["seed"] == 5
    assert summary["params"]["filter_by"] == "prune_by_noise_rate"
    assert summary["warnings"] == ["Look here."]
    assert summary["notes"] == list(audit.notes)
    assert summary["limits"] == list(audit.limits)
    assert {"goldlabel", "python", "numpy", "numba", "pandas", "pyarrow", "scikit-learn"} <= (
        summary["versions"].keys()
    )
    assert [entry["size"] for entry in summary["inputs"]] == [6, 8]


def edit(out: Path, **changes: object) -> None:
    path = out / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    summary.update(changes)
    path.write_text(json.dumps({k: v for k, v in summary.items() if v is not None}))


BROKEN = {
    "no such folder": (lambda out: out.rename(out.with_name("gone")), "does not exist"),
    "no summary": (lambda out: (out / "summary.json").unlink(), "is missing, so this is no audit"),
    "no JSON": (lambda out: (out / "summary.json").write_text("{"), "is not JSON"),
    "deep JSON": (lambda out: (out / "summary.json").write_text("[" * 100_000), "is not JSON"),
    "not UTF-8": (lambda out: (out / "summary.json").write_bytes(b"\xff\xfe"), "is not JSON"),
    "foreign JSON": (lambda out: (out / "summary.json").write_text("[1]"), "not the summary"),
    "newer schema": (lambda out: edit(out, schema=99), "has schema 99, and this goldlabel reads 1"),
    "no source": (lambda out: edit(out, source=None), "has no usable 'source'"),
    "odd source": (lambda out: edit(out, source={"format": 1}), "has no usable 'source'"),
    "NUL in a path": (
        lambda out: edit(
            out,
            source={"format": "csv", "files": ["a\0b"], "inputs": [], "options": {}},
            inputs=[{}],
        ),
        "has no usable 'source'",
    ),
    "no words": (lambda out: edit(out, words=None), "has no usable 'words'"),
    "one verdict": (
        lambda out: edit(out, words={"part": "", "verdict": ["looks odd"]}),
        "has no usable 'words'",
    ),
    "odd part": (
        lambda out: edit(out, words={"part": 3, "verdict": ["a", "b"]}),
        "has no usable 'words'",
    ),
    "odd verdict": (
        lambda out: edit(out, words={"part": "", "verdict": "ab"}),
        "has no usable 'words'",
    ),
    "odd files": (lambda out: edit(out, files=[]), "has no usable 'files'"),
    "odd count": (lambda out: edit(out, examples=True), "has no usable 'examples'"),
    "wrong count": (lambda out: edit(out, flagged=1), "does not describe"),
    "other task": (lambda out: edit(out, task="token"), "does not describe"),
    "no table": (lambda out: (out / "issues.parquet").unlink(), "is missing"),
    "edited table": (
        lambda out: (out / "examples.parquet").write_bytes(b"PAR1"),
        "is not the file that summary.json describes",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_reading_what_is_no_audit_says_so(written, name):
    break_it, message = BROKEN[name]
    break_it(written)
    with pytest.raises(InputError, match=message):
        read_audit(written)


def forge(out: Path, table: str, change) -> None:
    """Change a table and the hash in the summary with it, as somebody with a purpose would."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from goldlabel.files import sha256

    old = pq.read_table(out / table)
    frame = change(old.to_pandas())
    new = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(
        old.schema.metadata
    )
    pq.write_table(new, out / table)
    files = json.loads((out / "summary.json").read_text("utf-8"))["files"]
    edit(out, files={**files, table: sha256(out / table)})


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("issues.parquet", lambda f: f.assign(example=10**6), "names examples outside 0 .. 59"),
        ("issues.parquet", lambda f: f.assign(example=-1), "names examples outside 0 .. 59"),
        ("issues.parquet", lambda f: f.assign(score=np.nan), "scores outside"),
        ("issues.parquet", lambda f: f.assign(confidence=7.0), "scores outside"),
        ("issues.parquet", lambda f: f.drop(columns="reason"), "not of an audit"),
        ("issues.parquet", lambda f: f.assign(kind="new"), "not of an audit"),
        ("examples.parquet", lambda f: f.assign(score="a"), "not of an audit"),
        ("examples.parquet", lambda f: f.head(3), "does not describe"),
    ],
)
def test_forged_tables_are_refused(written, table, change, message):
    forge(written, table, change)
    with pytest.raises(InputError, match=message):
        read_audit(written)


def test_table_of_another_program_is_refused(written):
    from goldlabel.files import sha256

    pd.DataFrame({"a": [1]}).to_parquet(written / "issues.parquet")
    files = json.loads((written / "summary.json").read_text("utf-8"))["files"]
    edit(written, files={**files, "issues.parquet": sha256(written / "issues.parquet")})
    with pytest.raises(InputError, match="is not a file of an audit"):
        read_audit(written)


def test_the_worst_examples_are_kept_as_scenes(make, tmp_path):
    audit = make(400, share=0.9)
    report.write(audit, tmp_path / "out")
    text = (tmp_path / "out" / "head.json").read_text("ascii")
    scenes = json.loads(text)["examples"]
    assert list(scenes) == [str(at) for at in audit.issues.ranked()[:200].tolist()]
    first = next(iter(scenes.values()))
    assert first["blocks"][0]["type"] == "text"
    summary = read_audit(tmp_path / "out")[2]
    assert summary["words"] == {"part": "", "verdict": ["looks mislabelled", "look mislabelled"]}


def test_scenes_that_are_kept_have_a_limit(make, tmp_path):
    long = make(300, share=0.9, view=Shown(lambda at: Text("\u6f22" * 20_000)))
    report.write(long, tmp_path / "out")
    file = tmp_path / "out" / "head.json"
    assert file.stat().st_size < 2_000_000
    assert 10 < len(json.loads(file.read_bytes())["examples"]) < 20


def test_scenes_of_an_older_audit_are_taken_away(make, tmp_path):
    report.write(make(), tmp_path / "out")
    report.write(make(view=None), tmp_path / "out")
    assert not (tmp_path / "out" / "head.json").exists()


class Shown:
    """Shows one block of each example."""

    def __init__(self, block):
        self._block = block

    def scenes(self, examples):
        return [Scene(at, str(at), (self._block(at),)) for at in examples]
