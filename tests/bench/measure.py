"""Seconds, processor seconds and megabytes of a call."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import resource
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

Call = Callable[[], Any]
Seconds = dict[str, float]

PATIENCE = 10
"""Where a few rounds take so many times the budget, they will do."""

PROC = Path("/proc")
CLEAR = PROC / "self" / "clear_refs"


def processor_seconds() -> float:
    """Return what all threads of this process, and all children that ended, have used."""
    multiprocessing.active_children()  # collects those that ended
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(call: Call) -> Seconds:
    """Return wall and processor seconds of one call."""
    gc.collect()
    used, start = processor_seconds(), time.perf_counter()
    result = call()
    wall = time.perf_counter() - start
    used = processor_seconds() - used
    del result  # not before the clocks are read: giving memory back is not part of the call
    return {"wall": wall, "processor": used}


def alternate(
    calls: Mapping[str, Call], *, budget: float, least: int, most: int
) -> dict[str, list[Seconds]]:
    """Time the calls in turns, so that what disturbs one disturbs them all.

    Rounds go on for `budget` seconds; at least `least` of them are made, at most `most`; fewer,
    but one, where they take longer than `PATIENCE` allows.
    """
    samples: dict[str, list[Seconds]] = {name: [] for name in calls}
    start = time.perf_counter()
    for done in range(most):
        spent = time.perf_counter() - start
        if spent > (budget if done >= least else PATIENCE * budget) and done:
            break
        for name, call in calls.items():
            samples[name].append(timed(call))
    return samples


def typical(samples: list[Seconds]) -> Seconds:
    """Return the median and the minimum of each clock."""
    summary = {}
    for clock in ("wall", "processor"):
        values = [sample[clock] for sample in samples]
        summary[clock] = statistics.median(values)
        summary[f"{clock}_min"] = min(values)
    return summary


def ratio(above: list[Seconds], below: list[Seconds]) -> Seconds:
    """Return the median over rounds of one side's seconds by the other's, for each clock."""
    return {
        clock: statistics.median(a[clock] / b[clock] for a, b in zip(above, below, strict=True))
        for clock in ("wall", "processor")
    }


def bare_read(array: np.ndarray) -> float:
    """Add up an array by rows, on the threads and in the blocks that kernels use."""
    from goldlabel.kernels.rows import block_rows, each_block

    n, k = array.shape
    size = block_rows(k)
    sums = np.zeros(max(1, -(-n // size)))

    def work(worker: int, block: int, rows: slice) -> None:
        sums[block] = array[rows].sum()

    each_block(work, n, size)
    return float(sums.sum())


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_is_measurable() -> bool:
    """Whether this kernel forgets its high-water mark when asked to (Linux)."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


def resident(pid: int | str = "self") -> dict[str, int]:
    """Return bytes in memory now (VmRSS), and the most there have been (VmHWM)."""
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    pairs = (line.split(":") for line in lines if line.startswith(("VmRSS", "VmHWM")))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def private(pid: int) -> int:
    """Return the bytes that a process shares with no other: what forking it has cost."""
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def children() -> list[int]:
    """Return the processes that any thread of this one has started."""
    found: list[int] = []
    for task in (PROC / "self" / "task").iterdir():
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


class Peak:
    """The most memory that this process and its children had at one time, above the start's."""

    def __init__(self) -> None:
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)  # else what is free already would hide what the call asks for
        CLEAR.write_text("5")
        self.before = resident()["VmRSS"]
        self.sampled = 0
        self.ended = threading.Event()
        self.sampler = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        """Look at children again and again; this process's own peak the kernel keeps."""
        while not self.ended.wait(0.005):
            forked = 0
            for pid in children():
                with suppress(OSError, ValueError):  # it may just have ended
                    forked += private(pid)
            if forked:
                self.sampled = max(self.sampled, resident()["VmRSS"] + forked)

    def above(self) -> int:
        """Return the peak in bytes above what there was at the start."""
        return max(resident()["VmHWM"], self.sampled) - self.before


@contextmanager
def peak_memory() -> Iterator[Peak]:
    peak = Peak()
    peak.sampler.start()
    try:
        yield peak
    finally:
        peak.ended.set()
        peak.sampler.join()


def result_bytes(result: Any, given: Mapping[str, np.ndarray]) -> int:
    """Return the bytes of the arrays in a result that are not the input's own."""
    owners: dict[int, np.ndarray] = {}
    tables = [0]

    def walk(value: Any) -> None:
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            if not any(np.may_share_memory(value, array) for array in given.values()):
                owners[id(value)] = value
        elif isinstance(value, Mapping):
            for each in value.values():
                walk(each)
        elif isinstance(value, tuple | list):
            for each in value:
                walk(each)
        elif is_dataclass(value):
            for field in fields(value):
                walk(getattr(value, field.name))
        elif hasattr(value, "memory_usage"):
            tables[0] += int(np.sum(value.memory_usage(index=False)))

    walk(result)
    return sum(array.nbytes for array in owners.values()) + tables[0]
