"""Who may ask: the browser that was given the pass, from this machine, and nobody else."""

from __future__ import annotations

import json
import secrets
from collections.abc import MutableMapping
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COOKIE", "Guard", "new_pass"]

COOKIE = "goldlabel_pass"
LARGEST = 8 * 1024 * 1024
"""Bytes of a body that is read."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_SAFE = ("GET", "HEAD")


def new_pass() -> str:
    """Return a pass that nobody can guess: 32 random bytes as text."""
    return secrets.token_urlsafe(32)


class Guard:
    """Asks of each request for its pass, host, origin and size before the app sees it.

    Parameters
    ----------
    app : ASGI application
    word : str
        The pass.
    port : int
        Where the server listens: `Host` and `Origin` must name it.
    read_only : bool
        Refuse whatever is no reading.
    """

    def __init__(self, app: ASGIApp, *, word: str, port: int, read_only: bool = False) -> None:
        self._app, self._word, self._read_only = app, word, read_only
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or hand a request on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
        elif scope["path"] == "/" and "pass" in (
            asked := parse_qs(scope["query_string"].decode("latin-1"))
        ):
            await self._enter(send, asked["pass"][0])
        elif not self._is_known(headers):
            await _answer(
                send, 403, "pass", "is missing or wrong", "Open the address that was printed"
            )
        else:
            await self._app(scope, _limited(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: MutableMapping[str, str]) -> tuple[Any, ...] | None:
        if headers.get("host") not in self._hosts:
            return 421, "Host", "is another one", "Open the address that was printed"
        if scope["method"] in _SAFE:
            return None
        if headers.get("origin") not in self._origins:
            return 403, "Origin", "is another one", "Open the address that was printed"
        if self._read_only:
            return 403, "review", "is open for reading only", "Start it without --read-only"
        length = headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST:
            return 413, "body", f"has no length, or more than {LARGEST:,} bytes", "Send less"
        return None

    def _is_known(self, headers: MutableMapping[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        given = cookie[COOKIE].value if COOKIE in cookie else ""
        return compare_digest(given.encode(), self._word.encode())

    async def _enter(self, send: Send, given: str) -> None:
        if not compare_digest(given.encode("utf-8", "replace"), self._word.encode()):
            await _answer(send, 403, "pass", "is wrong", "Open the address that was printed")
            return
        cookie = f"{COOKIE}={self._word}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), *_HEADERS]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _limited(receive: Receive) -> Receive:
    """Stop reading a body that is longer than it said."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > LARGEST else message

    return limited


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            message = {**message, "headers": [*own, *_HEADERS, (b"cache-control", b"no-store")]}
        await send(message)

    return with_headers


async def _answer(send: Send, status: int, where: str, what: str, fix: str) -> None:
    body = json.dumps({"error": {"where": where, "what": what, "fix": fix}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
