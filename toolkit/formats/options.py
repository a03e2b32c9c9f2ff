"""What a format needs to read a dataset again: a frozen dataclass, and plain JSON on disk.

What an audit folder says is not trusted: it is read into the dataclass with every type checked. A
``TypedDict`` may stand for a dataclass: what is read then stays a mapping, checked in the same way.
"""

from __future__ import annotations

import math
import types
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import (
    Any,
    Literal,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from goldlabel.errors import InputError
from goldlabel.results.audit import Source

__all__ = ["Inside", "Scalar", "extended", "options_of", "stored"]

T = TypeVar("T")

Inside = NewType("Inside", str)
"""The path of a file inside the folder of the dataset, with ``/``; never one that leads out."""

Scalar = str | bool | int | float | None
"""A value of JSON that is no list and no object."""

_FIX = "Run the audit again: its folder was changed, or written by another version"


def options_of(source: Source, kind: type[T]) -> T:
    """Return the options of a source as what its format needs.

    Parameters
    ----------
    source : Source
        As it was read, or read back from the folder of an audit.
    kind : type
        The format's dataclass.

    Raises
    ------
    InputError
        What was read back is not what this dataclass holds.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Column:
    ...     label: str
    >>> options_of(Source("csv", (), {"label": "price"}), Column)
    Column(label='price')
    """
    if is_dataclass(kind) and isinstance(source.options, kind):
        return source.options
    found: T = _decoded(kind, source.options, "summary.json: source.options")
    return found


def extended(kind: type[T], source: Source, **more: Any) -> T:
    """Return the options of a source as those of a dataclass that adds fields to theirs."""
    own = {each.name: getattr(source.options, each.name) for each in fields(source.options)}
    return kind(**own, **more)


def stored(options: Any) -> dict[str, Any]:
    """Return options as they are stored: by name, without what is None."""
    if not is_dataclass(options):
        return {str(name): value for name, value in options.items()}
    found = asdict(options)  # type: ignore[arg-type]
    return {name: value for name, value in found.items() if value is not None}


def _decoded(kind: Any, value: Any, where: str) -> Any:
    """Return a JSON value as a type; raise InputError where it is none."""
    if kind is Any or kind is object:
        return value
    if is_dataclass(kind):
        return _instance(kind, value, where)
    if is_typeddict(kind):
        return _checked(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(inner, value, where)
    if origin is Literal:
        return value if value in inner else _refuse(value, " or ".join(map(repr, inner)), where)
    if origin is tuple:
        return _tuple(inner, value, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            return _refuse(value, "an object", where)
        return {key: _decoded(inner[1], each, f"{where}.{key}") for key, each in value.items()}
    return _scalar(kind, value, where)


def _instance(kind: Any, value: Any, where: str) -> Any:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        return _refuse(value, "an object", where)
    known = {each.name: each for each in fields(kind)}
    needed = [
        name
        for name, each in known.items()
        if each.default is MISSING and each.default_factory is MISSING
    ]
    _check_keys(value, known, needed, where)
    types_of = get_type_hints(kind)
    return kind(
        **{name: _decoded(types_of[name], each, f"{where}.{name}") for name, each in value.items()}
    )


def _checked(kind: Any, value: Any, where: str) -> Any:
    """Return an object as it is, if it has the keys of a TypedDict and their types."""
    if not isinstance(value, Mapping):
        return _refuse(value, "an object", where)
    hints = get_type_hints(kind)
    _check_keys(value, hints, kind.__required_keys__, where)
    for name, each in value.items():
        _decoded(hints[name], each, f"{where}.{name}")
    return value


def _check_keys(
    value: Mapping[str, Any], known: Collection[str], needed: Iterable[str], where: str
) -> None:
    unknown = [name for name in value if name not in known]
    if unknown:
        raise InputError(where, f"has an unknown key {str(unknown[0])[:80]!r}", _FIX)
    missing = sorted(name for name in needed if name not in value)
    if missing:
        raise InputError(where, f"has no {missing[0]!r}", _FIX)


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return a value as the first type that it has; the last one says what is wrong."""
    for kind in kinds[:-1]:
        try:
            return _decoded(kind, value, where)
        except InputError:
            continue
    return _decoded(kinds[-1], value, where)


def _tuple(inner: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, list | tuple):
        return _refuse(value, "a list", where)
    if inner[1:] == (...,):
        inner = (inner[0],) * len(value)
    if len(inner) != len(value):
        return _refuse(value, f"a list of {len(inner)}", where)
    pairs = enumerate(zip(inner, value, strict=True))
    return tuple(_decoded(kind, each, f"{where}[{at}]") for at, (kind, each) in pairs)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Inside:
        return _inside(value, where)
    if kind in (None, types.NoneType):
        return None if value is None else _refuse(value, "null", where)
    if kind is bool or isinstance(value, bool):
        return value if kind is type(value) else _refuse(value, _NAMES[kind], where)
    if kind is float and isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return value if isinstance(value, kind) else _refuse(value, _NAMES[kind], where)


_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _inside(value: Any, where: str) -> Any:
    if not isinstance(value, str):
        return _refuse(value, "a text", where)
    parts = {*PurePosixPath(value).parts, *PureWindowsPath(value).parts}
    anchored = PurePosixPath(value).is_absolute() or PureWindowsPath(value).anchor
    if not value or anchored or ".." in parts or "\0" in value:
        raise InputError(where, f"leads out of the dataset: {value[:80]!r}", _FIX)
    return value


def _refuse(value: Any, expected: str, where: str) -> Any:
    raise InputError(where, f"is {repr(value)[:80]}, not {expected}", _FIX)
