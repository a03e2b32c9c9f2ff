"""A task as a third party would write it: a table of bookings, some in the wrong account."""

from __future__ import annotations

from typing import Any

from goldlabel.task import Task

TASK = Task(name="ledger", title="Bookings in the wrong account [a test]", package="ledger")


def __getattr__(name: str) -> Any:
    if name in ("audit", "export"):
        from ledger import bookings

        return getattr(bookings, name)
    raise AttributeError(name)
