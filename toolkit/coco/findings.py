"""What a check found: kept in columns, made into sentences when somebody reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.coco.rules import RULES, SEVERITIES, Rule, at_least
from goldlabel.formats.json.records import Ids, Place
from goldlabel.typing import Ints

__all__ = ["Batch", "Finding", "Findings", "Fix"]

Fix = Callable[[int], Sequence[tuple[int, int, bytes]]]
"""Given the number of a finding in its batch: (start, end, new bytes) of each change."""

ID_NAMES = ("image_id", "annotation_id", "category_id")


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    code, severity : str
        See `goldlabel.coco.RULES`.
    file : str
    path : str
        Where in the file: a JSON path such as ``$.annotations[17].bbox``.
    message : str
        A sentence.
    image_id, annotation_id, category_id : int, str or None
        What it is about.
    is_fixable : bool
        Whether `fix_coco` can mend it safely.
    line, column : int
        From 1; columns in code points. 0 where the finding is not about a place in the file.
    start, stop : int
        The first byte, and the one behind the last.
    """

    code: str
    severity: str
    file: str
    path: str
    message: str
    image_id: int | str | None
    annotation_id: int | str | None
    category_id: int | str | None
    is_fixable: bool
    line: int
    column: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Batch:
    """Findings of one code and one form of words.

    Attributes
    ----------
    code, file : str
    order : ndarray of shape (n,), int64
        First bytes, by which findings are ordered.
    where : callable
        Returns the `Place` of a finding.
    template : str
        The message, with fields for `values`.
    values : dict of sequences of length n
    ids : dict of ndarray of shape (n,), int64
        Codes of `Ids`.
    names : Ids
    fixable : ndarray of shape (n,), bool
    fix : callable, optional
        Kept only by those who are about to apply it.
    lines, columns : ndarray of shape (n,), int64
    """

    code: str
    file: str
    order: Ints
    where: Callable[[int], Place]
    template: str
    values: dict[str, Any]
    ids: dict[str, Ints]
    names: Ids
    fixable: npt.NDArray[np.bool_]
    fix: Fix | None = None
    lines: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    columns: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.order)

    @property
    def rule(self) -> Rule:
        """What the code stands for."""
        return RULES[self.code]

    def message(self, at: int) -> str:
        """Return the sentence about one finding."""
        return self.template.format(**{name: each[at] for name, each in self.values.items()})

    def __getitem__(self, at: int) -> Finding:
        place = self.where(at)
        ids = {
            name: self.names.show(int(self.ids[name][at])) if name in self.ids else None
            for name in ID_NAMES
        }
        return Finding(
            code=self.code,
            severity=self.rule.severity,
            file=self.file,
            path=place.path,
            message=self.message(at),
            **ids,
            is_fixable=bool(self.fixable[at]),
            line=int(self.lines[at]) if len(self.lines) else 0,
            column=int(self.columns[at]) if len(self.columns) else 0,
            start=place.start,
            stop=place.stop,
        )


@dataclass(frozen=True, eq=False)
class Findings:
    """What `check_coco` found, worst first.

    Iterating gives a `Finding` each: errors before warnings before notes, by code in the order of
    `RULES`, then by file and place.

    Attributes
    ----------
    files : tuple of Path
        The files that were checked, predictions last.
    sizes : dict
        How many images, annotations, categories and predictions there are in all.
    batches : list of Batch
    """

    files: tuple[Path, ...]
    sizes: dict[str, int]
    batches: list[Batch]

    def __len__(self) -> int:
        return sum(map(len, self.batches))

    def __iter__(self) -> Iterator[Finding]:
        for code in self.codes:
            yield from self.of(code)

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in self.counts().items()
        )
        return f"<Findings: {counts}>"

    @property
    def codes(self) -> list[str]:
        """The codes that were found, worst first."""
        found = {batch.code for batch in self.batches}
        return [code for code in RULES if code in found]

    def of(self, code: str) -> Iterator[Finding]:
        """Yield the findings of one code, in the order of files and places."""
        mine = [batch for batch in self.batches if batch.code == code]
        files = [str(path) for path in self.files]
        sizes = [len(batch) for batch in mine]
        number = np.repeat(np.arange(len(mine)), sizes)
        within = np.concatenate([np.arange(size) for size in sizes] or [number])
        file = np.repeat([files.index(batch.file) for batch in mine], sizes)
        start = np.concatenate([batch.order for batch in mine] or [number])
        for row in np.lexsort((within, number, start, file)).tolist():
            yield mine[number[row]][int(within[row])]

    def counts(self) -> dict[str, int]:
        """Return how many errors, warnings and notes there are."""
        found: Counter[str] = Counter()
        for batch in self.batches:
            found[batch.rule.severity] += len(batch)
        return {severity: found[severity] for severity in SEVERITIES}

    def per_code(self) -> pd.DataFrame:
        """Return a row for each code that was found: code, severity, count, fixable, what."""
        rows = []
        for code in self.codes:
            mine = [batch for batch in self.batches if batch.code == code]
            fixable = sum(int(np.count_nonzero(batch.fixable)) for batch in mine)
            rule = RULES[code]
            rows.append((code, rule.severity, sum(map(len, mine)), fixable, rule.what))
        return pd.DataFrame(rows, columns=["code", "severity", "count", "fixable", "what"])

    def is_clean(self, fail_on: str = "error") -> bool:
        """Whether nothing was found that is as bad as `fail_on`, or worse."""
        counts = self.counts()
        return not any(counts[severity] for severity in at_least(fail_on))

    def only(self, select: Collection[str] | None = None, ignore: Collection[str] = ()) -> Findings:
        """Return the findings of the selected codes, without those of the ignored ones."""
        kept = [
            batch
            for batch in self.batches
            if (select is None or batch.code in select) and batch.code not in ignore
        ]
        return replace(self, batches=kept)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each finding, with the fields of `Finding` as columns."""
        names = list(Finding.__dataclass_fields__)
        rows = [tuple(getattr(each, name) for name in names) for each in self]
        frame = pd.DataFrame(rows, columns=names)
        for name in ID_NAMES:
            column = names.index(name)
            frame[name] = pd.Series([row[column] for row in rows], dtype=object)
        return frame
