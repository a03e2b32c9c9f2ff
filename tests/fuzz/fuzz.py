"""Damage files of every format, audit folders and decisions: nothing but GoldlabelError comes.

    python tests/fuzz/fuzz.py --files 20000 --seed 1 [TASK.FORMAT ...]

damages so many, and prints the last frames of each kind of other exception, and its seed.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from damage import damaged
from healthy import DATASETS
from variants import COCO, VARIANTS

from goldlabel import DataWarning, GoldlabelError, report
from goldlabel.actions.export import export, write_decisions
from goldlabel.actions.next_tasks import next_tasks
from goldlabel.coco import check_coco, fix_coco
from goldlabel.files import sha256
from goldlabel.results.audit import Audit
from goldlabel.task import find_task

__all__ = ["CASES", "Failure", "damages", "healthy_folders"]

CASES = {**DATASETS, **VARIANTS, **COCO}

LONGEST, SECONDS, MEGABYTES = 2000, 20, 2000
"""No message has more characters; nothing takes longer, or so much more memory."""


@dataclass(frozen=True)
class Failure:
    """An exception that should not have come, and how to have it again."""

    case: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.case} --number {self.number}: {self.what}"


def healthy_folders(place: Path, only: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    """Lay a healthy dataset of each format, with an audit and a file of decisions of it."""
    for (task, name), make in CASES.items():
        if only(f"{task}.{name}") and (name != "docbin" or find_spec("spacy")):
            folder = place / f"{task}.{name}"
            folder.mkdir()
            words = make(folder)
            if task == "coco":
                check_coco(**words)
                yield f"{task}.{name}", folder
                continue
            audit = audited(task, words)
            assert audit.source.format
            report.write(audit, folder / "audit")
            write_decisions(folder / "audit", folder / "decisions.csv")
            yield f"{task}.{name}", folder


def damages(case: str, folder: Path, numbers: range, place: Path) -> Iterator[Failure]:
    """Damage one file at a time, use what it belongs to, and yield what went wrong."""
    task, _, name = case.partition(".")
    for number in numbers:
        rng = random.Random(f"{case} {number}")
        copy = place / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        words = relocated(CASES[task, name], copy, place)
        target = rng.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
        target.write_bytes(damaged(target.read_bytes(), rng))
        what = used(task, words, copy, target, rng)
        if what:
            yield Failure(case, number, f"{target.relative_to(copy)}: {what}")


def used(task: str, words: Mapping[str, Any], copy: Path, target: Path, rng: random.Random) -> str:
    """Use damaged files, and return what should not have come of it."""
    began, memory = time.monotonic(), peak()
    what = ""
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        with redirect_stderr(io.StringIO()):
            try:
                use(task, words, copy, target, rng)
            except GoldlabelError as error:
                if len(str(error)) > LONGEST:
                    what = f"a message of {len(str(error))} characters: {str(error)[:60]!r}"
            except Exception as error:
                what = described(error)
    others = [each for each in caught if not issubclass(each.category, DataWarning)]
    if others and not what:
        what = f"{others[0].category.__name__}: {str(others[0].message)[:100]}"
    if left := [path.name for path in copy.rglob(".goldlabel-*")]:
        what = what or f"left {left} behind"
    if time.monotonic() - began > SECONDS:
        what = what or f"took {time.monotonic() - began:.0f} s"
    if peak() - memory > MEGABYTES:
        what = what or f"took {peak() - memory} MB"
    return what


def peak() -> int:
    """Return the most MB of memory that this process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def relocated(make: Callable[[Path], Mapping[str, Any]], copy: Path, place: Path) -> dict[str, Any]:
    """Return the words of a dataset with its files in a copy."""
    spare = place / "spare"
    shutil.rmtree(spare, ignore_errors=True)
    spare.mkdir()

    def there(value: Any) -> Any:
        if isinstance(value, list):
            return [there(each) for each in value]
        return copy / value.relative_to(spare) if isinstance(value, Path) else value

    return {key: there(value) for key, value in make(spare).items()}


def use(task: str, words: Mapping[str, Any], copy: Path, target: Path, rng: random.Random) -> None:
    """Audit a damaged dataset; or export from a damaged audit, or by damaged decisions."""
    if task == "coco":
        fix_coco(words["path"], copy / "fixed.json")
        check_coco(**words)
        check_coco(copy / "fixed.json")
        return
    inside = target.is_relative_to(copy / "audit")
    if inside or target.name == "decisions.csv":
        redirect(copy, trusting=rng.random() < 0.8)
        out = copy / "out"
        if inside:
            next_tasks(copy / "audit", copy / "tasks.csv")
            export(copy / "audit", out, auto=True, min_confidence=0)
        else:
            export(copy / "audit", out, decisions=target)
        return
    audit = audited(task, words)
    report.write(audit, copy / "again")
    export(copy / "again", copy / "out", auto=True, min_confidence=0)


def audited(task: str, words: Mapping[str, Any]) -> Audit:
    """Audit; predictions of numbers are a column's name or a path, as text."""
    names = (
        {"predictions": str(words["predictions"])}
        if "label" in words and ("predictions" in words)
        else {}
    )
    return find_task(task).audit(**{**words, **names})


def redirect(copy: Path, *, trusting: bool) -> None:
    """Let an audit be of the copy, and its hashes be right: as one with a purpose would."""
    path = copy / "audit" / "summary.json"
    try:
        summary = json.loads(path.read_bytes())
        for name in ("files", "inputs"):
            old = summary["source"][name]
            summary["source"][name] = [str(copy / Path(each).name) for each in old]
        if trusting:
            for name in summary["files"]:
                summary["files"][name] = sha256(copy / "audit" / name)
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError):
        return
    path.write_text(json.dumps(summary), encoding="utf-8")


def described(error: BaseException) -> str:
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "/toolkit/" in frame.filename or "/tasks/" in frame.filename
    ]
    return f"{type(error).__name__}: {str(error)[:100]!r} ({' < '.join(frames[:-4:-1])})"


def main() -> int:
    """Damage files, and print each kind of failure once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="TASK.FORMAT; all if none")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kinds: dict[str, Failure] = {}
    count = 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "healthy")
        place.mkdir()
        wanted = set(options.cases)
        folders = list(healthy_folders(place, lambda case: not wanted or case in wanted))
        each = -(-options.files // len(folders))
        numbers = range(options.seed * each, (options.seed + 1) * each)
        for case, folder in folders:
            for failure in damages(case, folder, numbers, Path(name)):
                count += 1
                key = failure.what.partition(": ")[2]
                if kinds.setdefault(key, failure) is failure:
                    print(failure, flush=True)
    print(f"{count} of {each * len(folders):,} damaged files, {len(kinds)} kinds")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
