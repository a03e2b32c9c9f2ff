"""The stretches of a sentence that are asked about: each can be answered without the others.

A stretch covers the tokens of a finding, the entities given or suggested there, and up to `BESIDE`
words next to them that belong to no entity, so that a boundary can move. No token is in two of
them, and none reaches an entity that it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from goldlabel.errors import InputError
from goldlabel.scenes import Span
from goldlabel.tasks.token.entities import Spans, spans, written
from goldlabel.tasks.token.tags import TagSet
from goldlabel.typing import Ints

__all__ = ["BESIDE", "ENTITY", "Finding", "Stretch", "entities", "stretches", "with_spans"]

BESIDE = 3
"""So many words on each side belong to a stretch where they are free."""
ENTITY = "entity"
"""The name of the class of entities where tags say none: B, I, O."""


@dataclass(frozen=True)
class Finding:
    """What was found about some tokens of a sentence.

    Attributes
    ----------
    rows : tuple of int
        The rows of ``issues.parts`` that are about it; the first says kind, reason and score.
    tags : dict of int to (int, int)
        Given and suggested class of each token; -1 = nothing.
    """

    rows: tuple[int, ...]
    tags: dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Stretch:
    """Tokens ``first`` to ``stop - 1``, and what was found about them, worst first."""

    first: int
    stop: int
    findings: tuple[Finding, ...]

    @property
    def tags(self) -> dict[int, tuple[int, int]]:
        """Given and suggested class of each token that was found wrong."""
        return {at: pair for each in reversed(self.findings) for at, pair in each.tags.items()}

    def suggested(self, given: Ints) -> Ints:
        """Return the tags of the sentence with what is suggested here."""
        new = given.copy()
        for at, (_, suggested) in self.tags.items():
            new[at] = suggested if suggested >= 0 else new[at]
        return new


def entities(tags: Ints, rules: TagSet) -> tuple[Span, ...]:
    """Return the entities of a sentence."""
    first = np.arange(len(tags)) == 0
    start, end, kind = (each.tolist() for each in spans(tags, first, rules))
    return tuple(
        Span(a, b, rules.types[k] or ENTITY) for a, b, k in zip(start, end, kind, strict=True)
    )


def stretches(findings: Sequence[Finding], given: Ints, rules: TagSet) -> list[Stretch]:
    """Return the stretches of a sentence, in the order of their worst findings.

    Parameters
    ----------
    findings : sequence of Finding
        Worst first.
    given : ndarray of shape (t,), int64
        The tags of the sentence; -1 = not known.
    rules : TagSet
    """
    near = int(rules.scheme in ("io", "iob1"))  # entities that touch depend on each other
    own = entities(given, rules)
    cores: list[Stretch] = []
    for finding in findings:
        core = Stretch(min(finding.tags), max(finding.tags) + 1, (finding,))
        core = _covering(core, [*own, *entities(core.suggested(given), rules)], near)
        while (other := _touching(core, cores, near)) is not None:
            cores.remove(other)
            core = _joined(core, other)
            core = _covering(core, [*own, *entities(core.suggested(given), rules)], near)
        cores.append(core)
    found = {at for core in cores for at in range(core.first, core.stop)}
    unknown = [at for at in np.flatnonzero(given < 0).tolist() if at not in found]
    taken = [(each.first, each.stop) for each in own] + [(at, at + 1) for at in unknown]
    wide = _widened(cores, taken, len(given), near)
    return sorted(wide, key=lambda each: each.findings[0].rows[0])


def _joined(one: Stretch, other: Stretch) -> Stretch:
    both = sorted((*one.findings, *other.findings), key=lambda each: each.rows[0])
    return Stretch(min(one.first, other.first), max(one.stop, other.stop), tuple(both))


def _covering(stretch: Stretch, held: Iterable[Span], near: int) -> Stretch:
    """Return a stretch that holds whole every entity that it touches."""
    first, stop = stretch.first, stretch.stop
    rest = list(held)
    while rest:
        inside = [each for each in rest if each.first < stop + near and first < each.stop + near]
        if not inside:
            break
        first = min(first, *(each.first for each in inside))
        stop = max(stop, *(each.stop for each in inside))
        rest = [each for each in rest if each not in inside]
    return Stretch(first, stop, stretch.findings)


def _touching(core: Stretch, others: Iterable[Stretch], near: int) -> Stretch | None:
    for each in others:
        if each.first < core.stop + near and core.first < each.stop + near:
            return each
    return None


def _widened(
    cores: Sequence[Stretch], taken: Sequence[tuple[int, int]], n: int, near: int
) -> list[Stretch]:
    """Add the free words beside each stretch; of words between two, the first one takes them."""
    ordered = sorted(cores, key=lambda each: each.first)
    edges = [*((each.first, each.stop) for each in ordered), *taken]
    wide: list[Stretch] = []
    for core in ordered:
        before = max((stop for _, stop in edges if stop <= core.first), default=-near)
        before = max(before, wide[-1].stop if wide else before)
        after = min((first for first, _ in edges if first >= core.stop), default=n + near)
        first = max(core.first - BESIDE, min(before + near, core.first), 0)
        stop = min(core.stop + BESIDE, max(after - near, core.stop), n)
        wide.append(Stretch(first, stop, core.findings))
    return wide


def with_spans(given: Ints, stretch: Stretch, new: Sequence[Span], rules: TagSet) -> Ints:
    """Return the tags of a sentence where a stretch has other entities, in their own scheme.

    Raises
    ------
    InputError
        A span lies outside of the stretch, overlaps another, or has no class; or the scheme, or
        the classes that there are, cannot say it.
    """
    place = {name or ENTITY: at for at, name in enumerate(rules.types)}
    ordered = sorted(new, key=lambda each: each.first)
    end = stretch.first
    for each in ordered:
        where = f"spans: {each.first} to {each.stop}, {each.label!r}"
        if not end <= each.first < each.stop <= stretch.stop:
            what = f"is no piece of {stretch.first} to {stretch.stop} that is free"
            raise InputError(where, what, "Leave a gap, or move its ends")
        if each.label not in place:
            raise InputError(where, f"is not one of {', '.join(place)}", "Use one of these")
        end = each.stop
    kept = [
        each
        for each in entities(given, rules)
        if each.stop <= stretch.first or each.first >= stretch.stop
    ]
    every = sorted((*kept, *ordered), key=lambda each: each.first)
    held = Spans(
        np.array([each.first for each in every], dtype=np.int64),
        np.array([each.stop for each in every], dtype=np.int64),
        np.array([place[each.label] for each in every], dtype=np.int64),
    )
    tags = given.copy()
    here = slice(stretch.first, stretch.stop)
    tags[here] = written(held, len(given), rules)[here]
    _check_said(tags, stretch, ordered, rules)
    return tags


def _check_said(tags: Ints, stretch: Stretch, new: Sequence[Span], rules: TagSet) -> None:
    """Make sure that the tags say what they were written for."""
    here = range(stretch.first, stretch.stop)
    inside = [each for each in entities(tags, rules) if each.first in here]
    if any(tags[at] < 0 for at in here) or inside != list(new):
        shown = ", ".join(f"{each.first}-{each.stop} {each.label}" for each in new)
        raise InputError(
            f"spans: {shown}",
            f"cannot be said by the scheme {rules.scheme} with the classes that there are",
            "Leave a word between spans of one class, or use other classes",
        )
