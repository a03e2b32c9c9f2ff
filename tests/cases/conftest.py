"""Small cases of what went wrong with real, damaged and hostile files: a folder each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of cases beside that of the real data, else skip."""
    data = Path(os.environ.get("GOLDLABEL_DATA", ROOT.parent / "shared" / "data"))
    folder = data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}: set GOLDLABEL_DATA to a folder beside them")
    return folder


@pytest.fixture
def case(cases, tmp_path):
    """Give a function that copies the case of a name, and returns the folder of the copy."""

    def copy(name: str) -> Path:
        if not (cases / name).is_dir():
            pytest.skip(f"no case {name!r} at {cases}")
        folder = Path(shutil.copytree(cases / name, tmp_path / name))
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        return folder

    return copy
