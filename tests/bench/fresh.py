"""Measure in a process of its own: the first call, or the memory of calls.

Run by ``run.py``: ``fresh.py first SECTION SIDE INPUT CASE`` and
``fresh.py memory SECTION SIDE INPUT WARMUP CASE...``; INPUT and WARMUP are folders that hold the
arrays, SIDE is ours or peer. Prints one line of JSON.
"""

from __future__ import annotations

import time

START = time.perf_counter()

# The clock comes first.
import json  # noqa: E402
import sys  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

import case  # noqa: E402


def first(section: case.Section, side: str, folder: str, name: str) -> dict[str, float]:
    """Return the seconds from the start of Python to the end of the first call."""
    given = section.prepare(case.load(Path(folder)))
    getattr(find_case(section, name), side)(given)
    wall = time.perf_counter() - START
    # The clock has been read: what is imported now does not count.
    from measure import processor_seconds

    return {"wall": wall, "processor": processor_seconds()}


def memory(
    section: case.Section, side: str, folder: str, warmup: str, *names: str
) -> dict[str, dict[str, int]]:
    """Return the bytes that each call takes above its input, and those of its result."""
    from measure import peak_memory, result_bytes

    little = section.prepare(case.load(Path(warmup)))
    calls = {name: getattr(find_case(section, name), side) for name in names}
    for call in calls.values():
        call(little)  # code is loaded, compiled code too
    arrays = case.load(Path(folder))
    given = section.prepare(arrays)
    found = {}
    for name, call in calls.items():
        with peak_memory() as peak:
            result = call(given)
            extra = peak.above()
        found[name] = {"extra": extra, "result": result_bytes(result, arrays)}
        del result
    return found


def find_case(section: case.Section, name: str) -> case.Case:
    return next(each for each in section.cases if each.name == name)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    what, section, *rest = sys.argv[1:]
    measures = {"first": first, "memory": memory}
    print(json.dumps(measures[what](case.load_section(section), *rest)))
