"""Who may import whom: the table of layers, and what else keeps the tree in shape."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"goldlabel": "toolkit", "goldlabel.tasks": "tasks", "goldlabel.datasets": "datasets"}
TOP_LEVEL = {"toolkit", "tasks", "datasets", "tests", "docs", ".ci"}

# A row may import the rows above it and its own; import cycles fail in any case.
LAYERS = (
    ("errors", "typing", "scenes", "kernels"),
    ("files", "inputs"),
    ("learning", "results", "models", "neighbors", "formats", "views"),
    ("task", "checks"),
    ("actions",),
    ("report", "coco"),
    ("review",),
    ("cli",),
)
TASKS_MAY = {name for row in LAYERS[:5] for name in row}
DATASETS_MAY = {"errors", "typing", "files", "inputs", "models", "formats", "task"}
CLI_MAY = {name for row in LAYERS for name in row} | {"datasets"}

KERNELS_MAY = {"numpy", "numba"}
HEAVY = ("numpy", "numba", "pandas", "pyarrow", "scipy", "sklearn")
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common", "manager"}
LONGEST = 400


@cache
def modules():
    """Return every module of the package by its import name."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            names = inner[:-1] if inner[-1] == "__init__" else inner
            found[".".join((package, *names))] = path
    return found


@cache
def tree(name):
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


@cache
def imports(name):
    """Return what a module imports, at the top or inside functions, by full name."""
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parents, *filter(None, [node.module])]) if node.level else node.module
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return {as_module(each) for each in found}


def as_module(name):
    """Cut the name of something imported down to the module that it is in."""
    while name.startswith("goldlabel.") and name not in modules():
        name = name.rpartition(".")[0]
    return name


def ours(name):
    return {each for each in imports(name) if each.partition(".")[0] == "goldlabel"}


def layer(name):
    """Return the part of the toolkit that a module belongs to: errors, kernels, cli, ..."""
    return name.split(".")[1] if "." in name else ""


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def imported_at_once(name):
    """Return what importing a module imports: not what is in functions or for type checkers."""
    nodes = list(tree(name).body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (as_module(f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.If | ast.Try) and not is_type_checking(node):
            nodes.extend(node.body)


def test_every_module_of_the_toolkit_has_a_layer():
    known = {name for row in LAYERS for name in row} | {"", "tasks", "datasets"}
    unknown = {layer(name) for name in modules()} - known
    assert not unknown, f"say in LAYERS where {sorted(unknown)} belong"


@pytest.mark.parametrize("name", list(modules()))
def test_imports_point_down(name):
    part = layer(name)
    if part == "tasks":
        task = ".".join(name.split(".")[:3])
        bad = {
            each
            for each in ours(name)
            if layer(each) not in TASKS_MAY
            and each != "goldlabel"
            and each != task
            and not each.startswith(task + ".")
        }
    elif part == "datasets":
        bad = {each for each in ours(name) if layer(each) not in DATASETS_MAY | {"", "datasets"}}
    elif part == "cli":
        bad = {each for each in ours(name) if layer(each) not in CLI_MAY | {""}}
    elif part == "":
        bad = ours(name) - {"goldlabel"}
    else:
        row = next(i for i, names in enumerate(LAYERS) if part in names)
        may = {each for names in LAYERS[: row + 1] for each in names} | {""}
        bad = {each for each in ours(name) if layer(each) not in may}
    assert not bad, f"{name} must not import {sorted(bad)}"


@pytest.mark.parametrize("name", [name for name in modules() if layer(name) == "kernels"])
def test_kernels_import_numpy_numba_and_each_other(name):
    other = {each for each in imports(name) if layer(each) not in ("kernels", "typing")}
    roots = {each.partition(".")[0] for each in other}
    assert not roots - KERNELS_MAY - set(sys.stdlib_module_names)


def test_no_import_cycles():
    arrows = {name: set(imported_at_once(name)) & modules().keys() for name in modules()}
    for name, targets in arrows.items():
        targets -= {name}
        # The package's own __init__ runs first in any case; it imports nothing at once.
        targets -= {"goldlabel"}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in modules()
        # The demo is an example for users, and an example has to be of some task.
        if layer(name) not in ("tasks", "datasets") and name != "goldlabel.cli.demo"
    ],
)
def test_the_toolkit_names_no_task(name):
    tasks = {path.name for path in (ROOT / "tasks").iterdir() if (path / "__init__.py").exists()}
    if layer(name) == "coco" or name.startswith(("goldlabel.cli.coco", "goldlabel.formats.coco")):
        tasks -= {"segmentation"}  # there it is a field of COCO's annotations
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = set(re.findall(r"\w+", node.value)) & tasks
            assert not words or id(node) in docstrings, f"line {node.lineno} names {words}"


def test_the_command_line_and_the_list_of_tasks_import_nothing_heavy():
    code = (
        "import sys\n"
        "from goldlabel.cli import main\n"
        "assert main(['--help']) == 0\n"
        "assert main(['audit', '--help']) == 0\n"
        f"heavy = {HEAVY} + ('goldlabel.datasets', 'goldlabel.report', 'jinja2', 'PIL')\n"
        "sys.exit(', '.join(sorted(set(sys.modules) & set(heavy))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, f"imported before a command runs: {done.stderr}"


def test_the_help_imports_no_task():
    code = (
        "import sys\n"
        "from goldlabel.cli import main\n"
        "main(['--help'])\n"
        "sys.exit(' '.join(name for name in sys.modules if 'tasks' in name) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_folders_of_the_toolkit_do_not_hide_tasks_and_datasets():
    for name in ("tasks", "datasets"):
        hidden = ROOT / "toolkit" / name
        assert not hidden.exists(), f"{hidden} hides {ROOT / name} in an editable install"
        assert not hidden.with_suffix(".py").exists()


STUBS = {
    name: path.with_suffix(".pyi")
    for name, path in modules().items()
    if path.with_suffix(".pyi").exists()
}


@pytest.mark.parametrize("name", STUBS)
def test_public_names_are_those_of_the_stub(name):
    """Type checkers read the stub, and at run time names are loaded from where it says."""
    stub = ast.parse(STUBS[name].read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    public = {alias.name for node in imports for alias in node.names}
    public |= {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}
    package = importlib.import_module(name)
    assert public == set(package.__all__)
    assert all(hasattr(package, each) for each in public)
    # Importing `package.thing` would put the module in the place of the function `thing`.
    clashes = [each for each in public if f"{name}.{each}" in modules()]
    assert not clashes, f"rename the modules {clashes} of {name}"


def test_top_level_folders_are_those_of_the_design():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: the tree may hold anything")
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {line.split("/")[0] for line in listed.splitlines() if "/" in line}
    assert found <= TOP_LEVEL


@pytest.mark.parametrize("name", list(modules()))
def test_modules_are_short_and_named_for_what_they_hold(name):
    lines = len(modules()[name].read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{name} has {lines} lines, more than {LONGEST}: split it"
    assert name.rpartition(".")[2] not in VAGUE


@pytest.mark.parametrize("name", [name for name in modules() if layer(name) != "cli"])
def test_library_code_does_not_print(name):
    calls = [node for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]
    printed = [node.lineno for node in calls if ast.unparse(node.func) == "print"]
    assert not printed, f"{name} prints on lines {printed}: raise, warn or return instead"


@pytest.mark.parametrize("name", list(modules()))
def test_untrusted_files_are_not_executed(name):
    """No pickle, no eval: what is read may come from anybody."""
    assert not imports(name) & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("eval", "exec", "pd.read_pickle", "yaml.load")
            allowed = [key for key in node.keywords if key.arg == "allow_pickle"]
            assert all(ast.unparse(key.value) == "False" for key in allowed), node.lineno
