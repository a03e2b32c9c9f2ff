"""``goldlabel coco``: what is wrong with files in COCO's format, and the safe fixes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldlabel.cli.docstring import described
from goldlabel.cli.screen import Screen, screen_of, shell
from goldlabel.cli.signature import split

if TYPE_CHECKING:
    from goldlabel.coco import Findings, Fixed

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Check annotation files in COCO's format: boxes, masks, ids, duplicates, images, splits.",
)

FOUND = 1
STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold"}
TOP = 3
ONE = {
    "images": "image",
    "annotations": "annotation",
    "categories": "category",
    "predictions": "prediction",
}


class Format(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"


class FailOn(StrEnum):
    """From which severity on findings make the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


Select = Annotated[
    str | None,
    typer.Option("--select", metavar="A,B,...", help="Only these codes.", show_default=False),
]
Ignore = Annotated[
    str | None,
    typer.Option("--ignore", metavar="A,B,...", help="Not these codes.", show_default=False),
]


@described(app)
def check(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="A dataset in COCO's JSON. Further files are other splits of it: they are "
            "checked too, and for images that are in two of them.",
            show_default=False,
        ),
    ],
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--images",
            metavar="DIR",
            help="Look at the image files in this folder too. Once, or once for each FILE.",
            show_default=False,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            metavar="FILE",
            help="Check results of a detector, in COCO's JSON, against FILE.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="How to print what was found.")
    ] = Format.TABLE,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 if something as bad was found.")
    ] = FailOn.ERROR,
    select: Select = None,
    ignore: Ignore = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=0,
            metavar="N",
            help=f"Print at most N findings of each code: {TOP} in a table, else all.",
            show_default=False,
        ),
    ] = None,
    duplicate_iou: Annotated[
        float,
        typer.Option(
            "--duplicate-iou", metavar="X", help="From this IoU on, boxes are nearly the same."
        ),
    ] = 0.9,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", metavar="PX", help="So far a box or a mask may leave its image."
        ),
    ] = 1.0,
) -> None:
    """Find what is wrong with a dataset in COCO's JSON, and say where.

    Exit code 0: nothing as bad as --fail-on; 1: something; 2: it could not be checked.
    """
    from goldlabel.coco import check_coco, write_json, write_sarif

    screen = screen_of(context)
    with screen.progress() as progress:
        findings = check_coco(
            *files,
            images=images or None,
            predictions=predictions,
            select=None if select is None else split(select, "--select"),
            ignore=() if ignore is None else split(ignore, "--ignore"),
            duplicate_iou=duplicate_iou,
            tolerance=tolerance,
            progress=progress,
        )
    if format is Format.TABLE:
        _show(findings, screen, TOP if top is None else top)
    else:
        write = write_json if format is Format.JSON else write_sarif
        write(findings, screen.out.file, top=top)
    if fail_on is not FailOn.NEVER and not findings.is_clean(fail_on):
        raise typer.Exit(FOUND)


def _show(findings: Findings, screen: Screen, top: int) -> None:
    """Print a block for each code, then the sums, then what to do next."""
    from rich.text import Text

    from goldlabel.coco.writing import first

    shown = {code: list(first(findings.only([code]), top)) for code in findings.codes}
    several = len(findings.files) > 1
    for row in findings.per_code().to_dict("records"):
        code, severity, count = row["code"], row["severity"], row["count"]
        head = Text(f"{severity} ", style=STYLES[severity]).append(code, style="bold")
        mendable = f", {row['fixable']:,} can be fixed" if row["fixable"] else ""
        head.append(f"  {count:,}{mendable}: {row['what']}", style="not bold")
        screen.out.print(head, soft_wrap=True)
        for each in shown[code]:
            place = f"{Path(each.file).name} {each.path}" if several else each.path
            screen.say(_one_line(f"{place}: {each.message}"))
        if count > len(shown[code]):
            screen.say(f"  ... and {count - len(shown[code]):,} more")
    if len(findings):
        screen.say()
    screen.say(_sums(findings))
    if any(batch.fixable.any() for batch in findings.batches):
        path = findings.files[0]
        out = path.with_name(f"{path.stem}-fixed{path.suffix}")
        screen.say()
        screen.say(f"Next: {shell('goldlabel', 'coco', 'fix', path, '--out', out)}")


def _one_line(text: str) -> str:
    from goldlabel.report.wording import one_line

    return "  " + one_line(text, 2000)


def _sums(findings: Findings) -> str:
    counts = ", ".join(_count(n, name) for name, n in findings.counts().items())
    sizes = ", ".join(_count(n, ONE[name], name) for name, n in findings.sizes.items() if n)
    names = ", ".join(path.name for path in findings.files)
    return f"{counts} in {names}" + (f" ({sizes})" if sizes else "")


def _count(n: int, one: str, more: str = "") -> str:
    """Return a count and what is counted.

    Examples
    --------
    >>> _count(1, "change"), _count(2000, "category", "categories")
    ('1 change', '2,000 categories')
    """
    return f"{n:,} {one if n == 1 else more or one + 's'}"


@described(app)
def fix(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A dataset in COCO's JSON.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The mended file.")],
    select: Select = None,
    ignore: Ignore = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="The log of changes, .csv or .jsonl; OUT.changes.csv if not given.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", metavar="", help="Replace the files that exist, FILE itself too."),
    ] = False,
) -> None:
    """Mend what can be mended without loss; every other byte stays as it was.

    What is mended is what `goldlabel coco check` says can be fixed. A log lists each change.
    """
    from goldlabel.coco import fix_coco

    screen = screen_of(context)
    done = fix_coco(
        file,
        out,
        select=None if select is None else split(select, "--select"),
        ignore=() if ignore is None else split(ignore, "--ignore"),
        log=log,
        force=force,
    )
    _show_fixed(done, screen)


def _show_fixed(done: Fixed, screen: Screen) -> None:
    counts: dict[str, int] = {}
    for change in done.changes:
        counts[change.code] = counts.get(change.code, 0) + 1
    screen.say(f"{_count(len(done.changes), 'change')}: {done.out}")
    for code, count in sorted(counts.items(), key=lambda each: -each[1]):
        screen.say(f"  {count:>9,}  {code}")
    screen.say(f"Each change: {done.change_log}")
    if done.left:
        need = "needs" if done.left == 1 else "need"
        screen.say(
            f"{_count(done.left, 'error or warning', 'errors and warnings')} {need} a person."
        )
        screen.say()
        screen.say(f"Next: {shell('goldlabel', 'coco', 'check', done.out)}")
