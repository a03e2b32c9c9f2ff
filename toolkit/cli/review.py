"""``goldlabel review DIR``: fix what an audit found, by keys, in the browser."""

from __future__ import annotations

import getpass
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from goldlabel.cli.screen import screen_of, shell

__all__ = ["command"]


def command(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What goldlabel audit wrote.", show_default=False)
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Who decides; who you are here if not given.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="Where decisions are kept; DIR/review.sqlite if not given.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where the button Export may write.", show_default=False
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", metavar="N", help="0: any that is free.")] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", metavar="", help="Do not open the browser.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", metavar="", help="Show what is decided; write nothing.")
    ] = False,
) -> None:
    """Fix what an audit found, by keys, in the browser.

    One question after the other, the worst first; each answer is saved before the next question
    is shown, and can be taken back. Everything stays on this machine. End it with Ctrl-C, and
    write the corrected dataset with goldlabel export DIR --reviewed.
    """
    from goldlabel.review.server import Server
    from goldlabel.review.session import Review

    screen = screen_of(context)
    review = Review(folder, log=log, read_only=read_only)
    try:
        reviewer = None if read_only else review.log.enter_reviewer(name or _user())
        server = Server(review, reviewer, port=port, out=out)
        screen.say(f"Review of {folder}: {server.address}")
        screen.say("Ctrl-C ends it; what is decided is saved.")
        if not no_open:
            webbrowser.open(server.address)
        server.run()
        decided = len(review.decisions())
    finally:
        review.close()
    screen.say(f"{decided:,} labels decided, kept in {review.log.path}.")
    if decided:
        words = ["goldlabel", "export", folder, "--reviewed", "--out", "FILE"]
        screen.say(f"Next: {shell(*words)}")


def _user() -> str:
    """Return who uses this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reviewer"
