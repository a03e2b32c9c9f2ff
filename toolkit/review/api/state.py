"""Endpoints about the review as a whole: state, reviewers, settings, changes, classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.review import acting
from goldlabel.review.api.asked import Asked, route
from goldlabel.review.session import Review

__all__ = ["routes"]


def state(review: Review, asked: Asked) -> dict[str, Any]:
    """Return what a page has to know before it shows anything."""
    review.sync()
    scenes, summary, source = review.scenes, review.summary, review.source
    changed = [path for path, _ in review.changed()]
    reviewers = [each._asdict() for each in review.log.reviewers()]
    reviewer = asked.number("reviewer", review.reviewer)
    problem = scenes.problem
    return {
        "dataset": ", ".join(path.name for path in source.files) or review.folder.name,
        "folder": str(review.folder),
        "task": review.issues.task,
        "words": _words(summary),
        "examples": len(review.issues.scores),
        "flagged": int(review.issues.is_issue.sum()),
        "classes": list(review.findings.classes),
        "numeric": review.findings.is_numeric,
        "kinds": {str(kind): int(n) for kind, n in review.issues.parts.kind_counts().items()},
        "reviewers": reviewers,
        "reviewer": reviewer,
        "read_only": review.log.read_only,
        "changed": changed,
        "can_export": not review.log.read_only and not set(source.files) & set(map(Path, changed)),
        "out": None if review.out is None else str(review.out),
        "ready": scenes.ready,
        "problem": None
        if problem is None
        else {"where": problem.where, "what": problem.what, "fix": problem.fix},
        "settings": review.settings.get(reviewer, {}),
        "progress": review.progress(),
        "dropped": review.dropped(),
    }


def _words(summary: dict[str, Any]) -> dict[str, Any]:
    """Return what the task calls things; an audit's folder is not trusted."""
    words = summary.get("words")
    words = words if isinstance(words, dict) else {}
    part, verdict = words.get("part"), words.get("verdict")
    if not isinstance(verdict, list) or len(verdict) != 2:
        verdict = ["looks mislabelled", "look mislabelled"]
    return {"part": part if isinstance(part, str) else "", "verdict": list(map(str, verdict))}


def reviewers(review: Review, asked: Asked) -> dict[str, Any]:
    """Return the reviewer of a name, new if nobody has it."""
    reviewer = review.log.enter_reviewer(asked.text("name", most=200))
    with review.lock:
        review.names[reviewer.reviewer] = reviewer.name
    return reviewer._asdict()


def settings(review: Review, asked: Asked) -> dict[str, Any]:
    """Keep settings of a reviewer."""
    return acting.set_settings(
        review, asked.uid(), asked.reviewer(review), asked.mapping("settings")
    )


def changes(review: Review, asked: Asked) -> dict[str, Any]:
    """Return the lines of the queue that have changed behind a place of the log."""
    review.sync()
    with review.lock:
        examples, is_more = review.changes_since(asked.number("after"))
        return {
            "rows": [review.row(example) for example in examples],
            "reload": is_more,
            "progress": review.progress(),
            "seq": review.state.seq,
        }


def classes(review: Review, asked: Asked) -> dict[str, Any]:
    """Return the classes: how many examples have each, how many are flagged, and decided."""
    review.sync()
    issues, names = review.issues, review.findings.classes
    k = len(names)
    sizes = None if issues.given is None else _counts(issues.given, k)
    flagged = _counts(issues.parts.given, k)
    decided = dict.fromkeys(names, 0)
    for decision in review.decisions():
        if decision.verdict.given in decided:
            decided[decision.verdict.given] += 1
    return {
        "classes": [
            {
                "name": name,
                "size": None if sizes is None else sizes[at],
                "flagged": flagged[at],
                "decided": decided[name],
            }
            for at, name in enumerate(names)
        ]
    }


def _counts(codes: Any, k: int) -> list[int]:
    if not k:
        return []
    codes = np.asarray(codes, dtype=np.int64)
    counts: list[int] = np.bincount(codes[codes >= 0], minlength=k)[:k].tolist()
    return counts


def export(review: Review, asked: Asked) -> dict[str, Any]:
    """Write what is decided into the audit's folder, and the dataset if there is a place for it."""
    from goldlabel.review.exporting import export as write

    changed = {Path(path) for path, _ in review.changed(wait=True)}
    for path in review.source.files:
        if review.out is not None and path in changed:
            raise InputError(str(path), "has changed since the audit", "Audit it again")
    return write(review)


routes = [
    route("/api/state", "GET", state),
    route("/api/reviewers", "POST", reviewers),
    route("/api/settings", "POST", settings),
    route("/api/changes", "GET", changes),
    route("/api/classes", "GET", classes),
    route("/api/export", "POST", export),
]
