"""An audit as one HTML page that opens from disk and asks nothing of any network.

The page carries its style and its script inline and forbids everything else by its content
security policy. Without the script all of it can be read; with it, tables sort and filter. No
data ever reaches the script: it reads class indices from attributes and text from the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from goldlabel.results.audit import Audit

from . import cards, grids, wording
from .examples import Example, source_name, worst
from .panels import Panels
from .summary import describe

__all__ = ["LIMIT", "render", "render_document"]

LIMIT = 5_000_000
"""The page stays below this many bytes."""

_FIGURES = 1_000_000
_HEADLINE = 5
_TEMPLATES = Path(__file__).parent / "templates"


def render(
    audit: Audit,
    *,
    command: str | Sequence[str] | None = None,
    started: datetime | None = None,
    seed: int | None = None,
    top: int = 500,
) -> str:
    """Return an audit as one self-contained HTML page of less than 5 MB.

    Parameters
    ----------
    audit : Audit
        What was found.
    command, started, seed
        As for `describe`.
    top : int
        How many of the worst examples to show; fewer where the page would grow beyond 5 MB.

    Returns
    -------
    str
        The page. Write it as UTF-8.
    """
    document = describe(audit, command=command, started=started, seed=seed)
    return render_document(audit, document, top=top)


def render_document(audit: Audit, document: dict[str, Any], *, top: int = 500) -> str:
    """Render the page for an audit that `describe` has already described."""
    panels = Panels(audit.view)
    while True:
        page = _page(audit, document, panels, top)
        if len(page.encode("utf-8")) < LIMIT or top == 0:
            return page
        top //= 2


def _page(audit: Audit, document: dict[str, Any], panels: Panels, top: int) -> str:
    shown = worst(audit, top)
    figures, left_out = _pictures(audit)
    texts, further = _headline(audit)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            audit=document,
            cards=cards.view(audit, shown, panels),
            figures=figures,
            figures_left_out=left_out,
            headline=texts,
            more_figures=further,
            run=_run(document),
            script=_inline("script.js"),
            script_hash=_hash("script.js"),
            source=wording.one_line(source_name(audit), 80),
            style=_inline("style.css"),
            style_hash=_hash("style.css"),
            tables=[grids.view(table, _pairs(shown)) for table in audit.tables],
            verdict=audit.verdict,
        )
    )


def _headline(audit: Audit) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the first figures of the task, for the headline, and the further ones."""
    flat = {name: wording.flat_figures({name: figure}) for name, figure in audit.summary.items()}
    single = [name for name, figure in audit.summary.items() if not isinstance(figure, Mapping)]
    first = [name for name in single if flat[name]][:_HEADLINE]
    return (
        [entry for name in first for entry in flat[name]],
        [entry for name in flat if name not in first for entry in flat[name]],
    )


def _pairs(shown: list[Example]) -> dict[tuple[str, str], str]:
    """Return the pairs of labels among the examples shown, as the script filters by them."""
    return {
        (str(row.given), str(row.suggested)): f"{row.codes[1]},{row.codes[2]}"
        for example in shown
        for finding in example.findings
        for row in finding.rows
        if min(row.codes[1:3]) >= 0
    }


def _pictures(audit: Audit) -> tuple[list[dict[str, str]], int]:
    """Return the task's figures as data addresses while they fit, and how many did not."""
    room = _FIGURES
    views = []
    for figure in audit.figures:
        source = cards.data_address(figure.png)
        if source is None or len(source) > room:
            continue
        room -= len(source)
        views.append(
            {
                "title": wording.one_line(figure.title, 120),
                "source": source,
                "alt": wording.one_line(figure.alt, 600),
                "note": wording.one_line(figure.note, 600),
            }
        )
    return views, len(audit.figures) - len(views)


def _run(document: dict[str, Any]) -> dict[str, Any]:
    """Return what was run, in words."""
    inputs = [
        {
            "path": wording.one_line(entry["path"], 300),
            "files": _files(entry["files"]) if "files" in entry else "",
            "size": _size(entry["size"]) if "size" in entry else entry["missing"],
            "hash": entry.get("sha256") or entry.get("tree_sha256", ""),
            "is_tree": "tree_sha256" in entry,
        }
        for entry in document["inputs"]
    ]
    source = document["source"]
    return {
        "command": wording.cut(document["command"] or "", 4000).marked,
        "started": document["started"].replace("T", " ").replace("+00:00", " UTC"),
        "seconds": wording.number(document["seconds"]),
        "seed": document["seed"],
        "format": wording.one_line(source["format"], 60),
        "options": _settings(source["options"]),
        "params": _settings(document["params"]),
        "versions": list(document["versions"].items()),
        "inputs": inputs[:200],
        "inputs_more": max(len(inputs) - 200, 0),
    }


def _settings(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Return parameters by name, as they were and not rounded."""
    return [
        (wording.one_line(name, 60), wording.cut(_setting(entry), 300).marked)
        for name, entry in list(settings.items())[:200]
    ]


def _setting(entry: Any) -> str:
    if entry is None:
        return "none"
    if isinstance(entry, dict) and entry.keys() >= {"shape", "dtype"}:
        return f"array of shape {tuple(entry['shape'])}, {entry['dtype']}"
    return str(entry)


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{wording.count(n)} files"


def _size(size: float) -> str:
    unit = "bytes"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = wording.count
    environment.filters["line"] = wording.one_line
    environment.filters["percent"] = wording.percent
    environment.filters["words"] = wording.label
    return environment


@cache
def _inline(name: str) -> Markup:
    """Return one of our own files, to stand inside the page as it is."""
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    if name == "style.css":  # a table becomes cards for two reasons, and CSS has no "or" for them
        text = text.replace("@cards;", (_TEMPLATES / "cards.css").read_text(encoding="utf-8"))
    return Markup(text)


def _hash(name: str) -> str:
    """Return a file's hash as a content security policy names it."""
    digest = hashlib.sha256(_inline(name).encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
