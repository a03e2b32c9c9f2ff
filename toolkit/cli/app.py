"""The commands by name. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from goldlabel import __version__
from goldlabel.cli import audit, coco, datasets, decisions, demo, export, review, select
from goldlabel.cli.docstring import described

__all__ = ["app"]


class Commands(TyperGroup):
    """The commands in the order in which one needs them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands; those that have subcommands are not left to the end."""
        return sorted(super().list_commands(ctx), key=ORDER.index)


ORDER = ["demo", "audit", "review", "decisions", "export", "select", "coco", "datasets"]

app = typer.Typer(cls=Commands, no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(audit.app, name="audit")
described(app, "review")(review.command)
described(app, "decisions")(decisions.command)
described(app, "export")(export.command)
described(app, "select")(select.command)
described(app, "demo")(demo.command)
app.add_typer(coco.app, name="coco")
app.add_typer(datasets.app, name="datasets")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"goldlabel {__version__}")
        raise typer.Exit


@app.callback()
def _goldlabel(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_version, is_eager=True, help="Say the version."
        ),
    ] = False,
) -> None:
    """Find the wrong labels in a dataset, and fix them."""
