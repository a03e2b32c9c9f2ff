"""Make mistakes on purpose, one at a time, and see whether the tests of that part notice.

A sample of changes to operators, constants and conditions of the kernels, or of the modules that
are named, each in a copy of the tree; what survives is printed, with the line::

    python tests/bench/mutation.py --sample 20 --seed 0 [FILE...]

Not part of CI: every change costs a run of the tests of its folder.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = (
    "toolkit/kernels/*.py",
    "toolkit/learning/*.py",
    "tasks/*/kernels.py",
    "tasks/*/issues.py",
    "tasks/*/scores.py",
    "tasks/*/judging.py",
)
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", ".links", ".*_cache", "__pycache__", ".hypothesis"
)


@dataclass(frozen=True)
class Mutation:
    """One changed expression of a module."""

    path: Path
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"


def mutations(path: Path, source: str) -> Iterator[Mutation]:
    """Yield every change of one operator or constant in the functions of a module."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for statement in function.body:
            for node in ast.walk(statement):
                if (changed := changed_node(node)) is not None:
                    yield mutation(path, source, node, changed)


def changed_node(node: ast.AST) -> ast.AST | None:
    """Return an expression with a mistake in it; None if there is none to make."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        ops = [SWAPS[type(node.ops[0])](), *node.ops[1:]]
        return ast.Compare(node.left, ops, node.comparators)
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        return ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)
    if isinstance(node, ast.BoolOp):
        return ast.BoolOp(SWAPS[type(node.op)](), node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return ast.Constant(node.value + 1)
    return None


def mutation(path: Path, source: str, node: ast.expr, changed: ast.AST) -> Mutation:
    """Write the changed expression into the source, in parentheses and on the same lines."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    text, after = source.encode(), ast.unparse(changed)
    whole = text[:begin] + f"({after})".encode() + text[end:]
    before = " ".join(text[begin:end].decode().split())
    return Mutation(path, node.lineno, before, after, whole.decode())


def tests_of(path: Path) -> list[str]:
    """Return the folders of tests that mirror a module's; kernels have the learning on top too."""
    if path.parts[0] == "tasks":
        return [f"tests/tasks/{path.parts[1]}"]
    if path.parts[1] == "kernels":
        return ["tests/kernels", "tests/toolkit/learning"]
    return ["tests/toolkit/learning", "tests/tasks/multiclass"]


def is_noticed(change: Mutation, tree: Path, seconds: float) -> bool:
    """Run the tests on a mutation; a run that fails, or does not end, has noticed it."""
    target = tree / change.path
    original = target.read_text(encoding="utf-8")
    target.write_text(change.source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", *tests_of(change.path)]
    environment = {**os.environ, "PYTHONPATH": str(tree / ".links")}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(original, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout.decode() + done.stderr.decode())
    return done.returncode == 1


def main() -> None:
    """Sample mutations, run the tests on each, and print those that nobody noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="modules; kernels and verbs if none")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=900, help="longest run of the tests")
    options = parser.parse_args()
    paths = options.files or sorted(each for glob in MODULES for each in ROOT.glob(glob))
    paths = [path.resolve().relative_to(ROOT) for path in paths]
    changes = [
        change
        for path in paths
        for change in mutations(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    chosen = random.Random(options.seed).sample(changes, min(options.sample, len(changes)))
    survived = 0
    with tempfile.TemporaryDirectory() as place:
        tree = Path(shutil.copytree(ROOT, Path(place, "tree"), ignore=IGNORED))
        subprocess.run([sys.executable, "tests/support/editor_links.py"], cwd=tree, check=True)
        for change in chosen:
            noticed = is_noticed(change, tree, options.seconds)
            survived += not noticed
            print(f"{'caught  ' if noticed else 'SURVIVED'}  {change}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} caught, of {len(changes):,} possible")


if __name__ == "__main__":
    main()
