"""Work on blocks of rows: each once, on any number of threads, after a fork, after an error."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from goldlabel.kernels import rows


def covered(n, size):
    """Return how often each row was worked on, and the workers that did it."""
    times, workers, blocks = [0] * n, set(), []

    def work(worker, block, part):
        workers.add(worker)
        blocks.append(block)
        assert part.start == block * size
        for row in range(part.start, part.stop):
            times[row] += 1

    return times, workers, blocks, rows.each_block(work, n, size)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("n", "size"), [(0, 3), (1, 3), (3, 3), (10, 3), (100, 1), (5, 100)])
def test_every_row_once(monkeypatch, threads, n, size):
    monkeypatch.setenv("GOLDLABEL_THREADS", str(threads))
    times, workers, blocks, bound = covered(n, size)
    assert times == [1] * n
    assert sorted(blocks) == list(range(-(-n // size)))
    assert all(0 <= worker < bound <= max(threads, 1) for worker in workers)


def test_a_block_holds_a_row_of_any_width():
    assert rows.block_rows(1) == rows.BLOCK_CELLS
    assert rows.block_rows(0) == rows.BLOCK_CELLS
    assert rows.block_rows(10 * rows.BLOCK_CELLS) == 1


def test_blocks_run_at_once(monkeypatch):
    """Two blocks that wait for each other can only end if both run."""
    monkeypatch.setenv("GOLDLABEL_THREADS", "2")
    both = threading.Barrier(2, timeout=20)
    rows.each_block(lambda worker, block, part: both.wait(), 2, 1)
    assert not both.broken


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_an_error_arrives_and_the_pool_lives_on(monkeypatch, threads):
    monkeypatch.setenv("GOLDLABEL_THREADS", str(threads))

    def work(worker, block, part):
        if block == 7:
            raise KeyError("block 7")

    with pytest.raises(KeyError, match="block 7"):
        rows.each_block(work, 20, 1)
    assert covered(20, 3)[0] == [1] * 20


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_arrives_from_any_thread(monkeypatch, failing):
    monkeypatch.setenv("GOLDLABEL_THREADS", "2")
    both = threading.Barrier(2, timeout=20)

    def work(worker, block, part):
        both.wait()
        if worker == failing:
            raise KeyError("one of two")

    with pytest.raises(KeyError, match="one of two"):
        rows.each_block(work, 2, 1)


def test_callers_on_several_threads_do_not_wait_for_ever(monkeypatch):
    monkeypatch.setenv("GOLDLABEL_THREADS", "3")
    found = []
    callers = [
        threading.Thread(target=lambda: found.append(covered(500, 2)[0]), daemon=True)
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=30)
    assert found == [[1] * 500] * 8


@pytest.mark.parametrize(("asked", "count"), [("3", 3), ("1", 1)])
def test_threads_asked_for(monkeypatch, asked, count):
    monkeypatch.setenv("GOLDLABEL_THREADS", asked)
    assert rows.thread_count() == count


@pytest.mark.parametrize("asked", ["", "0", "-2", "two", "2.5", "²"])
def test_as_many_threads_as_cores_without_a_number(monkeypatch, asked):
    monkeypatch.setenv("GOLDLABEL_THREADS", asked)
    assert 1 <= rows.thread_count() <= (os.cpu_count() or 1)


FORKS = """
import os, sys
import numpy as np
from goldlabel.kernels import confident, rows

random = np.random.default_rng(0)
labels, probs = random.integers(0, 4, 500), random.dirichlet(np.ones(4), 500)
rows.BLOCK_CELLS = 100
cutoffs = np.full(4, 0.3)
expected = np.array(confident.sweep(labels, probs, cutoffs).joint)
assert rows._pool is not None, "the pool was not used"
child = os.fork()
if child == 0:
    same = (np.array(confident.sweep(labels, probs, cutoffs).joint) == expected).all()
    os._exit(0 if same and rows._pool is not None else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert (np.array(confident.sweep(labels, probs, cutoffs).joint) == expected).all()
sys.exit(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_computes_too():
    done = subprocess.run(
        [sys.executable, "-c", FORKS],
        env={**os.environ, "GOLDLABEL_THREADS": "3"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_blocks_within_blocks_stay_on_their_thread(monkeypatch):
    """A thread of the pool that waited for the pool would wait for ever."""
    monkeypatch.setenv("GOLDLABEL_THREADS", "3")
    inner = []

    def work(worker, block, chosen):
        here = threading.get_ident()

        def nested(worker, block, chosen):
            inner.append((worker, threading.get_ident() == here))

        assert rows.each_block(nested, 40, 5) == 1

    outer = rows.each_block(work, 30, 2)
    assert outer == 3
    assert inner == [(0, True)] * (15 * 8)
    assert rows.each_block(lambda *_: None, 30, 2) == 3, "and afterwards threads are used again"
