"""How the file of a review is opened: safe against power cuts, patient with other processes."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

__all__ = ["connected"]

_BUSY = 10.0
"""Seconds to wait while another process writes."""


def _with_wal(connection: sqlite3.Connection) -> str:
    """Ask for WAL, and return what there is; SQLite itself does not wait for others who ask."""
    until = time.monotonic() + _BUSY
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def connected(path: Path, read_only: bool) -> sqlite3.Connection:
    """Open a database for several threads, with commits that survive a power cut."""
    if not read_only or path == Path(":memory:"):
        connection = sqlite3.connect(
            path, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        # Network disks refuse WAL; there readers wait for writers.
        if _with_wal(connection) != "wal":
            connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection
    # Where nobody writes, SQLite is told that nobody will: else it leaves files beside the log.
    alone = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    address = f"file:{quote(str(path.absolute()))}?mode=ro{alone}"
    return sqlite3.connect(
        address, uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False
    )
