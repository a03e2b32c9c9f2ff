"""``goldlabel audit TASK FILE... --out DIR``: find the wrong labels in a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.main import get_command

from goldlabel.cli import docstring, signature
from goldlabel.cli.screen import Screen, screen_of, shell
from goldlabel.errors import InputError
from goldlabel.task import Task, find_task, task_names

if TYPE_CHECKING:
    from goldlabel.results.audit import Audit

__all__ = ["Output", "app", "show", "write"]


class Tasks(TyperGroup):
    """A command per installed task; its options are read from the task when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the installed tasks."""
        return task_names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command that knows no more than its title: all that a list of them shows."""
        if cmd_name not in task_names():
            return None
        return _command(cmd_name, lambda: None, _title(cmd_name))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the whole command of the task that was asked for."""
        if args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        return args[0], task_command(find_task(args[0])), args[1:]


app = typer.Typer(
    cls=Tasks,
    no_args_is_help=True,
    subcommand_metavar="TASK FILE... --out DIR",
    help="Find the wrong labels in a dataset: print the worst, write all of them and a report.\n\n"
    "Every task has options of its own: goldlabel audit TASK --help.",
)


@app.callback()
def _audit() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Output:
    """The options that every task has."""

    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder to write the results into.")
    ]
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print the summary and the worst as JSON.")
    ] = False
    top: Annotated[
        int, typer.Option("--top", min=0, metavar="N", help="How many of the worst to print.")
    ] = 10
    quiet: Annotated[
        bool, typer.Option("--quiet", metavar="", help="Print nothing but warnings and errors.")
    ] = False


def task_command(task: Task) -> Any:
    """Build the command of a task from the signature and the docstring of its ``audit``."""
    audit = task.audit
    described = docstring.read(audit.__doc__)
    own = signature.parameters(audit, described.parameters)
    same = signature.options(Output, panel="Output, the same for every task")
    taken = {parameter.name for parameter in own} & {parameter.name for parameter in same}
    if taken:
        raise TypeError(f"{task.package}.audit: {sorted(taken)} are options of every task already")

    def command(context: typer.Context, **values: Any) -> None:
        output = Output(**{parameter.name: values.pop(parameter.name) for parameter in same})
        screen = screen_of(context)
        show(write(task, values, output, screen), output, screen)

    return _command(task.name, signature.shaped(command, [*own, *same]), described.text)


def _title(name: str) -> str:
    try:
        return find_task(name).title
    except InputError as error:  # somebody else's package: the others can be used all the same
        return f"(cannot be loaded: {error.__cause__ or error.what})"


def _command(name: str, function: Any, help: str) -> Any:
    single = typer.Typer(add_completion=False, rich_markup_mode="rich")
    single.command(name, help=escape(help), no_args_is_help=True)(function)
    return get_command(single)


def write(task: Task, values: Mapping[str, Any], output: Output, screen: Screen) -> Audit:
    """Audit, and write the results into a folder.

    Parameters
    ----------
    task : Task
        The task to run.
    values : mapping of str to object
        The arguments of its ``audit``, by name.
    output : Output
        Where the results go.
    screen : Screen
        Where warnings and the progress are shown.

    Returns
    -------
    Audit
        What was found, with all that was warned of.
    """
    from goldlabel import report

    started = datetime.now(UTC)
    screen.in_options = signature.in_options(task.audit)
    _check_out(output.out, values)
    with (
        screen.warnings() as warned,
        screen.log(output.quiet),
        screen.progress(output.quiet) as progress,
    ):
        told = {signature.PROGRESS: progress} if signature.wants_progress(task.audit) else {}
        audit = task.audit(**signature.keywords(task.audit, values), **told)
        silent = [text for text in audit.warnings if text not in warned]
        new = [text for text in warned if text not in audit.warnings]
        audit = replace(audit, warnings=(*audit.warnings, *new))
        report.write(audit, output.out, command=screen.command, started=started)
    for text in silent:
        screen.complain(f"warning: {text}")
    return audit


def show(audit: Audit, output: Output, screen: Screen, *, more: str | None = None) -> None:
    """Print what was found, and the one next useful command.

    Parameters
    ----------
    audit : Audit
        What `write` returned.
    output : Output
        What is to be printed, and how much.
    screen : Screen
        Where.
    more : str, optional
        A line of the caller's.
    """
    from goldlabel import report

    if output.quiet:
        return
    if output.json:
        json = report.to_json(audit, top=output.top, command=screen.command, out=output.out)
        screen.say(json)
        return
    # What was warned of is on stderr already.
    report.show(replace(audit, warnings=()), screen.out, top=output.top)
    screen.say()
    if more:
        screen.say(more)
    screen.say(f"Report: {output.out / 'report.html'}")
    if following := _following(audit, output.out):
        screen.say(f"Next:   {following}")


def _following(audit: Audit, folder: Path) -> str:
    """Return what to do with the result: never to change labels that nobody has looked at."""
    if audit.warnings:
        return "see to what was warned of above, and audit again before you change any label"
    if not len(audit.issues.parts):
        return ""
    return shell("goldlabel", "review", folder)


def _check_out(out: Path, values: Mapping[str, Any]) -> None:
    """Refuse a folder that cannot take the results before hours are spent on them."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}", "is a file, not a folder", "Name a folder for the results")
    if not out.parent.is_dir():
        raise InputError(
            f"--out {out}", f"lies in {out.parent}, which is no folder", "Make that folder first"
        )
    for name, value in values.items():
        given = value if isinstance(value, list) else [value]
        if any(isinstance(each, Path) and each.resolve() == out.resolve() for each in given):
            raise InputError(
                f"--out {out}",
                f"is what is audited ({name})",
                "Name another folder, so that results and data stay apart",
            )
