"""What is printed: the right numbers, within the width, and nothing a terminal would obey."""

from __future__ import annotations

import io
import re

import pytest
from made_views import MadeView, shows
from rich.cells import cell_len
from rich.console import Console

from goldlabel import report
from goldlabel.scenes import Pieces, Span, Spans

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


def printed(audit, width: int = 80, **options) -> str:
    file = io.StringIO()
    report.show(audit, Console(file=file, width=width), **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_fits_the_width_and_commands_nothing(audits, kind, width):
    text = printed(audits[kind](), width, next_command="goldlabel export out --out fixed.csv")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert max(map(cell_len, text.splitlines())) <= width
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert text.endswith("Next: goldlabel export out --out fixed.csv\n")
    assert "\n\n\n" not in text


def test_says_the_counts_and_the_worst(make):
    audit = make(1300)
    flagged = audit.issues.num_issues
    text = printed(audit, top=3)
    assert text.startswith(f"{flagged} of 1,300 examples look mislabelled (")
    assert f"Worst examples, 3 of {flagged} " in text
    lines = text.splitlines()
    for rank, position in enumerate(audit.issues.ranked()[:3].tolist(), start=1):
        at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{rank}  "))
        assert f"{audit.issues.scores[position]:.3f}  row-{position}" in lines[at]
        assert lines[at + 1].strip() == f"Text of example {position}."
        classes, issues = audit.issues.classes, audit.issues
        expected = f"{classes[issues.given[position]]} → {classes[issues.suggested[position]]}"
        assert lines[at + 2].strip() == expected
    assert "Label health      0.9751" in text
    assert "Estimated errors  1,301" in text
    assert "Error rate        2.6%" in text
    assert "- The format csv was recognised." in text


def test_markup_in_data_is_printed_as_it_is(make):
    audit = make(
        9,
        ("[red]", "[/]", "[bold]x[/bold]"),
        share=1.0,
        view=shows(text="[link=file:///x]click[/link] [red] :smile:"),
        notes=("[blink]note[/blink]",),
    )
    text = printed(audit, next_command="x [red]")
    for literal in ("[red]", "[/]", "[bold]x[/bold]", "[link=file:///x]click[/link]", ":smile:"):
        assert literal in text
    assert "- [blink]note[/blink]" in text
    assert "Next: x [red]" in text


def test_colours_only_where_there_are_some(make):
    file = io.StringIO()
    report.show(make(), Console(file=file, force_terminal=True, color_system="standard", width=80))
    assert "\x1b[" in file.getvalue()
    assert "\x1b[" not in printed(make())


def test_control_characters_are_written_out(make):
    audit = make(4, share=1.0, view=shows(text="\x1b]0;title\x07 a\r\nb\tc\x9b2J"))
    assert "\\x1b]0;title\\x07 a b c\\x9b2J" in printed(audit)


def test_long_and_wide_text_is_cut(make):
    audit = make(4, share=1.0, view=shows(text="\u6f22\u5b57" * 5000))
    line = next(line for line in printed(audit, 60).splitlines() if "\u6f22" in line)
    assert line.endswith("…")
    assert 55 <= cell_len(line) <= 60


def test_nothing_flagged(audits):
    text = printed(audits["empty"]())
    assert text.startswith("0 of 40 examples look mislabelled (0%)")
    assert "Worst" not in text


def test_warnings_come_with_their_mark(make):
    text = printed(make(warnings=("Columns look permuted.",)))
    assert "Warnings\n  ! Columns look permuted." in text


def test_top_zero_shows_none(make):
    assert "Worst" not in printed(make(), top=0)


def test_fields_stand_in_for_a_text(make):
    audit = make(4, share=1.0, view=shows(fields={"file": "a.png", "w": "8"}))
    assert "file: a.png · w: 8" in printed(audit)


def test_suspect_words_of_a_text_are_marked_and_seen(make):
    words = Pieces(tuple(f"w{at}" for at in range(60)), ("", *[" "] * 59, ""))
    new = (Span(40, 41, "PER"),)
    question = Spans(
        parts=(40,), first=40, stop=41, spans_given=(), spans_suggested=new, labels=("PER",)
    )
    audit = make(n=1, share=1.0, view=MadeView(lambda at: [words], lambda at: [question]))
    assert "… w37 w38 w39 [w40] w41" in printed(audit, 120)
