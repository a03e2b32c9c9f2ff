"""Every example in a docstring does what it says."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"goldlabel": "toolkit", "goldlabel.tasks": "tasks", "goldlabel.datasets": "datasets"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def module_names():
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join((package, *(inner[:-1] if inner[-1] == "__init__" else inner)))


@pytest.mark.parametrize("name", list(module_names()))
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(import_module(name), optionflags=FLAGS)
    assert failed == 0, f"{failed} examples of {name} failed; see the output"
