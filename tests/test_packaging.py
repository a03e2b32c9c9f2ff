"""The wheel: everything that belongs into it, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import goldlabel

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = SETUPTOOLS["package-dir"]


def folder_of(package):
    """Return the folder of a package: its own, or inside that of the nearest mapped parent."""
    if package in FOLDERS:
        return ROOT / FOLDERS[package]
    parent, _, name = package.rpartition(".")
    return folder_of(parent) / name


def expected_files():
    """Return the files of the package as they are named when installed."""
    files = set()
    for package in SETUPTOOLS["packages"]:
        folder = folder_of(package)
        kept = list(folder.glob("*.py"))
        for pattern in SETUPTOOLS["package-data"].get(package, []):
            kept += [path for path in folder.glob(pattern) if path.is_file()]
        place = package.replace(".", "/")
        files.update(f"{place}/{path.relative_to(folder).as_posix()}" for path in kept)
    return files


def test_every_folder_with_an_init_is_a_package_of_pyproject():
    found = set()
    for package, folder in FOLDERS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            inner = init.parent.relative_to(ROOT / folder).parts
            found.add(".".join((package, *inner)))
    listed = SETUPTOOLS["packages"]
    assert sorted(found) == sorted(listed), "keep [tool.setuptools] packages in pyproject.toml"
    assert listed == sorted(listed)


def test_every_folder_with_modules_has_an_init():
    for folder in FOLDERS.values():
        for path in (ROOT / folder).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), f"{path.parent} has no __init__.py"


def test_one_version():
    assert goldlabel.__version__ == PROJECT["project"]["version"]
    assert metadata.version("goldlabel") == PROJECT["project"]["version"]


def test_entry_points_resolve():
    (script,) = metadata.entry_points(group="console_scripts", name="goldlabel")
    assert callable(script.load())
    declared = PROJECT["project"]["entry-points"]["goldlabel.tasks"]
    for name, value in declared.items():
        (point,) = metadata.entry_points(group="goldlabel.tasks", name=name)
        assert point.value == value
        task = point.load()
        assert task.name == name
        assert callable(task.audit)
        assert callable(task.export)
    folders = {path.name for path in (ROOT / "tasks").iterdir() if (path / "__init__.py").exists()}
    # Checks of a dataset know no task, so what runs them is none of the folders.
    own = {name for name, value in declared.items() if value.startswith("goldlabel.tasks.")}
    assert folders == own, "every task is an entry point, so that it is found"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy without what earlier builds left behind."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in {path.split("/")[0] for path in FOLDERS.values()}:
        ignored = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "out"]
    built = subprocess.run([*command, copy], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    (path,) = (copy / "out").glob("*.whl")
    return path


def test_the_wheel_holds_exactly_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == expected_files()
    assert any(name.endswith("licenses/LICENSE") for name in info)
    assert "goldlabel/py.typed" in names


def test_data_files_are_not_forgotten():
    for package, patterns in SETUPTOOLS["package-data"].items():
        folder = folder_of(package)
        declared = {path for pattern in patterns for path in folder.glob(pattern)}
        children = {folder_of(other) for other in SETUPTOOLS["packages"]} - {folder}
        for path in folder.rglob("*"):
            inside_other = any(other in path.parents for other in children)
            if path.is_file() and not inside_other and "__pycache__" not in path.parts:
                assert path in declared or path.suffix == ".py", f"{path} is not in the wheel"


def test_the_wheel_runs(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import goldlabel.cli, goldlabel.report, goldlabel.tasks, goldlabel.datasets\n"
        f"assert goldlabel.__file__.startswith({str(tmp_path)!r}), goldlabel.__file__\n"
        "raise SystemExit(goldlabel.cli.main(['audit', '--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "multiclass" in done.stdout
