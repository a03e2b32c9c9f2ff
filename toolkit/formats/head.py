"""What a file shows of itself before it is read: by this its format is recognised."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from goldlabel.formats.text import check_file, first_bytes, first_text, is_folder

__all__ = ["Head", "beginning"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{},:"]|[^\s\[\]{},:"]++', re.DOTALL)
_CLOSING = {"[": "]", "{": "}"}
_MANY_FILES = 10_000
_DEEP = 50


@dataclass(frozen=True)
class Head:
    """The first bytes of a file, or the names in a folder; the rest is not read.

    Attributes
    ----------
    path : Path
    is_folder : bool
    encoding : str or None
        What the caller says of a text.
    """

    path: Path
    is_folder: bool
    encoding: str | None = None

    @classmethod
    def of(cls, path: Path, encoding: str | None = None) -> Head:
        """Look at a path.

        Raises
        ------
        InputError
            There is nothing, or something that can't be read.
        """
        if is_folder(path):
            return cls(path, True, encoding)
        return cls(check_file(path), False, encoding)

    @cached_property
    def magic(self) -> bytes:
        """The first 16 bytes as they are on disk; none of a folder."""
        return b"" if self.is_folder else first_bytes(self.path)

    @cached_property
    def text(self) -> str:
        """The first 64 KiB of a text, unpacked and decoded; "" where there is no text."""
        return "" if self.is_folder else first_text(self.path, encoding=self.encoding)

    @cached_property
    def line(self) -> str:
        """The first line that is not blank."""
        return next((line for line in self.text.splitlines() if line.strip()), "")

    @cached_property
    def json(self) -> Any:
        """The first value of JSON text as far as it is seen; None where there is none."""
        return self._begun[0]

    @cached_property
    def rest(self) -> str:
        """What is seen behind the first value of JSON text."""
        return self._begun[1] or ""

    @property
    def is_whole(self) -> bool:
        """Whether the first value of JSON text ends in what is seen."""
        return self._begun[1] is not None

    @cached_property
    def _begun(self) -> tuple[Any, str | None]:
        return beginning(self.text)

    @cached_property
    def is_json_lines(self) -> bool:
        """Whether the first line is a JSON object; as far as it is seen, if it is a long one."""
        if len(self.line) == len(self.text) and isinstance(self.json, dict):
            return True
        return isinstance(_loaded(self.line), dict)

    @cached_property
    def records(self) -> tuple[dict[str, Any], ...]:
        """The JSON objects that the text begins with: in a list, or one after the other."""
        if isinstance(self.json, list):
            return tuple(each for each in self.json if isinstance(each, dict))
        return tuple(islice(_objects(self.text), 100))

    def files(self, suffix: str) -> list[Path]:
        """Return some files of a folder, at most two levels deep, that end with `suffix`."""
        if not self.is_folder:
            return []
        return [path for path in self._files if path.suffix.lower() == suffix]

    @cached_property
    def _files(self) -> list[Path]:
        try:
            paths = (path for pattern in ("*", "*/*") for path in self.path.glob(pattern))
            return sorted(path for path in islice(paths, _MANY_FILES) if path.is_file())
        except OSError:
            return []  # whoever reads the folder says why


def _objects(text: str) -> Iterator[dict[str, Any]]:
    rest: str | None = text
    while rest:
        value, rest = beginning(rest)
        if not isinstance(value, dict):
            return
        yield value


def beginning(text: str) -> tuple[Any, str | None]:
    r"""Return the first value of JSON text as far as the text goes, and what follows it.

    What is open at the end of the text is closed there: objects and lists hold what was complete.

    Parameters
    ----------
    text : str
        The first characters of a JSON text.

    Returns
    -------
    tuple
        The value, None where it is no object and no list or can't be read; the text behind it
        without leading space, None where the value does not end.

    Examples
    --------
    >>> beginning('{"images": [{"id": 1}, {"id": 2}, {"i')
    ({'images': [{'id': 1}, {'id': 2}, {}]}, None)
    >>> beginning('{"a": 1}\n{"a": 2}')
    ({'a': 1}, '{"a": 2}')
    """
    open_: list[str] = []
    cut, closing = 0, ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == '"' or len(open_) > _DEEP or (not open_ and token not in _CLOSING):
            break  # a string that does not end, or no list and no object
        if token in _CLOSING:
            open_.append(_CLOSING[token])
            cut, closing = match.end(), "".join(reversed(open_))
        elif token in ("]", "}"):
            if open_.pop() != token:
                return None, None
            cut, closing = match.end(), "".join(reversed(open_))
            if not open_:
                return _loaded(text[:cut]), text[cut:].lstrip()
        elif token == ",":
            cut, closing = match.start(), "".join(reversed(open_))
    return _loaded(text[:cut] + closing), None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
