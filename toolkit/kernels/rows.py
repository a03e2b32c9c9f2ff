"""Run work over fixed blocks of rows, on all cores, with the same result for any number of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

__all__ = ["block_rows", "each_block", "thread_count"]

BLOCK_CELLS = 1 << 18
"""Cells of pred_probs in a block: 2 MiB of float64, a fraction of a millisecond of work."""

_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_lock = threading.Lock()
_here = threading.local()  # .at_work: whether this thread is running a block


def thread_count() -> int:
    """Return how many threads to use: GOLDLABEL_THREADS if set, else the cores of this process."""
    asked = os.environ.get("GOLDLABEL_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def block_rows(k: int) -> int:
    """Return how many rows of `k` cells make a block."""
    return max(1, BLOCK_CELLS // max(k, 1))


def each_block(work: Callable[[int, int, slice], None], n: int, size: int) -> int:
    """Call ``work(worker, block, rows)`` once for each block of `size` rows.

    Called from inside of `work`, it stays on the thread that it is called on.

    Parameters
    ----------
    work : callable
        Gets the number of the worker that runs it (0 .. workers - 1, one call at a time each), the
        number of the block, and the block's rows as a slice. It writes only what belongs to that
        worker or block, so that the result does not depend on who ran what.
    n : int
        Rows in all.
    size : int
        Rows in a block; depends on the data's shape alone, never on the number of threads.

    Returns
    -------
    int
        Upper bound of the worker numbers used.
    """
    blocks = -(-n // size)
    # A thread of the pool that waited for another one of it could wait for ever.
    nested = getattr(_here, "at_work", False)
    workers = 1 if nested else min(thread_count(), blocks)
    numbers = iter(range(blocks))

    def drain(worker: int) -> None:
        _here.at_work = True
        try:
            while True:
                with turn:
                    block = next(numbers, None)
                if block is None:
                    return
                work(worker, block, slice(block * size, min((block + 1) * size, n)))
        finally:
            _here.at_work = nested

    turn = threading.Lock()
    if workers <= 1:
        drain(0)
        return 1
    pool = _kept_pool(workers - 1)
    others = [pool.submit(drain, worker) for worker in range(1, workers)]
    try:
        drain(0)
    finally:
        wait(others)
    for other in others:
        other.result()
    return workers


def _kept_pool(size: int) -> ThreadPoolExecutor:
    """Return the process's pool: starting threads anew costs more than a small pass over rows."""
    global _pool, _pool_size
    with _lock:
        if _pool is None or _pool_size < size:
            _pool, _pool_size = ThreadPoolExecutor(size, thread_name_prefix="goldlabel"), size
        return _pool


def _forget_pool() -> None:
    """Threads do not survive a fork: the child makes a pool of its own when it needs one."""
    global _pool, _pool_size, _lock
    _pool, _pool_size, _lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
