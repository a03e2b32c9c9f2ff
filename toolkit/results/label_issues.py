"""The one answer that every task gives: which examples are suspect, why, what to put instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.files import replacing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelIssues", "Parts", "of_one_type"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Parts:
    """One row per part judged wrong, worst first; flat arrays of one length m.

    Attributes
    ----------
    example : ndarray of shape (m,), int64
        Position of the example in the dataset.
    part : ndarray of shape (m,), int64
        Which token, class, box or annotator of the example; -1 where the example has no parts.
    kind : ndarray of shape (m,), int8
        Index into `kinds`.
    kinds : tuple of str
        Names of the kinds of issue, e.g. ``("label error",)``.
    given, suggested : ndarray of shape (m,)
        Class indices (integers; -1 = nothing) or values (floats; NaN = nothing).
    score : ndarray of shape (m,), float64
        Label quality in [0, 1]; lower is worse.
    confidence : ndarray of shape (m,), float64
        How sure the suggestion is, in [0, 1]: what `goldlabel export --min-confidence` compares.
    evidence : mapping of str to ndarray of shape (m,)
        Further figures behind the judgement, columns of issues.parquet. `given_text`, if it is
        among them, is the label as it is written where it is neither class nor number ("" where
        it is): it is shown and logged in place of `given`. One called
        ``action`` says what to do, in a word, where that may be more than to write `suggested`:
        corrections then carry all evidence.
    reasons : mapping of str to callable, or ndarray of shape (m,) of str
        What says in a sentence why, row by row; `LabelIssues.reasons` asks it. In place of the
        sentences for each kind what makes them when they are asked for: called with the keywords
        ``given``, ``suggested``, ``score``, ``confidence`` and the names in `evidence`, and
        ``part`` where parts have names. The ``format`` of a template text will do.
    group : ndarray of shape (m,), int64, optional
        Where one finding takes several rows (an entity of several tokens): rows that follow each
        other with one number here are counted, shown and corrected as one.
    """

    example: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    kinds: tuple[str, ...]
    given: Array
    suggested: Array
    score: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    evidence: Mapping[str, Array] = field(default_factory=dict)
    reasons: Mapping[str, Callable[..., str]] | Array = field(default_factory=dict)
    group: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.example)

    @property
    def leads(self) -> npt.NDArray[np.bool_]:
        """Rows that begin a finding: all of them where there are no groups."""
        leads = np.ones(len(self), dtype=np.bool_)
        if self.group is not None:
            leads[1:] = self.group[1:] != self.group[:-1]
        return leads

    def kind_counts(self) -> dict[str, int]:
        """Return how many findings there are of each kind."""
        counts = np.bincount(self.kind[self.leads], minlength=len(self.kinds))
        return dict(zip(map(str, self.kinds), counts.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """What a task found in n examples; ``len()`` is n.

    Attributes
    ----------
    task : str
        Name of the task, e.g. ``"multiclass"``.
    scores : ndarray of shape (n,), float64
        Label quality in [0, 1], 1 = surely right; never NaN.
    is_issue : ndarray of shape (n,), bool
        Which examples are flagged.
    parts : Parts
        What is wrong in them, worst first.
    classes : tuple, optional
        Class names by index; None where the labels are values.
    ids : ndarray of shape (n,), optional
        The dataset's own name of each example.
    params : mapping
        How this was computed: every parameter, for the record.
    given, suggested : ndarray of shape (n,), optional
        Where an example has one label: class index (or value) given, and the model's.
    part_names : tuple, optional
        Names by part where every example has the same parts.
    """

    task: str
    scores: npt.NDArray[np.float64]
    is_issue: npt.NDArray[np.bool_]
    parts: Parts
    classes: tuple[Hashable, ...] | None = None
    ids: Array | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    given: Array | None = None
    suggested: Array | None = None
    part_names: tuple[Hashable, ...] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __bool__(self) -> bool:
        raise InputError(
            "LabelIssues", "is neither true nor false", "Ask num_issues, or is_issue.any()"
        )

    def __repr__(self) -> str:
        return f"<LabelIssues: {self.task}, {self.num_issues} of {len(self)} examples flagged>"

    @property
    def num_issues(self) -> int:
        """How many examples are flagged."""
        return int(np.count_nonzero(self.is_issue))

    def ranked(self) -> npt.NDArray[np.int64]:
        """Positions of the flagged examples, worst first; ties by position."""
        flagged = np.flatnonzero(self.is_issue)
        return flagged[np.argsort(self.scores[flagged], kind="stable")]

    def with_params(self, **params: Any) -> LabelIssues:
        """Return the same result with more said about how it was computed."""
        return replace(self, params={**self.params, **params})

    def to_frame(self, level: Literal["example", "part"] = "example") -> pd.DataFrame:
        """Return the result as a table: a row per example, or a row per part judged wrong.

        Parameters
        ----------
        level : {"example", "part"}
            "example": `example`, `id`, `score`, `is_issue`, and `given`, `suggested` where an
            example has one label. "part": `example`, `id`, `part` (and `part_name` where parts
            have names), `kind`, `given`, `suggested`, `score`, `confidence`, `reason`, `group`
            where one finding takes several rows, and the evidence, worst first.
        """
        if level == "example":
            return self._example_frame()
        if level == "part":
            return self._part_frame()
        raise InputError("level", f"is {level!r}", "Use 'example' or 'part'")

    def _example_frame(self) -> pd.DataFrame:
        import pandas as pd

        n = self.scores.shape[0]
        columns: dict[str, Any] = {"example": np.arange(n)}
        columns["id"] = self.ids if self.ids is not None else np.arange(n)
        columns["score"] = self.scores
        columns["is_issue"] = self.is_issue
        if self.given is not None and self.suggested is not None:
            columns["given"] = self._named(self.given)
            columns["suggested"] = self._named(self.suggested)
        return pd.DataFrame(columns)

    def _part_frame(self) -> pd.DataFrame:
        import pandas as pd

        parts = self.parts
        ids = self.ids[parts.example] if self.ids is not None else parts.example
        columns: dict[str, Any] = {
            "example": parts.example,
            "id": ids,
            "part": parts.part,
            **self._part_names(),
            "kind": pd.Categorical.from_codes(parts.kind, categories=pd.Index(parts.kinds)),
            "given": self._named(parts.given),
            "suggested": self._named(parts.suggested),
            "score": parts.score,
            "confidence": parts.confidence,
            "reason": self.reasons(),
        }
        if parts.group is not None:
            columns["group"] = parts.group
        columns.update(parts.evidence)
        return pd.DataFrame(columns)

    def _part_names(self) -> dict[str, Any]:
        """Return the column of part names, if parts have any."""
        import pandas as pd

        if self.part_names is None:
            return {}
        names = pd.Index(_class_names(self.part_names))
        return {"part_name": pd.Categorical.from_codes(self.parts.part, categories=names)}

    def _named(self, codes: Array) -> Any:
        """Class names of class indices (missing for -1); values as they are."""
        import pandas as pd

        if self.classes is None or codes.dtype.kind == "f":
            return codes
        return pd.Categorical.from_codes(codes, categories=pd.Index(_class_names(self.classes)))

    def reasons(self, rows: npt.ArrayLike | None = None) -> list[str]:
        """Say in a sentence each why parts are judged wrong.

        Parameters
        ----------
        rows : array_like of int, optional
            Rows of `parts`; all of them if not given.
        """
        parts = self.parts
        chosen = np.arange(len(parts)) if rows is None else np.asarray(rows, dtype=np.int64)
        if isinstance(parts.reasons, np.ndarray):
            return list(parts.reasons[chosen].tolist())
        columns = {
            "given": self._texts(parts.given[chosen]),
            "suggested": self._texts(parts.suggested[chosen]),
            "score": parts.score[chosen].tolist(),
            "confidence": parts.confidence[chosen].tolist(),
        }
        if self.part_names is not None:
            names_of = ["", *map(str, self.part_names)]  # -1: the example itself
            columns["part"] = [names_of[part + 1] for part in parts.part[chosen].tolist()]
        columns.update((name, values[chosen].tolist()) for name, values in parts.evidence.items())
        sentence = [parts.reasons.get(kind, "".format) for kind in parts.kinds]
        kinds = parts.kind[chosen].tolist()
        names = list(columns)
        return [
            sentence[kind](**dict(zip(names, row, strict=True)))
            for kind, row in zip(kinds, zip(*columns.values(), strict=True), strict=True)
        ]

    def _texts(self, codes: Array) -> list[Any]:
        if self.classes is None or codes.dtype.kind == "f":
            values: list[Any] = codes.tolist()
            return values
        return [str(self.classes[code]) if code >= 0 else "nothing" for code in codes.tolist()]

    def to_parquet(self, folder: str | Path) -> None:
        """Write ``examples.parquet`` and ``issues.parquet`` into a folder (made if missing).

        Task, classes, parameters and the version of goldlabel go into the files' metadata.
        """
        from goldlabel import __version__

        meta = {
            "task": self.task,
            "version": __version__,
            "classes": None if self.classes is None else _class_names(self.classes),
            "part_names": None if self.part_names is None else _class_names(self.part_names),
            "has_ids": self.ids is not None,
            "params": {name: _plain(value) for name, value in self.params.items()},
        }
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _write_parquet(self.to_frame("example"), folder / "examples.parquet", meta)
        meta = {**meta, "kinds": list(self.parts.kinds), "evidence": list(self.parts.evidence)}
        meta["has_groups"] = self.parts.group is not None
        _write_parquet(self.to_frame("part"), folder / "issues.parquet", meta)

    @classmethod
    def from_parquet(cls, folder: str | Path) -> LabelIssues:
        """Read back what `to_parquet` wrote."""
        examples, meta = _read_parquet(Path(folder) / "examples.parquet")
        parts, part_meta = _read_parquet(Path(folder) / "issues.parquet")
        classes, names = meta["classes"], meta.get("part_names")
        codes = None if classes is None else {name: i for i, name in enumerate(classes)}
        kinds = tuple(part_meta["kinds"])
        evidence = {name: parts[name].to_numpy() for name in part_meta["evidence"]}
        has_labels = "given" in examples
        return cls(
            task=meta["task"],
            scores=examples["score"].to_numpy(np.float64),
            is_issue=examples["is_issue"].to_numpy(np.bool_),
            parts=Parts(
                example=_whole(parts["example"]),
                part=_whole(parts["part"]),
                kind=np.array([kinds.index(kind) for kind in parts["kind"]], dtype=np.int8),
                kinds=kinds,
                given=_codes(parts["given"], codes),
                suggested=_codes(parts["suggested"], codes),
                score=parts["score"].to_numpy(np.float64),
                confidence=parts["confidence"].to_numpy(np.float64),
                evidence=evidence,
                reasons=parts["reason"].to_numpy(object),
                group=_whole(parts["group"]) if part_meta.get("has_groups") else None,
            ),
            classes=None if classes is None else tuple(classes),
            ids=examples["id"].to_numpy() if meta["has_ids"] else None,
            params=meta["params"],
            given=_codes(examples["given"], codes) if has_labels else None,
            suggested=_codes(examples["suggested"], codes) if has_labels else None,
            part_names=None if names is None else tuple(names),
        )


def _plain(value: Any) -> Any:
    """Turn NumPy values into what JSON can hold; anything else it cannot hold into text."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _class_names(classes: tuple[Hashable, ...]) -> list[Any]:
    """Return names that a table's column can hold: all text, or all of one plain type."""
    names = [_plain(name) for name in classes]
    kinds = {type(name) for name in names}
    if len(kinds) == 1 and kinds <= {str, int, float} and all(name == name for name in names):
        return names
    texts = [str(name) for name in classes]
    # 1 and "1" are two classes: where their texts agree, write them as Python does.
    return texts if len(set(texts)) == len(texts) else [repr(name) for name in classes]


def _whole(column: pd.Series[Any]) -> Array:
    if column.dtype.kind not in "iu":
        raise InputError(f"column {column.name!r}", f"is {column.dtype}, not int64", "Audit again")
    return column.to_numpy(np.int64)


def _codes(column: pd.Series[Any], codes: Mapping[Any, int] | None) -> Array:
    """Return class indices (-1 = nothing) of a column of class names; values as they are."""
    import pandas as pd

    if codes is None:
        return column.to_numpy()
    kept = pd.Categorical(column)
    known = np.array([codes.get(name, -1) for name in kept.categories] + [-1], dtype=np.int64)
    found: Array = known[kept.codes]
    return found


def of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn what Parquet has no type for into text: ids 1 and "a" in one column, 10**30."""
    mixed = {
        name: column.map(str, na_action="ignore")
        for name, column in frame.items()
        if column.dtype == object and not _has_one_type(column.dropna())
    }
    return frame.assign(**{str(name): column for name, column in mixed.items()})


def _has_one_type(values: pd.Series[Any]) -> bool:
    is_large = any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values)
    return not is_large and len(set(map(type, values))) <= 1


def _write_parquet(frame: pd.DataFrame, path: Path, meta: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(of_one_type(frame), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"goldlabel": json.dumps(meta).encode()}
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary)


def _read_parquet(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        meta = json.loads((table.schema.metadata or {})[b"goldlabel"])
        table.validate(full=True)  # an offset outside, broken text, damage of pandas' metadata
        frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    except (OSError, pa.ArrowException, KeyError, ValueError, RecursionError) as error:
        raise InputError(
            str(path),
            f"is not a file of an audit ({type(error).__name__})",
            "Name a folder that goldlabel audit has written",
        ) from error
    return frame, meta
