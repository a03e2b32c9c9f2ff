"""``goldlabel review DIR``: decide in the browser about what an audit found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldlabel.cli.screen import Screen, screen_of, shell

if TYPE_CHECKING:
    from goldlabel.review.session import Review

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
            help="Who reviews; who is logged in, if not given.",
            show_default=False,
        ),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            metavar="CSV",
            help="Begin with what this table decides, e.g. an edited change log.",
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
            "--out",
            metavar="FILE",
            help="Where the page may write the corrected dataset.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 is any free one.")
    ] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", metavar="", help="Print the address, open no browser.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", metavar="", help="Show, and change nothing.")
    ] = False,
) -> None:
    """Look at what an audit found, in the browser, and decide: one key each.

    Every decision is saved before the next question is shown, and can be taken back. The page is
    served on this machine only, to whoever has the address that is printed.
    """
    from goldlabel.review.merging import import_table
    from goldlabel.review.server import Server
    from goldlabel.review.session import Review, user_name

    screen = screen_of(context)
    review = Review(
        folder, log=log, read_only=read_only, name=user_name() if name is None else name
    )
    try:
        if decisions is not None:
            labels = import_table(review, decisions)
            screen.say(f"{labels:,} label{'' if labels == 1 else 's'} decided in {decisions}")
        server = Server(review, port=port, out=out)
        screen.say(f"Review: {server.address}")
        screen.say("Ctrl-C ends it; what is decided is saved.")
        if not no_open:
            import webbrowser

            webbrowser.open(server.address)
        server.run()
        _say_bye(screen, review, log)
    finally:
        review.close()


def _say_bye(screen: Screen, review: Review, log: Path | None) -> None:
    """Say how much is decided, and what to do with it."""
    from goldlabel.actions.export import corrected_name

    review.sync()
    progress, decided = review.progress(), len(review.decisions())
    conflicts = progress["conflict"]
    more = f", {conflicts:,} in conflict" if conflicts else ""
    screen.say()
    screen.say(
        f"{decided:,} label{'' if decided == 1 else 's'} decided, "
        f"{progress['changed']:,} of them changed{more}; "
        f"{progress['undecided']:,} examples undecided: {review.log.path}"
    )
    if not decided or review.log.read_only:
        return
    out = review.out or review.folder.with_name(corrected_name(review.source))
    words = ["export", review.folder, "--reviewed", "--out", out]
    screen.say(f"Next: {shell('goldlabel', *words, *(['--log', log] if log else []))}")
