"""What follows from the log: which label is decided how, what is in conflict, what can be undone.

In force are the decisions that no later undo takes back. Of each reviewer the last one on a label
counts. Where all of these agree, the label is decided; where they differ, it is in conflict, unless
the last word is that of an expert, or of whoever was asked which of the answers is right. What was
imported gives way to what a person says later. Planted controls and hidden repeats are about the
reviewer and never about the dataset.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from goldlabel.review.records import VERDICTS, Action, Verdict
from goldlabel.typing import Ints, Mask

__all__ = ["Decision", "State"]

_PARTS = 34
"""Bits of a key that say the part; the others say the example. A box that somebody has drawn has a
number of up to 33 bits."""
_FEW = 256
"""So many labels are decided anew one by one; more of them at once, with all others."""
_NAME_A_LABEL = ("accept", "keep", "set")
_SKIP = VERDICTS.index("skip")
_ENTRY = np.dtype(
    [
        *(("key", np.int64), ("seq", np.int64), ("reviewer", np.int32)),
        *(("verdict", np.int8), ("outcome", np.int32)),
        *(("settles", np.bool_), ("imported", np.bool_), ("in_force", np.bool_)),
    ]
)


class Decision(NamedTuple):
    """What is in force for one label, or one of the answers that are in conflict.

    `overrules` says that an imported correction was another.
    """

    verdict: Verdict
    seq: int
    reviewer: int
    overrules: bool = False


@dataclass
class _Stack:
    """Of one reviewer: decisions in force, and those that a redo brings back."""

    done: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)

    def move(self, seq: int, *, back: bool) -> None:
        source, target = (self.done, self.undone) if back else (self.undone, self.done)
        if seq in source:
            source.remove(seq)
        target.append(seq)


class State:
    """The state after the actions that it has been told of, in the order of the log.

    Attributes
    ----------
    seq : int
        Place of the last action; what comes behind it in the log is not yet in the state.
    """

    def __init__(self, experts: Iterable[int] = ()) -> None:
        self.seq = 0
        self._experts = set(experts)
        self._entries = np.empty(1024, dtype=_ENTRY)
        self._size = 0
        self._verdicts: list[Verdict] = []
        self._outcomes: dict[tuple[str, str | None, str | None], int] = {}
        self._rows_of_action: dict[int, range] = {}
        self._author: dict[int, int] = {}
        self._in_force: dict[int, bool] = {}
        self._stacks: dict[int, _Stack] = {}
        self._rows_of_key: dict[int, list[int]] | None = None
        self._decided: dict[int, tuple[int, bool]] = {}
        self._conflicts: dict[int, list[int]] = {}

    def update(self, actions: Iterable[Action]) -> list[tuple[int, int]]:
        """Take in the next actions of the log.

        Returns
        -------
        list of tuple
            Example and part of every label that they are about, sorted.
        """
        keys: set[int] = set()
        for action in actions:
            keys.update(self._take(action))
            self.seq = action.seq
        if len(keys) > _FEW:
            self._decide_all()
        else:
            for key in keys:
                self._decide(key)
        return [_place(key) for key in sorted(keys)]

    def decision(self, example: int, part: int = -1) -> Decision | None:
        """Return what is decided about a label; None where nothing is, or there is a conflict."""
        entry = self._decided.get(_key(example, part))
        return None if entry is None else self._decision(*entry)

    def conflict(self, example: int, part: int = -1) -> list[Decision]:
        """Return the answers that are in conflict, the oldest first; none where there is none."""
        return [self._decision(row) for row in self._conflicts.get(_key(example, part), ())]

    def decisions(self) -> list[Decision]:
        """Return every decision in force, in the order of the dataset."""
        return [self._decision(*self._decided[key]) for key in sorted(self._decided)]

    def conflicts(self) -> list[tuple[int, int]]:
        """Return example and part of every label in conflict, in the order of the dataset."""
        return [_place(key) for key in sorted(self._conflicts)]

    def is_decided(self, examples: Ints, parts: Ints) -> Mask:
        """Return for each of many labels, shape (n,), whether it is decided."""
        return _contains(self._decided, examples, parts)

    def is_in_conflict(self, examples: Ints, parts: Ints) -> Mask:
        """Return for each of many labels, shape (n,), whether it is in conflict."""
        return _contains(self._conflicts, examples, parts)

    def to_undo(self, reviewer: int) -> int | None:
        """Return the reviewer's last decision that is in force."""
        done = self._stacks.get(reviewer, _Stack()).done
        return done[-1] if done else None

    def to_redo(self, reviewer: int) -> int | None:
        """Return the decision that the reviewer took back last and has not replaced by another."""
        undone = self._stacks.get(reviewer, _Stack()).undone
        return undone[-1] if undone else None

    def is_in_force(self, seq: int) -> bool:
        """Return whether an action is a decision that nobody has taken back."""
        return self._in_force.get(seq, False)

    def author(self, seq: int) -> int | None:
        """Return who took a decision; None where the action is none."""
        return self._author.get(seq)

    def _take(self, action: Action) -> list[int]:
        """Put an action in; return the keys of the labels that it is about."""
        stack = self._stacks.setdefault(action.reviewer, _Stack())
        if action.verb == "decide":
            stack.undone.clear()
            stack.done.append(action.seq)
            self._author[action.seq] = action.reviewer
            self._in_force[action.seq] = True
            self._add(action)
        elif action.verb in ("undo", "redo"):
            back = action.verb == "undo"
            target = action.target
            # Two windows of one reviewer may take back the same action: the second changes nothing.
            if (
                target is None
                or self._author.get(target) != action.reviewer
                or self._in_force[target] != back
            ):
                return []
            stack.move(target, back=back)
            self._in_force[target] = not back
            rows = self._rows_of_action[target]
            self._entries["in_force"][rows.start : rows.stop] = not back
        else:
            return []
        rows = self._rows_of_action[action.seq if action.verb == "decide" else action.target or 0]
        keys: list[int] = self._entries["key"][rows.start : rows.stop].tolist()
        return keys

    def _add(self, action: Action) -> None:
        """Store the verdicts of a decision, but for those that are about the reviewer."""
        about_reviewer = action.role in ("control", "repeat")
        verdicts: Sequence[Verdict] = () if about_reviewer else action.verdicts
        start, stop = self._size, self._size + len(verdicts)
        self._rows_of_action[action.seq] = range(start, stop)
        if stop > len(self._entries):
            room = np.empty(max(stop, len(self._entries)), dtype=_ENTRY)
            self._entries = np.concatenate((self._entries, room))
        settles = action.reviewer in self._experts or _was_asked_which(action)
        # Rows at once: a field at a time costs more than the rest of the fold.
        self._entries[start:stop] = [
            (
                *(_key(verdict.example, verdict.part), action.seq, action.reviewer),
                *(VERDICTS.index(verdict.verdict), self._outcome(verdict)),
                *(settles, action.role == "import", True),
            )
            for verdict in verdicts
        ]
        self._verdicts.extend(verdicts)
        self._size = stop
        if self._rows_of_key is not None:
            for row in range(start, stop):
                self._rows_of_key.setdefault(int(self._entries["key"][row]), []).append(row)

    def _outcome(self, verdict: Verdict) -> int:
        """Return a number for what a verdict comes to: one for all words that name one label."""
        kind = "label" if verdict.verdict in _NAME_A_LABEL else verdict.verdict
        return self._outcomes.setdefault((kind, verdict.label, verdict.change), len(self._outcomes))

    def _decide_all(self) -> None:
        """Decide every label anew; those with one answer, nearly all, in a few passes of NumPy."""
        rows = np.flatnonzero(self._entries["in_force"][: self._size])
        entries = self._entries[rows]
        order = np.lexsort((entries["seq"], entries["reviewer"], entries["key"]))
        rows, entries = rows[order], entries[order]
        following = np.ones(len(rows), dtype=bool)
        following[:-1] = (entries["key"][1:] != entries["key"][:-1]) | (
            entries["reviewer"][1:] != entries["reviewer"][:-1]
        )
        keep = following & (entries["verdict"] != _SKIP)
        rows, keys = rows[keep], entries["key"][keep]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else keys
        counts = np.diff(np.r_[starts, len(keys)])
        single = starts[counts == 1]
        self._decided = {
            key: (row, False)
            for key, row in zip(keys[single].tolist(), rows[single].tolist(), strict=True)
        }
        self._conflicts = {}
        for start, count in zip(starts[counts > 1], counts[counts > 1], strict=True):
            self._settle(int(keys[start]), rows[start : start + count].tolist())

    def _decide(self, key: int) -> None:
        """Decide one label anew."""
        last: dict[int, int] = {}
        for row in self._rows_of(key):
            if self._entries["in_force"][row]:
                last[int(self._entries["reviewer"][row])] = row
        self._decided.pop(key, None)
        self._conflicts.pop(key, None)
        rows = [row for row in last.values() if self._entries["verdict"][row] != _SKIP]
        if rows:
            self._settle(key, rows)

    def _settle(self, key: int, rows: list[int]) -> None:
        """Decide a label from the last answer of each reviewer."""
        rows = sorted(rows, key=lambda row: int(self._entries["seq"][row]))
        own = [row for row in rows if not self._entries["imported"][row]] or rows
        outcomes = self._entries["outcome"]
        agreed = len({int(outcomes[row]) for row in own}) == 1
        if agreed or self._entries["settles"][own[-1]]:
            overrules = any(outcomes[row] != outcomes[own[-1]] for row in rows if row not in own)
            self._decided[key] = (own[-1], bool(overrules))
        else:
            self._conflicts[key] = own

    def _rows_of(self, key: int) -> list[int]:
        if self._rows_of_key is None:
            self._rows_of_key = {}
            for row, each in enumerate(self._entries["key"][: self._size].tolist()):
                self._rows_of_key.setdefault(each, []).append(row)
        return self._rows_of_key.get(key, [])

    def _decision(self, row: int, overrules: bool = False) -> Decision:
        entry = self._entries[row]
        return Decision(self._verdicts[row], int(entry["seq"]), int(entry["reviewer"]), overrules)


def _was_asked_which(action: Action) -> bool:
    """Return whether the question was which of several answers is right."""
    if action.shown is None or '"conflict"' not in action.shown:
        return False
    try:
        shown = json.loads(action.shown)
    except (ValueError, RecursionError):
        return False
    return isinstance(shown, dict) and shown.get("conflict") is True


def _key(example: int, part: int) -> int:
    return (example << _PARTS) + part + 1


def _place(key: int) -> tuple[int, int]:
    return key >> _PARTS, (key & ((1 << _PARTS) - 1)) - 1


def _contains(keys: Iterable[int], examples: Ints, parts: Ints) -> Mask:
    asked = (examples.astype(np.int64) << _PARTS) + parts + 1
    return np.isin(asked, np.fromiter(keys, dtype=np.int64))
