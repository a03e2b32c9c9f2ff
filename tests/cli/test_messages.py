"""Messages of the command line name options that are there, and no arguments of Python."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest

from goldlabel.cli import main
from goldlabel.cli.signature import in_options, parameters
from goldlabel.task import find_task, task_names

ROOT = Path(__file__).parents[2]
EVERYWHERE = {"--out", "--force", "--auto", "--decisions", "--min-confidence", "--votes"}
TASKS = [name for name in task_names() if (ROOT / "tasks" / name).is_dir()]


def options_of(name):
    return {
        "--" + each.name.replace("_", "-") for each in parameters(find_task(name).audit, {})
    } | EVERYWHERE


def named_options(folder):
    """Yield (place, option) for every option that a text of the code names."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for option in re.findall(r"--[a-z][a-z-]+", node.value):
                    yield f"{path.name}:{node.lineno}", option


@pytest.mark.parametrize("name", TASKS)
def test_options_that_a_task_names_are_those_of_its_command(name):
    known = options_of(name)
    wrong = [each for each in named_options(ROOT / "tasks" / name) if each[1] not in known]
    assert not wrong


def test_options_that_the_toolkit_names_are_those_of_some_command():
    known = set().union(*map(options_of, TASKS))
    for folder in ("actions", "formats", "inputs", "learning", "models", "results"):
        wrong = [each for each in named_options(ROOT / "toolkit" / folder) if each[1] not in known]
        assert not wrong


def audit(
    path: Path,
    *,
    pred_probs: Path | None = None,
    classes: str | None = None,
    missing: str = "error",
    header: bool | None = None,
) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("pred_probs: has 3 columns", "--pred-probs: has 3 columns"),
        ("classes[3]: is 'a'", "--classes[3]: is 'a'"),
        ("a.csv: names classes. Pass classes=: each", "a.csv: names classes. Pass --classes: each"),
        ("Pass missing='drop' or header=False", "Pass --missing 'drop' or --no-header"),
        ("'pred_probs' and pred_probs.npy", "'pred_probs' and pred_probs.npy"),
        ("path: is missing", "path: is missing"),
    ],
)
def test_arguments_are_called_by_their_options(message, said):
    assert in_options(audit)(message) == said


def test_a_message_of_an_audit(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"t{i},{i % 3}\n" for i in range(90))
    Path("a.csv").write_text("text,label\n" + rows.replace(",0", ",zero"))
    Path("p.csv").write_text("x,y,z\n" + "0.2,0.3,0.5\n" * 90)
    words = "audit multiclass a.csv --label label --pred-probs p.csv --out out"
    assert main(words.split()) == 2
    err = capsys.readouterr().err
    assert "Drop the row" not in err
    assert not re.search(r"[a-z]=|pred_probs", err)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("coco check a.json --duplicate-iou 5", "--duplicate-iou"),
        ("coco fix a.json --out b.json --select nope", "--select"),
    ],
)
def test_messages_of_other_commands_name_their_options(
    words, option, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert main(words.split()) == 2
    assert capsys.readouterr().err.startswith(f"goldlabel: {option}: is ")


@pytest.mark.parametrize(
    "command", ["export", "select", "decisions", "review", "demo", "coco fix", "datasets fetch"]
)
def test_paragraphs_of_help_are_folded_once(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("TERMINAL_WIDTH", "70")
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out.split("╭")[0].split("Usage:")[1]
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        for line, following in itertools.pairwise(lines):
            assert len(line) + 1 + len(following.split()[0]) > 66
