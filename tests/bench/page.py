"""Results as one page of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from case import Case, Section, Target

Result = dict[str, Any]

FIGURE = re.compile(r"-|[\d.,e+-]+( x|%)?")

HEAD = """\
# Benchmarks

Written by `python tests/bench/run.py`, not by hand; the figures behind it are in
[{stored}]({stored}).

How it is measured:

- goldlabel and the other package do the same work on the same arrays, in one process and in turns,
  so that whatever else the machine does disturbs both. Each does it once unmeasured before, and
  those two results are compared (column *results*). Figures are medians over the rounds; a ratio is
  the median of the rounds' ratios. Everything runs with its defaults, as a user gets it.
- *wall* is time as it passes. *processor* is what all threads took, and all processes that the call
  started: trust this one where the machine had other work to do.
- *bare read* is the least that anything can cost which looks at all of the input: adding it up with
  `numpy.sum`, in blocks on all cores.
- *memory* is the peak above what there is before the call, the input among it, in a process of its
  own that has made a little call before: the kernel's high-water mark, and what processes that the
  call starts do not share with it. *without result* leaves out the arrays that are returned.
- *first call* is a new Python process from its start to the end of one call: imports, reading a
  stored input, and loading or compiling the code. *nothing cached* means compiling it.
"""

TARGETS = """\
What was aimed at, and what came out on this machine; "-" where nothing was aimed at."""
TIME = """\
Seconds; *ratio* is {peer}'s by ours (above 1: ours is faster), *bare reads* is ours by that of a
bare read (1 would be as fast as the input can be read)."""
MEMORY = """\
The most that a call took above its input: in MB, and as a share of the size of {largest}."""
FIRST = """\
Seconds from the start of Python to the first result; *ratio* is {peer}'s by ours, with our compiled
code cached."""


def render(sections: dict[str, Section], results: dict[str, Result], stored: str) -> str:
    """Return the whole page; `stored` is the name of the file that holds the results."""
    known = [(section, results[name]) for name, section in sections.items() if name in results]
    return "\n".join(
        [HEAD.format(stored=stored), *("\n".join(render_section(*each)) for each in known)]
    )


def render_section(section: Section, found: Result) -> Iterator[str]:
    yield f"## {section.title}\n"
    yield conditions(section, found) + "\n"
    yield f"{section.about}\n"
    cases = [case for case in section.cases if case.name in found["results"]]
    results = found["results"]
    yield from block("Targets", TARGETS, target_rows(section, results))
    if found.get("figures"):
        more = found["figures"]
        yield from block(more["title"], more["text"], [tuple(row) for row in more["rows"]])
    yield f"### Time\n\n{TIME.format(peer=section.peer)}\n"
    for case in cases:
        yield f"**{case.title}** (`{section.name}/{case.name}`)\n"
        yield table(time_rows(section, results[case.name])) + "\n"
    text = MEMORY.format(largest=section.largest)
    yield from block("Memory", text, memory_rows(section, cases, results))
    text = FIRST.format(peer=section.peer)
    yield from block("First call", text, first_rows(section, cases, results))


def block(title: str, text: str, rows: list[Sequence[str]]) -> Iterator[str]:
    """Yield a heading, how to read the table, and the table, where it has rows."""
    if len(rows) > 1:
        yield f"### {title}\n\n{text}\n\n{table(rows)}\n"


def conditions(section: Section, found: Result) -> str:
    """Say on what machine it was measured."""
    made = found["conditions"]
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    small = "" if made["size"] == "full" else f" **A trial with {made['size']} inputs.**"
    return (
        f"Measured on {made['cores']} cores of {made['processor']}, {made['memory']} GB,"
        f" {made['system']}, Python {made['python']}, {packages}. Compared with {section.peer}."
        f" Load when it began (programs that ran or waited for a core): {found['load']}.{small}"
    )


def target_rows(section: Section, results: dict[str, Any]) -> list[Sequence[str]]:
    """Return a row for each target, a column for each input."""
    inputs = list(dict.fromkeys(name for target in section.targets for name in target.inputs))
    rows: list[Sequence[str]] = [("target", *inputs)]
    for target in section.targets:
        values = {name: figure(results, target, name) for name in target.inputs}
        cells = [verdict(target, values.get(name)) for name in inputs]
        if any(cell != "-" for cell in cells):
            rows.append((target.text, *cells))
    return rows


def verdict(target: Target, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{shown(target, value)}, " + ("met" if target.met(value) else "**not met**")


def figure(results: dict[str, Any], target: Target, name: str) -> float | None:
    """Follow a path of keys such as ``ratio.wall`` into a result; None where nothing is."""
    value: Any = results.get(target.case, {}).get(name)
    for key in target.figure.split("."):
        value = None if value is None else value.get(key)
    return value


def shown(target: Target, value: float) -> str:
    if "share" in target.figure:
        return percent(value)
    if target.figure.startswith(("ratio", "floors", "first.ratio")):
        return times(value)
    return f"{seconds(value)} s"


def first_rows(section: Section, cases: list[Case], results: Result) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        (
            "case",
            "input",
            "nothing cached: wall",
            "processor",
            "cached: wall",
            "processor",
            f"{section.peer}: wall",
            "processor",
            "ratio, cached: wall",
        )
    ]
    for case in cases:
        for name, result in results[case.name].items():
            if "first" in result:
                first = result["first"]
                sides = (first["cold"], first["ours"], first.get("peer"))
                ratio = times(first["ratio"]["wall"]) if "ratio" in first else "-"
                rows.append((case.title, name, *(cell for s in sides for cell in clocks(s)), ratio))
    return rows


def time_rows(section: Section, results: Result) -> list[Sequence[str]]:
    peer = section.peer
    rows: list[Sequence[str]] = [
        (
            "input",
            "goldlabel: wall",
            "processor",
            f"{peer}: wall",
            "processor",
            "ratio: wall",
            "processor",
            "bare reads: wall",
            "processor",
            "results",
        )
    ]
    for name, result in results.items():
        cells = [*clocks(result["ours"]), *clocks(result.get("peer"))]
        for key in ("ratio", "floors"):
            pair = result.get(key)
            cells += ["-", "-"] if pair is None else [times(pair["wall"]), times(pair["processor"])]
        rows.append((name, *cells, result.get("agreement", "-")))
    return rows


def memory_rows(section: Section, cases: list[Case], results: Result) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        (
            "case",
            "input",
            "goldlabel",
            "share",
            "without result",
            section.peer,
            "share",
            "without result",
        )
    ]
    for case in cases:
        for name, result in results[case.name].items():
            if "memory" in result:
                used = result["memory"]
                cells = [*space(used["ours"]), *space(used.get("peer"))]
                rows.append((case.title, name, *cells))
    return rows


def clocks(side: Result | None) -> tuple[str, str]:
    if side is None:
        return "-", "-"
    return seconds(side["wall"]), seconds(side["processor"])


def space(side: Result | None) -> tuple[str, str, str]:
    if side is None:
        return "-", "-", "-"
    shares = percent(side["share"]), percent(side["share_without_result"])
    return f"{side['extra'] / 1e6:,.1f}", *shares


def seconds(value: float) -> str:
    return f"{value:#.3g}" if value < 100 else f"{value:,.0f}"


def times(value: float) -> str:
    return f"{value:.0f} x" if value >= 100 else f"{value:.1f} x"


def percent(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def table(rows: list[Sequence[str]]) -> str:
    """Return a Markdown table of a heading and rows; columns of figures stand to the right."""
    head, *body = rows
    right = [all(FIGURE.fullmatch(row[at]) for row in body) for at in range(len(head))]
    rule = ["---:" if each else "---" for each in right]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))
