"""Measure goldlabel against its peers, and write the page of benchmarks.

``python tests/bench/run.py [SECTION | SECTION/CASE ...] [--size full] [--out docs/benchmarks.md]``

Results are kept beside the page, as JSON, and the page is written from them: what is not run again
stays as it was, unless it was measured under other conditions.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import measure
import page
from case import SIZES, Arrays, Case, Input, Section, find_sections, save

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RUNS = {"full": (6.0, 5, 15), "small": (2.0, 3, 7), "tiny": (0.0, 1, 1)}
"""Seconds, and least and most rounds, for a case and an input."""
FIRST_CALLS = {"full": 5, "small": 3, "tiny": 1}
SIDES = ("ours", "peer")

Result = dict[str, Any]


def main(words: list[str] | None = None) -> None:
    sections = find_sections()
    asked = arguments(sections, words)
    warnings.simplefilter("ignore")
    stored = asked.out.with_suffix(".json")
    results = json.loads(stored.read_text("utf-8")) if stored.exists() else {}
    for name, section in sections.items():
        cases = wanted(section, asked.cases)
        if not cases:
            continue
        found = results.get(name, {})
        conditions = {"size": asked.size, **machine(section.peer)}
        if found.get("conditions") != conditions:
            found = {"conditions": conditions, "results": {}}
        found["load"] = round(os.getloadavg()[0], 1)
        for source in section.inputs[asked.size]:
            for case, result in run_input(section, cases, source, asked.size):
                found["results"].setdefault(case, {})[source.name] = result
        if section.figures is not None and cases == list(section.cases) and asked.size != "tiny":
            table = section.figures()
            found["figures"] = None if table is None else asdict(table)
        results[name] = found
        write(asked.out, page.render(sections, results, stored.name))
        write(stored, json.dumps(rounded(results), indent=1) + "\n")


def arguments(sections: dict[str, Section], words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="SECTION or SECTION/CASE; all if none is named")
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    asked = parser.parse_args(words)
    known = {name for section in sections.values() for name in names(section)}
    unknown = [name for name in asked.cases if name not in known]
    if unknown:
        parser.error(f"no such case: {unknown[0]}. There are {', '.join(sorted(known))}")
    return asked


def names(section: Section) -> list[str]:
    return [section.name, *(f"{section.name}/{case.name}" for case in section.cases)]


def wanted(section: Section, asked: list[str]) -> list[Case]:
    whole = not asked or section.name in asked
    return [case for case in section.cases if whole or f"{section.name}/{case.name}" in asked]


def write(path: Path, text: str) -> None:
    """Replace a file whole: a run that is stopped leaves the last page."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def rounded(value: Any) -> Any:
    """Cut figures to the digits that mean something."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine(peer: str) -> dict[str, Any]:
    """Return the kind of machine and the versions: what must be the same to compare figures."""
    packages = ("goldlabel", peer, "numpy", "numba", "scipy", "pandas")
    return {
        "processor": processor(),
        "cores": measure.cores(),
        "memory": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in packages},
    }


def processor() -> str:
    """Return the model of the processor, as Linux says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def run_input(
    section: Section, cases: list[Case], source: Input, size: str
) -> list[tuple[str, Result]]:
    """Measure all cases on one input."""
    say(f"{section.name}: {source.name}")
    arrays = source.arrays()
    given = section.prepare(arrays)
    found: dict[str, Result] = {}
    for case in cases:
        found[case.name] = {"input": arrays[section.largest].nbytes}
        found[case.name] |= run_case(section, case, given, size)
        say(f"  {case.name}: {json.dumps(found[case.name].get('ratio', {}))}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        save(arrays, folder / "input")
        save(little(section, source), folder / "warmup")
        if measure.memory_is_measurable():
            for case, used in run_memory(section, cases, folder).items():
                found[case]["memory"] = shares(used, found[case]["input"])
        if source is section.inputs[size][0]:
            for case in cases:
                if case.first:
                    found[case.name]["first"] = run_first(section, case, folder, FIRST_CALLS[size])
    return list(found.items())


def little(section: Section, source: Input) -> Arrays:
    """Return the tiny input of the same kind: the last word of the name is what differs."""
    kind = source.name.split()[-1]
    tiny = section.inputs["tiny"]
    return next((each for each in tiny if each.name.split()[-1] == kind), tiny[0]).arrays()


def run_case(section: Section, case: Case, given: Any, size: str) -> Result:
    """Check that both sides agree, then time them in turns; the check has warmed both up."""
    functions = {"ours": case.ours, "peer": case.peer, "floor": section.floor}
    calls = {name: bound(call, given) for name, call in functions.items() if call is not None}
    results = {name: call() for name, call in calls.items()}
    found: Result = {}
    if case.agree is not None and "peer" in results:
        found["agreement"] = case.agree(given, results["ours"], results["peer"])
    results.clear()
    budget, least, most = RUNS[size]
    samples = measure.alternate(calls, budget=budget, least=least, most=most)
    found |= {name: measure.typical(each) for name, each in samples.items()}
    found["rounds"] = len(samples["ours"])
    if "peer" in samples:
        found["ratio"] = measure.ratio(samples["peer"], samples["ours"])
    if "floor" in samples:
        found["floors"] = measure.ratio(samples["ours"], samples["floor"])
    return found


def bound(call: Callable[[Any], Any], given: Any) -> Callable[[], Any]:
    return lambda: call(given)


def fresh(*words: str | Path, cache: Path | None = None) -> Any:
    """Run ``fresh.py`` in a new process, and return what it found."""
    place = {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, HERE / "fresh.py", *words],
        env=os.environ | place,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def run_memory(section: Section, cases: list[Case], folder: Path) -> dict[str, Result]:
    """Measure the memory of each case in one fresh process for each side."""
    found: dict[str, Result] = {case.name: {} for case in cases}
    for side in SIDES:
        asked = [case.name for case in cases if getattr(case, side) is not None]
        places = (folder / "input", folder / "warmup")
        for name, used in fresh("memory", section.name, side, *places, *asked).items():
            found[name][side] = used
    return found


def shares(used: dict[str, Result], whole: int) -> dict[str, Result]:
    """Add what a call takes as a share of its input, with and without what it returns."""
    for side in used.values():
        side["share"] = side["extra"] / whole
        side["share_without_result"] = max(0, side["extra"] - side["result"]) / whole
    return used


def run_first(section: Section, case: Case, folder: Path, times: int) -> Result:
    """Time the first call in fresh processes: nothing cached once, then cached in turns."""
    words = ("first", section.name)
    place = (folder / "input", case.name)
    cold = [fresh(*words, "ours", *place, cache=folder / f"cache{n}") for n in range(min(times, 3))]
    found = {"cold": measure.typical(cold)}
    cached = {"cache": folder / "cache0"}
    if case.peer is not None:
        fresh(*words, "peer", *place)  # its files are in memory afterwards, as ours are
    sides = [side for side in SIDES if getattr(case, side) is not None]
    turns: dict[str, list[measure.Seconds]] = {side: [] for side in sides}
    for _ in range(times):
        for side, samples in turns.items():
            samples.append(fresh(*words, side, *place, **(cached if side == "ours" else {})))
    found |= {side: measure.typical(samples) for side, samples in turns.items()}
    if "peer" in turns:
        pairs = zip(turns["peer"], turns["ours"], strict=True)
        found["ratio"] = {"wall": median(theirs["wall"] / ours["wall"] for theirs, ours in pairs)}
    return found


if __name__ == "__main__":
    main()
