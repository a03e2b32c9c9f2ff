"""How an example is shown and what is asked about it, in neutral terms: plain data, no HTML.

A `Scene` has blocks, shown from top to bottom, and questions, asked one at a time. A task's `View`
makes scenes; the report draws them as HTML, the review app gets them as JSON (`as_json`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

__all__ = [
    "Answer",
    "Block",
    "Box",
    "Change",
    "Choice",
    "Fields",
    "Layer",
    "Number",
    "Picture",
    "Pieces",
    "Question",
    "Region",
    "Regions",
    "Scene",
    "Shapes",
    "Span",
    "Spans",
    "Switch",
    "Switches",
    "Text",
    "View",
    "ViewOf",
    "Vote",
    "Votes",
    "as_json",
]

Role = Literal["given", "suggested"]


@dataclass(frozen=True)
class Text:
    """The text of an example."""

    text: str


@dataclass(frozen=True)
class Fields:
    """Further columns of an example: name and value, in their order; `marked` names stand out."""

    rows: tuple[tuple[str, str], ...]
    marked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """Words ``first`` to ``stop - 1`` of `Pieces` have a label."""

    first: int
    stop: int
    label: str


@dataclass(frozen=True)
class Pieces:
    """A text in words, with the spans that have a label now.

    Attributes
    ----------
    words : tuple of str
    gaps : tuple of str
        What stands between the words: before the first, ..., after the last; one more than words.
    spans : tuple of Span
        The given ones.
    """

    words: tuple[str, ...]
    gaps: tuple[str, ...]
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A picture by the name that `View.picture` knows it by.

    Attributes
    ----------
    name : str
    width, height : float
        In the units of the boxes on it: pixels as stored, or 1 and 1; 0 where not known.
    upright : bool
        Whether it is turned as its EXIF data say; not where labels count stored pixels.
    caption : str
    """

    name: str
    width: float = 0.0
    height: float = 0.0
    upright: bool = True
    caption: str = ""


@dataclass(frozen=True)
class Layer:
    """A picture that lies over the `Picture` before it: a mask, a difference."""

    name: str
    caption: str
    kind: Literal["given", "suggested", "difference"]


@dataclass(frozen=True)
class Vote:
    """What one annotator says; `quality` is how often this person is right, in [0, 1]."""

    part: int
    annotator: str
    label: str
    quality: float | None = None


@dataclass(frozen=True)
class Votes:
    """What annotators say of an example."""

    rows: tuple[Vote, ...]


Block: TypeAlias = Text | Fields | Pieces | Picture | Layer | Votes


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What every question says: which parts it is about, why it is asked, what the labels are.

    Attributes
    ----------
    parts : tuple of int
        Positions of the parts that one answer decides; -1 for the example itself.
    name : str
        Of the part, e.g. the class or the word; "" where it has none.
    kind, reason : str
        The kind of issue, and why in a sentence; "" where nothing was found.
    score, confidence : float or None
        Label quality, and how sure the suggestion is; both in [0, 1].
    given, suggested : str
        Labels as text; "" where there is none.
    action : str
        What accepting does to the part where that is more than to write another label.
    """

    parts: tuple[int, ...]
    name: str = ""
    kind: str = ""
    reason: str = ""
    score: float | None = None
    confidence: float | None = None
    given: str = ""
    suggested: str = ""
    action: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice(_Asked):
    """Which class is right; `alternatives` are worth a key, each with its probability if known.

    The given and the suggested label are among them where their probabilities are known.
    """

    alternatives: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True)
class Switch:
    """A class that an example has or has not; None where that is not known."""

    part: int
    name: str
    given: bool | None
    suggested: bool | None
    probability: float | None = None


@dataclass(frozen=True, kw_only=True)
class Switches(_Asked):
    """Which of many classes are right: those judged wrong first, the others behind them.

    Attributes
    ----------
    items : tuple of Switch
    labels : tuple of str
        How "has not" and "has" are written in a decision.
    """

    items: tuple[Switch, ...]
    labels: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Number(_Asked):
    """Which number is right; plausible ones lie between `low` and `high`."""

    low: float | None = None
    high: float | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Spans(_Asked):
    """Which spans of `Pieces` are right within a stretch of its words.

    Attributes
    ----------
    first, stop : int
        The stretch that an answer decides: all spans given or suggested here lie in it.
    spans_given, spans_suggested : tuple of Span
    labels : tuple of str
        The classes of spans.
    """

    first: int
    stop: int
    spans_given: tuple[Span, ...]
    spans_suggested: tuple[Span, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A rectangle in the units of a `Picture`; part -1 for one that is not in the dataset."""

    part: int
    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    role: Role = "given"


@dataclass(frozen=True, kw_only=True)
class Shapes(_Asked):
    """Which box is right.

    Attributes
    ----------
    boxes : tuple of Box
        What the question is about: the given box, the suggested one, or both.
    others : tuple of Box
        The other given boxes of the picture.
    labels : tuple of str
        The classes of boxes.
    """

    boxes: tuple[Box, ...]
    others: tuple[Box, ...] = ()
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Region:
    """A region of `Layer` pictures: its box in pixels, and its outline as closed polygons."""

    part: int
    x: float
    y: float
    width: float
    height: float
    outline: tuple[tuple[tuple[float, float], ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Regions(_Asked):
    """Which class a region has; `paints` says whether an answer may draw a region of its own."""

    regions: tuple[Region, ...]
    labels: tuple[str, ...]
    paints: bool = False


Question: TypeAlias = Choice | Switches | Number | Spans | Shapes | Regions


@dataclass(frozen=True)
class Scene:
    """One example: what is shown of it, and what is asked, worst first."""

    example: int
    id: str
    blocks: tuple[Block, ...] = ()
    questions: tuple[Question, ...] = ()


Verdict = Literal["accept", "keep", "set", "unsure", "ask", "skip", "unusable"]


@dataclass(frozen=True)
class Answer:
    """What a person says to a question.

    Attributes
    ----------
    verdict : str
        "accept" the suggestion, "keep" what is given, "set" what the other attributes say; or no
        label: "unsure", "ask" an expert, "skip", "unusable".
    label : str, optional
        A class or a number as text: of a choice, a number, a box, a region.
    switches : mapping of int to bool
        Of `Switches`, by part; those that are not named stay as given.
    spans : tuple of Span, optional
        Of `Spans`: all that the stretch has.
    box : tuple of four floats, optional
        Of `Shapes`: where the box lies, x1, y1, x2, y2; None where it stays.
    remove : bool
        Of `Shapes`: the box is none.
    paint : mapping, optional
        Of `Regions`: a region as COCO run lengths, ``{"size": [height, width], "counts": ...}``.
    """

    verdict: Verdict
    label: str | None = None
    switches: Mapping[int, bool] = field(default_factory=dict)
    spans: tuple[Span, ...] | None = None
    box: tuple[float, float, float, float] | None = None
    remove: bool = False
    paint: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Change:
    """What an answer changes in the dataset: a row of a file of decisions.

    `evidence` are the columns that a correction needs besides the label: a new box, say.
    """

    part: int
    label: str
    action: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


class View(Protocol):
    """Shows the examples of an audit. Two more methods are looked for by their names.

    ``changes(example, question, answer) -> list of Change``: where an answer of verdict "set" is
    not simply a label for each part of the question.
    ``picture(example, name) -> Path, bytes or None``: a picture that a scene names, as a file of
    the dataset, or as PNG or JPEG; None where it cannot be shown.
    """

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""


ViewOf = Callable[..., View]
"""A task's ``view(source, issues, summary)``: reads its native files again."""

Shown: TypeAlias = Path | bytes | None


def as_json(value: Any) -> Any:
    """Return a scene as plain JSON: each part of it with the name of its class in ``type``.

    Examples
    --------
    >>> as_json(Scene(3, "a", (Text("Hello"),)))["blocks"]
    [{'type': 'text', 'text': 'Hello'}]
    """
    if is_dataclass(value) and not isinstance(value, type):
        entries = {each.name: as_json(getattr(value, each.name)) for each in fields(value)}
        return {"type": type(value).__name__.lower(), **entries}
    if isinstance(value, tuple | list):
        return [as_json(entry) for entry in value]
    return value
