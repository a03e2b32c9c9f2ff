"""The page is one file, says the right numbers, and lets no data out of its place."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_views import shows

from goldlabel import report
from goldlabel.report import html
from goldlabel.results.audit import (
    Audit,
    Figure,
    Source,
    Table,
)

KINDS = [
    "text",
    "image",
    "token",
    "box",
    "value",
    "empty",
    "none",
    "bare",
    "hostile",
    "many classes",
]
TEMPLATES = Path(html.__file__).parent / "templates"


@pytest.fixture(scope="module")
def pages(audits, parse):
    texts = {
        name: report.render(build(), command="goldlabel audit x") for name, build in audits.items()
    }
    return {name: (text, parse(text)) for name, text in texts.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_page_loads_nothing(pages, kind):
    text, page = pages[kind]
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "video", "audio", "source"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("href", "#").startswith("#")
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert not {"srcset", "action", "formaction", "background", "ping"} & attributes.keys()
    assert not re.search(r"url\(|@import|https?://", "".join(page.raw["style"]))
    assert not re.search(r"https?://|fetch|XMLHttp|import\(", "".join(page.raw["script"]))
    assert len(text.encode()) < html.LIMIT


@pytest.mark.parametrize("kind", KINDS)
def test_policy_allows_only_what_is_inside(pages, kind):
    _, page = pages[kind]
    policy = next(meta for meta in page.find("meta") if meta.get("http-equiv"))["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag in ("style", "script"):
        digest = hashlib.sha256("".join(page.raw[tag]).encode()).digest()
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"
        assert len(page.find(tag)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_well_formed(pages, kind):
    _, page = pages[kind]
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in page.find("a")} | {
        a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a
    }
    assert targets <= set(ids)
    assert all("alt" in image for image in page.find("img"))


def test_counts_are_those_of_the_audit(make, parse):
    audit = make(1300, share=0.5)
    page = parse(report.render(audit, top=500))
    flagged = audit.issues.num_issues
    assert f"{flagged} of 1,300 examples look mislabelled" in page.text
    assert f"The 500 worst of {flagged} flagged examples" in page.text
    rows = page.rows()
    assert len(rows) == 500
    expected = audit.issues.ranked()[:500]
    assert [row["data-id"] for row in rows] == [f"row-{i}" for i in expected]
    assert [float(row["data-score"]) for row in rows] == audit.issues.scores[expected].tolist()
    assert [row["data-rank"] for row in rows] == [str(i) for i in range(1, 501)]
    codes = zip(audit.issues.given[expected], audit.issues.suggested[expected], strict=True)
    assert [row["data-codes"] for row in rows] == [f"0,{g},{s}" for g, s in codes]
    for text in ("0.9751", "1,301", "2.6%", "goldlabel audit", "Text of example"):
        assert text in report.render(audit, command="goldlabel audit x")


def test_one_example_is_spoken_of_in_the_singular(make):
    audit = make(1, share=1.0)
    assert "</strong> of 1 examples looks mislabelled" in report.render(audit)


def test_empty_result_says_what_that_means(pages):
    _, page = pages["empty"]
    assert "None of 40 examples looks mislabelled" in page.text
    assert "does not prove that every label is right" in page.text
    assert page.rows() == []
    assert page.find("form") == []
    assert "There are no examples in this dataset" in pages["none"][1].text


def test_hostile_text_stays_text(pages, parse):
    text, page = pages["hostile"]
    assert page.find("img") == []
    assert len(page.find("script")) == 1
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "\\u202eevil\\x1b[31m" in page.text
    assert "49" not in {figure.strip() for figure in page.texts}
    assert "{{ 7 * 7 }}" in page.text
    assert "(1,000,000 characters)" in page.text
    assert re.search(r"… \(300,\d{3} characters in full\)", page.text)
    assert "(10,000 characters)" in page.text
    assert "and 89 more fields" in page.text
    assert "👩‍👩‍👧 family" in page.text
    assert "(empty)" in page.text
    assert max(map(len, page.texts)) < 5000


def test_surrogates_and_nul_can_be_written(make, tmp_path):
    audit = make(10, share=1.0, view=shows(text="a\udc80b\0c"))
    assert "a\\udc80b\\x00c" in report.render(audit)
    report.write(audit, tmp_path / "out")


def test_parts_of_one_example_stand_together(pages):
    _, page = pages["token"]
    first, second = page.rows()
    assert first["data-codes"] == "0,3,2;0,2,3"
    assert second["data-codes"] == "1,0,2"
    assert "token 11" in page.text
    assert "… 490 …" in page.text
    assert "Wrong tag" in page.text
    names = {select["name"] for select in page.find("select")}
    assert names == {"given", "suggested", "kind", "sort"}


def test_boxes_are_clipped_to_the_image(pages):
    _, page = pages["box"]
    boxes = [rect for rect in page.find("rect", "x") if rect.get("class") in ("given", "suggested")]
    assert len(boxes) == 4
    assert boxes[0] == {
        "class": "suggested", "x": "50.0", "y": "30.0", "width": "40.0", "height": "60.0"
    }  # fmt: skip
    assert "given mask" in page.text
    assert len([img for img in page.find("img") if img["alt"] == "Most boxes are small."]) == 1


def test_values_have_no_class_filters(pages):
    _, page = pages["value"]
    assert {select["name"] for select in page.find("select")} == {"sort"}
    assert [row["data-given"] for row in page.rows()] == ["120.5", "3"]
    assert page.rows()[1]["data-suggested"] == "nothing"


def test_images_beyond_the_budget_are_left_out_and_counted(make, image):
    big = image(300, 300)
    audit = make(200, share=1.0, view=shows(image=big))
    text = report.render(audit)
    shown = text.count("<img")
    assert 0 < shown < 200
    assert f"{200 - shown} images are left out" in text
    assert text.count("The image is left out.") == 200 - shown
    assert len(text.encode()) < html.LIMIT


def test_what_is_no_image_is_not_shown(make):
    audit = make(4, share=1.0, view=shows(image=b"<svg onload=alert(1)>"))
    text = report.render(audit)
    assert "<img" not in text
    assert text.count("cannot be shown") == 4


def test_page_stays_small_whatever_it_is_given(make, parse):
    wide = {f"field {i}": "\u6f22" * 1000 for i in range(12)}
    audit = make(900, share=1.0, view=shows(text="\u6f22" * 9000, fields=wide))
    text = report.render(audit)
    assert len(text.encode()) < html.LIMIT
    rows = parse(text).rows()
    assert 50 < len(rows) < 500
    assert f"The {len(rows)} worst of 900 flagged examples" in text


def test_figures_beyond_the_budget_are_left_out_and_counted(make, image):
    figures = tuple(Figure(f"Figure {i}", image(700, 700, i), "Noise.") for i in range(4))
    text = report.render(make(5, share=1.0, figures=figures))
    assert "3 more left out" in text


def heat(k: int, **names) -> Table:
    classes = [f"class {i}" for i in range(k)]
    values = np.arange(k * k).reshape(k, k)
    frame = pd.DataFrame(
        values,
        index=pd.Index(classes, name=names.get("index", "given")),
        columns=pd.Index(classes, name=names.get("columns", "suggested")),
    )
    return Table("Pairs", frame, style="heatmap")


@pytest.mark.parametrize("k", [2, 13, 40])
def test_heat_map_shows_every_pair(make, parse, k):
    page = parse(report.render(make(50, share=-1.0, tables=(heat(k),))))
    cells = [td for td in page.find("td") if re.fullmatch(r"h(\d+|same)", td.get("class") or "")]
    assert len(cells) == k * k
    assert [cell["class"] for cell in cells].count("hsame") == k
    assert cells[k * k - 2]["class"] == "h10"


def test_heat_map_of_many_classes_becomes_its_largest_pairs(make, parse):
    page = parse(report.render(make(50, share=-1.0, tables=(heat(41),))))
    assert (
        "A map of 41 classes would be too fine to read: these are the 40 largest of 1,640 pairs"
        in page.text
    )
    assert "class 40 class 39 1,679" in page.text


def test_cells_lead_to_the_pairs_that_are_shown(pages):
    _, page = pages["text"]
    pairs = {row["data-codes"].removeprefix("0,") for row in page.rows()}
    linked = {td["data-pair"] for td in page.find("td", "data-pair")}
    assert linked == pairs


def test_plain_table_shows_values_for_people(make, parse):
    frame = pd.DataFrame(
        {
            "class": ["a", "b"],
            "error_rate": [0.125, np.nan],
            "examples": [1234567, 1],
            "ok": [True, False],
            "when": [None, "x"],
            "quality": [0.5, 0.25],
        }
    )
    page = parse(report.render(make(5, share=-1.0, tables=(Table("T", frame, "How to read."),))))
    assert "a 12.5% 1,234,567 yes – 0.500" in page.text  # noqa: RUF001
    assert "b – 1 no x 0.250" in page.text  # noqa: RUF001
    assert "How to read." in page.text
    assert [td["data-v"] for td in page.find("td", "data-v")] == [
        "0.125",
        "1234567",
        "0.5",
        "1",
        "0.25",
    ]


def test_long_table_is_cut_and_says_so(make):
    frame = pd.DataFrame({"a": range(1500)})
    text = report.render(make(5, share=-1.0, tables=(Table("Long", frame),)))
    assert "The first 1,000 of 1,500 rows." in text


def test_what_was_run_is_on_the_page(tmp_path, make, parse):
    (tmp_path / "labels.csv").write_text("abc")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"12345")
    source = Source("csv", (tmp_path / "labels.csv",), {"label": "y"}, (tmp_path / "images",))
    page = parse(report.render(make(9, source=source), command=["goldlabel", "a b"], seed=7))
    assert "goldlabel 'a b'" in page.text
    assert hashlib.sha256(b"abc").hexdigest() in page.text
    assert "1 file, 5 bytes" in page.text
    for text in ("prune_by_noise_rate", "Seed 7", "scikit-learn", "label y"):
        assert text in page.text


def test_a_million_examples_cost_only_those_shown():
    from goldlabel.results.label_issues import LabelIssues, Parts

    n, m = 1_000_000, 100_000
    told = []
    rng = np.random.default_rng(0)
    scores = rng.random(n)
    rows = np.sort(rng.choice(n, m, replace=False))
    is_issue = np.zeros(n, bool)
    is_issue[rows] = True
    rows = rows[np.argsort(scores[rows])]
    parts = Parts(
        rows, np.full(m, -1), np.zeros(m, np.int8), ("error",), rows % 3, (rows + 1) % 3,
        scores[rows], scores[rows], reasons={"error": lambda **_: told.append(1) or "why"},
    )  # fmt: skip
    audit = Audit(LabelIssues("t", scores, is_issue, parts, ("a", "b", "c")), Source("csv", ()), {})
    started = time.process_time()
    report.render(audit)
    assert len(told) == 500
    assert time.process_time() - started < 2


def test_importing_the_report_compiles_nothing():
    code = (
        "import goldlabel.report, sys; print([m for m in ('numba', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * c for c in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read(theme):
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block))
    pairs = [
        (ink, ground)
        for ink in ("ink", "quiet", "gold")
        for ground in ("paper", "surface", "sunken")
    ]
    pairs += [
        ("gold", "gold-soft"),
        ("ink", "gold-soft"),
        ("ink", "warn-soft"),
        ("warn", "warn-soft"),
    ]
    pairs += [("h-low", f"h{i}") for i in range(1, 7)]
    pairs += [("h-high", f"h{i}") for i in range(8, 11)]
    colours["fixed"] = "#171614"
    pairs += [("fixed", "h7")]
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    edges = {g: contrast(colours["edge"], colours[g]) for g in ("surface", "paper")}
    assert min(edges.values()) >= 3


def test_rows_of_one_finding_are_shown_once_and_found_by_each(make, parse):
    audit = make(n=1, share=2.0)
    row = audit.issues.parts
    twice = {name: np.repeat(getattr(row, name), 2) for name in ("example", "score", "confidence")}
    parts = replace(
        row,
        **twice,
        part=np.array([4, 5]),
        kind=np.int8([0, 0]),
        given=np.array([0, 1]),
        suggested=np.array([1, 2]),
        group=np.array([7, 7]),
    )
    audit = replace(audit, issues=replace(audit.issues, parts=parts))
    text = report.render(audit)
    assert text.count('class="finding"') == 1
    assert parse(text).rows()[0]["data-codes"] == "0,0,1;0,1,2"
    assert report.describe(audit)["findings"] == 1
    assert report.describe(audit)["kinds"] == {"label error": 1}
