"""An audit of a dataset in a folder: JSON, Parquet and NumPy files, each with its hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from goldlabel.errors import InputError
from goldlabel.files import new_folder, path_inside, sha256
from goldlabel.formats.arrays import load_array
from goldlabel.neighbors.features import features_array
from goldlabel.results.label_issues import of_one_type

from .columns import coded_labels
from .result import CheckResult

__all__ = ["load", "save"]

SCHEMA = 1
INDEX = "checks.json"
_FIX = "Name a folder that DatasetAudit.save has written, or audit again"
_TEXTS = {"verdict": str, "is_found": bool, "score": int | float, "figures": dict, "params": dict,
          "notes": list, "frames": list}  # fmt: skip


def save(
    folder: str | Path,
    results: Mapping[str, CheckResult],
    skipped: Mapping[str, str],
    failed: Mapping[str, Exception],
    n: int,
    features: Any,
    labels: Any,
) -> None:
    """Write an audit into a new folder."""
    from goldlabel import __version__

    index: dict[str, Any] = {
        "schema": SCHEMA, "version": __version__, "examples": n, "skipped": dict(skipped),
        "failed": {name: str(error) for name, error in failed.items()}, "checks": {},
    }  # fmt: skip
    with new_folder(folder) as place:
        for at, (name, result) in enumerate(results.items()):
            index["checks"][name] = _described(result)
            frame = result.to_frame().assign(reason=_reasons(result))
            _write(frame, place / f"{at}.parquet")
            for number, table in enumerate(result.frames.values()):
                _write(table, place / f"{at}.{number}.parquet")
        if features is not None:
            np.save(place / "features.npy", features_array(features), allow_pickle=False)
        if labels is not None:
            _write(pd.DataFrame({"label": _texts(labels)}), place / "labels.parquet")
        index["files"] = {path.name: sha256(path) for path in sorted(place.iterdir())}
        text = json.dumps(index, indent=1, default=_plain, allow_nan=False)
        (place / INDEX).write_text(text, encoding="utf-8")


def _described(result: CheckResult) -> dict[str, Any]:
    return {
        "score": float(result.score), "verdict": result.verdict,
        "is_found": bool(result.is_found), "figures": dict(result.figures),
        "params": dict(result.params), "notes": list(result.notes),
        "frames": [str(name) for name in result.frames],
    }  # fmt: skip


def _reasons(result: CheckResult) -> Any:
    reasons = np.full(len(result), "", dtype=object)
    reasons[result.ranked()] = result.reasons()
    return reasons


def _texts(labels: Any) -> Any:
    """Return labels of classes by name; others as text."""
    try:
        return coded_labels(labels).names()
    except InputError:
        return [str(label) for label in labels]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)


def _write(frame: pd.DataFrame, path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(of_one_type(frame), preserve_index=False), path)


def load(folder: str | Path) -> dict[str, Any]:
    """Return what `save` was given: the fields of a `DatasetAudit`."""
    folder = Path(folder)
    index = _read_index(folder)
    n = index["examples"]
    results = {}
    for at, (name, told) in enumerate(index["checks"].items()):
        for field, kind in _TEXTS.items():
            if not isinstance(told, dict) or not isinstance(told.get(field), kind):
                raise _foreign(folder, f"says nothing usable of {name!r}: {field}")
        frame = _read(folder, f"{at}.parquet", index)
        tables = {
            table: _read(folder, f"{at}.{number}.parquet", index)
            for number, table in enumerate(told["frames"])
        }
        results[name] = _result(name, told, frame, tables, folder, n)
    has_features = "features.npy" in index["files"]
    features = load_array(_checked(folder, "features.npy", index)) if has_features else None
    labels = None
    if "labels.parquet" in index["files"]:
        labels = _read(folder, "labels.parquet", index)["label"].tolist()
    failed = {
        name: InputError(name, str(why), "Run it again") for name, why in index["failed"].items()
    }
    return {"results": results, "skipped": index["skipped"], "failed": failed, "n": n,
            "features": features, "labels": labels}  # fmt: skip


def _result(
    name: str, told: dict[str, Any], frame: pd.DataFrame, tables: dict[str, pd.DataFrame],
    folder: Path, n: int,
) -> CheckResult:  # fmt: skip
    first = ("example", "score", "is_issue", "reason")
    if len(frame) != n or not set(first) <= set(frame.columns):
        raise _foreign(folder, f"holds a table of {name!r} that does not fit")
    return CheckResult(
        check=name,
        scores=frame["score"].to_numpy(np.float64),
        is_issue=frame["is_issue"].to_numpy(np.bool_),
        score=float(told["score"]),
        verdict=told["verdict"],
        is_found=told["is_found"],
        reason=frame["reason"].to_numpy(object),
        columns={str(own): frame[own].to_numpy() for own in frame if own not in first},
        frames=tables,
        figures=told["figures"],
        params=told["params"],
        notes=tuple(map(str, told["notes"])),
    )


def _foreign(path: Path, what: str) -> InputError:
    return InputError(str(path), what, _FIX)


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    if not path.is_file():
        raise _foreign(path, "is missing, so this is no audit of a dataset")
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _foreign(path, f"is not JSON ({error})") from error
    if not isinstance(index, dict) or index.get("schema") != SCHEMA:
        raise _foreign(path, f"is not of schema {SCHEMA}")
    for field, kind in {"examples": int, "checks": dict, "files": dict, "skipped": dict,
                        "failed": dict}.items():  # fmt: skip
        if not isinstance(index.get(field), kind):
            raise _foreign(path, f"has no usable {field!r}")
    return index


def _checked(folder: Path, name: str, index: dict[str, Any]) -> Path:
    path = path_inside(folder, name)
    if not path.is_file() or sha256(path) != index["files"].get(name):
        raise _foreign(path, f"is missing, or not the file that {INDEX} describes")
    return path


def _read(folder: Path, name: str, index: dict[str, Any]) -> pd.DataFrame:
    path = _checked(folder, name, index)
    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise _foreign(path, f"can't be read ({type(error).__name__})") from error
    return frame
