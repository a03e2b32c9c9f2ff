"""``goldlabel select DIR -n 100 --out FILE``: choose what to label next."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from goldlabel.cli.screen import screen_of

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
            help="The tasks: .csv or .jsonl, or .json to import into Label Studio.",
        ),
    ],
    n: Annotated[int, typer.Option("-n", "--number", min=1, metavar="N", help="How many.")] = 100,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            metavar="FILE",
            help="Numbers for each example (embeddings, .npy), by which tasks are made to differ.",
        ),
    ] = None,
    at_random: Annotated[
        bool,
        typer.Option("--at-random", metavar="", help="Choose by chance instead, to compare with."),
    ] = False,
    per_annotator: Annotated[
        int | None,
        typer.Option(
            "--per-annotator",
            min=1,
            metavar="N",
            help="Most tasks for one person; shared out if not given.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of what is random.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Replace FILE if it exists.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print the tasks as JSON.")
    ] = False,
) -> None:
    """Choose what to label next, or once more, and by whom.

    First come the examples whose label is least sure, those nobody has labelled among them. The
    audit has to be of a task that knows who labelled what, best with a model's predictions.
    """
    from goldlabel.actions.next_tasks import next_tasks

    screen = screen_of(context)
    with screen.warnings():
        frame = next_tasks(
            folder,
            out,
            n=n,
            features=features,
            at_random=at_random,
            per_annotator=per_annotator,
            seed=seed,
            force=force,
        )
    if json:
        screen.say(json_text.dumps(json_text.loads(frame.to_json(orient="records")), indent=2))
        return
    how = "at random" if at_random else "the least sure first"
    screen.say(f"{len(frame):,} examples to label next, {how}: {out}")
    for row in frame.head(5).itertuples(index=False):
        shown = dict(zip(frame.columns, row, strict=True))
        shown.pop("example", None)
        there = {name: value for name, value in shown.items() if not _is_missing(value)}
        screen.say("  " + "  ".join(f"{name}: {_short(value)}" for name, value in there.items()))
    screen.say()
    screen.say("Next: add the new labels to the dataset, predict it again, and audit it again")


def _is_missing(value: object) -> bool:
    """Whether a task does not say it: who should label what everybody has labelled already."""
    return value is None or value != value


def _short(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"
