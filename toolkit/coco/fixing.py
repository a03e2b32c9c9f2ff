"""`fix_coco`: the safe fixes put into a file, and every other byte as it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import pandas as pd

from goldlabel.coco.checking import check_document
from goldlabel.coco.findings import Batch, Findings
from goldlabel.coco.rules import RULES
from goldlabel.errors import InputError
from goldlabel.files import check_replaceable, no_wider_than, replacing
from goldlabel.formats.json.document import Document, read_document
from goldlabel.formats.json.records import Ids
from goldlabel.inputs import check

__all__ = ["Change", "Fixed", "fix_coco"]

MOST = 500
"""So many characters of a change are written into the log, before and after."""


@dataclass(frozen=True)
class Change:
    """One piece of text that was replaced.

    Attributes
    ----------
    code : str
        The rule that it follows.
    path : str
        The JSON path, in the file as it was.
    start, stop : int
        The bytes of the file as it was that are replaced.
    before, after : str
        What stood there, and what stands there now; long text is cut.
    message : str
        What was wrong.
    """

    code: str
    path: str
    start: int
    stop: int
    before: str
    after: str
    message: str


@dataclass(frozen=True, eq=False)
class Fixed:
    """What `fix_coco` wrote.

    Attributes
    ----------
    out, change_log : Path
    changes : list of Change
        In the order of the file.
    findings : Findings
        What is wrong with the file as it was.
    """

    out: Path
    change_log: Path
    changes: list[Change]
    findings: Findings

    @property
    def left(self) -> int:
        """How many errors and warnings need a person."""
        batches = [each for each in self.findings.batches if each.rule.severity != "note"]
        return sum(len(batch) - int(batch.fixable.sum()) for batch in batches)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each change."""
        names = [field.name for field in fields(Change)]
        return pd.DataFrame([astuple(change) for change in self.changes], columns=names)


def fix_coco(
    path: str | Path,
    out: str | Path,
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    log: str | Path | None = None,
    force: bool = False,
) -> Fixed:
    """Write a COCO file with what can be mended without loss mended, and a log of the changes.

    `RULES` says what each fix does and why it is safe. Only the bytes that are replaced differ.

    Parameters
    ----------
    path : str or Path
    out : str or Path
        The mended file.
    select, ignore : sequence of str
        Codes to fix, all if not given; codes to leave alone.
    log : str or Path, optional
        The log of changes: JSON Lines if it ends in ``.jsonl``, else CSV. If not given,
        ``OUT.changes.csv``.
    force : bool
        Replace `out` and `log` if they exist, even if `out` is `path` itself.

    Returns
    -------
    Fixed

    Raises
    ------
    InputError
        The file can't be read, or is no COCO file; `out` is taken. Nothing is written then.

    Examples
    --------
    >>> text = '{"images": [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}],'
    >>> text += '"categories": [{"id": 1, "name": "cat"}], "annotations": [{"id": 0,'
    >>> text += '"image_id": "1", "category_id": 1, "bbox": [2, 2, 4, 3], "iscrowd": 0}]}'
    >>> _ = Path("cats.json").write_text(text)
    >>> for change in fix_coco("cats.json", "mended.json").changes:
    ...     print(change.code, repr(change.before), repr(change.after))
    annotation-id-zero '0' '1'
    id-not-integer '"1"' '1'
    area-missing '' ', "area": 12'
    """
    path, out = Path(path), Path(out)
    log = out.with_name(out.name + ".changes.csv") if log is None else Path(log)
    for codes, name in ((select or (), "select"), (ignore, "ignore")):
        for code in codes:
            check.choice(code, [each for each in RULES if RULES[each].fix], name=name)
    _check_free(path, out, log, force)
    document = read_document(path)
    checked = check_document(document, Ids())
    batches = checked.collector.finish(keep_fixes=True)
    wanted = [each for each in batches if _is_wanted(each.code, select, ignore)]
    changes, edits = _changes(document, wanted)
    with no_wider_than([path]), replacing(log) as temporary_log, replacing(out) as temporary:
        _write(document, edits, temporary)
        if edits:
            _check_result(temporary, path)
        _write_log(changes, temporary_log, is_jsonl=log.suffix == ".jsonl")
    sizes = {"images": len(checked.instances.images), "annotations": len(checked.annotations)}
    sizes |= {"categories": len(checked.instances.categories), "predictions": 0}
    return Fixed(out, log, changes, Findings((path,), sizes, checked.collector.finish()))


def _is_wanted(code: str, select: Sequence[str] | None, ignore: Sequence[str]) -> bool:
    return (select is None or code in select) and code not in ignore


def _check_free(path: Path, out: Path, log: Path, force: bool) -> None:
    """Refuse outputs that are there, unless they may be replaced."""
    for each in (out, log):
        try:
            there, is_folder = each.exists(), each.is_dir()
            same = there and path.exists() and each.samefile(path)
        except (OSError, ValueError) as error:
            raise InputError(str(each), f"cannot be written ({error})", "Name another") from error
        if is_folder:
            raise InputError(str(each), "is a folder", "Name a file in it")
        check_replaceable(each)
        if same and each is log:
            raise InputError(str(log), "is the input", "Name another file for the log")
        if there and not force:
            what = "is the input" if same else "exists already"
            raise InputError(str(each), what, "Name another file, or ask to replace it: --force")
    if out == log or (out.exists() and log.exists() and out.samefile(log)):
        raise InputError(str(log), "is the output too", "Name another file for the log")


Edit = tuple[int, int, bytes]


def _changes(document: Document, batches: Iterable[Batch]) -> tuple[list[Change], list[Edit]]:
    """Return all changes, and what they do to the text; of two that overlap the larger."""
    wanted: list[tuple[int, int, int, int, bytes, Batch, int]] = []
    ranks = {code: rank for rank, code in enumerate(RULES)}
    for batch in batches:
        if batch.fix is None:
            continue
        for at in range(len(batch)):
            if batch.fixable[at]:
                for start, stop, new in batch.fix(at):
                    wanted.append((start, -stop, ranks[batch.code], len(wanted), new, batch, at))
    changes: list[Change] = []
    edits: list[Edit] = []
    done, last = 0, (-1, -1)
    for start, negative, _, _, new, batch, at in sorted(wanted, key=lambda each: each[:4]):
        stop = -negative
        if start < done or (start < stop and (start, stop) == last):
            continue
        place = batch.where(at)
        before = document.raw(start, min(stop, start + MOST)).decode("utf-8", "replace")
        after = new[:MOST].decode("utf-8", "replace")
        changes.append(
            Change(batch.code, place.path, start, stop, before, after, batch.message(at))
        )
        edits.append((start, stop, new))
        done, last = max(done, stop), (start, stop)
    return changes, edits


def _write(document: Document, edits: Sequence[Edit], out: Path) -> None:
    done = 0
    with open(out, "wb") as file:
        for start, stop, new in edits:
            document.data[done:start].tofile(file)
            file.write(new)
            done = stop
        document.data[done:].tofile(file)


def _check_result(written: Path, path: Path) -> None:
    """Make sure that what was written is JSON, before it gets its name."""
    try:
        read_document(written)
    except InputError as error:
        raise RuntimeError(f"the fixes of {path} do not fit together: {error}") from error


def _write_log(changes: Sequence[Change], out: Path, *, is_jsonl: bool) -> None:
    names = [field.name for field in fields(Change)]
    with open(out, "w", encoding="utf-8", newline="") as file:
        if is_jsonl:
            for change in changes:
                row = dict(zip(names, astuple(change), strict=True))
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            return
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(astuple(change) for change in changes)
