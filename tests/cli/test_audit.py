"""``goldlabel audit``: a task of a third party, found, described, called and shown."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goldlabel import cli
from goldlabel.cli.screen import Screen
from goldlabel.results.folder import read_audit
from goldlabel.task import task_names

THIRD_PARTY = Path(__file__).parent / "thirdparty"


def called_with():
    return sys.modules["ledger.bookings"].CALLS[-1]


def snapshot(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


RUN = """
import signal, sys
from goldlabel.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # the parent may ignore it
sys.exit(main())
"""


def start(*words, **options):
    environment = {**os.environ, "PYTHONPATH": str(THIRD_PARTY)}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_tasks_are_listed_with_their_titles(run):
    code, out, _ = run("audit", "--help")
    assert code == 0
    assert "ledger" in out
    assert "Bookings in the wrong account [a test]" in out
    assert "multiclass" in out


def test_a_package_that_cannot_be_loaded_does_not_hide_the_others(run, monkeypatch, tmp_path):
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[goldlabel.tasks]\nbroken = nowhere:TASK\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, out, _ = run("audit", "--help")
    assert code == 0
    assert "ledger" in out
    assert "cannot be loaded: No module named 'nowhere'" in " ".join(out.split())


def test_the_help_of_a_task_comes_from_its_signature_and_docstring(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = run("audit", "ledger", "--help")
    text = " ".join(out.replace("│", " ").split())
    assert code == 0
    assert "A second paragraph, about sure, a probability in [0, 1]." in text
    assert "The table, with the columns says and sure." in text
    assert "--label TEXT The column [with brackets] of the account. [default: account]" in text
    assert "--features A,B,... Columns to look at. Names with a comma go in quotes." in text
    assert "strict|lenient" in text
    assert "--check --no-check" in text
    assert "--no-strip" not in text
    assert "--progress" not in text
    assert "--model" not in text
    for option in ("--out", "--json", "--top", "--quiet"):
        assert option in text


def test_options_arrive_as_the_types_of_the_signature(table, run):
    code, _, err = run(
        *("audit", "ledger", table, "--features", 'a, b,"c, d"', "--mode", "lenient"),
        *("--rates", "rates.csv", "--at-least", "0.5", "--folds", "7", "--strip", "--no-check"),
        *("--out", "audit"),
    )
    assert code == 0, err
    call = called_with()
    assert call["path"] == Path("bookings.csv")
    assert call["features"] == ["a", "b", "c, d"]
    assert list(call["weights"]) == ["amount", "date"]
    assert (call["mode"], call["rates"], call["at_least"]) == ("lenient", Path("rates.csv"), 0.5)
    assert (call["folds"], call["strip"], call["check"]) == (7, True, False)
    assert (call["label"], call["id"], call["model"]) == ("account", None, None)
    assert call["progress"] is None  # nobody watches


def test_an_audit_is_written_and_printed(table, run):
    code, out, err = run("audit", "ledger", table, "--id", "name", "--out", "audit", "--top", 2)
    assert (code, err) == (0, "")
    assert "3 of 5 examples" in out
    assert out.index("soup") < out.index("train")
    assert "taxi" not in out
    last = out.strip().splitlines()[-1]
    assert last == "Next:   goldlabel review audit"
    names = {path.name for path in Path("audit").iterdir()}
    assert names == {
        "examples.parquet", "issues.parquet", "report.html", "summary.json", "head.json"
    }  # fmt: skip
    issues, source, summary = read_audit("audit")
    assert issues.num_issues == 3
    assert source.options == {"label": "account"}
    command = "goldlabel audit ledger bookings.csv --id name --out audit --top 2"
    assert summary["command"] == command
    assert summary["seed"] == 0


def test_the_next_command_can_be_pasted_and_runs(table, run):
    name = "it's a.tar b.csv"
    shutil.move(table, name)
    _, out, _ = run("audit", "ledger", name, "--out", "my audit")
    line = out.strip().splitlines()[-1].removeprefix("Next:   goldlabel ")
    words = subprocess.run(
        ["sh", "-c", f'for word in {line}; do printf "%s\\n" "$word"; done'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    code, _, err = run(*words)
    assert (code, err) == (0, "")
    assert words[0] == "review"
    assert Path(words[-1], "review.sqlite").exists()


def test_json_is_one_document_on_stdout(table, run):
    code, out, _ = run("audit", "ledger", table, "--out", "audit", "--json", "--top", 1, "--strip")
    found = json.loads(out)
    assert code == 0
    assert (found["examples"], found["flagged"], len(found["worst"])) == (5, 3, 1)
    assert found["out"] == "audit"
    assert found["warnings"] == ["some names have blanks"]


def test_quiet_prints_warnings_and_nothing_else(table, run):
    code, out, err = run("audit", "ledger", table, "--out", "audit", "--quiet", "--strip")
    assert (code, out) == (0, "")
    assert err == "goldlabel: warning: some names have blanks\n"


def test_warnings_are_shown_once_and_recorded(table, run):
    code, out, err = run("audit", "ledger", table, "--out", "audit", "--strip")
    assert code == 0
    assert err == "goldlabel: warning: some names have blanks\n"
    assert "blanks" not in out
    _, _, summary = read_audit("audit")
    assert summary["warnings"] == ["some names have blanks"]
    assert "some names have blanks" in Path("audit/report.html").read_text(encoding="utf-8")


def test_bad_input_says_where_what_and_how_to_fix_it(table, run):
    code, out, err = run("audit", "ledger", table, "--label", "kind", "--out", "audit")
    assert (code, out) == (2, "")
    assert err == (
        "goldlabel: bookings.csv: header: has no column 'kind'. Name another with --label.\n"
    )
    assert not Path("audit").exists()


def test_control_characters_of_the_input_do_not_reach_the_terminal(table, run):
    _, _, err = run("audit", "ledger", "\x1b[31mno.csv", "--out", "audit")
    assert "\x1b" not in err
    assert "\\x1b[31mno.csv" in err


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "ledger", "missing.csv", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--label", "kind", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--features", "a,,b", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--features", "", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--mode", "loose", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--folds", "many", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--top", "-1", "--out", "audit"),
        ("audit", "ledger", "bookings.csv", "--lable", "kind", "--out", "audit"),
        ("audit", "ledger", "--out", "audit"),
        ("audit", "ledger", "bookings.csv"),
        ("audit", "ledger", "bookings.csv", "--out", "bookings.csv"),
        ("audit", "ledger", "bookings.csv", "--out", "no/such/folder"),
        ("audit", "ledgers", "bookings.csv", "--out", "audit"),
        ("audit", "--nothing"),
        ("export", "audit"),
        ("nothing",),
        (),
    ],
    ids=" ".join,
)
def test_a_mistake_exits_2_and_leaves_everything_as_it_was(audited, run, words):
    before = snapshot(".")
    code, _, err = run(*words)
    assert code == 2
    assert "Traceback" not in err
    assert snapshot(".") == before


def test_an_unknown_task_lists_those_there_are(run):
    code, _, err = run("audit", "ledgers", "--out", "audit")
    assert code == 2
    names = ", ".join(task_names())
    assert {"ledger", "multiclass"} <= set(names.split(", "))
    assert err == f"goldlabel: task: is 'ledgers', not one of {names}. Name one of these.\n"


def test_results_do_not_go_into_the_data(table, run):
    code, _, err = run("audit", "ledger", ".", "--out", ".")
    assert code == 2
    assert "is what is audited (path)" in err


def test_a_second_audit_replaces_the_first(audited, run):
    Path(audited, "mine.txt").write_text("kept")
    code, _, _ = run("audit", "ledger", "bookings.csv", "--at-least", "0.98", "--out", audited)
    assert code == 0
    assert read_audit(audited)[0].num_issues == 1
    assert Path(audited, "mine.txt").read_text() == "kept"


def test_a_bug_keeps_its_traceback(table):
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["audit", "ledger", str(table), "--label", "bug", "--out", "audit"])
    assert not Path("audit").exists()


@pytest.mark.parametrize("ignored_by_the_parent", [False, True])
def test_ctrl_c_exits_130(table, ignored_by_the_parent):
    """A shell lets jobs in the background ignore the signal, and a child would inherit that."""
    theirs = signal.signal(
        signal.SIGINT, signal.SIG_IGN if ignored_by_the_parent else signal.default_int_handler
    )
    try:
        arguments = ["audit", "ledger", str(table), "--label", "sleep", "--strip", "--out", "audit"]
        running = start(*arguments)
    finally:
        signal.signal(signal.SIGINT, theirs)
    try:
        assert "warning" in running.stderr.readline()  # it is in the middle of its work
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 130
    assert err == "goldlabel: stopped\n"
    assert not Path("audit").exists()


def test_a_reader_that_goes_away_is_no_error(table):
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(THIRD_PARTY)}
    command = [sys.executable, "-c", "import sys; from goldlabel.cli import main; sys.exit(main())"]
    done = subprocess.run(
        [*command, "audit", "ledger", str(table), "--out", "audit"],
        env=environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
    assert read_audit("audit")[0].num_issues == 3


def test_a_progress_bar_is_for_people_only(monkeypatch):
    screen = Screen(["audit"])
    with screen.progress() as progress:
        assert progress is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with Screen(["audit"]).progress() as progress:
        progress(1, 2, "Looking at [bookings]")
        progress(2, 2, "Looking at [bookings]")
        progress(0, 0, "Something else")
    with Screen(["audit"]).progress(quiet=True) as progress:
        assert progress is None


def test_what_the_library_logs_goes_to_stderr(capsys):
    logger = logging.getLogger("goldlabel")
    with Screen(["audit"]).log():
        logger.info("at most %d fits", 80)
        logger.debug("not this")
    with Screen(["audit"]).log(quiet=True):
        logger.info("nor this")
    logger.info("nor that")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "goldlabel: at most 80 fits\n")


def test_version(run):
    from goldlabel import __version__

    assert run("--version") == (0, f"goldlabel {__version__}\n", "")
