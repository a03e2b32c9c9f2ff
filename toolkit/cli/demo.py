"""``goldlabel demo``: the whole way on real images, without a download."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldlabel.cli import audit as audit_command
from goldlabel.cli.screen import Screen, screen_of, shell
from goldlabel.errors import InputError
from goldlabel.files import path_inside, replacing
from goldlabel.task import find_task

if TYPE_CHECKING:
    from goldlabel.results.audit import Audit

__all__ = ["command"]

TASK = "multiclass"
PLANTED = "planted.csv"


def command(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder to write everything into.")
    ] = Path("goldlabel-demo"),
    plant_errors: Annotated[
        float,
        typer.Option(
            "--plant-errors",
            metavar="RATE",
            help="First put this share of the images, 0 .. 1, into a wrong folder, "
            "to see how many are found.",
        ),
    ] = 0.0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Which images, and how they are predicted.")
    ] = 0,
    top: Annotated[
        int, typer.Option("--top", min=0, metavar="N", help="How many of the worst to print.")
    ] = 5,
) -> None:
    """Audit 1,797 handwritten digits: images that come with scikit-learn, and their real errors.

    Writes the images, audits them just as you would audit your own, and says what to do next.
    """
    from goldlabel.datasets import write_digits

    screen = screen_of(context)
    _make_folder(out)
    _take_back(out)
    images, features = write_digits(out)
    screen.say(f"1,797 handwritten digits, a folder for each class: {images}")
    planted = _plant(images, features, out / PLANTED, plant_errors, seed) if plant_errors else None
    if planted is not None:
        screen.say(f"{len(planted):,} of them are in a wrong folder, on purpose: {out / PLANTED}")
    words = ["audit", TASK, images, "--features", features, "--seed", seed, "--out", out / "audit"]
    screen.say(f"$ {shell('goldlabel', *words)}")
    screen.say()
    values = {"path": images, "features": str(features), "seed": seed}
    output = audit_command.Output(out=out / "audit", top=top)
    done = audit_command.write(find_task(TASK), values, output, Screen([str(w) for w in words]))
    audit_command.show(done, output, screen, more=_found(done, planted))


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {out}", f"cannot be made ({error.strerror})", "Name a folder you may write to"
        ) from error


def _take_back(out: Path) -> None:
    """Remove the images that an earlier run has put into wrong folders."""
    try:
        with (out / PLANTED).open(encoding="utf-8", newline="") as file:
            names = [row["image"] for row in csv.DictReader(file) if row.get("image")]
    except FileNotFoundError:
        return
    for name in names:
        if re.fullmatch(r"\d/\d{4}\.png", name):
            path_inside(out, f"images/{name}").unlink(missing_ok=True)
    (out / PLANTED).unlink()


def _plant(images: Path, features: Path, record: Path, rate: float, seed: int) -> list[str]:
    """Move images into wrong class folders; return their new paths, as written into `record`."""
    import numpy as np

    from goldlabel.datasets import plant_errors

    old = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.png"))
    planted = plant_errors([name.split("/")[0] for name in old], rate=rate, seed=seed)
    new = [
        f"{label}/{name.split('/')[1]}"
        for label, name in zip(planted.labels.tolist(), old, strict=True)
    ]
    moved = [(here, there) for here, there in zip(old, new, strict=True) if here != there]
    with replacing(record) as temporary:
        lines = ["image,right_class", *(f"{there},{here.split('/')[0]}" for here, there in moved)]
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for here, there in moved:
        (images / here).rename(images / there)
    rows = np.load(features)[np.argsort(new)]
    with replacing(features) as temporary, temporary.open("wb") as file:
        np.save(file, rows)
    return [there for _, there in moved]


def _found(audit: Audit, planted: list[str] | None) -> str | None:
    """Say how many of the planted errors are among the flagged images."""
    if planted is None or audit.issues.ids is None:
        return None
    flagged = set(audit.issues.ids[audit.issues.is_issue].tolist())
    found = len(flagged.intersection(planted))
    return (
        f"Found {found:,} of the {len(planted):,} planted errors "
        f"among the {len(flagged):,} flagged images."
    )
