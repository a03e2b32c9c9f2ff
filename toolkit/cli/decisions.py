"""``goldlabel decisions DIR``: what an audit found, as a table to decide in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldlabel.cli.screen import screen_of, shell

__all__ = ["FILE", "command"]

FILE = "decisions.csv"


def command(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What goldlabel audit wrote.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="CSV", help=f"The table; DIR/{FILE} if not given.", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", metavar="", help="Replace the table, and what is decided in it."),
    ] = False,
) -> None:
    """Write every label judged wrong into a CSV file, worst first, to decide in.

    Look at each, and fill in its column label: the suggested one, another, or the given one to
    keep it. Rows left empty are undecided, and change nothing.
    """
    from goldlabel.actions.export import corrected_name, write_decisions

    screen = screen_of(context)
    table = folder / FILE if out is None else out
    with screen.warnings():
        rows, source = write_decisions(folder, table, force=force)
    screen.say(
        f"{len(rows):,} label{'' if len(rows) == 1 else 's'} to decide, worst first: {table}"
    )
    if len(rows):
        corrected = folder.with_name(corrected_name(source))
        words = ("export", folder, "--decisions", table, "--out", corrected)
        screen.say("Rows whose column label stays empty change nothing.")
        screen.say()
        screen.say(f"Next: fill in the column label, then {shell('goldlabel', *words)}")
