"""Which labels to change: what an audit suggests, or what a person has decided.

Both answers are frames of one shape, a row per changed label in the order of the dataset:
``example``, ``id``, ``part``, ``given``, ``suggested`` (the new label), ``score``, ``confidence``,
``decided_by`` and ``reason``. Where the findings say what to do in a column of evidence called
``action`` (to move a part, to remove or add one), their evidence follows: a new label is not all
that a correction needs then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.actions.decision_file import integer, records
from goldlabel.errors import InputError
from goldlabel.results.label_issues import LabelIssues, Parts

__all__ = ["COLUMNS", "MIN_CONFIDENCE", "Decisions", "decided", "suggested", "to_decide"]

MIN_CONFIDENCE = 0.9
"""How sure a suggestion must be if nothing else is said. No confidence is a substitute for a look:
where few labels are wrong, most flagged ones are right, however sure the model is (in CIFAR-10's
test set people confirmed 16 of the 222 checked suggestions of at least 0.9)."""

ACTION = "action"
"""Evidence that says what to do with a part, in a word; "" where nothing is to be done."""

VERDICT, KEPT = "verdict", "keep"
"""Column that a review fills in, and what it says where the given label was found right: for a box
that was to be moved, its class alone would not tell that from taking the suggestion."""

PAINT = "paint"
"""Column that says which pixels get the label, where a person has drawn them: COCO run lengths."""

COLUMNS = [
    "example",
    "id",
    "part",
    "given",
    "suggested",
    "score",
    "confidence",
    "decided_by",
    "reason",
]


def suggested(issues: LabelIssues, *, min_confidence: float = MIN_CONFIDENCE) -> pd.DataFrame:
    """Return the suggestions of the flagged examples that are sure enough.

    Parameters
    ----------
    issues : LabelIssues
        What was found.
    min_confidence : float
        The least confidence, in [0, 1], of a suggestion that is taken.

    Returns
    -------
    DataFrame
        `COLUMNS`; where several findings concern one part, the worst decides.

    Raises
    ------
    InputError
        `min_confidence` is not in [0, 1].
    """
    if not 0 <= min_confidence <= 1:
        raise InputError(
            "min_confidence", f"is {min_confidence}, not in [0, 1]", "Pass a probability, e.g. 0.9"
        )
    parts = issues.parts
    taken = issues.is_issue[parts.example] & (parts.confidence >= min_confidence)
    taken &= _changes_something(parts)
    frame = _findings(issues)[taken]
    frame = frame.drop_duplicates(["example", "part"]).assign(
        decided_by=f"confidence >= {min_confidence:g}"
    )
    return _ordered(frame, _carried(parts))


def _changes_something(parts: Parts) -> npt.NDArray[np.bool_]:
    """Return which findings come with something to do."""
    if ACTION in parts.evidence:
        does: npt.NDArray[np.bool_] = parts.evidence[ACTION] != ""
        return does
    empty = np.isnan(parts.suggested) if parts.suggested.dtype.kind == "f" else parts.suggested < 0
    changes: npt.NDArray[np.bool_] = ~empty & (parts.suggested != parts.given)
    return changes


def _carried(parts: Parts) -> list[str]:
    """Return the evidence that corrections need besides the new label."""
    if ACTION not in parts.evidence:
        return []
    return [name for name in parts.evidence if name not in COLUMNS]


def to_decide(issues: LabelIssues) -> pd.DataFrame:
    """Return every part judged wrong, worst first, with an empty ``label`` for the decision.

    What is suggested stands in ``suggested`` and, where findings say what to do, in
    ``suggested_action`` and the evidence. `decided` reads such a table once labels are filled in.
    """
    frame = _findings(issues).drop_duplicates(["example", "part"], ignore_index=True)
    carried = _carried(issues.parts)
    if carried:
        frame["suggested_action"] = frame[ACTION]
        frame[ACTION] = ""
        carried = [ACTION, "suggested_action", *(name for name in carried if name != ACTION)]
    head = ["example", "id", "part", "kind", "given", "suggested", "label"]
    return frame.assign(label="")[[*head, *carried, "score", "confidence", "reason"]]


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a person has decided.

    Attributes
    ----------
    changes : DataFrame
        The labels that change: `COLUMNS`, in the order of the dataset; `confidence` is missing
        where the label is not the suggested one.
    kept, undecided : int
        How many rows keep the label that is given, and how many say nothing.
    keeps : DataFrame, optional
        The rows that keep the label, with the columns of `changes`.
    """

    changes: pd.DataFrame
    kept: int
    undecided: int
    keeps: pd.DataFrame | None = None


def decided(issues: LabelIssues, path: str | Path) -> Decisions:
    """Return the labels that a person has put into a CSV file.

    The file has a header and the columns ``example`` (position) or ``id``, ``label`` (the right
    one) and, where examples have parts, ``part`` (its position, or its name if it has one). So
    what `to_decide` gives, filled in, can be used, or the change log of an export, edited. Rows
    without a label are undecided, and change nothing; nor do rows whose label is the given one (of
    a part that nothing was found about, what a column ``given`` says).
    Where findings say what to do (``action``), so do the rows, and what the file says of the
    evidence (a new box, say) counts in place of what was suggested: a row of a change log without
    an action changes nothing, and in a table of `to_decide` a label alone
    is the action that was suggested with it, or else a new class: the given one changes nothing.

    A row with run lengths in ``paint`` gives its label to these pixels of a mask.

    Parameters
    ----------
    issues : LabelIssues
        What was found.
    path : str or Path
        The CSV file: UTF-8, separated by commas, semicolons or tabs.

    Raises
    ------
    InputError
        The file cannot be read, or a row names an unknown example, part or class, or one that
        another row has decided; the message says which line.
    """
    path = Path(path)
    dataset = _Dataset(issues)
    seen: dict[tuple[int, int], str] = {}
    rows = []
    for where, row in records(path):
        example, part = dataset.example(where, row), dataset.part(where, row)
        if (example, part) in seen:
            raise InputError(
                where,
                f"decides example {example} again, after {seen[example, part]}",
                "Keep one row for each label",
            )
        seen[example, part] = where
        change = dataset.decision(where, example, part, row)
        if change is not None:
            rows.append(change)
    names = [*COLUMNS, *dataset.carried]
    # Of objects: pandas would make numbers of class names, and floats of integers with gaps.
    frame = pd.DataFrame(rows, columns=names, dtype=object).assign(decided_by=path.name)
    changes = frame[ACTION] != "" if dataset.carried else frame["suggested"] != frame["given"]
    more = list(dataset.carried)
    if any(PAINT in row for row in rows):
        frame[PAINT] = [row.get(PAINT) for row in rows]
        changes |= frame[PAINT].notna()
        more.append(PAINT)
    keeps = _ordered(frame[~changes], more)
    return Decisions(_ordered(frame[changes], more), len(keeps), len(seen) - len(rows), keeps)


class _Dataset:
    """The examples, parts and classes that a decision may name."""

    def __init__(self, issues: LabelIssues) -> None:
        self.issues = issues
        self.n = issues.scores.shape[0]
        self.carried = _carried(issues.parts)
        self.has_parts = issues.part_names is not None or bool(np.any(issues.parts.part >= 0))
        self.has_wholes = bool(np.any(issues.parts.part < 0))
        self.findings = _findings(issues)
        pairs = zip(issues.parts.example.tolist(), issues.parts.part.tolist(), strict=True)
        self.finding: dict[tuple[int, int], int] = {}
        for row, pair in enumerate(pairs):
            self.finding.setdefault(pair, row)  # worst first: the first one decides
        self.classes = {str(name): name for name in issues.classes or ()}
        self.parts = {str(name): part for part, name in enumerate(issues.part_names or ())}
        self.positions: dict[str, list[int]] = {}
        if issues.ids is not None:
            for position, name in enumerate(issues.ids.tolist()):
                self.positions.setdefault(str(name), []).append(position)

    def example(self, where: str, row: dict[str, str]) -> int:
        if "example" not in row:
            return self._by_id(where, row["id"])
        position = integer(where, "example", row["example"])
        if not 0 <= position < self.n:
            raise InputError(
                where,
                f"example is {position}, and the audit has {self.n} examples, 0 .. {self.n - 1}",
                "Use the numbers of the column 'example' in examples.parquet",
            )
        ids = self.issues.ids
        if row.get("id") and ids is not None and str(ids[position]) != row["id"]:
            raise InputError(
                where,
                f"example {position} has the id {str(ids[position])!r}, not {row['id']!r}",
                "Correct one of them, or leave one column out",
            )
        return position

    def _by_id(self, where: str, name: str) -> int:
        if self.issues.ids is None:
            return self.example(where, {"example": name})
        found = self.positions.get(name, [])
        if len(found) == 1:
            return found[0]
        if not found:
            what, fix = "which no example has", "Use the ids of examples.parquet"
        else:
            what = f"which {len(found)} examples have, the first at {found[0]}"
            fix = "Name them by position, in a column 'example'"
        raise InputError(where, f"id is {name!r}, {what}", fix)

    def part(self, where: str, row: dict[str, str]) -> int:
        part = self._part(where, row["part"]) if row.get("part") else -1
        known = len(self.issues.parts) or self.parts
        misplaced = part >= 0 if not self.has_parts else part < 0 and not self.has_wholes
        if known and misplaced:
            raise InputError(
                where,
                "names no part" if self.has_parts else f"names part {part}",
                "Name the part as issues.parquet does"
                if self.has_parts
                else "Leave 'part' empty: an example has one label here",
            )
        return part

    def _part(self, where: str, text: str) -> int:
        if text in self.parts:
            return self.parts[text]
        part = integer(where, "part", text)
        if self.parts and not 0 <= part < len(self.parts):
            raise InputError(
                where,
                f"part is {text!r}, and the parts are 0 .. {len(self.parts) - 1}",
                f"Use these, or their names: {', '.join(list(self.parts)[:10])}",
            )
        return part

    def label(self, where: str, text: str) -> Any:
        if self.issues.classes is not None:
            if text in self.classes:
                return self.classes[text]
            names = ", ".join(map(repr, list(self.classes)[:10]))
            more = f", ... ({len(self.classes)} classes)" if len(self.classes) > 10 else ""
            raise InputError(
                where, f"label is {text!r}, not one of {names}{more}", "Use one of these"
            )
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(where, f"label is {text!r}, not a number", "Write a finite number")
        return value

    def decision(
        self, where: str, example: int, part: int, row: dict[str, str]
    ) -> dict[str, Any] | None:
        """Return what a row decides; None if it says nothing."""
        if row.get(ACTION) and self.carried:
            return self.action(where, example, part, row)
        if not row["label"]:
            return self.kept(example, part, row) if row.get(VERDICT) == KEPT else None
        change = self.change(example, part, self.label(where, row["label"]), row)
        if not self.carried:
            return {**change, PAINT: row[PAINT]} if row.get(PAINT) else change
        # In a change log an action that was taken out rejects the change, whatever its label.
        is_rejected = ACTION in row and "suggested_action" not in row
        is_rejected |= row.get(VERDICT) == KEPT and change["suggested"] == change["given"]
        if is_rejected or (change["suggested"] == change["given"] and change["confidence"] is None):
            return {**dict.fromkeys(self.carried), **change, ACTION: ""}
        return self.action(where, example, part, row)

    def kept(self, example: int, part: int, row: dict[str, str]) -> dict[str, Any]:
        """Return what changes nothing: a box was not added, a word that is no class stays."""
        change = self.change(example, part, None, row)
        action = {ACTION: ""} if self.carried else {}
        return {**dict.fromkeys(self.carried), **change, "suggested": change["given"], **action}

    def action(self, where: str, example: int, part: int, row: dict[str, str]) -> dict[str, Any]:
        """Return a change as it stands in the file; what it leaves out is as was suggested."""
        label = self.label(where, row["label"]) if row["label"] else None
        change = self.change(example, part, label, row)
        told = {name: _number_or_text(row[name]) for name in self.carried if row.get(name)}
        if ACTION not in told and (change["confidence"] is None or not change.get(ACTION)):
            told[ACTION] = "relabel"  # another class than the suggested one
        return {**dict.fromkeys(self.carried), **change, **told}

    def change(
        self, example: int, part: int, label: Any, told: Mapping[str, str]
    ) -> dict[str, Any]:
        issues = self.issues
        row = self.finding.get((example, part))
        if row is not None:
            found: dict[Any, Any] = self.findings.iloc[row].to_dict()
            agreed = found["suggested"] == label
            return {
                **found,
                "suggested": label,
                "confidence": found["confidence"] if agreed else None,
            }
        given = None
        if part >= 0 and told.get("given"):  # what a part has that nothing was found about
            given = self.classes.get(told["given"], told["given"])
        elif part < 0 and issues.given is not None:
            code = issues.given[example]
            given = code if issues.classes is None else issues.classes[code] if code >= 0 else None
        return {
            "example": example,
            "id": example if issues.ids is None else issues.ids[example],
            "part": part,
            "given": given,
            "suggested": label,
            "score": issues.scores[example],
            "confidence": None,
            "reason": "",
        }


def _findings(issues: LabelIssues) -> pd.DataFrame:
    """Return the parts judged wrong; a label that is neither class nor number as it is written."""
    frame = issues.to_frame("part").astype({"given": object, "suggested": object})
    if "given_text" in frame:
        frame["given"] = frame["given"].mask(frame["given_text"] != "", frame["given_text"])
    return frame


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _ordered(frame: pd.DataFrame, carried: Sequence[str] = ()) -> pd.DataFrame:
    """Put rows into the order of the dataset, labels as they are named."""
    frame = frame[[*COLUMNS, *carried]].astype(
        {
            "example": np.int64,
            "part": np.int64,
            "given": object,
            "suggested": object,
            "score": np.float64,
            "confidence": np.float64,
        }
    )
    return frame.sort_values(["example", "part"], kind="stable", ignore_index=True)
