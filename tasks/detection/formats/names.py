"""Files that name classes: data.yaml of YOLO, and lists of one name a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from goldlabel.errors import InputError
from goldlabel.formats.text import read_text

__all__ = ["class_file", "names_of"]

_USUAL = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")


def class_file(folder: Path) -> Path | None:
    """Return the file of class names in a folder or beside it, if there is one."""
    for place in (folder, folder.resolve().parent):
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
    import yaml

    try:
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(str(path), f"is no YAML ({type(error).__name__})", "Mend it") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and all(type(key) is int for key in names):
        if sorted(names) != list(range(len(names))):
            raise InputError(str(path), "does not number its names 0, 1, 2, ...", "Number them")
        names = [names[key] for key in sorted(names)]
    if not isinstance(names, list) or not all(isinstance(each, str | int) for each in names):
        raise InputError(str(path), "has no names", "Write names: a list, or numbers and names")
    return [str(each) for each in names]
