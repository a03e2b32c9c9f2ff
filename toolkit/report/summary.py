"""What an audit found and what was run, as plain JSON: ``summary.json`` and ``--json``."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel import __version__
from goldlabel.formats.options import stored
from goldlabel.results.audit import Audit
from goldlabel.results.folder import SCHEMA, fingerprint

from . import examples, wording

__all__ = ["describe", "plain", "to_bytes", "to_json"]

_PACKAGES = ("numpy", "numba", "pandas", "pyarrow", "scikit-learn", "scipy")
_LARGE = 1000
_TEXT = 2000


def describe(
    audit: Audit,
    *,
    command: str | Sequence[str] | None = None,
    started: datetime | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Return what was found and what was run, as plain JSON: the content of ``summary.json``.

    Parameters
    ----------
    audit : Audit
        What was found.
    command : str or sequence of str, optional
        The command line, or its words.
    started : datetime, optional
        When the work began; a time without a zone is local time. Now, if not given.
    seed : int, optional
        The seed of what was random; ``params["seed"]`` if not given.

    Returns
    -------
    dict
        ``task``, ``examples``, ``flagged``, ``share``, ``findings`` (parts judged wrong) and how
        many of each of the ``kinds``, ``words`` (what a part is called, and what flagged examples
        do), ``figures`` (of the task), ``warnings``, ``notes``, ``limits``, ``source`` (what
        `export` needs), ``inputs`` (size and SHA-256 of each file), ``params``, ``seed``,
        ``command``, ``started``, ``seconds``, ``versions``.
    """
    issues = audit.issues
    n = int(issues.scores.shape[0])
    now = datetime.now(UTC)
    began = now if started is None else started.astimezone(UTC)
    params = {str(name): plain(entry) for name, entry in issues.params.items()}
    return {
        "schema": SCHEMA,
        "task": issues.task,
        "examples": n,
        "flagged": issues.num_issues,
        "share": issues.num_issues / n if n else 0.0,
        "findings": int(issues.parts.leads.sum()),
        "kinds": issues.parts.kind_counts(),
        "words": {"part": audit.part, "verdict": list(audit.verdict)},
        "figures": {str(name): plain(figure) for name, figure in audit.summary.items()},
        "warnings": list(audit.warnings),
        "notes": list(audit.notes),
        "limits": list(audit.limits),
        "source": {
            "format": audit.source.format,
            "files": [os.path.abspath(path) for path in audit.source.files],
            "options": plain(stored(audit.source.options)),
            "inputs": [os.path.abspath(path) for path in audit.source.inputs],
        },
        "inputs": [fingerprint(path) for path in (*audit.source.files, *audit.source.inputs)],
        "params": params,
        "seed": params.get("seed") if seed is None else int(seed),
        "command": shlex.join(command) if isinstance(command, list | tuple) else command,
        "started": began.isoformat(timespec="seconds"),
        "seconds": round(max((now - began).total_seconds(), 0.0), 3),
        "versions": _versions(),
    }


def to_json(
    audit: Audit,
    *,
    top: int = 10,
    command: str | Sequence[str] | None = None,
    started: datetime | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
) -> str:
    """Return an audit as one JSON text for other programs.

    The content of ``summary.json``, then ``worst``: the `top` worst examples, each with its id,
    position, score and findings (part, kind, given, suggested, score, confidence, reason), and
    ``out``: the folder that was written to. Pure ASCII, so that it is safe on any terminal.
    """
    document = describe(audit, command=command, started=started, seed=seed)
    document["out"] = None if out is None else str(out)
    document["worst"] = [_worst(example) for example in examples.worst(audit, top)]
    return json.dumps(document, indent=2, allow_nan=False)


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as UTF-8 JSON; a lone surrogate, as in odd file names, stays readable."""
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    # What UTF-8 cannot hold becomes \udc80, which is how JSON itself would write it.
    return (text + "\n").encode("utf-8", errors="backslashreplace")


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold; of a large array, say what it is.

    Figures that are not finite become None: JSON has no NaN.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return plain(value.tolist()) if value.size <= _LARGE else _described(value)
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    return str(value)


def _described(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    if array.dtype.kind in "biufc":
        described["sha256"] = hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
    return described


def _worst(example: examples.Example) -> dict[str, Any]:
    return {
        "rank": example.rank,
        "example": example.position,
        "id": plain(example.id),
        "score": example.score,
        "text": None if example.text is None else wording.cut(example.text, _TEXT).marked,
        "fields": {
            str(name): wording.cut(text, _TEXT).marked for name, text in example.fields.items()
        },
        "findings": [
            {
                "part": finding.part or None,
                "kind": finding.kind,
                "given": _short(finding.given),
                "suggested": _short(finding.suggested),
                "score": finding.score,
                "confidence": plain(finding.confidence),
                "reason": finding.reason,
            }
            for finding in example.findings
        ],
        "findings_count": example.total,
    }


def _short(name: Any) -> Any:
    """Keep a name as it is unless nobody would read it to its end."""
    return wording.cut(name, _TEXT).marked if isinstance(name, str) else plain(name)


def _versions() -> dict[str, str]:
    from platform import python_version

    found = {"goldlabel": __version__, "python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
