"""``goldlabel decisions DIR``: what an audit found, and what is decided about it, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from goldlabel.cli.screen import Screen, screen_of, shell
from goldlabel.errors import InputError

if TYPE_CHECKING:
    from goldlabel.review.session import Review

__all__ = ["FILE", "command"]

FILE = "decisions.csv"


def command(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What goldlabel audit wrote.", show_default=False)
    ],
    merge: Annotated[
        list[Path] | None,
        typer.Option(
            "--merge",
            metavar="OTHER",
            help="First take the decisions of another review into this one's log: its folder, or "
            "its review.sqlite. May be given several times; twice the same changes nothing.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="CSV", help=f"The table; DIR/{FILE} if not given.", show_default=False
        ),
    ] = None,
    conflicts: Annotated[
        Literal["skip", "latest", "expert"] | None,
        typer.Option(
            "--conflicts",
            help="Where reviewers differ: leave the label undecided (skip, if not given), or take "
            "the latest answer, or an expert's.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="The log of the review; DIR/review.sqlite if not given.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", metavar="", help="Replace the table, and what is decided in it."),
    ] = False,
) -> None:
    """Write every label judged wrong into a CSV file, worst first, to decide in.

    What was decided in a review is filled in. Look at each of the others, and fill in its column
    label: the suggested one, another, or the given one to keep it. Rows left empty are undecided,
    and change nothing.
    """
    from goldlabel.actions.export import corrected_name, write_decisions
    from goldlabel.review.session import LOG

    screen = screen_of(context)
    path = folder / LOG if log is None else log
    table = folder / FILE if out is None else out
    if merge or path.exists():
        _write_reviewed(screen, folder, path, merge or [], table, conflicts or "skip", force)
        return
    if log is not None or conflicts is not None:
        raise InputError(
            str(path), "is not there", f"Review first: {shell('goldlabel', 'review', folder)}"
        )
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


def _write_reviewed(
    screen: Screen,
    folder: Path,
    log: Path,
    others: list[Path],
    table: Path,
    conflicts: Literal["skip", "latest", "expert"],
    force: bool,
) -> None:
    """Write the table with what is decided in a review, and in others that are taken into it."""
    from goldlabel.actions.export import check_free, corrected_name
    from goldlabel.review.exporting import write_table
    from goldlabel.review.merging import merge
    from goldlabel.review.session import Review

    review = Review(folder, log=log, read_only=not others)
    try:
        check_free(table, review.source, None, force)
        for other in others:
            _say_merged(screen, review, other, merge(review, other))
        written = write_table(review, table, conflicts=conflicts)
    finally:
        review.close()
    screen.say(
        f"{written.decided:,} label{'' if written.decided == 1 else 's'} decided, "
        f"{written.open:,} left open by a reviewer, {written.undecided:,} undecided: {table}"
    )
    if written.statuses is not None:
        screen.say(f"What is unusable, unsure, or for an expert: {written.statuses}")
    if written.conflicts:
        screen.say(
            f"{written.conflicts:,} in conflict, left undecided: settle them in "
            f"{shell('goldlabel', 'review', folder)}, or choose with --conflicts"
        )
    out = folder.with_name(corrected_name(review.source))
    words = ("export", folder, "--decisions", table, "--out", out)
    screen.say()
    screen.say(f"Next: {shell('goldlabel', *words)}")


def _say_merged(screen: Screen, review: Review, other: Path, new: int) -> None:
    screen.say(f"{new:,} new action{'' if new == 1 else 's'} from {other}")
    if dropped := review.dropped():
        screen.say(
            f"{dropped:,} decisions of other audits no longer apply: their labels have changed."
        )
