"""Audits of several kinds, made by hand, and a browser to open their pages in."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_views import MadeView, shows
from PIL import Image

from goldlabel.results.audit import Audit, Figure, Source, Table
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.scenes import Box, Picture, Pieces, Shapes, Span, Spans, Text

HOSTILE = (
    '</script><img src="http://127.0.0.1:9/x" onerror="alert(1)">\'"{{ 7 * 7 }}\u202eevil\x1b[31m'
)


def png(width: int = 8, height: int = 8, seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def make_parts(
    example,
    given,
    suggested,
    score,
    *,
    part=None,
    kind=None,
    kinds=("label error",),
    confidence=None,
    tell="The model says {suggested}.".format,
):
    m = len(example)
    return Parts(
        example=np.asarray(example, dtype=np.int64),
        part=np.full(m, -1) if part is None else np.asarray(part, dtype=np.int64),
        kind=np.zeros(m, np.int8) if kind is None else np.asarray(kind, dtype=np.int8),
        kinds=kinds,
        given=np.asarray(given),
        suggested=np.asarray(suggested),
        score=np.asarray(score, dtype=np.float64),
        confidence=np.full(m, 0.9) if confidence is None else np.asarray(confidence, np.float64),
        reasons=dict.fromkeys(kinds, tell),
    )


def make_audit(
    n: int = 60,
    classes: tuple = ("cat", "dog", "owl"),
    *,
    share: float = 0.5,
    seed: int = 0,
    source: Source | None = None,
    **fields,
) -> Audit:
    """Audit n random examples of one label each; `fields` replace those of the Audit."""
    rng = np.random.default_rng(seed)
    given = rng.integers(0, len(classes), n)
    suggested = (given + 1 + rng.integers(0, max(len(classes) - 1, 1), n)) % len(classes)
    scores = rng.random(n).round(6)
    is_issue = scores < share
    rows = np.flatnonzero(is_issue)
    rows = rows[np.argsort(scores[rows], kind="stable")]
    issues = LabelIssues(
        "multiclass",
        scores,
        is_issue,
        make_parts(
            rows, given[rows], suggested[rows], scores[rows], confidence=rng.random(len(rows))
        ),
        classes=classes,
        ids=np.array([f"row-{i}" for i in range(n)]),
        params={"filter_by": "prune_by_noise_rate", "thresholds": rng.random(len(classes))},
        given=given,
        suggested=suggested,
    )
    pairs = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(pairs, (given[rows], suggested[rows]), 1)
    names = [str(name) for name in classes]
    heat = pd.DataFrame(
        pairs, index=pd.Index(names, name="given"), columns=pd.Index(names, name="suggested")
    )
    per_class = pd.DataFrame(
        {"class": names, "examples": np.bincount(given, minlength=len(names)), "label_quality": 0.5}
    )
    standard = {
        "summary": {"label_health": 0.9751, "estimated_errors": 1301, "error_rate": 0.026},
        "view": MadeView(lambda at: [Text(f"Text of example {at}.")]),
        "tables": (
            Table("Class pairs", heat, "Given label and suggestion.", "heatmap"),
            Table("Classes", per_class),
        ),
        "notes": ("The format csv was recognised.",),
        "limits": ("Errors that the model shares.",),
    }
    return Audit(issues, source or Source("csv", ()), **{**standard, **fields})


def token_audit() -> Audit:
    words = "Angela Merkel visited Paris on Monday and met the board of Siemens there .".split()
    tags = ("O", "PER", "LOC", "ORG")
    held = (Span(0, 1, "PER"), Span(1, 2, "PER"), Span(3, 4, "ORG"), Span(11, 12, "LOC"))
    short = Pieces(tuple(words), ("", *[" "] * 13, ""), held)
    long = Pieces(tuple(f"w{i}" for i in range(1000)), ("", *[" "] * 999, ""))
    issues = LabelIssues(
        "token",
        np.array([0.02, 0.9, 0.3]),
        np.array([True, False, True]),
        make_parts(
            [0, 0, 2], [3, 2, 0], [2, 3, 2], [0.02, 0.11, 0.3], part=[3, 11, 500],
            kind=[0, 0, 1], kinds=("wrong tag", "missing tag"),
        ),
        classes=tags,
    )  # fmt: skip
    return Audit(
        issues,
        Source("conll", ()),
        {},
        view=MadeView(
            lambda at: [short if at == 0 else long],
            lambda at: (
                [asked(3, "ORG", "LOC"), asked(11, "LOC", "ORG")]
                if at == 0
                else [asked(500, "", "LOC")]
            ),
        ),
        part="token",
    )


def asked(at: int, given: str, suggested: str) -> Spans:
    return Spans(
        parts=(at,),
        first=at,
        stop=at + 1,
        spans_given=(Span(at, at + 1, given),) if given else (),
        spans_suggested=(Span(at, at + 1, suggested),),
        labels=("PER", "LOC", "ORG"),
    )


def box_audit() -> Audit:
    boxes = (
        Box(0, "dog", 0.1, 0.1, 0.5, 0.6),
        Box(-1, "cat", 0.5, 0.3, 0.9, 0.9, "suggested"),
        Box(2, "outside", 0.9, 0.9, 5.9, float("nan")),
    )
    question = Shapes(parts=(0,), boxes=boxes, labels=("dog", "cat"))
    pictures = {"image": png(300, 200), "mask": png(300, 200, 1)}
    issues = LabelIssues(
        "detection",
        np.array([0.1, 0.2, 1.0]),
        np.array([True, True, False]),
        make_parts(
            [0, 0, 1], [0, -1, 1], [1, 1, -1], [0.1, 0.15, 0.2], part=[0, 1, 0],
            kind=[0, 1, 2], kinds=("wrong class", "missing box", "spurious box"),
        ),
        classes=("dog", "cat"),
        ids=np.array(["a.jpg", "b.jpg", "c.jpg"]),
    )  # fmt: skip
    view = MadeView(
        lambda at: [Picture("image", 1.0, 1.0), Picture("mask", caption="given mask")],
        lambda at: [question],
        lambda at, name: pictures[name],
    )
    return Audit(
        issues, Source("coco", ()), {"map": 0.41}, view=view,
        part="box", figures=(Figure("Sizes", png(400, 120, 2), "Most boxes are small."),),
    )  # fmt: skip


def value_audit() -> Audit:
    issues = LabelIssues(
        "regression",
        np.array([0.01, 0.8, 0.05]),
        np.array([True, False, True]),
        make_parts([0, 2], [120.5, 3.0], [12.05, np.nan], [0.01, 0.05]),
        given=np.array([120.5, 7.0, 3.0]),
        suggested=np.array([12.05, 7.1, np.nan]),
    )
    return Audit(issues, Source("csv", ()), {"r2": 0.61})


def empty_audit(n: int = 40) -> Audit:
    return make_audit(n, share=-1.0)


def hostile_audit() -> Audit:
    classes = (HOSTILE, "x" * 1_000_000, "👩‍👩‍👧 family", "constructor", "__proto__", "")
    view = shows(
        text=HOSTILE + " long " * 50_000,
        fields={HOSTILE: HOSTILE, **{f"f{i}": "y" * 10_000 for i in range(100)}},
    )
    return make_audit(
        80,
        classes,
        view=view,
        summary={HOSTILE: HOSTILE, "nan": float("nan")},
        notes=(HOSTILE,),
        limits=(HOSTILE,),
        warnings=(HOSTILE,),
    )


class Page(HTMLParser):
    """What a browser would make of a page, as far as the tests ask."""

    VOID = ("meta", "img", "input", "br", "link", "hr")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert tag == opened, f"</{tag}> closes <{opened}>"

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def find(self, tag: str, name: str | None = None) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and (name is None or name in a)]

    def rows(self) -> list[dict[str, str | None]]:
        return self.find("tr", "data-rank")


@pytest.fixture(scope="session")
def make() -> Callable[..., Audit]:
    return make_audit


@pytest.fixture(scope="session")
def audits() -> dict[str, Callable[[], Audit]]:
    """One audit of each kind, by name."""
    pictures = make_audit
    return {
        "text": make_audit,
        "image": lambda: pictures(
            view=MadeView(lambda at: [Picture("image")], pictures=lambda at, name: png(seed=at))
        ),
        "token": token_audit,
        "box": box_audit,
        "value": value_audit,
        "empty": empty_audit,
        "none": lambda: empty_audit(0),
        "bare": lambda: Audit(make_audit().issues, Source("csv", ()), {}),
        "hostile": hostile_audit,
        "many classes": lambda: make_audit(4000, tuple(f"class {i}" for i in range(100))),
    }


@pytest.fixture(scope="session")
def parse() -> type[Page]:
    return Page


@pytest.fixture(scope="session")
def image() -> Callable[..., bytes]:
    return png


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., str]:
    """Return a function that opens a page's text in a browser and gives back what it became."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine: the page's script is not tested")

    def open_page(page: str, state: str = "", harness: str | None = None) -> str:
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        opened = tmp_path / "page.html"
        if harness is not None:
            opened = tmp_path / "harness.html"
            opened.write_text(harness, encoding="utf-8")
        command = [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--allow-file-access-from-files",
            "--virtual-time-budget=5000",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            opened.as_uri() + state,
        ]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        return done.stdout.decode("utf-8")

    return open_page
