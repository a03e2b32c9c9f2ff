"""The state that follows from a log, against a plain fold of every action."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.review.records import Action, Verdict
from goldlabel.review.state import State

EXPERT = 3


def action(seq, verb="decide", *, reviewer=1, target=None, role="review", shown=None, verdicts=()):
    return Action(seq, f"u{seq}", 1, reviewer, 0, verb, target, role, None, shown, None, verdicts)


def says(example, verdict="set", label="a", part=-1, change=None):
    return Verdict(example, part, verdict, label, change)


def plain_state(actions):
    """Return what is decided and what is in conflict, action by action and label by label."""
    decides = {each.seq: each for each in actions if each.verb == "decide"}
    in_force = set()
    for each in actions:
        own = decides.get(each.target)
        if each.verb == "decide":
            in_force.add(each.seq)
        elif own is not None and own.reviewer == each.reviewer and each.seq > own.seq:
            (in_force.discard if each.verb == "undo" else in_force.add)(each.target)
    answers = {}
    for seq in sorted(in_force):
        each = decides[seq]
        if each.role in ("control", "repeat"):
            continue
        for verdict in each.verdicts:
            answers.setdefault((verdict.example, verdict.part), {})[each.reviewer] = (each, verdict)
    decided, conflicts = {}, {}
    for place, by_reviewer in answers.items():
        last = sorted((a.seq, a, v) for a, v in by_reviewer.values() if v.verdict != "skip")
        own = [each for each in last if each[1].role != "import"] or last
        names = ("accept", "keep", "set")
        ends = {(v.verdict in names or v.verdict, v.label, v.change) for _, _, v in own}
        if not own:
            continue
        settles = own[-1][1].reviewer == EXPERT or own[-1][1].shown == '{"conflict": true}'
        if len(ends) == 1 or settles:
            decided[place] = own[-1][0]
        else:
            conflicts[place] = [seq for seq, _, _ in own]
    return decided, conflicts


verdict = st.builds(
    says,
    example=st.integers(0, 3),
    verdict=st.sampled_from(["accept", "keep", "set", "unsure", "skip"]),
    label=st.sampled_from(["a", "b", None]),
    part=st.sampled_from([-1, 0, 7]),
)


@st.composite
def logs(draw):
    actions = []
    for seq in range(1, draw(st.integers(1, 25)) + 1):
        verb = draw(st.sampled_from(["decide", "decide", "decide", "undo", "redo", "note"]))
        target, verdicts = None, ()
        if verb in ("undo", "redo"):
            target = draw(st.integers(1, seq))
            target = target if target < seq else None
        elif verb == "decide":
            chosen = draw(st.lists(verdict, max_size=4))
            verdicts = tuple({(v.example, v.part): v for v in chosen}.values())
        actions.append(
            action(
                seq,
                verb,
                reviewer=draw(st.integers(1, EXPERT)),
                target=target,
                role=draw(st.sampled_from(["review", "review", "sample", "control", "import"])),
                shown=draw(st.sampled_from([None, '{"conflict": true}', "not json"])),
                verdicts=verdicts,
            )
        )
    return actions


def seen(state):
    decided = {(d.verdict.example, d.verdict.part): d.seq for d in state.decisions()}
    return decided, {place: [d.seq for d in state.conflict(*place)] for place in state.conflicts()}


@given(logs(), st.integers(1, 5), st.booleans())
@settings(deadline=None, max_examples=300)
def test_equal_to_a_plain_fold(actions, step, many):
    """In steps of any size, and decided label by label or all at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("goldlabel.review.state._FEW", 0 if many else 100)
        state = State(experts=[EXPERT])
        for start in range(0, len(actions), step):
            state.update(actions[start : start + step])
    assert seen(state) == plain_state(actions)
    assert state.seq == len(actions)


def test_undo_and_redo_without_limit():
    state = State()
    state.update([action(seq, verdicts=(says(seq),)) for seq in range(1, 6)])
    seq = 6
    while (target := state.to_undo(1)) is not None:
        assert state.update([action(seq, "undo", target=target)]) == [(target, -1)]
        seq += 1
    assert seq == 11
    assert state.decisions() == []
    while (target := state.to_redo(1)) is not None:
        state.update([action(seq, "redo", target=target)])
        seq += 1
    assert [decision.seq for decision in state.decisions()] == [1, 2, 3, 4, 5]


def test_a_new_decision_ends_what_can_be_redone():
    state = State()
    state.update([action(1, verdicts=(says(0),)), action(2, "undo", target=1)])
    assert state.to_redo(1) == 1
    state.update([action(3, verdicts=(says(1),))])
    assert state.to_redo(1) is None
    # In the history it can still be taken up again.
    state.update([action(4, "redo", target=1)])
    assert state.is_in_force(1)


def test_nobody_takes_back_what_another_decided():
    state = State()
    state.update([action(1, verdicts=(says(0),)), action(2, "undo", reviewer=2, target=1)])
    assert state.is_in_force(1)
    assert state.author(1) == 1
    assert state.to_undo(2) is None


def test_two_reviewers_differ_until_one_is_asked_which():
    state = State(experts=[EXPERT])
    state.update([action(1, verdicts=(says(0, label="a"),))])
    state.update([action(2, reviewer=2, verdicts=(says(0, "keep", label="b"),))])
    assert state.decision(0) is None
    assert [decision.verdict.label for decision in state.conflict(0)] == ["a", "b"]
    both = np.array([0, 1]), np.array([-1, -1])
    assert state.is_in_conflict(*both).tolist() == [True, False]
    assert state.is_decided(*both).tolist() == [False, False]
    answer = action(3, shown='{"conflict": true}', verdicts=(says(0, "keep", label="b"),))
    state.update([answer])
    assert state.decision(0).verdict.label == "b"
    assert state.conflicts() == []
    assert state.is_decided(*both).tolist() == [True, False]


def test_other_words_for_one_label_agree():
    state = State()
    state.update([action(1, verdicts=(says(0, "accept", label="b"),))])
    state.update([action(2, reviewer=2, verdicts=(says(0, "set", label="b"),))])
    assert state.decision(0).seq == 2


def test_what_was_imported_gives_way_and_is_named():
    state = State()
    state.update([action(1, role="import", reviewer=9, verdicts=(says(0, label="a"), says(1)))])
    assert not state.decision(0).overrules
    state.update([action(2, verdicts=(says(0, label="b"),))])
    assert state.decision(0).verdict.label == "b"
    assert state.decision(0).overrules
    assert not state.decision(1).overrules


def test_a_hundred_thousand_labels_in_one_action_and_one_undo():
    verdicts = tuple(says(example) for example in range(100_000))
    state = State()
    assert len(state.update([action(1, verdicts=verdicts)])) == 100_000
    state.update([action(2, verdicts=(says(5, label="b"),))])
    state.update([action(3, "undo", target=1)])
    assert [(d.verdict.example, d.verdict.label) for d in state.decisions()] == [(5, "b")]
    state.update([action(4, "undo", target=2), action(5, "redo", target=1)])
    assert len(state.decisions()) == 100_000
    assert state.decision(5).verdict.label == "a"
