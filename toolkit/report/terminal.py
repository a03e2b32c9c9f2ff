"""An audit in a terminal: counts, figures, the worst examples, and what to do next.

Plain lines in place of boxes, so that a pipe or a log file reads as well as a wide screen. Data
is written as `rich.text.Text` and never as markup, with control characters written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from goldlabel.results.audit import Audit

from . import examples, wording
from .pieces import Piece, pieces_of

__all__ = ["show"]

_LEAST = 40
_BEFORE = 3
"""So many words are shown before the first suspect one of a long text."""
_READABLE = 110


def show(audit: Audit, console: Console, *, top: int = 10, next_command: str | None = None) -> None:
    """Print an audit: the headline, the figures, the worst examples, notes, the next command.

    Parameters
    ----------
    audit : Audit
        What was found.
    console : rich.console.Console
        Where to print; its width is used, and its colours if it has any.
    top : int
        How many of the worst examples.
    next_command : str, optional
        The one next useful command.
    """
    width = max(console.width, _LEAST)
    blocks: list[list[Text]] = [
        _headline(audit),
        _figures(audit, width),
        _worst(audit, width, top),
        _sentences("Warnings", audit.warnings, width, mark="!", style="bold yellow"),
        _sentences("Notes", audit.notes, width, mark="-", style="bold"),
    ]
    if next_command:
        blocks.append([Text("Next: ", style="bold").append(_safe(next_command, 2000))])
    filled = [block for block in blocks if block]
    for index, block in enumerate(filled):
        for line in block:
            line.rstrip()
            console.print(line, soft_wrap=True)
        if index < len(filled) - 1:
            console.print()


def _safe(text: object, limit: int) -> str:
    return wording.one_line(text, limit)


def _headline(audit: Audit) -> list[Text]:
    issues = audit.issues
    n, flagged = issues.scores.shape[0], issues.num_issues
    share = wording.percent(flagged / n) if n else "0%"
    headline = Text()
    headline.append(wording.count(flagged), style="bold yellow" if flagged else "bold green")
    headline.append(f" of {wording.count(n)} examples {audit.verdict[1]} ({share})", style="bold")
    source = f"{issues.task} · {examples.source_name(audit)} · {audit.source.format}"
    return [headline, Text(_safe(source, 200), style="dim")]


def _figures(audit: Audit, width: int) -> list[Text]:
    """Return the counts per kind and the task's figures, in one column of names."""
    kinds = audit.issues.parts.kind_counts()
    figures = [
        (wording.label(kind), wording.count(n)) for kind, n in kinds.items() if len(kinds) > 1
    ]
    figures += wording.flat_figures(audit.summary)
    names = [_fit(name, width // 2) for name, _ in figures]
    margin = max((cell_len(name) for name in names), default=0) + 2
    return [
        Text.assemble(("  " + _pad(name, margin), "dim"), _fit(figure, width - margin - 2))
        for name, (_, figure) in zip(names, figures, strict=True)
    ]


def _worst(audit: Audit, width: int, top: int) -> list[Text]:
    shown = examples.worst(audit, top, findings=2)
    if not shown:
        return []
    flagged = audit.issues.num_issues
    of = "" if len(shown) == flagged else f", {len(shown)} of {wording.count(flagged)}"
    lines = [Text(f"Worst examples{of} (score 0 = surely wrong)", style="bold")]
    margin = len(str(shown[-1].rank)) + 4
    for example in shown:
        lines += _example(example, width, margin)
    return lines


def _example(example: examples.Example, width: int, margin: int) -> list[Text]:
    """Return the lines of one example: score and id, what it is, then labels and reasons."""
    room = min(width - margin, _READABLE)
    first = Text(f"  {example.rank}".ljust(margin), style="dim")
    first.append(f"{example.score:.3f}", style="bold")
    first.append(f"  {_fit(_safe(example.id, 200), room - 7)}")
    lines = [first]
    about = _content(example)
    if about:
        lines.append(Text(" " * margin + _fit(about, room)))
    for finding in example.findings:
        if (finding.given, finding.suggested) != (None, None) or finding.part:
            lines.append(Text(" " * margin).append_text(_labels(finding, room)))
        for line in _wrap(finding.reason, room):
            lines.append(Text(" " * margin + line, style="dim"))
    more = example.total - len(example.findings)
    if more > 0:
        lines.append(Text(f"{' ' * margin}and {wording.count(more)} more", style="dim"))
    return lines


def _labels(finding: examples.Finding, room: int) -> Text:
    before = f"{finding.part}: " if finding.part else ""
    each = max((room - cell_len(before) - 4) // 2, 8)
    text = Text(_fit(before, room))
    text.append(_fit(_named(finding.given), each), style="red")
    if finding.suggested != finding.given:
        text.append(" → ")
        text.append(_fit(_named(finding.suggested), each), style="green")
    return text


def _named(name: Any) -> str:
    return _safe(wording.class_name(name, 200), 200)


def _content(example: examples.Example) -> str:
    """Return the example in one line: its text, or the fields that name it."""
    if pieces := pieces_of(example.scene):
        return _safe(_marked(pieces), 600)
    if example.text is not None:
        return _safe(example.text, 600)
    fields = [f"{_safe(name, 40)}: {_safe(text, 120)}" for name, text in example.fields.items()]
    return " · ".join(fields[:6])


def _marked(pieces: Sequence[Piece]) -> str:
    """Return a text in one line from some words before the first suspect one; these in brackets."""
    first = next((at for at, piece in enumerate(pieces) if piece.suggested), 0)
    start = first - _BEFORE if first > 2 * _BEFORE else 0
    words = [
        f"[{piece.text[:80]}]" if piece.suggested else piece.text[:80]
        for piece in pieces[start : start + 80]
    ]
    return " ".join(["…", *words] if start else words)


def _sentences(
    title: str, sentences: Sequence[str], width: int, *, mark: str, style: str
) -> list[Text]:
    lines = [Text(title, style=style)] if sentences else []
    for sentence in sentences:
        for index, line in enumerate(_wrap(_safe(sentence, 2000), min(width - 4, _READABLE))):
            lines.append(Text(f"  {' ' if index else mark} {line}"))
    return lines


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _fit(text: str, width: int) -> str:
    """Cut a text to a number of columns: wide characters take two."""
    if cell_len(text) <= width:
        return text
    return (chop_cells(text, max(width - 1, 1)) or [""])[0].rstrip() + "…"


def _wrap(text: str, width: int) -> Iterable[str]:
    """Break a text into lines of at most `width` columns, at spaces where there are any."""
    line = ""
    for word in _safe(text, 2000).split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *full, line = chop_cells(word, width) or [""]
        yield from full
    if line:
        yield line
