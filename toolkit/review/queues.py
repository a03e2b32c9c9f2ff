"""The order in which examples are asked about, and which of them a filter leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.label_issues import LabelIssues
from goldlabel.review.state import State
from goldlabel.typing import Ints, Mask
from goldlabel.views import Findings

__all__ = ["ORDERS", "STATUSES", "Order", "Status", "positions", "statuses"]

Order = Literal["worst", "dataset", "random"]
Status = Literal["undecided", "decided", "conflict"]
ORDERS: tuple[Order, ...] = get_args(Order)
STATUSES: tuple[Status, ...] = get_args(Status)


def statuses(issues: LabelIssues, state: State) -> Ints:
    """Return the status of each example, as an index of `STATUSES`, shape (n,).

    An example is decided when each of its findings is, and in conflict when one of them is.
    """
    parts = issues.parts
    n = len(issues.scores)
    decided = state.is_decided(parts.example, parts.part)
    conflict = state.is_in_conflict(parts.example, parts.part)
    open_findings = np.bincount(parts.example[~decided], minlength=n)
    status = np.where(open_findings > 0, 0, 1)
    status[~issues.is_issue] = 0
    status[parts.example[conflict]] = 2
    return status.astype(np.int64)


def positions(
    findings: Findings, state: State, *, order: str = "worst", filter: Mapping[str, Any]
) -> Ints:
    """Return the flagged examples that a filter leaves, in an order.

    Parameters
    ----------
    findings : Findings
    state : State
    order : {"worst", "dataset", "random"}
        By quality score, by position, or at random, the same each time.
    filter : mapping
        Any of ``status``, ``kind``, ``given``, ``suggested`` (as text), and ``text``, a part of
        the id.

    Raises
    ------
    InputError
        No such order, filter or status.
    """
    issues = findings.issues
    if order not in ORDERS:
        raise InputError("order", f"is {order!r}", f"Use one of {', '.join(ORDERS)}")
    ranked = issues.ranked()
    if order == "dataset":
        ranked = np.sort(ranked)
    elif order == "random":
        ranked = np.random.default_rng(0).permutation(ranked)
    keep = _kept(findings, state, filter)
    text = filter.get("text")
    chosen = ranked[keep[ranked]]
    if isinstance(text, str) and text:
        part = text.casefold()
        has = [part in findings.id(int(example)).casefold() for example in chosen]
        chosen = chosen[np.array(has, dtype=bool)]
    return np.asarray(chosen)


def _kept(findings: Findings, state: State, filter: Mapping[str, Any]) -> Mask:
    """Return which examples a filter leaves, shape (n,)."""
    issues = findings.issues
    parts = issues.parts
    keep = np.ones(len(issues.scores), dtype=np.bool_)
    for name, wanted in filter.items():
        if wanted in (None, "") or name == "text":
            continue
        if name == "status":
            if wanted not in STATUSES:
                raise InputError("status", f"is {wanted!r}", f"Use one of {', '.join(STATUSES)}")
            keep &= statuses(issues, state) == STATUSES.index(wanted)
            continue
        if name == "kind":
            rows = np.array([str(kind) == wanted for kind in parts.kinds], dtype=bool)[parts.kind]
        elif name in ("given", "suggested") and wanted in findings.classes:
            rows = getattr(parts, name) == findings.classes.index(wanted)
        else:
            raise InputError(
                "filter", f"asks for {name} = {wanted!r}", "Use status, kind, given, suggested"
            )
        has = np.zeros_like(keep)
        has[parts.example[rows]] = True
        keep &= has
    return keep
