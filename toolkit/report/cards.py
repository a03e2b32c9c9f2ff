"""The worst examples as the page shows them: cut to size, images within a budget."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from goldlabel.results.audit import Audit
from goldlabel.scenes import Picture

from . import wording
from .examples import Example, Finding
from .panels import Drawn, Panel, Panels
from .pieces import Piece, pieces_of

__all__ = ["data_address", "view"]

_IMAGES = 3_000_000
_LEAD = 360
_TEXT = 3000
_NAME = 80
_FIELDS = 12
_FIELD = 240
_SPANS = 120
_AROUND = 10
_BOXES = 60
_PANELS = 5
_LEAST_IMAGE = 1_000
_BESIDE = 2
_PIXELS = 48
_SMALL = 128
_TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}


def view(audit: Audit, shown: list[Example], panels: Panels) -> dict[str, Any]:
    """Return the examples, the choices to filter them by, and what was left out."""
    budget = _Budget(_IMAGES)
    rows = [_row(example, panels, budget) for example in shown]
    leading = [finding for example in shown for finding in example.findings]
    findings = [row for finding in leading for row in finding.rows]
    return {
        "rows": rows,
        "images_left_out": budget.refused,
        # Bare pictures are compared side by side; text, and many findings, are read line by line.
        "as_gallery": bool(shown) and all(_is_bare_picture(each) for each in rows),
        "has_items": any(row["item"] is not None for row in rows),
        "has_confidence": any(not math.isnan(finding.confidence) for finding in findings),
        "has_reasons": any(finding.reason for finding in findings),
        "kinds": _choices(leading, 0, [f.kind for f in leading]),
        "given": []
        if _as_kind(findings, 1)
        else _choices(findings, 1, [f.given for f in findings]),
        "suggested": []
        if _as_kind(findings, 2)
        else _choices(findings, 2, [f.suggested for f in findings]),
        "parts": _choices(findings, 3, [f.part for f in findings]),
        "part": wording.label(audit.part or "part"),
        "several_kinds": len(audit.issues.parts.kinds) > 1,
    }


def data_address(image: bytes) -> str | None:
    """Return an image as a ``data:`` address; None if it is neither PNG nor JPEG."""
    for magic, kind in _TYPES.items():
        if image.startswith(magic):
            return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
    return None


class _Budget:
    """How many characters of images still fit into the page, and how many images did not."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.refused = 0

    @property
    def is_full(self) -> bool:
        """Whether no picture fits any more."""
        return self.room < _LEAST_IMAGE

    def note(self, *, left_out: bool) -> bool:
        """Count a picture that is not even made."""
        self.refused += left_out
        return left_out

    def take(self, image: bytes) -> dict[str, Any] | None:
        # Base64 takes four characters for three bytes: ask before building it.
        source = data_address(image) if 4 * len(image) // 3 + 64 <= self.room else None
        if source is None:
            self.refused += 1
            return None
        self.room -= len(source)
        side = max(_png_size(image))
        size = "tiny pixels" if 0 < side <= _PIXELS else "tiny" if 0 < side <= _SMALL else ""
        return {"source": source, "size": size}


def _png_size(image: bytes) -> tuple[int, int]:
    """Return width and height of a PNG from its header; (0, 0) for other formats."""
    if len(image) < 24 or not image.startswith(b"\x89PNG"):
        return 0, 0
    width, height = struct.unpack(">II", image[16:24])
    return int(width), int(height)


def _is_bare_picture(row: dict[str, Any]) -> bool:
    # Several pictures of one example are compared with each other, side by side.
    item = row["item"]
    if item is None or len(row["findings"]) > _BESIDE:
        return False
    is_one = item["panel_count"] == 1 and len(item["fields"]) <= 3
    return is_one and not item["lead"] and not item["pieces"]


def _row(example: Example, panels: Panels, budget: _Budget) -> dict[str, Any]:
    findings = [_finding(finding) for finding in example.findings]
    confidences = [f.confidence for f in example.findings if not math.isnan(f.confidence)]
    return {
        "rank": example.rank,
        "id": wording.cut(example.id, 120).marked,
        "score": _share(example.score),
        "confidence": max(confidences, default=math.nan),
        "item": _item(example, panels, budget),
        "findings": findings,
        "more": wording.count(example.total - len(findings))
        if example.total > len(findings)
        else "",
        "codes": ";".join(
            ",".join(map(str, row.codes)) for finding in example.findings for row in finding.rows
        ),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "part": finding.part,
        "kind": wording.label(finding.kind),
        "given": wording.class_name(finding.given, _NAME),
        "suggested": wording.class_name(finding.suggested, _NAME),
        "is_nothing": (finding.given is None, finding.suggested is None),
        "score": _share(finding.score),
        "confidence": None if math.isnan(finding.confidence) else _share(finding.confidence),
        "reason": finding.reason,
    }


def _share(share: float) -> dict[str, Any]:
    """Return a number of [0, 1] as text, exactly, and as the length of a bar of 100."""
    return {"text": f"{share:.3f}", "exact": repr(share), "bar": round(100 * share, 1)}


def _choices(findings: list[Finding], place: int, names: list[Any]) -> list[tuple[int, str, int]]:
    """Return (class index, name, count) of what occurs in the findings, for a list to pick from."""
    counts: dict[int, int] = {}
    words: dict[int, str] = {}
    for finding, name in zip(findings, names, strict=True):
        code = finding.codes[place] if place < len(finding.codes) else -1
        counts[code] = counts.get(code, 0) + 1
        words.setdefault(code, wording.class_name(name, _NAME))
    if all(code < 0 for code in counts):
        return []
    return [(code, words[code], counts[code]) for code in sorted(counts)]


def _as_kind(findings: list[Finding], place: int) -> bool:
    """Return whether a label says no more than the kind does, where parts are what is judged."""
    if any(len(finding.codes) < 4 for finding in findings):
        return False
    pairs = {(finding.codes[0], finding.codes[place]) for finding in findings}
    kinds, labels = ({pair[i] for pair in pairs} for i in (0, 1))
    return len(pairs) == len(kinds) == len(labels) > 1


def _item(example: Example, panels: Panels, budget: _Budget) -> dict[str, Any] | None:
    """Return what is shown of an example; None where that is nothing."""
    blocks = example.scene.blocks
    if not blocks:
        return None
    has_pictures = any(isinstance(block, Picture) for block in blocks)
    is_full = has_pictures and budget.is_full
    made = panels.of(example.scene)[:_PANELS] if has_pictures and not is_full else []
    shown = [view for panel in made if (view := _panel(panel, budget)) is not None]
    fields = dict(example.fields)
    if has_pictures and not made and not is_full:
        fields["image"] = "cannot be shown"
    pieces = pieces_of(example.scene)
    return {
        "panels": shown,
        "panel_count": len(made) if not is_full else 1,
        "left_out": budget.note(left_out=is_full) or len(shown) < len(made),
        "boxes": shown[0]["boxes"] if shown else [],
        "pieces": _pieces(pieces),
        **_text("" if pieces else example.text or ""),
        "fields": _fields(fields),
    }


def _panel(panel: Panel, budget: _Budget) -> dict[str, Any] | None:
    taken = budget.take(panel.image)
    if taken is None:
        return None
    return {
        **taken,
        "caption": wording.one_line(panel.caption, 60),
        "width": panel.width,
        "height": panel.height,
        "boxes": _boxes(panel.boxes),
        "outlines": panel.outlines,
        "mark": round(panel.height / 14, 2),
    }


def _text(text: str) -> dict[str, str]:
    """Split a text into what is seen at once and what opens; say the length of a cut one."""
    text = text.strip()
    if len(text) <= _LEAD + 120:
        return {"lead": wording.cut(text, _TEXT).text, "rest": "", "length": ""}
    at = max(text.rfind(" ", _LEAD - 40, _LEAD), text.rfind("\n", _LEAD - 40, _LEAD))
    at = at if at > 0 else _LEAD
    rest = wording.cut(text[at:], _TEXT - at)
    return {
        "lead": wording.cut(text[:at], _LEAD).text,
        "rest": rest.text,
        "length": wording.count(len(text)) if rest.length else "",
    }


def _fields(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    shown = [
        (wording.one_line(name, 60), wording.cut(text, _FIELD).marked)
        for name, text in list(fields.items())[:_FIELDS]
    ]
    more = len(fields) - len(shown)
    return [*shown, ("…", f"and {wording.count(more)} more fields")] if more else shown


def _pieces(pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """Return the pieces of a text; of a long one, those around what is suspect."""
    keep = range(len(pieces))
    suspect = [i for i, piece in enumerate(pieces) if piece.suggested]
    if len(pieces) > _SPANS and suspect:
        near = {j for i in suspect[:20] for j in range(i - _AROUND, i + _AROUND + 1)}
        keep_list = sorted(near & set(keep))[: 2 * _SPANS]
    else:
        keep_list = list(keep[:_SPANS])
    views: list[dict[str, Any]] = []
    last = -1
    for i in keep_list:
        if i != last + 1:
            views.append({"gap": wording.count(i - last - 1)})
        piece = pieces[i]
        views.append(
            {
                "text": wording.one_line(piece.text, 80),
                "given": wording.one_line(piece.given, 40),
                "suggested": wording.one_line(piece.suggested, 40),
                "gap": "",
            }
        )
        last = i
    if pieces and last < len(pieces) - 1:
        views.append({"gap": wording.count(len(pieces) - 1 - last)})
    return views


def _boxes(boxes: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Return rectangles over a panel, the suggested ones first."""
    return [
        {**box._asdict(), "label": wording.one_line(box.label, 40)}
        for box in sorted(boxes, key=lambda box: box.role != "suggested")[:_BOXES]
    ]
