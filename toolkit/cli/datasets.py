"""``goldlabel datasets``: public datasets with known label errors, to try things on."""

from __future__ import annotations

import inspect
import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldlabel.cli import signature
from goldlabel.cli.docstring import described
from goldlabel.cli.screen import screen_of, shell
from goldlabel.task import find_task, task_names

if TYPE_CHECKING:
    from goldlabel.datasets.sources import Dataset

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Public datasets with label errors, to try things on.")


@described(app, "list")
def list_all(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """List the datasets that can be fetched."""
    from goldlabel.datasets import list_datasets

    screen, table = screen_of(context), list_datasets()
    if json:
        screen.say(json_text.dumps(table.to_dict("records"), indent=2))
        return
    names, tasks = table["name"].str.len().max(), table["task"].str.len().max()
    for row in table.to_dict("records"):
        size = f"{row['bytes'] / 1e6:.1f} MB"
        head = f"{row['name']:<{names}}  {row['task']:<{tasks}}"
        screen.say(f"{head}  {size:>8}  {row['description']}")
    screen.say()
    screen.say("Next: goldlabel datasets fetch NAME")


@described(app)
def fetch(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of the list.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder for the files; the user's cache if not given."
        ),
    ] = None,
) -> None:
    """Download a dataset, check its files, and say under which licence it is published."""
    from goldlabel.datasets import fetch as download
    from goldlabel.datasets.sources import find_dataset

    screen = screen_of(context)
    with screen.progress() as progress:
        folder = download(name, folder=out, progress=progress or _nobody)
    dataset = find_dataset(name)
    screen.say(f"{dataset.description}")
    screen.say(f"Files:   {folder}")
    screen.say(f"Licence: {dataset.licence}")
    screen.say(f"Cite:    {dataset.citation}")
    command = _audit_command(dataset, folder)
    if command:
        screen.say()
        screen.say(f"Next: {command}")


def _nobody(done: int, total: int, what: str) -> None:
    pass


def _audit_command(dataset: Dataset, folder: Path) -> str | None:
    """Return the command that audits a fetched dataset, if its task can read it."""
    if dataset.read_files is None or dataset.task not in task_names():
        return None
    files = {name: folder / path for name, path in dataset.read_files.items()}
    given = {**files, **(dataset.read_options or {})}
    options = signature.parameters(find_task(dataset.task).audit, {})
    parameters = {each.name: each for each in options}
    needed = {name for name, each in parameters.items() if each.default is each.empty}
    if not needed <= given.keys() <= parameters.keys():
        return None  # it needs predictions, and these are the user's to make
    words: list[object] = []
    for name, value in given.items():
        if parameters[name].kind is inspect.Parameter.KEYWORD_ONLY:
            words.append("--" + name.replace("_", "-"))
        words.append(signature.join(value) if isinstance(value, list | tuple) else value)
    return shell("goldlabel", "audit", dataset.task, *words, "--out", f"{dataset.name}-audit")
