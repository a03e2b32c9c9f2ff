"""A request as plain values, each checked; and answers in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from goldlabel.errors import InputError
from goldlabel.review.session import Review

__all__ = ["Asked", "answered", "refused", "route"]

_LONG = 100_000
_REQUIRED: Any = object()


class Asked:
    """The values of a request by name: of its path, its query and its body."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def number(
        self, name: str, default: Any = _REQUIRED, *, least: int = 0, most: int = 2**53
    ) -> Any:
        """Return a whole number; the default where it is missing, or null."""
        value = self._value(name, default)
        if value is default:
            return default
        if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 20:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InputError(name, f"is {value!r}", f"Send a whole number of at least {least}")
        return value

    def text(self, name: str, default: Any = _REQUIRED, *, most: int = _LONG) -> Any:
        """Return a text that is not empty; the default where it is missing, or null."""
        value = self._value(name, default)
        if value is default:
            return default
        if not isinstance(value, str) or not 0 < len(value) <= most:
            raise InputError(name, f"is {value!r}", f"Send a text of 1 to {most:,} letters")
        return value

    def mapping(self, name: str, default: Any = _REQUIRED, *, most: int = _LONG) -> Any:
        """Return an object; the default where it is missing, or null."""
        value = self._value(name, default)
        if value is default:
            return default
        if not isinstance(value, dict) or len(json.dumps(value)) > most:
            raise InputError(name, "is no object, or a large one", "Send an object in JSON")
        return value

    def list(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects that is not empty."""
        value = self._value(name, _REQUIRED)
        if not isinstance(value, list) or not value:
            raise InputError(name, "is no list, or an empty one", "Send a list of objects")
        if not all(isinstance(each, dict) for each in value):
            raise InputError(name, "has entries that are no objects", "Send a list of objects")
        return value

    def seconds(self, name: str) -> float | None:
        """Return a duration; None where it is missing, or null."""
        value = self._value(name, None)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not 0 <= value < 1e9:
            raise InputError(name, f"is {value!r}", "Send seconds, at least 0")
        return float(value)

    def uid(self) -> str:
        """Return what the page has called an action."""
        uid: str = self.text("uid", most=100)
        return uid

    def has(self, name: str) -> bool:
        """Return whether a value is there, and not null."""
        return self._values.get(name) is not None

    def reviewer(self, review: Review) -> int:
        """Return the number of a reviewer who is known."""
        number: int = self.number("reviewer", review.reviewer)
        if number not in review.names and number not in {
            each.reviewer for each in review.log.reviewers()
        }:
            raise InputError("reviewer", f"is {number}, whom nobody knows", "Give a name first")
        return number

    def _value(self, name: str, default: Any) -> Any:
        value = self._values.get(name)
        if value is not None:
            return value
        if default is _REQUIRED:
            raise InputError(name, "is missing", f"Send {name}")
        return default


Answer = dict[str, Any]
Ask = Callable[[Review, Asked], Answer | Response]


def route(path: str, method: Literal["GET", "POST"], ask: Ask) -> Route:
    """Return the route of an endpoint, which runs on a thread and may block."""

    async def endpoint(request: Request) -> Response:
        review: Review = request.app.state.review
        try:
            body = await _body(request) if method == "POST" else {}
            asked = Asked({**body, **request.query_params, **request.path_params})
            answer = await run_in_threadpool(ask, review, asked)
        except InputError as error:
            return refused(error)
        return answer if isinstance(answer, Response) else answered(review, answer)

    return Route(path, endpoint, methods=[method])


async def _body(request: Request) -> dict[str, Any]:
    """Return the body, a JSON object of texts that can be written as UTF-8."""
    try:
        body = json.loads(await request.body())
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InputError("body", "is no JSON", "Send an object in JSON") from error
    if not isinstance(body, dict):
        raise InputError("body", "is no JSON object", "Send an object in JSON")
    return body


def answered(review: Review, answer: Answer, status: int = 200) -> Response:
    """Return JSON; with the place in the log that the page has seen then."""
    content = json.dumps({"seq": review.state.seq, **answer}, allow_nan=False)
    return Response(content, status, media_type="application/json")


def refused(error: InputError, status: int = 400) -> Response:
    """Return what was wrong, in JSON."""
    entries = {"where": error.where, "what": error.what, "fix": error.fix}
    return Response(json.dumps({"error": entries}), status, media_type="application/json")
