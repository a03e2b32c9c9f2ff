"""Who may ask: whoever has the pass, from this machine, and no page of anybody else."""

from __future__ import annotations

import hmac
import json
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "LARGEST", "Guard", "Refusal", "new_pass"]

LARGEST = 8 * 2**20
"""Bytes of a body; a larger one is refused before it is read."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_READS = ("GET", "HEAD")
_ASKS = ("/api/queues",)
"""What is sent, and writes nothing."""


def new_pass() -> str:
    """Return a pass that nobody can guess: 32 random bytes."""
    return secrets.token_urlsafe(32)


class Refusal(Exception):
    """A request that is not answered, and why."""

    def __init__(self, status: int, where: str, what: str, fix: str) -> None:
        super().__init__(status, where, what, fix)
        self.status, self.where, self.what, self.fix = status, where, what, fix


class Guard:
    """Lets requests through to an app, or refuses them; the same headers are on all answers.

    Parameters
    ----------
    app : ASGI application
    port : int
        That the server listens at.
    pass_ : str
        What a visitor has to show: in the address once, in a cookie from then on.
    read_only : bool
        Refuse whatever writes.
    """

    def __init__(self, app: ASGIApp, *, port: int, pass_: str, read_only: bool = False) -> None:
        self._app, self._pass, self._read_only = app, pass_, read_only
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        # Cookies do not know of ports: each of several reviews has its own.
        self._cookie = f"goldlabel_pass_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return  # no web sockets here
        sender = _with_headers(send)
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._check_origin(scope["method"], headers)
            if scope["path"] == "/" and self._comes_with_pass(scope):
                await self._let_in(sender)
                return
            self._check_pass(headers)
            self._check_body(scope, headers)
            await self._app(scope, _limited(receive), sender)
        except Refusal as refusal:
            await _refuse(refusal, sender)

    def _check_origin(self, method: str, headers: dict[bytes, str]) -> None:
        host = headers.get(b"host", "")
        if host not in self._hosts:
            raise Refusal(
                421, "Host", f"is {host[:100]!r}, not this server", "Use the printed address"
            )
        own = {f"http://{name}" for name in self._hosts}
        origin = headers.get(b"origin", "")
        if method not in _READS and origin not in own:
            raise Refusal(
                403, "Origin", f"is {origin[:100]!r}, another page", "Use the printed address"
            )

    def _comes_with_pass(self, scope: Scope) -> bool:
        query = scope["query_string"].decode("latin-1")
        given = parse_qs(query, max_num_fields=10).get("pass", []) if len(query) < 1000 else []
        if not given:
            return False
        if not self._is_pass(given[0]):
            raise _no_pass()
        return True

    def _is_pass(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "replace"), self._pass.encode("utf-8"))

    def _check_pass(self, headers: dict[bytes, str]) -> None:
        try:
            cookie = SimpleCookie(headers.get(b"cookie", "")).get(self._cookie)
        except CookieError:
            cookie = None
        if cookie is None or not self._is_pass(cookie.value):
            raise _no_pass()

    def _check_body(self, scope: Scope, headers: dict[bytes, str]) -> None:
        if scope["method"] in _READS:
            return
        if self._read_only and scope["path"] not in _ASKS:
            raise Refusal(403, "review", "is open for reading only", "Start it without --read-only")
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length[:20]) > LARGEST:
            raise _too_large()

    async def _let_in(self, send: Send) -> None:
        cookie = f"{self._cookie}={self._pass}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _no_pass() -> Refusal:
    return Refusal(403, "pass", "is missing, or not the one of this run", "Use the printed address")


def _too_large() -> Refusal:
    return Refusal(413, "body", f"is larger than {LARGEST:,} bytes", "Send less at once")


def _limited(receive: Receive) -> Receive:
    """Stop a body that comes without saying its length, once it is too large."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST:
            raise _too_large()
        return message

    return limited


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message.get("headers", ())}
            more = [
                (name.encode(), value.encode())
                for name, value in HEADERS.items()
                if name.encode() not in own
            ]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sender


async def _refuse(refusal: Refusal, send: Send) -> None:
    error = {"where": refusal.where, "what": refusal.what, "fix": refusal.fix}
    body = json.dumps({"error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # what was not read is in the way of the next request
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
