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
