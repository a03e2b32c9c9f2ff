"""How checks are found: our own as a third party's, by an entry point.

A package adds a check by an object in the group ``goldlabel.checks``::

    [project.entry-points."goldlabel.checks"]
    too_short = "some_package.checks:CHECK"

    CHECK = Check("too_short", "texts that are too short", find_too_short, needs=(("text",),))

``find_too_short(*, text, least=3)`` gets the inputs of the dataset that its parameters name, and
answers with a `goldlabel.checks.CheckResult`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from goldlabel.errors import InputError

from .result import CheckResult

__all__ = ["GROUP", "INPUTS", "Check", "find_check", "find_checks"]

GROUP = "goldlabel.checks"

INPUTS = ("labels", "classes", "features", "pred_probs", "graph", "text", "table")
"""What a dataset may have for a check."""

LabelKind = Literal["class", "number", "classes"]


@dataclass(frozen=True)
class Check:
    """A check by name.

    Attributes
    ----------
    name : str
        What its result is called, e.g. ``"outlier"``.
    title : str
        What it finds, in a few words.
    find : callable
        Returns a `CheckResult`; keyword-only parameters. Those named as one of `INPUTS` get it.
    needs : tuple of tuple of str
        Inputs it can work with: any of these sets of names.
    is_default : bool
        Whether it runs where nobody names the checks to run.
    label_kinds : tuple of str
        Which labels it is for, if it needs any: a "class" of each example, a "number", several
        "classes".
    """

    name: str
    title: str
    find: Callable[..., CheckResult]
    needs: tuple[tuple[str, ...], ...]
    is_default: bool = True
    label_kinds: tuple[LabelKind, ...] = ("class",)

    @property
    def takes(self) -> frozenset[str]:
        """Inputs that it can use."""
        return frozenset(inspect.signature(self.find).parameters) & set(INPUTS)

    @property
    def options(self) -> tuple[str, ...]:
        """Names of its parameters that are no inputs."""
        names = inspect.signature(self.find).parameters
        return tuple(name for name in names if name not in INPUTS)

    def missing(self, present: Collection[str]) -> str | None:
        """Say what it would need besides the inputs that are there; None if it can run."""
        if any(set(names) <= set(present) for names in self.needs):
            return None
        return "needs " + ", or ".join(" and ".join(names) for names in self.needs)

    def accept(self, options: Collection[str]) -> None:
        """Refuse options that it does not have."""
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            has = f"has no parameter {unknown[0]!r}"
            raise InputError(self.name, has, f"Use some of {', '.join(self.options)}")

    def run(self, inputs: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Any:
        """Run it on the inputs that it takes.

        Raises
        ------
        InputError
            It has no option of such a name, or what it needs is not there.
        """
        options = dict(options or {})
        self.accept(options)
        lacking = self.missing([name for name, value in inputs.items() if value is not None])
        if lacking:
            raise InputError(self.name, lacking, "Pass it, or leave the check out")
        return self.find(**{name: inputs[name] for name in self.takes if name in inputs}, **options)


def find_checks() -> dict[str, Check]:
    """Return every installed check by name, goldlabel's own first, in the order to run them."""
    points = list(entry_points(group=GROUP))  # the metadata of all packages is read, once
    checks = [_loaded(name, points) for name in sorted({point.name for point in points})]
    ours = [each for each in checks if each.find.__module__.startswith("goldlabel.")]
    order = {name: at for at, name in enumerate(_ORDER)}
    ours.sort(key=lambda each: order.get(each.name, len(order)))
    others = [each for each in checks if each not in ours]
    return {each.name: each for each in (*ours, *others)}


_ORDER = (
    "null",
    "label",
    "outlier",
    "near_duplicate",
    "text_duplicate",
    "non_iid",
    "class_imbalance",
    "underperforming_group",
)


def find_check(name: str) -> Check:
    """Return one installed check.

    Raises
    ------
    InputError
        There is no check of this name, two packages have one, or it can't be loaded.

    Examples
    --------
    >>> find_check("outlier").title
    'examples far from all others, or that the model is unsure of'
    """
    return _loaded(name, list(entry_points(group=GROUP)))


def _loaded(name: str, installed: Sequence[EntryPoint]) -> Check:
    points = {point.value: point for point in installed if point.name == name}
    if not points:
        names = ", ".join(sorted({point.name for point in installed}))
        raise InputError("checks", f"has {name!r}, not one of {names}", "Name one of these")
    if len(points) > 1:
        both = " and ".join(sorted(points))
        raise InputError("checks", f"{name!r} is offered by {both}", "Uninstall all but one")
    [point] = points.values()
    try:
        found = point.load()
    except Exception as error:  # somebody else's package: anything may be wrong with it
        what = f"{name!r} cannot be loaded from {point.value} ({type(error).__name__}: {error})"
        raise InputError("checks", what, "Mend it, or uninstall it") from error
    if not isinstance(found, Check):
        raise InputError("checks", f"{name!r}: {point.value} is no Check", "Mend it")
    return found
