"""The order in which examples are asked about, and which of them a filter leaves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.label_issues import LabelIssues
from goldlabel.review.state import State
from goldlabel.typing import Ints, Mask
from goldlabel.views import Findings

__all__ = ["ORDERS", "STATUSES", "Queue", "Queues", "positions", "statuses"]

Order = Literal["worst", "dataset", "random"]
Status = Literal["undecided", "decided", "conflict"]
ORDERS: tuple[Order, ...] = get_args(Order)
STATUSES: tuple[Status, ...] = get_args(Status)
UNDECIDED, DECIDED, CONFLICT = range(3)
FILTERS = ("status", "kind", "given", "suggested", "text")
MOST = 20
"""So many queues are kept."""

Search = Callable[[str], Ints]


def statuses(issues: LabelIssues, state: State) -> Ints:
    """Return the status of each example, as an index of `STATUSES`, shape (n,).

    An example is decided when each of its findings is, and in conflict when one of them is; one
    without findings, when it is itself.
    """
    parts = issues.parts
    n = len(issues.scores)
    decided = state.is_decided(parts.example, parts.part)
    conflict = state.is_in_conflict(parts.example, parts.part)
    has_findings = np.bincount(parts.example, minlength=n) > 0
    open_findings = np.bincount(parts.example[~decided], minlength=n)
    whole = np.flatnonzero(~has_findings)
    alone = np.full(len(whole), -1, dtype=np.int64)
    status = np.where(open_findings > 0, UNDECIDED, DECIDED)
    status[whole] = np.where(state.is_decided(whole, alone), DECIDED, UNDECIDED)
    status[whole[state.is_in_conflict(whole, alone)]] = CONFLICT
    status[parts.example[conflict]] = CONFLICT
    return status.astype(np.int64)


def positions(
    findings: Findings,
    status: Ints,
    *,
    order: str = "worst",
    filter: Mapping[str, Any],
    search: Search,
) -> Ints:
    """Return the flagged examples that a filter leaves, in an order.

    Parameters
    ----------
    findings : Findings
    status : array of int, shape (n,)
        As `statuses` returns it.
    order : {"worst", "dataset", "random"}
        By quality score, by position, or at random, the same each time.
    filter : mapping
        Any of ``status``, ``kind``, ``given``, ``suggested`` (as text), and ``text``.
    search : callable
        Text -> the positions of the examples that have it.

    Raises
    ------
    InputError
        No such order, filter or status.
    """
    issues = findings.issues
    if order not in ORDERS:
        raise InputError("order", f"is {order!r}", f"Use one of {', '.join(ORDERS)}")
    keep = _kept(findings, status, filter, search)
    ranked = issues.ranked()
    if order == "dataset":
        ranked = np.sort(ranked)
    elif order == "random":
        ranked = np.random.default_rng(0).permutation(ranked)
    return np.asarray(ranked[keep[ranked]], dtype=np.int64)


def _kept(findings: Findings, status: Ints, filter: Mapping[str, Any], search: Search) -> Mask:
    """Return which examples a filter leaves, shape (n,)."""
    keep = np.ones(len(status), dtype=np.bool_)
    for name, wanted in filter.items():
        if name not in FILTERS:
            raise InputError("filter", f"asks for {name!r}", f"Use {', '.join(FILTERS)}")
        if wanted in (None, ""):
            continue
        if not isinstance(wanted, str):
            raise InputError("filter", f"has {name} = {wanted!r}, not a text", "Send a text")
        if name == "status":
            if wanted not in STATUSES:
                raise InputError("status", f"is {wanted!r}", f"Use one of {', '.join(STATUSES)}")
            keep &= status == STATUSES.index(wanted)
            continue
        has = np.zeros_like(keep)
        has[search(wanted) if name == "text" else _having(findings, name, wanted)] = True
        keep &= has
    return keep


def _having(findings: Findings, name: str, wanted: str) -> Ints:
    """Return the examples with a finding of a kind, or of a given or a suggested class."""
    parts = findings.issues.parts
    if name == "kind":
        rows = np.array([str(kind) == wanted for kind in parts.kinds], dtype=np.bool_)[parts.kind]
    elif wanted in findings.classes:
        rows = getattr(parts, name) == findings.classes.index(wanted)
    else:
        raise InputError("filter", f"asks for {name} = {wanted!r}, no class", "Name one of them")
    return np.asarray(parts.example[rows], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Queue:
    """Positions of examples in an order, and the status that was asked for, if any."""

    positions: Ints
    status: str | None = None

    def place(self, example: int) -> int:
        """Return where an example is; -1 where it is not in the queue."""
        where = np.flatnonzero(self.positions == example)
        return int(where[0]) if len(where) else -1

    def behind(self, after: int, status: Ints) -> Ints:
        """Return the places to go to behind an example: those undecided, from the end on again.

        Of a queue of decided ones, or of conflicts, those that are still in this status.
        """
        start = self.place(after) + 1
        wanted = UNDECIDED if self.status is None else STATUSES.index(self.status)
        places = np.flatnonzero(status[self.positions] == wanted)
        at = int(np.searchsorted(places, start))
        if wanted == DECIDED:
            return places[at:]
        return np.concatenate((places[at:], places[:at]))


class Queues:
    """The last queues that were asked for, by number."""

    def __init__(self) -> None:
        self._queues: OrderedDict[int, Queue] = OrderedDict()
        self._next = 1

    def add(self, queue: Queue) -> int:
        """Keep a queue; return its number. Of too many, the one least used is dropped."""
        number = self._next
        self._next += 1
        self._queues[number] = queue
        while len(self._queues) > MOST:
            self._queues.popitem(last=False)
        return number

    def get(self, number: int) -> Queue:
        """Return a queue.

        Raises
        ------
        InputError
            It is not kept any more, or never was.
        """
        if number not in self._queues:
            raise InputError("queue", f"is {number}, which is not there", "Ask for a queue again")
        self._queues.move_to_end(number)
        return self._queues[number]
