"""Damaged files of every format and task, audit folders and decisions: no other exception."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz import CASES, damages, healthy_folders
from healthy import DATASETS

from goldlabel.task import task_names

EACH = int(os.environ.get("GOLDLABEL_FUZZ", "5"))
"""So many files of each format: a minute in all."""


@pytest.mark.parametrize(("task", "name"), CASES)
def test_damaged_files_are_refused_or_read(task, name, tmp_path):
    if name == "docbin":
        pytest.importorskip("spacy")
    case = f"{task}.{name}"
    [(_, folder)] = healthy_folders(tmp_path, case.__eq__)
    failures = list(damages(case, folder, range(EACH), tmp_path))
    assert not failures, "\n".join(map(str, failures))


def test_every_format_has_a_healthy_file():
    names = set()
    for task in task_names():
        try:
            formats = importlib.import_module(f"goldlabel.tasks.{task}.formats").FORMATS
        except ModuleNotFoundError:  # a task of somebody else
            continue
        names |= {(task, name) for name in getattr(formats, "names", formats)}
    assert names == set(DATASETS)
