"""The log: what is written is there, once, whole, in order, whatever happens to the process."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from goldlabel.errors import InputError
from goldlabel.review.log import ReviewLog
from goldlabel.review.records import VERDICTS, Verdict
from goldlabel.review.state import State


@pytest.fixture
def path(tmp_path):
    return tmp_path / "review.sqlite"


@pytest.fixture
def log(path):
    with ReviewLog(path) as opened:
        opened.enter_round("digest", "source")
        opened.enter_reviewer("ana")
        yield opened


def decide(log, uid, *verdicts, **options):
    return log.append(uid, round=1, reviewer=1, verdicts=verdicts, **options)


def test_what_is_appended_is_there_in_order(log, path):
    verdict = Verdict(3, 1, "set", "چ 🦉", '{"action": "move"}', "id 3", "b")
    decide(log, "a", verdict, Verdict(0, -1, "keep"), seconds=1.5, shown={"layout": "grid"})
    log.append("b", round=1, reviewer=1, verb="undo", target=1, text="oh", role="sample")
    with ReviewLog(path, read_only=True) as again:
        first, second = again.actions()
    assert first.verdicts == (Verdict(0, -1, "keep"), verdict)
    assert (first.seq, first.uid, first.seconds, first.shown) == (1, "a", 1.5, '{"layout": "grid"}')
    assert (second.verb, second.target, second.text, second.role) == ("undo", 1, "oh", "sample")
    assert [action.seq for action in log.actions(after=1)] == [2]
    assert [action.seq for action in log.history()] == [2, 1]
    assert [action.seq for action in log.history(before=2, limit=5)] == [1]
    assert log.last() == 2


def test_sent_twice_is_stored_once(log):
    assert decide(log, "a", Verdict(0, -1, "keep")) == (1, True)
    assert decide(log, "a", Verdict(0, -1, "keep")) == (1, False)
    assert decide(log, "b", Verdict(0, -1, "keep")) == (2, True)


def test_an_action_is_written_whole_or_not_at_all(log):
    good = Verdict(0, -1, "keep")
    for bad in (Verdict(1, -1, "maybe"), Verdict("x", -1, "keep"), good, Verdict(2**70, 0, "keep")):
        with pytest.raises(InputError, match="cannot be used"):
            decide(log, "a", good, bad)
    with pytest.raises(InputError, match="FOREIGN KEY"):
        log.append("a", round=7, reviewer=1)
    assert log.last() == 0
    assert decide(log, "a", good).is_new


@pytest.mark.parametrize("table", ["action", "verdict"])
def test_nothing_is_changed_or_deleted(log, path, table):
    decide(log, "a", Verdict(0, -1, "keep"))
    connection = sqlite3.connect(path)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = 9"):
        with pytest.raises(sqlite3.Error):
            connection.execute(statement)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"DELETE FROM {table}")
    connection.close()


def test_every_verdict_can_be_stored(log):
    decide(log, "a", *(Verdict(i, -1, verdict) for i, verdict in enumerate(VERDICTS)))
    (action,) = log.actions()
    assert tuple(verdict.verdict for verdict in action.verdicts) == VERDICTS


def test_rounds_and_reviewers(log):
    assert log.enter_round("digest", "source").round == 1
    second = log.enter_round("other", "source", {"seed": 3})
    assert (second.round, second.plan) == (2, {"seed": 3})
    assert [each.audit for each in log.rounds()] == ["digest", "other"]
    assert log.enter_reviewer("ana").reviewer == 1
    assert log.enter_reviewer("bo", expert=True) == (2, "bo", True)
    assert log.enter_reviewer("bo").expert
    assert [each.name for each in log.reviewers()] == ["ana", "bo"]
    for name in ("", "  ", "a\nb", "x" * 201):
        with pytest.raises(InputError, match="no name"):
            log.enter_reviewer(name)


def test_files_that_are_no_log(tmp_path, path):
    path.write_bytes(b"not a database, but long enough to be looked at" * 10)
    with pytest.raises(InputError, match="cannot be used"):
        ReviewLog(path)
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine(x)")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="is no log of a review"):
        ReviewLog(other)
    with pytest.raises(InputError, match="no regular file"):
        ReviewLog(tmp_path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 2", "newer goldlabel"),
        ("CREATE TRIGGER mine AFTER INSERT ON action BEGIN SELECT 1; END", "is no log of a review"),
        ("DROP TRIGGER action_UPDATE", "is no log of a review"),
        ("PRAGMA application_id = 5", "is no log of a review"),
    ],
)
def test_a_log_that_was_tampered_with(log, path, statement, words):
    log.close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    for read_only in (False, True):
        with pytest.raises(InputError, match=words):
            ReviewLog(path, read_only=read_only)


def test_read_only_writes_nothing(log, path, tmp_path):
    decide(log, "a", Verdict(0, -1, "keep"))
    log.close()
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with ReviewLog(path, read_only=True) as opened:
        assert opened.last() == 1
        assert opened.enter_round("digest", "source").round == 1
        with pytest.raises(InputError, match="reading only"):
            decide(opened, "b")
        with pytest.raises(InputError, match="no round of this audit"):
            opened.enter_round("new", "source")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_two_logs_on_one_file_and_many_threads(log, path):
    def write(opened, name):
        for number in range(25):
            decide(opened, f"{name}{number}", Verdict(number, -1, "keep"))

    with ReviewLog(path) as other:
        threads = [
            threading.Thread(target=write, args=(opened, name))
            for opened, name in ((log, "a"), (log, "b"), (other, "c"), (other, "d"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    actions = list(log.actions())
    assert [action.seq for action in actions] == list(range(1, 101))
    assert len({action.uid for action in actions}) == 100


WRITER = """\
import sys
from goldlabel.review.log import ReviewLog
from goldlabel.review.records import Verdict
log = ReviewLog(sys.argv[1])
round, reviewer = log.enter_round("digest", "source"), log.enter_reviewer(sys.argv[2])
for number in range(10**6):
    verdicts = [Verdict(number, part, "keep", "x") for part in range(number % 7)]
    done = log.append(
        f"{sys.argv[2]}-{sys.argv[3]}-{number}", round=1, reviewer=reviewer.reviewer,
        verdicts=verdicts,
    )
    print(done.seq, flush=True)
"""


def killed_writers(path, kill, seed):
    """Let two writers decide, kill them at a random moment; return what they were told is kept."""
    chance = random.Random(seed)
    command = [sys.executable, "-c", WRITER, path]
    writers = [
        subprocess.Popen([*command, name, str(kill)], stdout=subprocess.PIPE) for name in "ab"
    ]
    try:
        acknowledged = [int(writer.stdout.readline()) for writer in writers]
        threading.Event().wait(chance.random() * 0.05)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
    for writer in writers:
        rest = writer.communicate()[0].decode().split("\n")
        acknowledged += [int(line) for line in rest[:-1]]  # the last line may be cut
    return acknowledged


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(path):
    acknowledged = []
    for kill in range(int(os.environ.get("GOLDLABEL_KILLS", "6"))):
        acknowledged += killed_writers(path, kill, seed=kill)
        with ReviewLog(path) as opened:
            actions = {action.seq: action for action in opened.actions()}
        assert set(acknowledged) <= set(actions)
        for action in actions.values():
            assert len(action.verdicts) == int(action.uid.rpartition("-")[2]) % 7
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    State().update(actions.values())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_disk_that_is_full(log, path):
    decide(log, "a", Verdict(0, -1, "keep"))
    log._connection.execute("PRAGMA max_page_count = 12")
    with pytest.raises(InputError, match="full"):
        decide(log, "b", *(Verdict(i, -1, "set", "x" * 1000) for i in range(1000)))
    log._connection.execute("PRAGMA max_page_count = 100000")
    assert log.last() == 1
    assert decide(log, "b").is_new
