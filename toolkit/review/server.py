"""The server of a review: on this machine only, for whoever has the pass."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from goldlabel.errors import InputError
from goldlabel.review.api import actions, examples, state
from goldlabel.review.guard import Guard, Refusal, new_pass

if TYPE_CHECKING:
    from goldlabel.review.records import Reviewer
    from goldlabel.review.session import Review

__all__ = ["STATIC", "Server"]

HOST = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "favicon.svg": "image/svg+xml",
    "LICENSES.txt": "text/plain; charset=utf-8",
}
_NO_PAGE = (
    "<!doctype html><meta charset=utf-8><title>goldlabel review</title>"
    "<p>The page of the review has not been built: toolkit/review/static is missing."
)


class Server:
    """Serves a review; the port is taken when it is made.

    Parameters
    ----------
    review : Review
    reviewer : Reviewer, optional
        Who decides if a page does not say; that of the review, if not given.
    port : int
        0 for any that is free.
    out : Path, optional
        Where a page may have the corrected dataset written to.

    Attributes
    ----------
    address : str
        What to open: with the pass.

    Raises
    ------
    InputError
        The port is taken.
    """

    def __init__(
        self,
        review: Review,
        reviewer: Reviewer | None = None,
        *,
        port: int = 0,
        out: Path | None = None,
    ) -> None:
        review.out = out
        if reviewer is not None:
            review.reviewer = reviewer.reviewer
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.pass_ = new_pass()
        self.address = f"http://{HOST}:{self.port}/?pass={self.pass_}"
        app = _app(review)
        guard = Guard(app, port=self.port, pass_=self.pass_, read_only=review.log.read_only)
        self._server = uvicorn.Server(
            uvicorn.Config(
                guard,
                lifespan="off",
                log_level="error",
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )

    def run(self) -> None:
        """Serve until Ctrl-C."""
        try:
            self._server.run(sockets=[self._socket])
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve on a thread as long as the block runs; give the address."""
        thread = threading.Thread(target=self.run, name="goldlabel-server", daemon=True)
        thread.start()
        while not self._server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield self.address
        finally:
            self.stop()
            thread.join(timeout=10)


def _listening(port: int) -> socket.socket:
    # With the protocol named, asyncio sends small answers at once (TCP_NODELAY): 0.4 ms, not 48.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or "no such port"
        raise InputError(
            f"--port {port}", f"cannot be used ({why})", "Name another port"
        ) from error
    return listening


def _app(review: Review) -> Starlette:
    routes = [
        Route("/", _static("index.html")),
        Route("/assets/app.js", _static("app.js")),
        Route("/assets/app.css", _static("app.css")),
        Route("/assets/LICENSES.txt", _static("LICENSES.txt")),
        Route("/favicon.ico", _static("favicon.svg")),
        Route("/favicon.svg", _static("favicon.svg")),
        *(*state.routes, *examples.routes, *actions.routes),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _http, Refusal: _refused})
    app.router.redirect_slashes = False
    app.state.review = review
    return app


def _static(name: str) -> Any:
    def endpoint(request: Request) -> Response:
        try:
            content = (STATIC / name).read_bytes()
        except OSError:
            if name == "index.html":
                return HTMLResponse(_NO_PAGE)
            raise HTTPException(404) from None
        return Response(content, media_type=_TYPES[name])

    return endpoint


def _error(status: int, where: str, what: str, fix: str) -> Response:
    return JSONResponse({"error": {"where": where, "what": what, "fix": fix}}, status)


async def _http(request: Request, error: Exception) -> Response:
    """Say in JSON that there is no such endpoint, or that it takes another method."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    what = "takes another method" if status == 405 else "is not there"
    return _error(status, request.url.path[:200], what, "Load the page again")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _error(error.status, error.where, error.what, error.fix)
