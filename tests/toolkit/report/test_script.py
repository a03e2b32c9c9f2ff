"""Sorting and filtering in a real browser; skipped where there is none."""

from __future__ import annotations

import html as escaping
import json
import re
import socket
import threading
from urllib.parse import urlencode

import numpy as np
import pytest

from goldlabel import report
from goldlabel.results.audit import Audit, Source
from goldlabel.results.label_issues import LabelIssues, Parts

pytestmark = pytest.mark.slow

HARNESS = """<!doctype html><meta charset="utf-8"><pre id="answer"></pre>
<iframe id="frame" style="width:WIDTHpx;height:800px;border:0"></iframe>
<script>
const frame = document.getElementById("frame");
frame.onload = () => {
  const page = frame.contentDocument, view = frame.contentWindow;
  const rows = () => [...page.querySelectorAll("table.examples tbody tr:not([hidden])")];
  const ids = () => rows().map((row) => row.dataset.id);
  const answer = (() => { STEPS })();
  document.getElementById("answer").textContent = JSON.stringify(answer);
};
frame.src = "page.html";
</script>"""


def ask(browse, page: str, steps: str, width: int = 1200) -> object:
    """Run steps against the page in a frame and return what they return."""
    dom = browse(page, harness=HARNESS.replace("STEPS", steps).replace("WIDTH", str(width)))
    return json.loads(escaping.unescape(re.search(r'<pre id="answer">(.*?)</pre>', dom, re.S)[1]))


def state(**choices: str) -> str:
    return f"#?{urlencode(choices)}"


def test_filters_combine_and_are_announced(browse, make, parse):
    audit = make(60, share=1.0)
    issues = audit.issues
    page = parse(browse(report.render(audit), state(given="1", suggested="2", text="example 1")))
    wanted = {
        f"row-{i}"
        for i in range(60)
        if (issues.given[i], issues.suggested[i]) == (1, 2) and str(i).startswith("1")
    }
    shown = [row["data-id"] for row in page.rows() if "hidden" not in row]
    assert 0 < len(wanted) < 60
    assert set(shown) == wanted
    assert f"Showing {len(wanted)} of 60 examples, worst first" in page.text
    status = next(p for p in page.find("p") if p.get("role") == "status")
    assert status["aria-live"] == "polite"
    assert "hidden" not in status


def test_sort_follows_the_address(browse, make, parse):
    audit = make(40, share=1.0)
    page = parse(browse(report.render(audit), state(sort="confidence-descending")))
    confidences = [float(row["data-confidence"]) for row in page.rows()]
    assert confidences == sorted(confidences, reverse=True)
    heads = [th for th in page.find("th", "data-key") if "aria-sort" in th]
    assert [(th["data-key"], th["aria-sort"]) for th in heads] == [("confidence", "descending")]
    assert "sorted by confidence, highest first" in page.text


def test_every_column_sorts_both_ways(browse, make):
    steps = """
      const found = {};
      for (const head of page.querySelectorAll("table.examples th")) {
        const button = head.querySelector("button");
        for (let click = 0; click < 2; click += 1) {
          button.click();
          found[`${head.dataset.key} ${head.getAttribute("aria-sort")}`] = ids();
        }
      }
      return found;"""
    audit = make(30, share=1.0)
    found = ask(browse, report.render(audit), steps)
    issues, parts = audit.issues, audit.issues.parts
    ranked = [f"row-{i}" for i in issues.ranked()]
    by_confidence = [f"row-{i}" for i in parts.example[parts.confidence.argsort(kind="stable")]]
    assert found["rank descending"] == ranked[::-1]
    assert found["rank ascending"] == found["score ascending"] == ranked
    assert found["score descending"] == ranked[::-1]
    assert found["confidence ascending"] == by_confidence
    assert found["id ascending"] == sorted(ranked, key=lambda name: int(name[4:]))
    names = [issues.classes[issues.given[int(name[4:])]] for name in found["given descending"]]
    assert names == sorted(names, reverse=True)


def test_plain_tables_sort_by_number_and_by_word(browse, make):
    steps = """
      const table = page.querySelector("table.sortable");
      const first = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
      const heads = table.tHead.rows[0].cells;
      heads[1].querySelector("button").click();
      const byNumber = [first(), heads[1].getAttribute("aria-sort")];
      heads[0].querySelector("button").click();
      return [byNumber, first(), heads[1].getAttribute("aria-sort")];"""
    audit = make(300, ("b", "a10", "a9"))
    counts = audit.tables[1].frame.set_index("class")["examples"]
    by_number, by_word, left = ask(browse, report.render(audit), steps)
    assert by_number == [counts.sort_values(ascending=False).index.tolist(), "descending"]
    assert by_word == ["a9", "a10", "b"]
    assert left is None


def test_a_cell_of_the_heat_map_opens_its_pair(browse, make):
    steps = """
      const cell = page.querySelector("td[data-pair='0,1']");
      cell.querySelector("button").click();
      return [ids(), page.activeElement.id, page.querySelector(".status").textContent];"""
    audit = make(60, share=1.0)
    shown, focus, status = ask(browse, report.render(audit), steps)
    given, suggested = audit.issues.given, audit.issues.suggested
    wanted = {f"row-{i}" for i in range(60) if (given[i], suggested[i]) == (0, 1)}
    assert set(shown) == wanted
    assert focus == "examples"
    assert status.startswith(f"Showing {len(wanted)} of 60")


def test_kinds_and_labels_must_meet_in_one_finding(browse, audits, parse):
    text = report.render(audits["box"]())
    both = parse(browse(text, state(kind="1", suggested="1")))
    assert [row["data-id"] for row in both.rows() if "hidden" not in row] == ["a.jpg"]
    neither = parse(browse(text, state(kind="0", given="1")))
    assert [row for row in neither.rows() if "hidden" not in row] == []
    none_match = next(p for p in neither.find("p") if "none-match" in (p.get("class") or ""))
    assert "hidden" not in none_match


def test_hostile_names_filter_and_run_nothing(browse, audits):
    steps = """
      const given = page.querySelector("select[name=given]");
      const counts = {};
      for (const option of given.options) {
        given.value = option.value;
        given.dispatchEvent(new Event("input", { bubbles: true }));
        counts[option.value] = rows().length;
      }
      page.querySelector("button[type=reset]").click();
      return [counts, page.querySelectorAll("img").length, page.scripts.length];"""
    audit = audits["hostile"]()
    counts, images, scripts = ask(browse, report.render(audit), steps)
    flagged = audit.issues.given[audit.issues.is_issue]
    assert counts[""] == len(flagged)
    for code in set(flagged.tolist()):
        assert counts[str(code)] == (flagged == code).sum()
    assert (images, scripts) == (0, 1)


@pytest.mark.parametrize("kind", ["text", "token", "box", "hostile", "many classes", "empty"])
def test_no_sideways_scrolling_on_a_phone(browse, audits, kind):
    steps = "return [page.documentElement.scrollWidth, view.innerWidth];"
    width, window = ask(browse, report.render(audits[kind]()), steps, width=360)
    assert window == 360
    assert width <= window


def test_a_broken_state_in_the_address_is_ignored(browse, make, parse):
    page = parse(browse(report.render(make(30, share=1.0)), state(given="99", sort="x-y", z="1")))
    assert "Showing 30 of 30 examples, worst first" in page.text


def test_page_asks_nothing_of_a_server(browse, make):
    """A server on this machine is named all over the data; it must never be asked."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    calls.append(server.accept()[0].recv(100))
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        bait = f'"><img src="{url}"><script src="{url}"></script><style>@import "{url}"</style>'
        dom = browse(report.render(make(20, (bait, url, "c"), notes=(bait, url))))
        stop.set()
        thread.join()
    assert "127.0.0.1" in dom
    assert calls == []


def test_parts_with_names_are_a_filter_in_place_of_what_the_kind_says(browse, parse):
    parts = Parts(
        example=np.array([0, 0, 1]),
        part=np.array([2, 0, 2]),
        kind=np.array([1, 0, 0], dtype=np.int8),
        kinds=("missing label", "spurious label"),
        given=np.array([1, 0, 0]),
        suggested=np.array([0, 1, 1]),
        score=np.array([0.1, 0.2, 0.3]),
        confidence=np.array([0.9, 0.8, 0.7]),
    )
    issues = LabelIssues(
        "multilabel",
        np.array([0.1, 0.3, 0.9]),
        np.array([True, True, False]),
        parts,
        classes=("absent", "present"),
        part_names=("calm", "happy", "sad"),
    )
    text = report.render(Audit(issues, Source("csv", ()), {}, part="class"))
    page = parse(browse(text, state(part="2", kind="0")))
    assert [row["data-id"] for row in page.rows() if "hidden" not in row] == ["1"]
    names = [field.get("name") for field in page.find("select")]
    assert names == ["kind", "part", "sort"]
