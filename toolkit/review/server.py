"""The server of a review: on this machine alone, until it is stopped."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import uvicorn

from goldlabel.errors import InputError
from goldlabel.review.api import application
from goldlabel.review.guard import Guard, new_pass
from goldlabel.review.records import Reviewer
from goldlabel.review.session import Review

__all__ = ["Server"]

_HOST = "127.0.0.1"


class Server:
    """Serves one review at one address.

    Parameters
    ----------
    review : Review
    reviewer : Reviewer, optional
        Who decides if a page does not say.
    port : int
        0: any that is free.
    out : Path, optional
        Where the page may write the corrected dataset.

    Raises
    ------
    InputError
        The port is taken, or may not be used.
    """

    def __init__(
        self,
        review: Review,
        reviewer: Reviewer | None,
        *,
        port: int = 0,
        out: Path | None = None,
    ) -> None:
        self._review = review
        # asyncio sends small answers at once only on sockets that say that they are TCP.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            why = getattr(error, "strerror", None) or error
            raise InputError("port", f"{port} cannot be used ({why})", "Name another") from error
        self.port = int(self._socket.getsockname()[1])
        word = new_pass()
        self.address = f"http://{_HOST}:{self.port}/?pass={word}"
        app = Guard(
            application(review, reviewer, out),
            word=word,
            port=self.port,
            read_only=review.log.read_only,
        )
        config = uvicorn.Config(
            app, log_level="error", access_log=False, lifespan="off", ws="none", server_header=False
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until `stop`, Ctrl-C or SIGTERM; the dataset is read meanwhile."""
        threading.Thread(target=self._review.open_view, daemon=True).start()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._server.should_exit = True
