"""Logs that are merged: the same actions whichever comes first, and nothing twice."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.review.log import ReviewLog
from goldlabel.review.records import Verdict
from goldlabel.review.state import State

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["decide", "undo", "redo", "note"]),
        st.integers(0, 4),
        st.sampled_from("abc"),
        st.integers(1, 50),
    ),
    max_size=12,
)


def written(log, steps, name):
    """Let one person act; undo and redo name an action of this log, or none."""
    round = log.enter_round(f"audit of {name}", "source").round
    reviewer = log.enter_reviewer(name, expert=name == "eva" or None).reviewer
    at = 0
    for number, (verb, example, label, later) in enumerate(steps):
        at += later
        verdicts = [Verdict(example, -1, "set", label)] if verb == "decide" else []
        target = max(1, log.last() - example) if verb in ("undo", "redo") and log.last() else None
        log.append(
            f"{name} {number}",
            round=round,
            reviewer=reviewer,
            verb=verb,
            verdicts=verdicts,
            target=target,
            at=at,
        )


def content(log):
    """Return each action by its uid, in words that do not depend on the log."""
    names = {each.reviewer: (each.name, each.expert) for each in log.reviewers()}
    rounds = {each.round: each.audit for each in log.rounds()}
    actions = list(log.actions())
    uids = {action.seq: action.uid for action in actions}
    return {
        each.uid: (
            *(rounds[each.round], names[each.reviewer], each.at, each.verb),
            *(uids.get(each.target), each.verdicts),
        )
        for each in actions
    }


def decided(log):
    experts = [each.reviewer for each in log.reviewers() if each.expert]
    state = State(experts)
    state.update(log.actions())
    return {each.verdict for each in state.decisions()}, set(state.conflicts())


@given(STEPS, STEPS, STEPS)
@settings(deadline=None, max_examples=40)
def test_logs_merge_in_any_order_and_more_than_once(ana, ben, cleo):
    with tempfile.TemporaryDirectory() as folder:
        logs = {}
        for copy in ("one", "two"):
            for name, steps in (("ana", ana), ("ben", ben), ("cleo", cleo)):
                logs[copy, name] = ReviewLog(Path(folder, f"{copy} {name}.sqlite"))
                written(logs[copy, name], steps, name)
        one, two = logs["one", "ana"], logs["two", "cleo"]
        assert one.adopt(logs["one", "ben"]) == len(ben)
        assert one.adopt(logs["one", "cleo"]) == len(cleo)
        assert two.adopt(logs["two", "ana"]) == len(ana)
        assert two.adopt(logs["two", "ben"]) == len(ben)
        assert content(one) == content(two)
        assert len(content(one)) == len(ana) + len(ben) + len(cleo)
        # Nobody acts in two logs here, so what is in force does not depend on the order either.
        assert decided(one) == decided(two)
        before = content(one)
        assert one.adopt(two) == one.adopt(logs["one", "ben"]) == 0
        assert content(one) == before
        for log in logs.values():
            log.close()


def test_an_undo_finds_its_action_and_an_expert_stays_one(tmp_path):
    with ReviewLog(tmp_path / "a") as ours, ReviewLog(tmp_path / "b") as theirs:
        written(ours, [("decide", 0, "a", 9)] * 3, "ana")
        written(theirs, [("decide", 1, "b", 1), ("undo", 0, "b", 1)], "eva")
        ours.adopt(theirs)
        assert [each.expert for each in ours.reviewers()] == [False, True]
        assert ours.action(5).target == 4
        assert {verdict.example for verdict in decided(ours)[0]} == {0}
