"""Audit folders, exports and the command line against damage, bad intent and bad luck."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from goldlabel.cli import main

CONTROLS = [chr(code) for code in (*range(10), *range(11, 32), *range(127, 160), 0x202E)]
PROGRAM = [sys.executable, "-c", "import sys; from goldlabel.cli import main; sys.exit(main())"]


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command line in a folder; return its exit code, and what it printed."""

    def run(folder: Path, line: str, *more: object):
        monkeypatch.chdir(folder)
        capsys.readouterr()
        code = main([*line.split(), *map(str, more)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


AUDIT = "audit multiclass {0}.csv --label label --pred-probs {0}.npy --out {1} --quiet"


@pytest.fixture
def audits(case, run):
    """Return the folder of a case with the audit of one dataset in it, and the two that can be."""
    folder = case("hostile-kill-between-moves")
    for name in "ab":
        assert run(folder, AUDIT.format(name, f"whole-{name}"))[0] == 0
    shutil.copytree(folder / "whole-a", folder / "out")
    return folder


def check_finished(folder: Path, run) -> None:
    """Check that a folder has files of one audit only, that it is finished when read, and left."""
    kinds = set()
    for name, content in contents(folder / "out").items():
        kinds |= {kind for kind in "ab" if f"a longer text of {kind}".encode() in content}
        if name == "summary.json":
            kinds.add(Path(json.loads(content)["source"]["files"][0]).stem)
    assert len(kinds) < 2, "a mixture"
    assert run(folder, "decisions out --out decisions.csv --force")[0] == 0
    now = contents(folder / "out")
    [kind] = {Path(json.loads(now["summary.json"])["source"]["files"][0]).stem}
    whole = contents(folder / f"whole-{kind}")
    assert now.keys() == whole.keys()
    for name in ("examples.parquet", "issues.parquet"):
        assert now[name] == whole[name]
    assert f"a longer text of {kind}".encode() in now["report.html"]
    for name in "ba":
        assert run(folder, AUDIT.format(name, "out"))[0] == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(whole)


@pytest.mark.parametrize("at", range(1, 11))
def test_killed_while_it_moves(audits, run, at):
    command = [sys.executable, "killed.py", str(at), "out"]
    done = subprocess.run(command, cwd=audits, capture_output=True)
    assert done.returncode == -signal.SIGKILL or at > 8
    check_finished(audits, run)


WRITER = """
from pathlib import Path
from goldlabel import report
from goldlabel.tasks.multiclass import audit
made = [audit(Path(f"{x}.csv"), label="label", pred_probs=Path(f"{x}.npy")) for x in "ab"]
print(flush=True)
while True:
    for each in made:
        report.write(each, "out")
"""


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_time(audits, run, seed):
    command = [sys.executable, "-W", "ignore", "-c", WRITER]
    with subprocess.Popen(command, cwd=audits, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(random.Random(seed).uniform(0.05, 0.5))
        process.kill()
    check_finished(audits, run)


def test_a_folder_that_somebody_else_is_writing_to_is_left_alone(audits, run):
    from goldlabel.files import in_use

    staging = audits / "out" / ".goldlabel-theirs"
    staging.mkdir()
    with in_use(staging):
        assert run(audits, AUDIT.format("b", "out"))[0] == 0
        assert staging.is_dir()
    assert run(audits, AUDIT.format("b", "out"))[0] == 0
    assert not staging.exists()


def test_moves_that_lead_out_of_the_folder_are_not_finished(audits, run):
    """What an audit folder holds is not trusted: `old` may be a link to where others have files."""
    victim = audits / "victim"
    victim.mkdir()
    staging = audits / "out" / ".goldlabel-evil"
    staging.mkdir()
    (staging / "old").symlink_to(victim)
    (staging / "summary.json").write_text("{}")
    before = contents(audits / "out")
    assert run(audits, "decisions out --out decisions.csv")[0] == 0
    assert list(victim.iterdir()) == []
    assert contents(audits / "out") == before


def test_what_a_killed_export_left_is_removed(audits, run):
    from goldlabel.files import in_use

    for name in (".goldlabel-fixed.csv.abcdefgh", ".goldlabel-fixed.csv.inuse"):
        (audits / name).write_text("half")
    with in_use(audits / ".goldlabel-fixed.csv.inuse"):
        assert run(audits, "export out --out fixed.csv --auto")[0] == 0
    assert not (audits / ".goldlabel-fixed.csv.abcdefgh").exists()
    assert (audits / ".goldlabel-fixed.csv.inuse").exists()


@pytest.mark.parametrize("command", ["export audit --auto --out out.csv --min-confidence 0"])
@pytest.mark.parametrize(
    ("name", "value"), [("classes", 5), ("values", []), ("examples", None), ("encoding", 5)]
)
def test_a_summary_that_was_changed(case, run, name, value, command):
    folder = case("hostile-tampered-summary")
    audit = "audit multiclass a.csv --label label --pred-probs probs.npy --out audit --quiet"
    assert run(folder, audit)[0] == 0
    path = folder / "audit" / "summary.json"
    summary = json.loads(path.read_text())
    summary["source"]["options"][name] = value
    path.write_text(json.dumps(summary))
    code, out, err = run(folder, command)
    assert (code, out) == (2, "")
    assert "summary.json" in err
    assert not (folder / "out.csv").exists()


def test_control_characters_of_ids_and_labels(case, run):
    folder = case("hostile-terminal-escapes")
    code, _, err = run(folder, "audit multiannotator votes.csv --out audit --quiet")
    assert code == 0, err
    code, out, err = run(folder, "select audit -n 3 --out tasks.csv")
    assert code == 0
    assert r"t0\x1b]0;owned" in out
    assert not any(control in out + err for control in CONTROLS)


def test_control_characters_of_file_names(case, run):
    folder = case("hostile-terminal-escapes")
    name = "a\x1b[31m.csv"
    words = (name, "--label", "label", "--pred-probs", "probs.npy", "--out", "audit\x9b2")
    printed = run(folder, "audit multiclass", *words)
    assert printed[0] == 0
    for line in ("decisions", "export --out a\x1b.csv --auto", "coco check"):
        command, *options = line.split()
        more = run(folder, command, *(["check", name] if command == "coco" else ["audit\x9b2"]),
                   *options[command == "coco":])  # fmt: skip
        printed += more
    texts = [text for text in printed if isinstance(text, str)]
    assert any(r"\x1b" in text for text in texts)
    assert not any(control in text for control in CONTROLS for text in texts)


@pytest.mark.parametrize(
    "line",
    [
        "audit detection labels --predictions found --out out",
        "audit multilabel a.arff --labels b --pred-probs probs.npy --out out",
    ],
)
def test_messages_are_cut(case, run, line):
    code, out, err = run(case("hostile-messages-uncut"), line)
    assert (code, out) == (2, "")
    assert 0 < len(err) < 2000


def test_a_broken_task_of_somebody_else(case):
    folder = case("hostile-third-party-task")
    env = {**os.environ, "PYTHONPATH": str(folder / "plugin")}
    for words, message in (
        ("audit broken x --out y", "'broken' cannot be loaded from the package 'other'"),
        ("audit token x --pred-probs y --out z", "'token' is offered by the package"),
    ):
        done = subprocess.run(
            [*PROGRAM, *words.split()], cwd=folder, env=env, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert "Traceback" not in done.stderr


NOWHERE = """
import sys
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []  # as where no folder can be written to
from goldlabel.cli import main
sys.exit(main())
"""


def test_a_user_without_a_place_for_what_is_compiled(case):
    folder = case("hostile-no-writable-cache")
    words = "audit multiclass a.csv --pred-probs probs.npy --out out --quiet".split()
    command = [sys.executable, "-c", NOWHERE, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "summary.json").is_file()
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_download_stops_at_the_size_that_is_stated(case):
    folder = case("hostile-download-without-limit")
    done = subprocess.run(
        [sys.executable, "serve.py"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert "has more than 1000 bytes" in done.stdout
    assert int(done.stdout.rsplit(": ", 1)[1]) < 50


def test_files_are_no_wider_than_what_they_were_made_from(audits, run):
    (audits / "a.csv").chmod(0o640)
    assert run(audits, AUDIT.format("a", "private"))[0] == 0
    assert run(audits, "decisions private")[0] == 0
    assert run(audits, "export private --auto --out fixed.csv")[0] == 0
    written = [*(audits / "private").iterdir(), *audits.glob("fixed.csv*")]
    assert len(written) == 8
    assert {path.stat().st_mode & 0o777 for path in written} == {0o640}
    assert (audits / "private").stat().st_mode & 0o007 == 0


def test_nothing_is_changed_by_default_and_no_audit_says_to(audits, run):
    line = AUDIT.format("a", "shown").removesuffix(" --quiet")
    _, out, _ = run(audits, line)
    assert out.endswith("Next:   goldlabel review shown\n")
    code, out, err = run(audits, "export shown --out fixed.csv")
    assert (code, out) == (2, "")
    assert "--auto" in err
    assert not (audits / "fixed.csv").exists()
    _, out, _ = run(audits, "export shown --out fixed.csv --auto")
    assert "Expected to be wrong: fewer than 1 of these 3, by the model's own estimate" in out
