"""``goldlabel export DIR --out FILE``: write the dataset again, with its labels corrected."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldlabel.cli.screen import Screen, screen_of, shell
from goldlabel.errors import InputError

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
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            metavar="CSV",
            help="Put in these labels: what goldlabel decisions wrote, filled in, or an edited "
            "change log. Columns: example (or id), label, and part if any.",
        ),
    ] = None,
    reviewed: Annotated[
        bool,
        typer.Option(
            "--reviewed", metavar="", help="Put in the labels decided in goldlabel review."
        ),
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="With --reviewed: the log of the review; DIR/review.sqlite if not given.",
            show_default=False,
        ),
    ] = None,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto", metavar="", help="Put in the suggestions that are sure enough, unseen."
        ),
    ] = False,
    votes: Annotated[
        bool,
        typer.Option(
            "--votes",
            metavar="",
            help="Of several annotators: with --auto, put suggestions into their votes; if not "
            "given, item, consensus and quality are written.",
        ),
    ] = False,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            "--min-confidence",
            metavar="P",
            help="With --auto: how sure, in 0 .. 1; 0.9 if not given.",
            show_default=False,
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

    Everything else stays as it was, and the original is never touched. Of several annotators, what
    is written is a table of items, their consensus and its quality. Else say which labels: those
    that you decided on, or the suggestions unseen. A suggestion is the opinion of a model, and
    where few labels are wrong, most of what it suggests is.
    """
    from goldlabel.actions.corrections import MIN_CONFIDENCE
    from goldlabel.actions.export import export, export_consensus

    screen = screen_of(context)
    if log is not None and not reviewed:
        raise InputError("--log", "says nothing without --reviewed", "Leave it out")
    if decisions is None and not votes and not reviewed:
        with screen.warnings():
            examples = export_consensus(folder, out, force=force)
        if examples is not None:
            _say_consensus(screen, out, examples, json)
            return
    _check_choice(folder, decisions, reviewed, auto, min_confidence)
    if reviewed:
        _export_reviewed(screen, folder, log, out, force=force, json=json)
        return
    sure = MIN_CONFIDENCE if min_confidence is None else min_confidence
    with screen.warnings():
        done = export(folder, out, decisions=decisions, auto=auto, min_confidence=sure, force=force)
    if json:
        screen.say(json_text.dumps(_plain(done, auto), indent=2))
        return
    screen.say(_changed(done, auto))
    screen.say(f"Each change and its reason: {done.change_log}")
    if auto:
        screen.say()
        screen.say(f"Next: {_next(folder, done)}")


def _export_reviewed(
    screen: Screen, folder: Path, log: Path | None, out: Path, *, force: bool, json: bool
) -> None:
    """Put in what was decided in a review."""
    from goldlabel.review.exporting import export_reviewed
    from goldlabel.review.session import LOG, Review

    path = folder / LOG if log is None else log
    if not path.is_file():
        raise InputError(
            str(path), "is not there", f"Review first: {shell('goldlabel', 'review', folder)}"
        )
    review = Review(folder, log=path, read_only=True)
    try:
        with screen.warnings():
            done, conflicts = export_reviewed(review, out, force=force)
    finally:
        review.close()
    if json:
        screen.say(json_text.dumps({**_plain(done, False), "conflicts": conflicts}, indent=2))
        return
    screen.say(_changed(done, False))
    if conflicts:
        screen.say(f"{conflicts:,} left as given: reviewers differ about them.")
    screen.say(f"Each change and its reason: {done.change_log}")


def _say_consensus(screen: Screen, out: Path, examples: int, json: bool) -> None:
    if json:
        screen.say(json_text.dumps({"out": str(out), "examples": examples}, indent=2))
        return
    screen.say(
        f"{examples:,} examples, each with its consensus and how likely that is right: {out}"
    )
    screen.say("No vote is changed; that takes --decisions FILE, or --auto --votes.")


def _check_choice(
    folder: Path,
    decisions: Path | None,
    reviewed: bool,
    auto: bool,
    min_confidence: float | None,
) -> None:
    chosen = {"--decisions": decisions is not None, "--reviewed": reviewed, "--auto": auto}
    given = [name for name, is_given in chosen.items() if is_given]
    if not given:
        raise InputError(
            "--reviewed, --decisions",
            "are missing, and nothing is changed by default: a model's suggestions are often wrong",
            f"Decide with {shell('goldlabel', 'review', folder)}, or in a table, written by "
            f"{shell('goldlabel', 'decisions', folder)}, or put in suggestions unseen with --auto",
        )
    if len(given) > 1:
        raise InputError(given[-1], f"is given beside {given[0]}", "Leave one of them out")
    if min_confidence is not None and not auto:
        raise InputError("--min-confidence", "says nothing without --auto", "Leave it out")


def _plain(done: Exported, auto: bool) -> dict[str, object]:
    """Return what was done as plain JSON."""
    document: dict[str, object] = {
        "out": str(done.out),
        "change_log": str(done.change_log),
        "changed": len(done.changes),
        "examples": done.examples,
        "findings": done.findings,
    }
    if auto:
        return {**document, "expected_wrong": round(done.expected_wrong, 1)}
    return {**document, "kept": done.kept, "undecided": done.undecided}


def _changed(done: Exported, auto: bool) -> str:
    """Say what was changed, and what is to be thought of it."""
    changed = len(done.changes)
    labels = f"label{'' if changed == 1 else 's'} changed"
    if not auto:
        return (
            f"{changed:,} {labels}, {done.kept:,} kept as given, "
            f"{done.undecided:,} undecided: {done.out}"
        )
    text = f"{changed:,} of {done.findings:,} suspected {labels} unseen: {done.out}"
    if not changed:
        return text
    wrong = done.expected_wrong
    about = "fewer than 1" if wrong < 1 else f"about {wrong:,.0f}"
    return (
        f"{text}\nExpected to be wrong: {about} of these {changed:,}, by the model's own estimate. "
        "Where few labels of a dataset are wrong it is often most of them."
    )


def _next(folder: Path, done: Exported) -> str:
    """Return how to look at what was changed, or at what was found if nothing was."""
    if not len(done.changes):
        return shell("goldlabel", "decisions", folder)
    out = done.out.with_name(f"reviewed-{done.out.name}")
    again = shell("goldlabel", "export", folder, "--out", out, "--decisions", done.change_log)
    return f"look at each change, correct the labels in {done.change_log.name}, then {again}"
