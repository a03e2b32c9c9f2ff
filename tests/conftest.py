"""Fixtures for all tests: where the real data is, and an import path without surprises."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# From the repository's root, `import datasets` would find ours instead of Hugging Face's.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]

settings.register_profile("goldlabel", deadline=None)
settings.load_profile("goldlabel")


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real datasets: GOLDLABEL_DATA, else ../shared/data, else skip."""
    folder = Path(os.environ.get("GOLDLABEL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set GOLDLABEL_DATA to a folder with the datasets")
    return folder
