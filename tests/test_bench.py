"""The benchmarks run: every case, both sides with results that agree, and a page that parses.

Sizes are tiny and no time is looked at.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"
SECTIONS = sorted(path.stem for path in (BENCH / "cases").glob("*.py"))
CLOCKS = {"wall", "wall_min", "processor", "processor_min"}


def bench(*words):
    command = [sys.executable, BENCH / "run.py", "--size", "tiny", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def tables(page):
    """Return the tables of a page as lists of rows of cells."""
    found = re.findall(r"(?m)(?:^\|.*\|$\n?)+", page)
    return [
        [[cell.strip() for cell in line[1:-1].split("|")] for line in text.splitlines()]
        for text in found
    ]


def headings(page):
    return re.findall(r"(?m)^#+ (.*)$", page)


@pytest.fixture(scope="module", params=SECTIONS)
def made(request, tmp_path_factory):
    """Run one section, and return its name, its results and the page."""
    out = tmp_path_factory.mktemp("bench") / "benchmarks.md"
    done = bench(request.param, "--out", out)
    assert done.returncode == 0, done.stderr
    results = json.loads(out.with_suffix(".json").read_text("utf-8"))
    assert list(results) == [request.param]
    return request.param, results[request.param], out


@pytest.mark.slow
def test_every_case_is_measured_on_every_input(made):
    name, found, _ = made
    results = found["results"]
    source = (BENCH / "cases" / f"{name}.py").read_text(encoding="utf-8")
    assert len(results) >= source.count("    Case(")
    inputs = {tuple(result) for result in results.values()}
    assert len(inputs) == 1, "some case was not run on some input"
    for result in (each for by_input in results.values() for each in by_input.values()):
        assert result["agreement"], "both sides ran, and were compared"
        for side in ("ours", "peer"):
            assert set(result[side]) == CLOCKS
            assert min(result[side].values()) >= 0
        assert set(result["ratio"]) == {"wall", "processor"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux only")
def test_memory_is_measured_in_processes_of_their_own(made):
    for by_input in made[1]["results"].values():
        for result in by_input.values():
            assert result["memory"]["ours"]["extra"] >= 0
            assert result["memory"]["ours"]["result"] > 0


@pytest.mark.slow
def test_first_calls_are_measured(made):
    first = [
        r["first"] for each in made[1]["results"].values() for r in each.values() if "first" in r
    ]
    assert first
    for found in first:
        assert found["cold"]["wall"] > 0
        assert found["ours"]["wall"] > 0
        assert found["ratio"]["wall"] > 0


@pytest.mark.slow
def test_page_has_a_table_for_every_case_and_row_for_every_input(made):
    name, found, out = made
    page = out.read_text(encoding="utf-8")
    assert headings(page)[0] == "Benchmarks"
    assert {"Time", "Memory", "First call"} <= set(headings(page))
    for case in found["results"]:
        assert f"`{name}/{case}`" in page
    for table in tables(page):
        assert len({len(row) for row in table}) == 1, f"rows of unequal length below {table[0]}"
        assert all(re.fullmatch("---:?", cell) for cell in table[1])
        assert all(all(row) for row in table), "an empty cell"
    timed = [table for table in tables(page) if table[0][0] == "input"]
    assert len(timed) == len(found["results"])
    for table, results in zip(timed, found["results"].values(), strict=True):
        assert [row[0] for row in table[2:]] == list(results)


@pytest.mark.slow
def test_running_one_case_again_leaves_the_others(made):
    name, found, out = made
    *others, last = found["results"]
    again = bench(f"{name}/{last}", "--out", out)
    assert again.returncode == 0, again.stderr
    results = json.loads(out.with_suffix(".json").read_text("utf-8"))[name]["results"]
    assert list(results) == [*others, last]
    assert all(results[case] == found["results"][case] for case in others)
    assert results[last] != found["results"][last]


def test_a_case_that_is_not_there_is_refused(tmp_path):
    done = bench("no-such-case", "--out", tmp_path / "page.md")
    assert done.returncode == 2
    assert "no such case: no-such-case. There are" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_mutation_changes_one_expression():
    source = "LIMIT = 3\n\n\ndef f(é, x):\n    return 'é' if é < x and not x else x + 1\n"
    command = (
        f"import sys; sys.path.insert(0, {str(BENCH)!r}); from mutation import mutations\n"
        f"print(*(each.source.splitlines()[-1] for each in mutations('m', {source!r})), sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", command], capture_output=True, text=True
    )
    assert sorted(line.strip().removeprefix("return ") for line in done.stdout.split("|")) == [
        "'é' if (é < x or not x) else x + 1",
        "'é' if (é <= x) and not x else x + 1",
        "'é' if é < x and (x) else x + 1",
        "'é' if é < x and not x else (x - 1)",
        "'é' if é < x and not x else x + (2)",
    ], done.stderr
