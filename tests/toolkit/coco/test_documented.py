"""docs/coco.md lists each code as it is."""

from __future__ import annotations

import re
from pathlib import Path

from goldlabel.coco import RULES

PAGE = Path(__file__).parents[3] / "docs" / "coco.md"


def test_the_table_of_codes_is_that_of_the_rules():
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `([a-z0-9-]+)` \| (.+) \| (\w+) \| (.+) \| (.+) \|$", text)
    listed = {code: (what, severity, fix) for code, what, severity, fix, _ in rows}
    assert list(listed) == list(RULES)
    for code, rule in RULES.items():
        assert listed[code] == (rule.what, rule.severity, rule.fix or "-")
    assert all(example.strip("` ") for *_, example in rows)


def test_codes_are_stable():
    """A code that is taken away or renamed breaks what people have written into their checks."""
    assert len(RULES) == 66
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in RULES)
