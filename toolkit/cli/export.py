"""``goldlabel export DIR --out FILE``: write the dataset again, with its labels corrected."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldlabel.cli.screen import screen_of, shell

if TYPE_CHECKING:
    from goldlabel.actions.export import Exported

__all__ = ["command"]


def command(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What goldlabel audit wrote.", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The corrected dataset, in the format of the original. "
            "What changed goes beside it, into FILE.changes.csv.",
        ),
    ],
    min_confidence: Annotated[
        float,
        typer.Option(
            "--min-confidence",
            metavar="P",
            help="Take the suggestions that are at least this sure, in 0 .. 1.",
        ),
    ] = 0.9,
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            metavar="CSV",
            help="Take these labels instead: columns example (or id), label, and part if any. "
            "An edited change log will do.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", metavar="", help="Replace FILE and its change log if they exist."),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print what was written as JSON.")
    ] = False,
) -> None:
    """Write the dataset again, in its own format, with its labels corrected.

    Everything else stays as it was, and the original is never touched. A suggestion is the opinion
    of a model: look at the change log before you train on the result, and correct it if need be.
    """
    from goldlabel.actions.export import export

    screen = screen_of(context)
    with screen.warnings():
        done = export(folder, out, min_confidence=min_confidence, decisions=decisions, force=force)
    if json:
        screen.say(
            json_text.dumps(
                {
                    "out": str(done.out),
                    "change_log": str(done.change_log),
                    "changed": len(done.changes),
                    "examples": done.examples,
                    "findings": done.findings,
                },
                indent=2,
            )
        )
        return
    changed = len(done.changes)
    of = f" of {done.findings:,} suspected" if decisions is None else ""
    screen.say(f"{changed:,}{of} label{'' if changed == 1 else 's'} changed: {done.out}")
    screen.say(f"Each change and its reason: {done.change_log}")
    if decisions is None:
        screen.say()
        screen.say(f"Next: {_next(folder, done)}")


def _next(folder: Path, done: Exported) -> str:
    """Return what to try: other labels where some were changed, lower demands where none was."""
    if len(done.changes) or not done.findings:
        out = done.out.with_name(f"reviewed-{done.out.name}")
        again = shell("goldlabel", "export", folder, "--out", out, "--decisions", done.change_log)
        return f"edit the labels in {done.change_log.name}, then {again}"
    lower = ("--min-confidence", 0.5, "--force")
    return shell("goldlabel", "export", folder, "--out", done.out, *lower)
