"""The documentation does what it says.

Per page, from top to bottom, in one empty folder:

- a block marked ``python`` runs;
- in a block marked ``console``, lines ``$ goldlabel ...`` run, and end with exit code 0. Lines
  below a command are what it prints on stdout: they are compared, ``...`` stands for anything.
  Other commands (``$ pip install ...``) are not run;
- in a block marked ``bash`` nothing runs (it needs data of the reader's own), but every command
  and option of ``goldlabel`` must exist.
"""

from __future__ import annotations

import doctest
import io
import re
import shlex
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.main import get_command

from goldlabel.cli import main
from goldlabel.cli.app import app

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALL_PAGES = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    language: str
    line: int
    text: str


def blocks(text):
    """Return the fenced blocks of a page."""
    found, fence, start = [], None, 0
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        mark = re.match(r"\s*(`{3,}|~{3,})\s*(\w*)", line)
        if fence is None and mark:
            fence, language, start = mark[1], mark[2], number
        elif fence is not None and line.strip() == fence:
            found.append(Block(language, start + 1, "\n".join(lines[start : number - 1]) + "\n"))
            fence = None
    assert fence is None, f"the block that begins on line {start} has no end"
    return found


def commands(block):
    """Return the commands of a console block, each with the output below it."""
    found = []
    for line in re.sub(r"\\\n\s*>?\s*", "", block.text).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(lines).strip()) for command, lines in found]


def run_command(command, expected, place):
    words = shlex.split(command, comments=True)
    if words[:1] != ["goldlabel"]:
        return
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = main(words[1:])
    assert code == 0, f"{place}: exit code {code} of {command}"
    if expected:
        got = printed.getvalue().strip()
        same = doctest.OutputChecker().check_output(expected + "\n", got + "\n", FLAGS)
        assert same, f"{place}: {command}\nprints\n{got}\nand the page says\n{expected}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    names = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        place = f"{page.relative_to(ROOT)}, line {block.line}"
        if block.language == "python":
            padding = "\n" * (block.line - 1)  # so that a traceback names the line of the page
            exec(compile(padding + block.text, str(page), "exec"), names)
        elif block.language == "console":
            for command, expected in commands(block):
                run_command(command, expected, place)


def goldlabel_commands():
    """Yield (page, line, words) of every command of goldlabel in a block of shell code."""
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.language in ("bash", "sh", "console", "shell"):
                joined = block.text.replace("\\\n", " ")
                for line in joined.splitlines():
                    for command in re.split(r"&&|\|\|?|;", line.removeprefix("$ ")):
                        words = (
                            shlex.split(command, comments=True) if "goldlabel" in command else []
                        )
                        if words[:1] == ["goldlabel"]:
                            yield f"{page.relative_to(ROOT)}, line {block.line}", words[1:]


def find_command(words):
    """Return the command that words on a command line name, and its options' names."""
    command = get_command(app)
    context = command.make_context("goldlabel", ["--help"], resilient_parsing=True)
    options = option_names(command)
    while hasattr(command, "resolve_command") and words and not words[0].startswith("-"):
        _, command, words = command.resolve_command(context, words)
        options |= option_names(command)
    return command, options


def option_names(command):
    pairs = [(*param.opts, *param.secondary_opts) for param in command.params]
    return {name for pair in pairs for name in pair} | {"--help"}


@pytest.mark.parametrize(
    ("place", "words"), [pytest.param(*each, id=each[0]) for each in goldlabel_commands()]
)
def test_commands_and_options_exist(place, words):
    command, options = find_command(words)
    assert command is not None, place
    used = {word.partition("=")[0] for word in words if word.startswith("--") and word != "--"}
    assert used <= options, f"{place}: no such option: {sorted(used - options)}"


def public_commands():
    """Return the words of every command there is."""
    root = get_command(app)
    for name, command in root.commands.items():
        if name == "audit":
            tasks = PROJECT["project"]["entry-points"]["goldlabel.tasks"]
            yield from (f"goldlabel audit {task}" for task in tasks)
        elif hasattr(command, "commands"):
            yield from (f"goldlabel {name} {inner}" for inner in command.commands)
        else:
            yield f"goldlabel {name}"


@pytest.mark.parametrize("words", list(public_commands()))
def test_every_command_is_documented(words):
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert re.search(rf"{words}\b", text), f"neither README.md nor docs/ says a word of: {words}"


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"(?ms)^\s*(```|~~~).*?^\s*\1\s*$", "", page.read_text(encoding="utf-8"))
    text = re.sub(r"`[^`\n]*`", "code", text)
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for target in targets:
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path) if path else page
        assert goal.exists(), f"{page.relative_to(ROOT)} links to {target}, which is not there"
        if anchor and goal.suffix == ".md":
            assert anchor in anchors(goal), f"{page.relative_to(ROOT)}: {target} is no heading"


def anchors(page):
    """Return the names that GitHub gives to the headings of a page."""
    headings = re.findall(r"(?m)^#{1,6}\s+(.*?)\s*#*$", page.read_text(encoding="utf-8"))
    plain = [re.sub(r"[^\w\- ]", "", heading.replace("`", "")) for heading in headings]
    return {heading.lower().replace(" ", "-") for heading in plain}


def test_ci_runs_the_test_command_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, ".ci/run is not executable"
    last = script.read_text(encoding="utf-8").splitlines()[-1]
    assert last.startswith("python3.11 -m venv")
    assert last.endswith("pytest -n auto --dist loadfile")
    shown = [block.text for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))]
    lines = [line.removeprefix("$ ") for text in shown for line in text.splitlines()]
    assert last in lines, f"README.md has no block with the line\n{last}"
