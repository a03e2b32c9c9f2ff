"""The worst examples of an audit, with words for people: what terminal, HTML and JSON show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.audit import Audit
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Fields, Scene, Text, Vote, Votes

from . import wording
from .panels import has_layers

__all__ = ["Example", "Finding", "name_of", "scenes_of", "source_name", "worst"]

_REASON = 600
_LAYERED = 100
"""So many examples with masks are shown: more of them do not fit into a page."""
_CLASSES = 4
_PEOPLE = 6
"""So many classes, and voters of each, are named."""


@dataclass(frozen=True)
class Finding:
    """One part judged wrong.

    Attributes
    ----------
    part : str
        What the part is called; empty where examples have no parts.
    kind : str
        The kind of issue.
    given, suggested : object
        Class name or value; None = nothing.
    codes : tuple of int
        Kind, given and suggested class as indices, -1 where there is no class; and the part
        where parts have names.
    score, confidence : float
        Label quality, and how sure the suggestion is.
    reason : str
        Why, in a sentence.
    others : tuple of Finding
        The other rows that belong to it, without reasons of their own.
    """

    part: str
    kind: str
    given: Any
    suggested: Any
    codes: tuple[int, ...]
    score: float
    confidence: float
    reason: str
    others: tuple[Finding, ...] = ()

    @property
    def rows(self) -> tuple[Finding, ...]:
        """All rows, this one first."""
        return self, *self.others


@dataclass(frozen=True)
class Example:
    """A flagged example; `rank` counts from 1 = worst; `total` findings, of which some are here."""

    rank: int
    position: int
    id: Any
    score: float
    scene: Scene
    findings: tuple[Finding, ...]
    total: int

    @property
    def text(self) -> str | None:
        """The text of the example, if it has one."""
        texts = [block.text for block in self.scene.blocks if isinstance(block, Text)]
        return "\n\n".join(texts) if texts else None

    @property
    def fields(self) -> dict[str, str]:
        """What else is shown of the example, by name."""
        fields: dict[str, str] = {}
        for block in self.scene.blocks:
            if isinstance(block, Votes):
                fields["votes"] = _votes(block)
            elif isinstance(block, Fields):
                fields.update(block.rows)
        return fields


def worst(audit: Audit, top: int, *, findings: int = 8) -> list[Example]:
    """Return the `top` worst examples, each with its worst findings.

    The work grows with `top` and not with the number of flagged examples, but for one sort.

    Parameters
    ----------
    audit : Audit
        What was found.
    top : int
        How many examples at most.
    findings : int
        How many findings of each.

    Raises
    ------
    InputError
        `top` is negative, or ``audit.view`` gives another number of scenes than it was asked for.
    """
    if top < 0:
        raise InputError("top", f"is {top}", "Pass 0 or more")
    issues = audit.issues
    positions = issues.ranked()[:top]
    scenes = scenes_of(audit, positions.tolist())
    rows = _rows_of(issues, positions)
    shown = []
    for rank, (position, scene) in enumerate(zip(positions.tolist(), scenes, strict=True), start=1):
        own = rows.get(position, [])
        found = tuple(_finding(audit, *group) for group in own[:findings])
        shown.append(
            Example(
                rank=rank,
                position=position,
                id=_plain_id(issues, position),
                score=float(issues.scores[position]),
                scene=scene,
                findings=found or tuple(_whole(issues, position)),
                total=len(own) or 1,
            )
        )
    return shown


def scenes_of(audit: Audit, examples: list[int]) -> list[Scene]:
    """Return what is shown of examples; without a view, and of many with masks, no more than ids.

    Raises
    ------
    InputError
        The view gives another number of scenes than it was asked for.
    """
    scenes: list[Scene] = []
    while audit.view is not None and len(scenes) < len(examples):
        if scenes and has_layers(scenes[0]):
            break
        wanted = examples[len(scenes) :][: len(examples) if scenes else _LAYERED]
        made = audit.view.scenes(wanted)
        if len(made) != len(wanted):
            raise InputError(
                "audit.view",
                f"gave {len(made)} scenes for {len(wanted)} examples",
                "Return one Scene for each position",
            )
        scenes += made
    return scenes + [Scene(at, str(_plain_id(audit.issues, at))) for at in examples[len(scenes) :]]


def name_of(issues: LabelIssues, code: Any) -> Any:
    """Return the class name of an index, or the value itself; None = nothing."""
    if isinstance(code, float | np.floating):
        return None if math.isnan(code) else float(code)
    if not isinstance(code, int | np.integer):
        return code
    if code < 0:
        return None
    return issues.classes[int(code)] if issues.classes is not None else int(code)


def source_name(audit: Audit) -> str:
    """Return what was audited in a few words: the name of the file or folder."""
    files = audit.source.files
    if not files:
        return audit.source.format
    name = files[0].name or str(files[0])
    return name if len(files) == 1 else f"{name} and {len(files) - 1} more"


def _rows_of(issues: LabelIssues, positions: np.ndarray[Any, Any]) -> dict[int, list[list[int]]]:
    """Return the rows of each finding of each shown example, worst first."""
    wanted = np.zeros(issues.scores.shape[0], dtype=np.bool_)
    wanted[positions] = True
    rows: dict[int, list[list[int]]] = {}
    chosen = np.flatnonzero(wanted[issues.parts.example])
    columns = issues.parts.example[chosen].tolist(), issues.parts.leads[chosen].tolist()
    for row, position, leads in zip(chosen.tolist(), *columns, strict=True):
        found = rows.setdefault(position, [])
        if leads:
            found.append([])
        found[-1].append(row)
    return rows


def _finding(audit: Audit, row: int, *others: int) -> Finding:
    # One reason at a time, cut at once: class names may be a megabyte long.
    reason = wording.cut(audit.issues.reasons([row])[0], _REASON).marked
    return _row(audit, row, reason, tuple(_row(audit, other) for other in others))


def _row(audit: Audit, row: int, reason: str = "", others: tuple[Finding, ...] = ()) -> Finding:
    issues, parts = audit.issues, audit.issues.parts
    given, suggested, kind = parts.given[row], parts.suggested[row], int(parts.kind[row])
    return Finding(
        part=_part_name(audit, int(parts.part[row])),
        kind=str(parts.kinds[kind]),
        given=_written(issues, row) or name_of(issues, given),
        suggested=name_of(issues, suggested),
        codes=(kind, _code(issues, given), _code(issues, suggested), *_part_code(audit, row)),
        score=float(parts.score[row]),
        confidence=float(parts.confidence[row]),
        reason=reason,
        others=others,
    )


def _written(issues: LabelIssues, row: int) -> str:
    """Return the label as it is written where it is neither class nor number, else ""."""
    texts = issues.parts.evidence.get("given_text")
    return "" if texts is None else str(texts[row])


def _whole(issues: LabelIssues, position: int) -> Iterator[Finding]:
    """Yield what is known of an example that is flagged as a whole, without a part."""
    if issues.given is None or issues.suggested is None:
        return
    given, suggested = issues.given[position], issues.suggested[position]
    yield Finding(
        part="",
        kind="",
        given=name_of(issues, given),
        suggested=name_of(issues, suggested),
        codes=(-1, _code(issues, given), _code(issues, suggested)),
        score=float(issues.scores[position]),
        confidence=math.nan,
        reason="",
    )


def _part_name(audit: Audit, part: int) -> str:
    if part < 0:
        return ""
    names = audit.part_names or audit.issues.part_names or ()
    if part < len(names):
        return wording.one_line(names[part], 60)
    return f"{audit.part} {part}" if audit.part else str(part)


def _part_code(audit: Audit, row: int) -> tuple[int, ...]:
    has_names = audit.part_names or audit.issues.part_names
    return (int(audit.issues.parts.part[row]),) if has_names else ()


def _code(issues: LabelIssues, code: Any) -> int:
    is_class = issues.classes is not None and isinstance(code, int | np.integer)
    return int(code) if is_class else -1


def _votes(block: Votes) -> str:
    """Say who voted for what, the class with most votes first."""
    voters: dict[str, list[Vote]] = {}
    for vote in block.rows:
        voters.setdefault(vote.label, []).append(vote)
    classes = sorted(voters, key=lambda label: -len(voters[label]))
    said = [_voters(label, voters[label]) for label in classes[:_CLASSES]]
    more = f"; {len(classes) - _CLASSES} more classes" if len(classes) > _CLASSES else ""
    return "; ".join(said) + more or "none"


def _voters(label: str, votes: list[Vote]) -> str:
    name = f"{len(votes)} for {label}"
    named = [vote.annotator for vote in votes if vote.annotator]
    if not named:
        return name
    return f"{name} ({', '.join(named[:_PEOPLE])}{', ...' if len(named) > _PEOPLE else ''})"


def _plain_id(issues: LabelIssues, position: int) -> Any:
    found = position if issues.ids is None else issues.ids[position]
    return found.item() if isinstance(found, np.generic) else found
