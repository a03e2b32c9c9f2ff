"""Types hold under ``mypy --strict``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def linked_package(place):
    """Lay links that are named as the package is imported; mypy cannot follow editable installs."""
    package = place / "goldlabel"
    package.mkdir(parents=True, exist_ok=True)
    for link in package.iterdir():
        link.unlink()
    for path in (ROOT / "toolkit").iterdir():
        if path.name != "__pycache__":
            (package / path.name).symlink_to(path)
    for name in ("tasks", "datasets"):
        (package / name).symlink_to(ROOT / name)


def test_mypy_strict():
    # A place that stays, so that the cache of one run serves the next.
    place = ROOT / ".mypy_cache" / "links"
    linked_package(place)
    options = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "-p", "goldlabel", "--no-error-summary", *options],
        cwd=place,
        env={**os.environ, "MYPYPATH": str(place)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


CALLER = """\
from typing import assert_type

import goldlabel
from goldlabel.datasets import plant_errors
from goldlabel.tasks.multiclass import find_label_issues

assert_type(find_label_issues([0, 1], [[0.9, 0.1], [0.2, 0.8]]), goldlabel.LabelIssues)
plant_errors([0, 1], rait=0.1)
goldlabel.find_labels
"""


def test_callers_get_types(tmp_path):
    """Public names are loaded late, and type checkers see them all the same."""
    place = ROOT / ".mypy_cache" / "links"
    linked_package(place)
    caller = tmp_path / "caller.py"
    caller.write_text(CALLER, encoding="utf-8")
    options = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", caller, "--no-error-summary", *options],
        cwd=place,
        env={**os.environ, "MYPYPATH": str(place)},
        capture_output=True,
        text=True,
    )
    found = [line.split(": error: ")[1] for line in done.stdout.splitlines() if ": error: " in line]
    assert len(found) == 2, done.stdout + done.stderr
    assert 'Unexpected keyword argument "rait"' in found[0]
    assert 'no attribute "find_labels"' in found[1]
