"""Files that name classes: data.yaml of YOLO, and lists of one name a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from goldlabel.errors import InputError
from goldlabel.formats.text import read_text

__all__ = ["class_file", "names_of"]

_INDEX = re.compile(r"\d{1,6}", re.ASCII)
_USUAL = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")


def class_file(folder: Path) -> Path | None:
    """Return the file of class names in a folder or up to two above it, if there is one."""
    whole = folder.resolve()
    for place in (folder, whole.parent, whole.parent.parent):
        for name in _USUAL:
            if (place / name).is_file():
                return place / name
    return None


def names_of(path: Path) -> tuple[str, ...]:
    """Return the class names of a file, in the order of their numbers.

    Raises
    ------
    InputError
        It has no names, or one of them twice.
    """
    text = read_text(path).data.decode("utf-8")
    if path.suffix.lower() in (".yaml", ".yml"):
        names = _from_yaml(text, path)
    else:
        lines = [line.strip() for line in text.splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        names = lines
    twice = (
        {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
    )
    if not names or twice:
        what = f"names {next(iter(twice))!r} twice" if twice else "names no class"
        raise InputError(str(path), what, "Write each class once")
    return tuple(names)


def _from_yaml(text: str, path: Path) -> list[str]:
    """Return the names as they are written: no, on and 1_000 are names, no booleans or numbers."""
    import yaml

    try:
        content: Any = yaml.BaseLoader(text).get_single_data()  # texts, lists and mappings alone
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(str(path), f"is no YAML ({type(error).__name__})", "Mend it") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and all(_INDEX.fullmatch(str(key)) for key in names):
        numbered = {int(key): name for key, name in names.items()}
        if sorted(numbered) != list(range(len(names))):
            raise InputError(str(path), "does not number its names 0, 1, 2, ...", "Number them")
        names = [numbered[at] for at in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise InputError(str(path), "has no names", "Write names: a list, or numbers and names")
    return names
