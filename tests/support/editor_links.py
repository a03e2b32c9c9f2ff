"""Lay ``.links/goldlabel``: the package as it is imported, for type checkers and editors.

They can't follow the import hook of an editable install, in which ``toolkit`` is called
``goldlabel``. pyproject.toml names the folder for mypy and pyright; after a new module directly in
``toolkit``, lay the links again::

    python tests/support/editor_links.py
"""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["LINKS", "lay_links"]

ROOT = Path(__file__).parents[2]
LINKS = ROOT / ".links"


def lay_links() -> Path:
    """Link what ``toolkit`` holds, ``tasks`` and ``datasets`` into one folder; return where."""
    package = LINKS / "goldlabel"
    package.mkdir(parents=True, exist_ok=True)
    targets = {
        path.name: Path("../../toolkit", path.name)
        for path in (ROOT / "toolkit").iterdir()
        if path.name != "__pycache__"
    }
    targets.update({name: Path("../..", name) for name in ("tasks", "datasets")})
    for link in package.iterdir():
        if link.name not in targets:
            link.unlink()
    for name, target in targets.items():
        with contextlib.suppress(FileExistsError):  # there already, or laid by another process
            (package / name).symlink_to(target)
    return LINKS


if __name__ == "__main__":
    print(lay_links())
