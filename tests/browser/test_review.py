"""A person reviews by keys alone in Chromium: nothing is lost, and nothing else is changed."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import goldlabel.task
from goldlabel import report
from goldlabel.cli import main
from goldlabel.review.server import Server
from goldlabel.review.session import Review

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
ALONE = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
NAMES = ["cat", "dog", "owl"]
TEXTS = [
    "پیام فارسی درباره یک گربه",
    "an owl 🦉 that says 👩‍🚀 nothing",
    "word " * 2000,
    "<b>not bold</b>",
]


def given(n):
    return [NAMES[at % 3] if at % 4 else NAMES[(at + 1) % 3] for at in range(n)]


def probs_of(classes, k):
    probs = np.full((len(classes), k), 0.1 / (k - 1))
    probs[np.arange(len(classes)), classes] = 0.9
    return probs


def multiclass(place):
    texts = [
        TEXTS[at // 4 % 4] if at % 4 == 0 else f"a long text of an animal {at}" for at in range(40)
    ]
    frame = pd.DataFrame({"text": texts, "label": given(40)})
    frame.to_csv(place / "data.csv", index=False)
    np.save(place / "p.npy", probs_of(np.arange(40) % 3, 3))
    return "multiclass", {"path": place / "data.csv", "pred_probs": place / "p.npy"}


def many_classes(place):
    names = [f"class {at}" for at in range(12)]
    labels = [names[at % 12] if at % 25 else names[(at + 1) % 12] for at in range(240)]
    pd.DataFrame({"text": labels, "label": labels}).to_csv(place / "data.csv", index=False)
    np.save(place / "p.npy", probs_of(np.arange(240) % 12, 12))
    words = {"pred_probs": place / "p.npy", "classes": names}
    return "multiclass", {"path": place / "data.csv", **words}


def multilabel(place):
    has = np.random.default_rng(0).random((40, 3)) < 0.4
    np.save(place / "p.npy", np.where(has, 0.9, 0.1))
    wrong = has.copy()
    wrong[::7, 0] ^= True
    pd.DataFrame(wrong.astype(int), columns=NAMES).to_csv(place / "data.csv", index=False)
    words = {"labels": NAMES, "pred_probs": place / "p.npy"}
    return "multilabel", {"path": place / "data.csv", **words}


def regression(place):
    values = np.random.default_rng(0).normal(100, 10, 60).round(1)
    frame = pd.DataFrame({"y": values, "says": values + np.linspace(-1, 1, 60)})
    frame.loc[[3, 30], "y"] = [1000.0, -900.0]
    frame.to_csv(place / "data.csv", index=False)
    return "regression", {"path": place / "data.csv", "label": "y", "predictions": "says"}


def token(place):
    scheme = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    words = [("Ann", 1), ("saw", 0), ("Rome", 3)] * 30
    tags = [0 if at % 30 == 0 else tag for at, (_, tag) in enumerate(words)]
    lines = [f"{word} {scheme[tag]}" for (word, _), tag in zip(words, tags, strict=True)]
    sentences = ["\n".join(lines[at : at + 3]) for at in range(0, 90, 3)]
    (place / "data.conll").write_text("\n\n".join(sentences) + "\n")
    np.save(place / "p.npy", probs_of([tag for _, tag in words], 5))
    return "token", {
        "path": place / "data.conll",
        "pred_probs": place / "p.npy",
        "classes": scheme,
    }


def pictures(place, n):
    (place / "images").mkdir()
    for at in range(n):
        Image.new("RGB", (60, 40), (40 + 9 * at, 90, 120)).save(place / "images" / f"{at}.png")
    return place / "images"


def detection(place):
    rows, found = [], []
    for at in range(12):
        for box in ((5, 5, 25, 25), (30, 10, 55, 35)):
            found.append((f"{at}.png", "cat", *box, 0.95))
            if not (at % 5 == 0 and box[0] == 30):
                rows.append((f"{at}.png", "cat" if at % 4 or box[0] == 30 else "dog", *box))
    names = ["image", "class", "xmin", "ymin", "xmax", "ymax"]
    pd.DataFrame(rows, columns=names).to_csv(place / "data.csv", index=False)
    pd.DataFrame(found, columns=[*names, "score"]).to_csv(place / "found.csv", index=False)
    words = {"predictions": place / "found.csv", "images": pictures(place, 12)}
    return "detection", {"path": place / "data.csv", **words}


def segmentation(place):
    (place / "data").mkdir()
    true = np.zeros((6, 40, 60), dtype=np.uint8)
    true[:, 20:] = 1
    for at, mask in enumerate(true):
        given_mask = mask.copy()
        if at % 2 == 0:
            given_mask[5:15, 10:30] = 1
        Image.fromarray(given_mask).save(place / "data" / f"{at}.png")
    probs = np.stack([1.0 - true, true], axis=1) * 0.9 + 0.05
    np.save(place / "p.npy", probs)
    words = {
        "pred_probs": place / "p.npy",
        "images": pictures(place, 6),
        "classes": ["sky", "road"],
    }
    return "segmentation", {"path": place / "data", **words}


def multiannotator(place):
    rng = np.random.default_rng(1)
    rows = [
        (at, who, NAMES[at % 3] if rng.random() < 0.85 else NAMES[rng.integers(3)])
        for at in range(40)
        for who in ("ann", "ben", "cid")
    ]
    frame = pd.DataFrame(rows, columns=["item", "worker", "label"])
    frame.to_csv(place / "data.csv", index=False)
    return "multiannotator", {"path": place / "data.csv"}


MADE = (multiclass, multilabel, regression, token, detection, segmentation, multiannotator)


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(ALONE))
        yield browser
        browser.close()


class Person:
    """Looks at the page of one review and types."""

    def __init__(self, browser, folder, *, name="ana", theme="light", width=1280, out=None):
        self.review = Review(folder)
        self.server = Server(self.review, self.review.log.enter_reviewer(name), out=out)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        self.said, self.asked = [], []
        self.page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(self.server.address)
        self.ready()

    def ready(self):
        self.page.wait_for_selector(".row.here")
        self.page.wait_for_selector(".question .key")
        # Chromium drops keys that come before a page has been painted.
        self.page.evaluate("new Promise((go) => requestAnimationFrame(() => setTimeout(go, 100)))")

    def decide(self, key):
        """Press a key and wait until what it decides is saved."""
        before = self.state()["seq"]
        self.page.keyboard.press(key)
        self.wait(lambda: self.state()["seq"] > before)
        self.page.wait_for_timeout(60)

    def wait(self, holds):
        for _ in range(300):
            if holds():
                return
            self.page.wait_for_timeout(20)  # not sleep: routes are answered in here
        raise AssertionError(f"never came: {self.page.inner_text('.live')} {self.said}")

    def state(self):
        self.review.sync()
        return {"seq": self.review.log.last(), **self.review.progress()}

    def leave(self):
        self.page.close()
        self.server.stop()
        self.thread.join(10)
        self.review.close()
        host = f"http://127.0.0.1:{self.server.port}/"
        assert all(each.startswith((host, "blob:")) for each in self.asked)
        assert self.said == []


@pytest.fixture
def person(chromium):
    people = []

    def comes(folder, **options):
        people.append(Person(chromium, folder, **options))
        return people[-1]

    yield comes
    for each in people:
        each.leave()


def audited(make, place):
    task, words = make(place)
    report.write(goldlabel.task.find_task(task).audit(**words), place / "audit")
    return place / "audit"


def test_by_keys_alone_and_nothing_is_lost(tmp_path, person):
    folder = audited(multiclass, tmp_path)
    ana = person(folder)
    keys = ["Enter", "k", "1", "u", "Enter", "k", "Enter", "x"]
    for key in keys:
        ana.decide(key)
    assert ana.state()["decided"] == 8
    ana.page.reload()
    ana.ready()
    assert "8 of 10 decided" in ana.page.inner_text(".head")
    for _ in keys:
        ana.decide("z")
    assert ana.state()["decided"] == 0
    for key in ("Enter", "Enter", "k"):
        ana.decide(key)
    decided = {each.verdict.example: each.verdict for each in ana.review.decisions()}
    assert len(decided) == 3
    out = tmp_path / "fixed.csv"
    assert main(["export", str(folder), "--reviewed", "--out", str(out)]) == 0
    before, after = (pd.read_csv(path)["label"] for path in (tmp_path / "data.csv", out))
    changed = {example for example, each in decided.items() if each.verdict == "accept"}
    assert set(np.flatnonzero(before != after)) == changed
    assert all(after[at] == decided[at].label for at in changed)


def test_a_class_is_found_by_typing(tmp_path, person):
    folder = audited(multiclass, tmp_path)
    ana = person(folder)
    ana.page.keyboard.press("/")
    ana.page.wait_for_selector("dialog input")
    ana.page.keyboard.type("ow")
    ana.decide("Enter")
    [decision] = ana.review.decisions()
    assert decision.verdict.label == "owl"


def test_notes_history_and_taking_back(tmp_path, person):
    ana = person(audited(multiclass, tmp_path))
    ana.decide("Enter")
    ana.page.keyboard.press("n")
    ana.page.wait_for_selector("dialog textarea")
    ana.page.keyboard.type("looks like both; u k x")  # no key of these decides
    ana.decide("Control+Enter")
    assert len(ana.review.decisions()) == 1
    ana.page.keyboard.press("y")
    ana.page.wait_for_selector("dialog .history .back")
    assert "looks like both" in ana.page.inner_text("dialog")
    ana.page.click("dialog .history .back")
    ana.wait(lambda: not ana.review.decisions())
    ana.page.keyboard.press("Escape")
    ana.decide("Shift+Z")
    assert len(ana.review.decisions()) == 1


def test_keys_typed_during_a_save_keep_their_order(tmp_path, person):
    ana = person(audited(multiclass, tmp_path))
    for key in ("Enter", "k", "Enter", "k", "u"):
        ana.page.keyboard.press(key)
    ana.wait(lambda: ana.review.log.last() == 5)
    stored = [action.verdicts[0].verdict for action in ana.review.log.actions()]
    assert stored == ["accept", "keep", "accept", "keep", "unsure"]
    examples = [action.verdicts[0].example for action in ana.review.log.actions()]
    assert len(set(examples)) == 5


def test_what_cannot_be_sent_is_kept_and_sent_later(tmp_path, person):
    ana = person(audited(multiclass, tmp_path))
    ana.page.route("**/api/actions", lambda route: route.abort())
    ana.page.keyboard.press("Enter")
    ana.page.wait_for_selector(".bar")
    assert ana.review.log.last() == 0
    ana.page.unroute("**/api/actions")
    ana.wait(lambda: ana.review.log.last() == 1 or ana.page.wait_for_timeout(50))
    ana.said.clear()  # Chromium names the request that failed


def test_two_people_differ(tmp_path, person):
    folder = audited(multiclass, tmp_path)
    ana, ben = person(folder, name="ana"), person(folder, name="ben")
    ana.decide("Enter")
    ben.decide("k")
    assert ben.state()["conflict"] == 1
    ana.page.wait_for_selector(".head .warn")
    ana.page.keyboard.press("c")
    ana.page.wait_for_selector("dialog .history b")
    assert "ana" in ana.page.inner_text("dialog")
    assert "ben" in ana.page.inner_text("dialog")


def test_who_decides_may_be_said_in_the_page(tmp_path, person):
    ana = person(audited(multiclass, tmp_path))
    ana.page.once("dialog", lambda dialog: dialog.accept("ben"))
    ana.page.click(".head button:has-text('ana')")
    ana.page.wait_for_selector(".head button:has-text('ben')")
    ana.decide("Enter")
    ana.page.reload()
    ana.ready()
    ana.decide("k")
    assert {ana.review.names[each.reviewer] for each in ana.review.log.actions()} == {"ben"}


def test_a_slash_on_the_key_of_seven_looks_for_a_class(tmp_path, person):
    ana = person(audited(many_classes, tmp_path))
    ana.page.evaluate(
        "dispatchEvent.call(document.body, new KeyboardEvent('keydown', {key: '/', code: 'Digit7',"
        " shiftKey: true, bubbles: true}))"
    )
    ana.page.wait_for_selector("dialog input")
    assert ana.review.log.last() == 0


def test_enter_presses_the_button_that_is_in_focus(tmp_path, person):
    ana = person(audited(multiclass, tmp_path))
    ana.page.focus(".head button:has-text('history')")
    ana.page.keyboard.press("Enter")
    ana.page.wait_for_selector("dialog .history")
    ana.page.keyboard.press("Escape")
    assert ana.review.log.last() == 0
    ana.page.click(".row:nth-child(2)")  # a row that was clicked does not hold the key
    ana.page.wait_for_selector(".row.here:nth-child(2)")
    ana.decide("Enter")


def test_an_action_added_while_another_is_sent_is_not_lost(tmp_path, person):
    """Two tabs of one review keep what is unsent in one place."""
    folder = audited(multiclass, tmp_path)
    ana = person(folder)
    with ana.page.expect_popup() as opened:
        ana.page.evaluate("void open('/')")
    tab = opened.value
    tab.wait_for_selector(".question .key")
    held = []
    ana.page.route("**/api/actions", lambda route: held.append(route))
    ana.page.keyboard.press("Enter")
    ana.wait(lambda: held or ana.page.wait_for_timeout(20))
    tab.route("**/api/actions", lambda route: route.abort())
    tab.keyboard.press("k")
    tab.wait_for_selector(".bar")
    for route in held:
        route.continue_()
    ana.page.unroute("**/api/actions")
    ana.wait(lambda: ana.review.log.last() == 2 or ana.page.wait_for_timeout(50))
    tab.close()


def test_what_is_unsent_goes_to_no_other_audit(tmp_path, person):
    one, other = tmp_path / "one", tmp_path / "other"
    for place in (one, other):
        place.mkdir()
        audited(multiclass, place)
    ana = person(one / "audit")
    ana.page.route("**/api/actions", lambda route: route.abort())
    ana.page.keyboard.press("Enter")
    ana.page.wait_for_selector(".bar")
    [(place, kept)] = ana.page.evaluate(
        "Object.entries(localStorage).filter(([name]) => name.startsWith('goldlabel-unsent'))"
    )
    assert str(one) in place
    assert json.loads(kept)[0]["body"]["reviewer"] == ana.review.reviewer
    ana.said.clear()


def test_a_key_waits_for_the_example_that_was_moved_to(tmp_path, person):
    ana = person(audited(multiclass, tmp_path))
    place = ana.page.locator(".row").nth(6)
    place.scroll_into_view_if_needed()
    name = place.locator("b").inner_text()

    def late(route):
        time.sleep(0.3)
        route.continue_()

    ana.page.route("**/api/examples/*", late)
    place.click(no_wait_after=True)
    ana.decide("k")
    [decision] = ana.review.decisions()
    assert ana.review.findings.id(decision.verdict.example) == name


def test_changes_of_others_are_seen_though_one_decides_meanwhile(tmp_path, person):
    folder = audited(multiclass, tmp_path)
    ana, ben = person(folder, name="ana"), person(folder, name="ben")
    ana.page.route("**/api/changes*", lambda route: route.abort())
    last = ben.page.locator(".row").last
    last.click()
    ben.page.wait_for_selector(".row.here:last-child")
    ben.decide("k")
    ana.decide("Enter")
    ana.page.unroute("**/api/changes*")
    ana.page.wait_for_selector(".row.decided:last-child")
    ana.said.clear()


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_every_task_by_keys(tmp_path, person, make, theme, width):
    folder = audited(make, tmp_path)
    ana = person(folder, theme=theme, width=width)
    for key in ("Enter", "k"):
        ana.decide(key)
    names = {each.verdict.verdict for each in ana.review.decisions()}
    assert {"accept", "keep"} & names
    ana.page.screenshot(path=tmp_path / "page.png", full_page=True)
    wide = ana.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    out = tmp_path / ("fixed" + "".join((tmp_path / "data.csv").suffixes))
    if make in (token,):
        out = tmp_path / "fixed.conll"
    if make is segmentation:
        out = tmp_path / "fixed"
    assert main(["export", str(folder), "--reviewed", "--out", str(out)]) == 0
    assert out.exists()


@pytest.mark.parametrize("width", [1280, 400])
def test_boxes_lie_where_they_are_in_the_picture(tmp_path, person, width):
    """Pictures of 60 x 40 are fitted into their place; so are the boxes over them."""
    ana = person(audited(detection, tmp_path), width=width)
    ana.page.wait_for_selector(".overlay .given rect, .overlay .suggested rect")
    ana.page.wait_for_timeout(300)
    box, image = ana.page.evaluate(
        """() => {
          const sides = (each) => { const r = each.getBoundingClientRect();
            return [r.x, r.y, r.width, r.height]; };
          return [sides(document.querySelector(".overlay .given rect.under, .overlay .suggested"
            + " rect.under")), sides(document.querySelector(".moved img"))];
        }"""
    )
    example = int(ana.page.evaluate("location.hash.slice(1)"))
    question = ana.review.scenes.json(example)["questions"][0]
    asked = question["boxes"][0]
    scale = min(image[2] / 60, image[3] / 40)
    left = image[0] + (image[2] - 60 * scale) / 2
    top = image[1] + (image[3] - 40 * scale) / 2
    expected = [left + asked["x1"] * scale, top + asked["y1"] * scale]
    assert box[:2] == pytest.approx(expected, abs=2)
    assert box[2] == pytest.approx((asked["x2"] - asked["x1"]) * scale, abs=3)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_finding_of_axe(tmp_path, person, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    ana = person(audited(multiclass, tmp_path), theme=theme)
    for key, screen in (("", ".question"), ("?", "dialog"), ("y", "dialog"), ("/", "dialog")):
        if key:
            ana.page.keyboard.press("Escape")
            ana.page.wait_for_timeout(50)
            ana.page.keyboard.press(key)
        ana.page.wait_for_selector(screen)
        found = axe.Axe().run(ana.page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert not serious, json.dumps([(e["id"], e["nodes"][0]["html"]) for e in serious])


def test_the_picture_of_the_readme(tmp_path, person):
    """What README shows is a page like this; GOLDLABEL_PICTURES=1 writes it again."""
    kept = Path(__file__).parents[2] / "docs" / "review.png"
    if os.environ.get("GOLDLABEL_PICTURES"):
        ana = person(audited(multiclass, tmp_path))
        ana.page.wait_for_timeout(300)
        ana.page.screenshot(path=kept)
    assert kept.stat().st_size < 200_000
    with Image.open(kept) as picture:
        assert picture.width >= 1200
