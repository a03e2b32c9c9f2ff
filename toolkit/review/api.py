"""What a page can ask, over HTTP: JSON in and out, errors as ``{"error": {where, what, fix}}``."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from goldlabel.errors import GoldlabelError, InputError
from goldlabel.review.decided import write_decided
from goldlabel.review.pictures import page_picture
from goldlabel.review.records import Reviewer
from goldlabel.review.session import Review
from goldlabel.typing import Ints

__all__ = ["application"]

_KEPT = 20
"""So many queues are remembered."""
_PAGE = 200
"""Most lines of a queue that are sent at once."""
_KINDS = {
    "index.html": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}


class _Json(Response):
    """JSON in ASCII: data may hold halves of characters, which UTF-8 cannot."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


Answer = Callable[["_Pages", Mapping[str, Any]], Any]


def application(review: Review, reviewer: Reviewer | None, out: Path | None = None) -> Starlette:
    """Return the app that a server runs.

    Parameters
    ----------
    review : Review
    reviewer : Reviewer, optional
        Who decides if a page does not say; None where nobody can, as nothing is written.
    out : Path, optional
        Where the page's button may write the corrected dataset.
    """
    pages = _Pages(review, reviewer, out)
    routes = [
        *(Route(path, _asset(name)) for path, name in _ASSETS.items()),
        *(Route(path, _reading(pages, answer)) for path, answer in _READS.items()),
        *(
            Route(path, _writing(pages, answer), methods=["POST"])
            for path, answer in _WRITES.items()
        ),
        Route("/api/examples/{example:int}/pictures/{name}", _picture(pages)),
    ]
    return Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})


class _Pages:
    """What all pages of one review share: the queues that they have asked for."""

    def __init__(self, review: Review, reviewer: Reviewer | None, out: Path | None) -> None:
        self.review, self.reviewer, self.out = review, reviewer, out
        self._queues: OrderedDict[int, Ints] = OrderedDict()
        self._lock = threading.Lock()
        self._last = 0

    def state(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        review, issues = self.review, self.review.issues
        problem = review.problem
        return {
            "dataset": ", ".join(path.name for path in review.source.files) or review.folder.name,
            "folder": str(review.folder),
            "task": issues.task,
            "words": review.summary.get("words", {}),
            "examples": len(issues),
            "flagged": issues.num_issues,
            "classes": list(review.findings.classes),
            "numeric": review.findings.is_numeric,
            "kinds": issues.parts.kind_counts(),
            "reviewers": [each._asdict() for each in review.log.reviewers()],
            "reviewer": None if self.reviewer is None else self.reviewer.reviewer,
            "read_only": review.log.read_only,
            "changed": review.changed,
            "can_export": self.out is not None and not review.changed,
            "out": None if self.out is None else str(self.out),
            "ready": review.is_ready,
            "problem": None if problem is None else _described(problem),
            "progress": review.progress(),
        }

    def new_queue(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        chosen = asked.get("filter") or {}
        if not isinstance(chosen, Mapping):
            raise InputError("filter", "is no object", "Send names and values")
        found = self.review.queue(order=_text(asked, "order", "worst"), filter=chosen)
        with self._lock:
            self._last += 1
            self._queues[self._last] = found
            while len(self._queues) > _KEPT:
                self._queues.popitem(last=False)
            return {"queue": self._last, "total": len(found)}

    def rows(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._queue(_whole(asked, "queue"))
        first, count = _whole(asked, "from", 0), min(_whole(asked, "n", 50), _PAGE)
        if first < 0 or count < 0:
            raise InputError("from, n", "are below 0", "Count from 0")
        rows = self.review.rows(queue[first : first + count].tolist())
        return {"from": first, "total": len(queue), "rows": rows}

    def next(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._queue(_whole(asked, "queue"))
        found = self.review.next(
            queue, after=_whole(asked, "after", -1), reviewer=_whole(asked, "reviewer", 0)
        )
        if found is None:
            return {"example": None, "place": None, "ahead": []}
        place = queue.tolist().index(found)
        ahead = queue[place + 1 : place + 4].tolist()
        return {"example": found, "place": place, "ahead": ahead, **self.review.scene(found)}

    def example(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self.review.scene(_whole(asked, "example"))

    def changes(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.review.sync()
        after = _whole(asked, "after", 0)
        actions = self.review.log.actions(after=after)
        examples = {each.example for action in actions for each in action.verdicts}
        rows = self.review.rows(sorted(examples)[:_PAGE])
        return {"rows": rows, "progress": self.review.progress()}

    def history(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        before = _whole(asked, "before", 0) or None
        limit = max(1, min(_whole(asked, "n", 50), _PAGE))
        return {"actions": self.review.history(before=before, limit=limit)}

    def conflicts(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"conflicts": self.review.conflicts()[:_PAGE]}

    def enter(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self.review.log.enter_reviewer(_text(asked, "name", ""))._asdict()

    def act(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        uid, who = _text(asked, "uid", ""), self._who(asked)
        if "note" in asked:
            note = _text(asked, "note", "")
            return self._done(self.review.note(uid, who, _whole(asked, "example"), note))
        answers = asked.get("answers")
        if not isinstance(answers, list) or not all(isinstance(each, Mapping) for each in answers):
            raise InputError("answers", "are no list of objects", "Send what the page sends")
        seconds, shown = asked.get("seconds"), asked.get("shown")
        return self._done(
            self.review.decide(
                uid,
                who,
                answers,
                seconds=float(seconds) if isinstance(seconds, int | float) else None,
                shown=shown if isinstance(shown, Mapping) else None,
            )
        )

    def undo(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._taken_back(self.review.undo, asked)

    def redo(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._taken_back(self.review.redo, asked)

    def export(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        from goldlabel.actions.export import export

        path = self.review.folder / "decisions.csv"
        frame = write_decided(self.review, path)
        answer: dict[str, Any] = {"decisions": str(path), "decided": len(frame), "out": None}
        if self.out is None:
            return answer
        done = export(self.review.folder, self.out, decisions=path, force=True)
        changed = {"out": str(done.out), "changed": len(done.changes), "kept": done.kept}
        return {**answer, **changed, "undecided": done.undecided}

    def _taken_back(
        self, verb: Callable[..., dict[str, Any]], asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        target = asked.get("action")
        if not (target is None or isinstance(target, int)):
            raise InputError("action", "is no number", "Send the place of an action")
        done = self._done(verb(_text(asked, "uid", ""), self._who(asked), target))
        rows = done["rows"]
        return {**done, "example": rows[0]["example"] if rows else None}

    def _done(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "progress": self.review.progress()}

    def _who(self, asked: Mapping[str, Any]) -> Reviewer:
        number = asked.get("reviewer", None if self.reviewer is None else self.reviewer.reviewer)
        for each in self.review.log.reviewers():
            if each.reviewer == number:
                return each
        raise InputError("reviewer", f"is {str(number)[:20]}, nobody", "Enter a name first")

    def _queue(self, number: int) -> Ints:
        with self._lock:
            if number not in self._queues:
                raise InputError("queue", f"is {number}, which is gone", "Ask for a new one")
            self._queues.move_to_end(number)
            return self._queues[number]


_ASSETS = {"/": "index.html", "/favicon.ico": "favicon.svg", **{
    f"/assets/{name}": name for name in ("app.js", "app.css")
}}  # fmt: skip
_READS: dict[str, Answer] = {
    "/api/state": _Pages.state,
    "/api/queues/{queue:int}": _Pages.rows,
    "/api/next": _Pages.next,
    "/api/examples/{example:int}": _Pages.example,
    "/api/changes": _Pages.changes,
    "/api/history": _Pages.history,
    "/api/conflicts": _Pages.conflicts,
}
_WRITES: dict[str, Answer] = {
    "/api/reviewers": _Pages.enter,
    "/api/queues": _Pages.new_queue,
    "/api/actions": _Pages.act,
    "/api/undo": _Pages.undo,
    "/api/redo": _Pages.redo,
    "/api/export": _Pages.export,
}


def _asset(name: str) -> Callable[[Request], Any]:
    async def asset(request: Request) -> Response:
        path = files("goldlabel.review") / "static" / name
        if not path.is_file():
            return _refused(InputError(name, "is not built", "See CONTRIBUTING.md"), 404)
        return Response(path.read_bytes(), media_type=_KINDS[name])

    return asset


def _reading(pages: _Pages, answer: Answer) -> Callable[[Request], Any]:
    async def reading(request: Request) -> Response:
        asked = {**request.query_params, **request.path_params}
        return await _answered(pages, answer, asked)

    return reading


def _writing(pages: _Pages, answer: Answer) -> Callable[[Request], Any]:
    async def writing(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
        except (ValueError, RecursionError, ClientDisconnect):
            asked = None
        if not isinstance(asked, dict):
            return _refused(InputError("body", "is no JSON object", "Send one"))
        return await _answered(pages, answer, asked)

    return writing


async def _answered(pages: _Pages, answer: Answer, asked: Mapping[str, Any]) -> Response:
    try:
        found = await run_in_threadpool(answer, pages, asked)
    except GoldlabelError as error:
        return _refused(error)
    return _Json({"seq": pages.review.state.seq, **found})


def _picture(pages: _Pages) -> Callable[[Request], Any]:
    review = pages.review
    inside = (*review.source.files, *review.source.inputs)

    def picture(example: int, name: str) -> Response:
        shown = review.picture(example, name)
        if shown is None:
            raise InputError(name, "is no picture of this example", "Load the example again")
        made = page_picture(shown, inside, upright=review.is_upright(example, name))
        return Response(made.content, media_type=made.media_type)

    async def answered(request: Request) -> Response:
        asked = request.path_params
        try:
            return await run_in_threadpool(picture, asked["example"], asked["name"])
        except GoldlabelError as error:
            return _refused(error, 404)

    return answered


def _described(error: GoldlabelError) -> dict[str, str]:
    names = ("where", "what", "fix")
    return {name: str(getattr(error, name, error)) for name in names}


def _refused(error: GoldlabelError, status: int = 400) -> Response:
    return _Json({"error": _described(error)}, status_code=status)


def _not_found(request: Request, error: Exception) -> Response:
    return _refused(InputError(request.url.path[:200], "is not there", "Open the app again"), 404)


def _text(asked: Mapping[str, Any], name: str, usual: str) -> str:
    value = asked.get(name, usual)
    if not isinstance(value, str):
        raise InputError(name, "is no text", "Send a text")
    return value


def _whole(asked: Mapping[str, Any], name: str, usual: int | None = None) -> int:
    value = asked.get(name, usual)
    try:
        if value is None or isinstance(value, bool | float):
            raise ValueError
        number = int(value)
    except (TypeError, ValueError):
        raise InputError(name, f"is {str(value)[:40]!r}, no whole number", "Send one") from None
    if abs(number) > 2**53:
        raise InputError(name, "is too large", "Send a smaller number")
    return number
