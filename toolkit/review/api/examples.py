"""Endpoints about queues and examples: what is next, what it looks like, its pictures."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from goldlabel.review.api.asked import Asked, route
from goldlabel.review.session import Review

__all__ = ["routes"]

_PAGE = 200


def queues(review: Review, asked: Asked) -> dict[str, Any]:
    """Put examples into an order, and leave out what a filter leaves out; say where one is."""
    queue = review.queue(
        order=asked.text("order", "worst", most=100), filter=asked.mapping("filter", {})
    )
    place = queue.place(asked.number("example", -1, least=-1))
    return {
        "queue": review.queues.add(queue),
        "total": len(queue.positions),
        "place": None if place < 0 else place,
    }


def rows(review: Review, asked: Asked) -> dict[str, Any]:
    """Return lines of a queue."""
    queue = review.queues.get(asked.number("queue"))
    start, n = asked.number("from", 0), asked.number("n", 100, most=_PAGE)
    review.sync()
    with review.lock:
        chosen = queue.positions[start : start + n].tolist()
        return {"from": start, "rows": [review.row(example) for example in chosen]}


def next_example(review: Review, asked: Asked) -> dict[str, Any]:
    """Return the next example to look at, and the three behind it, which are fetched ahead."""
    queue = review.queues.get(asked.number("queue"))
    after = asked.number("after", -1, least=-1)
    chosen = review.next(queue, after=after, reviewer=asked.number("reviewer", review.reviewer))
    if not chosen:
        return {"example": None, "place": len(queue.positions), "scene": None, "ahead": []}
    scene = scene_answer(review, chosen[0])
    review.scenes.fetch(chosen[1:])
    place = queue.place(chosen[0])
    return {"example": chosen[0], "place": place, "scene": scene, "ahead": chosen[1:]}


def example(review: Review, asked: Asked) -> dict[str, Any]:
    """Return an example."""
    review.sync()
    return scene_answer(review, review.check_example(asked.number("example")))


def scene_answer(review: Review, example: int) -> dict[str, Any]:
    """Return what an example looks like, what is asked about it, and what was answered."""
    scene = review.scenes.json(example)
    with review.lock:
        answers = []
        for question in scene["questions"]:
            parts = [part for part in question.get("parts", ()) if isinstance(part, int)]
            given = {each["seq"]: each for part in parts for each in review.answers(example, part)}
            answers.append(list(given.values()))
        return {
            "scene": scene,
            "score": float(review.issues.scores[example]),
            "is_issue": bool(review.issues.is_issue[example]),
            "answers": answers,
            "notes": list(review.notes.get(example, ())),
            "row": review.row(example),
        }


def picture(review: Review, asked: Asked) -> Response:
    """Return the bytes of a picture."""
    example = review.check_example(asked.number("example"))
    stored = review.scenes.picture(example, asked.text("name", most=1000))
    made = review.pictures.sent(stored, size=asked.number("size", None))
    return Response(made.content, media_type=made.media_type)


def conflicts(review: Review, asked: Asked) -> dict[str, Any]:
    """Return the labels about which reviewers differ, and what each of them says."""
    review.sync()
    with review.lock:
        keys = review.state.conflicts()[:_PAGE]
    listed = []
    for at, part in keys:
        questions = review.scenes.json(at)["questions"]
        number = next((n for n, each in enumerate(questions) if part in each["parts"]), None)
        answers = review.answers(at, part)
        name = review.findings.id(at)
        listed.append(
            {"example": at, "part": part, "id": name, "question": number, "answers": answers}
        )
    return {"conflicts": listed}


def history(review: Review, asked: Asked) -> dict[str, Any]:
    """Return what was done, newest first."""
    review.sync()
    actions = review.log.history(
        before=asked.number("before", None), limit=asked.number("n", 100, most=_PAGE)
    )
    with review.lock:
        return {"actions": [_line(review, action) for action in actions]}


def _line(review: Review, action: Any) -> dict[str, Any]:
    """Return what a line of the history says of an action: of how many labels, the first."""
    verdicts = review.log.verdicts(action.target or action.seq)
    about = review.examples_of(action.seq)  # where it is in this round
    first = verdicts[0] if verdicts else None
    return {
        "seq": action.seq,
        "verb": action.verb,
        "target": action.target,
        "role": action.role,
        "reviewer": review.names[action.reviewer],
        "at": action.at,
        "text": action.text,
        "in_force": review.state.is_in_force(action.seq),
        "labels": len(verdicts),
        "example": about[0] if about else None,
        "id": None if first is None else first.id,
        "verdict": None if first is None else first.verdict,
        "given": None if first is None else first.given,
        "label": None if first is None else first.label,
        "change": None if first is None else json.loads(first.change or "null"),
    }


routes = [
    route("/api/queues", "POST", queues),
    route("/api/queues/{queue}", "GET", rows),
    route("/api/next", "GET", next_example),
    route("/api/examples/{example}", "GET", example),
    route("/api/examples/{example}/pictures/{name:path}", "GET", picture),
    route("/api/conflicts", "GET", conflicts),
    route("/api/history", "GET", history),
]
