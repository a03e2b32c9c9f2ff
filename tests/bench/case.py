"""What a benchmark is made of, and where the benchmarks are found.

Every file in ``cases/`` is one section of the page: it names its inputs, its cases and its targets
in a `Section` called ``SECTION``. A process that times a first call imports these files before it
imports what it times, so goldlabel and the peer are imported inside the functions that need them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]

SIZES = ("tiny", "small", "full")


@dataclass(frozen=True)
class Input:
    """One dataset, made from a fixed seed.

    `name` stands in the tables, `arrays` makes the arrays.
    """

    name: str
    arrays: Callable[[], Arrays]


@dataclass(frozen=True)
class Case:
    """One thing to do, by us and by the peer.

    Attributes
    ----------
    name, title : str
        For the command line, and for the page.
    ours, peer : callable
        Given what `Section.prepare` returns; the peer may be missing.
    agree : callable
        Given the input and both results: raises AssertionError where they should be equal and are
        not, else returns a few words on how equal they are.
    first : bool
        Measure the first call in a fresh process too, on the first input.
    """

    name: str
    title: str
    ours: Callable[[Any], Any]
    peer: Callable[[Any], Any] | None = None
    agree: Callable[[Any, Any, Any], str] | None = None
    first: bool = False


@dataclass(frozen=True)
class Target:
    """A bound on one figure of a result; see `page.figure` for the paths of figures."""

    case: str
    inputs: tuple[str, ...]
    figure: str
    text: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


@dataclass(frozen=True)
class Figures:
    """A table besides those of time and memory: its title, how to read it, heading and rows."""

    title: str
    text: str
    rows: tuple[tuple[str, ...], ...]


def as_they_are(arrays: Arrays) -> Any:
    return arrays


@dataclass(frozen=True)
class Section:
    """The benchmarks of one task.

    Attributes
    ----------
    name, title, about : str
        For the command line; heading; a paragraph on the input.
    peer : str
        Name of the package that ours is compared with, as it is installed and imported.
    largest : str
        Name of the array whose size memory is compared with.
    inputs : mapping
        For each of `SIZES` the inputs; the tiny ones are also what fresh processes warm up on.
    floor : callable, optional
        The least that anything can cost which looks at all of the input.
    prepare : callable
        Turns the arrays into what both sides are given; not measured.
    figures : callable, optional
        Makes a further table, or None where what it needs is not there; made when the whole
        section is run.
    """

    name: str
    title: str
    about: str
    peer: str
    largest: str
    inputs: Mapping[str, tuple[Input, ...]]
    cases: tuple[Case, ...]
    targets: tuple[Target, ...] = ()
    floor: Callable[[Any], Any] | None = None
    prepare: Callable[[Arrays], Any] = as_they_are
    figures: Callable[[], Figures | None] | None = None


def find_sections() -> dict[str, Section]:
    """Return the sections in ``cases/`` by name."""
    names = sorted(path.stem for path in (Path(__file__).parent / "cases").glob("*.py"))
    return {name: load_section(name) for name in names}


def load_section(name: str) -> Section:
    return importlib.import_module(f"cases.{name}").SECTION


def save(arrays: Arrays, folder: Path) -> None:
    """Write arrays for a fresh process."""
    folder.mkdir()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path) -> Arrays:
    """Read into memory, not as a memory map, what `save` wrote."""
    return {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
