"""The server over a real socket: what a page gets, what is refused, and what is stored."""

from __future__ import annotations

import http.client
import io
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from goldlabel import report
from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.review.log import ReviewLog
from goldlabel.review.pictures import Pictures
from goldlabel.review.scenes import Stored
from goldlabel.review.server import Server
from goldlabel.review.session import Review
from goldlabel.tasks import multiclass

N = 40
NAMES = ["cat", "dog", "owl"]


def audited(place):
    """Write a table of which each fifth label is wrong, and its audit; return both places."""
    given = [NAMES[at % 3] if at % 5 else NAMES[(at + 1) % 3] for at in range(N)]
    texts = [f"a long enough text about an animal, number {at}" for at in range(N)]
    pd.DataFrame({"text": texts, "label": given}).to_csv(place / "pets.csv", index=False)
    probs = np.full((N, 3), 0.05)
    probs[np.arange(N), np.arange(N) % 3] = 0.9
    np.save(place / "p.npy", probs)
    audit = multiclass.audit(place / "pets.csv", pred_probs=place / "p.npy")
    report.write(audit, place / "audit")
    return place / "pets.csv", place / "audit"


class Page:
    """Asks as a browser would."""

    def __init__(self, server):
        self.port, self.word = server.port, server.pass_

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        usual = {
            "Cookie": f"goldlabel_pass_{self.port}={self.word}",
            "Origin": f"http://127.0.0.1:{self.port}",
        }
        data = body if isinstance(body, bytes | type(None)) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in {**usual, **headers}.items()}
        try:
            connection.request(method, path, data, {k: v for k, v in sent.items() if v is not None})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.ask("GET", path)
        return status, json.loads(body)

    def post(self, path, body):
        status, _, answer = self.ask("POST", path, body)
        return status, json.loads(answer)

    def decide(self, uid, example, verdict, **more):
        answer = {"verdict": verdict, **more}
        answers = [{"example": example, "question": 0, "answer": answer}]
        return self.post("/api/actions", {"uid": uid, "answers": answers, "seconds": 1.5})


@pytest.fixture
def serve():
    """Return what serves the review of a folder until the test ends."""
    with ExitStack() as running:

        def start(folder, *, name="ana", **options):
            out = options.pop("out", None)
            review = Review(folder, name=name, **options)
            running.callback(review.close)
            server = Server(review, out=out)
            running.enter_context(server.running())
            return Page(server)

        yield start


@pytest.fixture
def page(tmp_path, serve):
    audited(tmp_path)
    return serve(tmp_path / "audit")


def test_the_state_and_a_queue(page):
    status, state = page.get("/api/state")
    assert status == 200
    assert (state["dataset"], state["task"], state["flagged"]) == ("pets.csv", "multiclass", 8)
    assert state["classes"] == NAMES
    assert state["progress"] == {"undecided": 8, "decided": 0, "conflict": 0, "changed": 0}
    assert [each["name"] for each in state["reviewers"]] == ["ana"]
    _, queue = page.post("/api/queues", {"order": "dataset"})
    assert queue["total"] == 8
    _, rows = page.get(f"/api/queues/{queue['queue']}?from=2&n=3")
    assert [row["example"] for row in rows["rows"]] == [10, 15, 20]
    assert rows["rows"][0]["status"] == "undecided"
    assert (rows["rows"][0]["given"], rows["rows"][0]["suggested"]) == ("owl", "dog")
    _, some = page.post("/api/queues", {"filter": {"given": "owl", "text": "1"}})
    assert 0 < some["total"] < 8


def test_a_scene_says_what_is_shown_and_asked(page):
    _, queue = page.post("/api/queues", {})
    _, first = page.get(f"/api/next?queue={queue['queue']}")
    scene = first["scene"]["scene"]
    assert scene["blocks"][0]["type"] == "text"
    assert "about an animal" in scene["blocks"][0]["text"]
    [question] = scene["questions"]
    assert question["type"] == "choice"
    assert question["given"] != question["suggested"]
    assert len(first["ahead"]) == 3
    assert page.get(f"/api/examples/{first['example']}")[1] == {**first["scene"], "seq": 0}


def test_decide_undo_redo_and_export(page, tmp_path):
    _, done = page.decide("a", 0, "accept")
    assert done["rows"][0]["status"] == "decided"
    assert done["progress"]["decided"] == 1
    assert page.decide("a", 0, "accept")[1]["seq"] == done["seq"]  # sent twice, stored once
    page.decide("b", 5, "keep")
    page.decide("c", 10, "set", label="owl")
    page.decide("d", 15, "set", label="cat")
    page.decide("e", 20, "unsure")
    page.decide("f", 25, "accept")
    _, undone = page.post("/api/undo", {"uid": "g"})
    assert undone["example"] == 25
    assert undone["rows"][0]["status"] == "undecided"
    page.post("/api/redo", {"uid": "h"})
    page.post("/api/undo", {"uid": "i", "action": undone["seq"] - 1})
    page.post("/api/actions", {"uid": "n", "note": "strange", "example": 30})
    _, history = page.get("/api/history")
    assert [each["verb"] for each in history["actions"][:3]] == ["note", "undo", "redo"]
    code = main(["export", str(tmp_path / "audit"), "--reviewed", "--out", str(tmp_path / "o.csv")])
    assert code == 0
    before, after = (pd.read_csv(tmp_path / name)["label"] for name in ("pets.csv", "o.csv"))
    assert dict(after[before != after]) == {0: "cat", 15: "cat"}


def test_the_button_export_writes_where_it_was_allowed(tmp_path, serve):
    audited(tmp_path)
    page = serve(tmp_path / "audit", out=tmp_path / "fixed.csv")
    page.decide("a", 0, "accept")
    status, done = page.post("/api/export", {})
    assert (status, done["changed"]) == (200, 1)
    assert pd.read_csv(tmp_path / "fixed.csv")["label"][0] == "cat"
    assert (tmp_path / "audit" / "reviewed.csv").is_file()


def test_two_reviewers_and_their_conflicts(tmp_path, serve):
    audited(tmp_path)
    ana, ben = (serve(tmp_path / "audit", name=name) for name in ("ana", "ben"))
    barrier = threading.Barrier(2)
    picks = {}

    def work(page, name):
        rng = random.Random(name)
        barrier.wait()
        for step in range(60):
            example, verdict = 5 * rng.randrange(8), rng.choice(["accept", "keep"])
            status, _ = page.decide(f"{name} {step}", example, verdict)
            assert status == 200
            picks[name, example] = verdict

    people = [threading.Thread(target=work, args=each) for each in ((ana, "ana"), (ben, "ben"))]
    for person in people:
        person.start()
    for person in people:
        person.join()
    differ = {
        example
        for example in range(0, N, 5)
        if picks.get(("ana", example), "") != picks.get(("ben", example), "")
        and ("ana", example) in picks
        and ("ben", example) in picks
    }
    for page in (ana, ben):
        page.get("/api/changes?after=0")
        _, conflicts = page.get("/api/conflicts")
        assert {each["example"] for each in conflicts["conflicts"]} == differ
    with ReviewLog(tmp_path / "audit" / "review.sqlite", read_only=True) as log:
        assert sum(action.verb == "decide" for action in log.actions()) == 120


REFUSED = {
    "no pass": (403, "GET", "/api/state", None, {"Cookie": None}),
    "wrong pass": (403, "GET", "/api/state", None, {"Cookie": "goldlabel_pass=x"}),
    "wrong pass in the address": (403, "GET", "/?pass=x", None, {"Cookie": None}),
    "another host": (421, "GET", "/api/state", None, {"Host": "evil.example"}),
    "another origin": (403, "POST", "/api/undo", {"uid": "a"}, {"Origin": "http://evil.example"}),
    "no origin": (403, "POST", "/api/undo", {"uid": "a"}, {"Origin": None}),
    "too large": (413, "POST", "/api/actions", None, {"Content_Length": "99999999"}),
    "no JSON": (400, "POST", "/api/actions", b"{", {}),
    "a list": (400, "POST", "/api/actions", [], {}),
    "no such page": (404, "GET", "/api/nothing", None, {}),
    "no such method": (405, "POST", "/api/state", {}, {}),
    "no such example": (400, "GET", "/api/examples/4000", None, {}),
    "no such picture": (400, "GET", "/api/examples/1/pictures/x", None, {}),
    "no such queue": (400, "GET", "/api/queues/9?from=0", None, {}),
    "no such order": (400, "POST", "/api/queues", {"order": "best"}, {}),
    "no such reviewer": (400, "POST", "/api/undo", {"uid": "a", "reviewer": 99}, {}),
    "an empty name": (400, "POST", "/api/reviewers", {"name": " "}, {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(page, case):
    expected, method, path, body, headers = REFUSED[case]
    status, answer_headers, content = page.ask(method, path, body, **headers)
    assert status == expected
    error = json.loads(content)["error"]
    assert error.keys() == {"where", "what", "fix"}
    assert "trusted-types 'none'" in answer_headers["content-security-policy"]
    assert page.get("/api/history")[1]["actions"] == []


def test_the_pass_opens_the_app(page):
    status, headers, _ = page.ask("GET", f"/?pass={page.word}", Cookie=None)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly; SameSite=Strict" in headers["set-cookie"]


@pytest.mark.parametrize(
    "answer",
    [
        {"verdict": "set", "label": "cow"},
        {"verdict": "set"},
        {"verdict": "set", "label": 3},
        {"verdict": "maybe"},
        {},
        [],
        None,
        {"verdict": "accept", "box": [1, 2]},
        {"verdict": "accept", "spans": [[0, 1]]},
        {"verdict": "accept", "switches": {"x": True}},
        {"verdict": "accept", "paint": 3},
        {"verdict": "set", "box": [1, 2, 3, 1e999]},
    ],
)
def test_answers_that_are_none_store_nothing(page, answer):
    good = {"example": 0, "question": 0, "answer": {"verdict": "accept"}}
    bad = {"example": 5, "question": 0, "answer": answer}
    status, error = page.post("/api/actions", {"uid": "a", "answers": [good, bad]})
    assert status == 400
    assert error["error"]["what"]
    assert page.get("/api/history")[1]["actions"] == []


def test_damaged_bodies_are_never_an_error_of_ours(page):
    rng = random.Random(0)
    odd = [None, True, -1, 1.5, "x", [], {}, [[]], {"a": 1}, 2**70, "\ud800", "9" * 300]
    whole = {
        "uid": "a",
        "reviewer": 1,
        "answers": [{"example": 0, "question": 0, "answer": {"verdict": "accept"}}],
        "seconds": 1,
        "shown": {},
        "order": "worst",
        "filter": {},
        "name": "x",
        "action": 1,
        "note": "y",
        "example": 0,
    }
    paths = ["/api/actions", "/api/queues", "/api/undo", "/api/redo", "/api/reviewers"]
    for number in range(150):
        body = {name: value for name, value in whole.items() if rng.random() < 0.8}
        for name in rng.sample(list(body), min(2, len(body))):
            body[name] = rng.choice(odd)
        if "answers" in body and isinstance(body["answers"], list) and rng.random() < 0.5:
            entry = {"example": 0, "question": 0, "answer": {"verdict": "accept"}}
            entry[rng.choice(list(entry))] = rng.choice(odd)
            body["answers"] = [entry]
        status, _, _ = page.ask("POST", rng.choice(paths), {**body, "uid": f"{number}"})
        assert status in (200, 400), body


def test_nothing_is_written_where_it_is_read_only(tmp_path, serve):
    audited(tmp_path)
    serve(tmp_path / "audit").decide("a", 0, "accept")
    before = (tmp_path / "audit" / "review.sqlite").read_bytes()
    page = serve(tmp_path / "audit", read_only=True)
    assert page.get("/api/examples/0")[1]["answers"][0][0]["verdict"] == "accept"
    status, error = page.decide("b", 5, "accept")
    assert (status, error["error"]["what"]) == (403, "is open for reading only")
    assert (tmp_path / "audit" / "review.sqlite").read_bytes() == before


def test_pictures_of_the_dataset_alone(tmp_path):
    inside, outside = tmp_path / "images", tmp_path / "secret"
    for folder in (inside, outside):
        folder.mkdir()
        Image.new("RGB", (4, 3), (1, 2, 3)).save(folder / "a.png")
    pictures = Pictures([inside])
    assert pictures.sent(Stored(inside / "a.png", True)).media_type == "image/png"
    (inside / "link.png").symlink_to(outside / "a.png")
    (inside / "b.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    os.mkfifo(inside / "pipe.png")
    Image.new("I;16", (4, 3), 4000).save(inside / "deep.tiff")
    assert pictures.sent(Stored(inside / "deep.tiff", True)).content.startswith(b"\x89PNG")
    for path in (
        outside / "a.png",
        inside / ".." / "secret" / "a.png",
        inside / "link.png",
        inside / "b.svg",
        inside / "pipe.png",
        inside / "gone.png",
        Path("/dev/zero"),
    ):
        with pytest.raises(InputError):
            pictures.sent(Stored(path, True))


NURSERY = """
import os, sys
import uvicorn.lifespan.off, uvicorn.loops.auto, uvicorn.protocols.http.auto
from goldlabel.review.server import Server
from goldlabel.review.session import Review
from goldlabel.results.folder import read_audit
from goldlabel.task import find_task
issues, source, summary = read_audit(sys.argv[1])
find_task("multiclass").view(source, issues, summary).scenes([0])
for line in sys.stdin:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    server = Server(Review(sys.argv[1], name="ana"))
    print(os.getpid(), server.address, flush=True)
    server.run()
"""
KILLS = int(os.environ.get("GOLDLABEL_KILLS", "50"))


class Nursery:
    """Starts servers in processes that have imported everything already."""

    def __init__(self, folder):
        command = [sys.executable, "-c", NURSERY, str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def start(self):
        """Return the number of a process, and its address."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        number, address = self.process.stdout.readline().split()
        return int(number), address

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0
        self.process.stdout.close()


def write_until_killed(page, name, acknowledged):
    """Decide about two labels at once, until nobody answers."""
    for step in range(100_000):
        answers = [
            {"example": at % 8 * 5, "question": 0, "answer": {"verdict": "accept"}}
            for at in (step, step + 1)
        ]
        uid = f"{name} {step}"
        try:
            status, _ = page.post("/api/actions", {"uid": uid, "answers": answers})
        except (OSError, http.client.HTTPException, ValueError):
            return
        assert status == 200
        acknowledged.append(uid)


@pytest.mark.skipif(os.name != "posix", reason="forks, and kills with a signal")
def test_a_server_that_is_killed_has_kept_all_that_it_acknowledged(tmp_path):
    _, folder = audited(tmp_path)
    rng, acknowledged = random.Random(1), []
    nursery = Nursery(folder)
    for kill in range(KILLS):
        number, address = nursery.start()
        port, word = re.fullmatch(r"http://127.0.0.1:(\d+)/\?pass=(.*)", address).groups()
        page = Page(SimpleNamespace(port=int(port), pass_=word))
        writers = [
            threading.Thread(target=write_until_killed, args=(page, f"{name} {kill}", acknowledged))
            for name in "ab"
        ]
        for writer in writers:
            writer.start()
        time.sleep(rng.random() * 0.3)
        os.kill(number, signal.SIGKILL)
        for writer in writers:
            writer.join()
    nursery.close()
    with ReviewLog(folder / "review.sqlite", read_only=True) as log:
        stored = {action.uid: len(action.verdicts) for action in log.actions()}
        assert log._rows("PRAGMA integrity_check") == [("ok",)]
    assert len(acknowledged) > KILLS
    assert set(acknowledged) <= set(stored)
    assert set(stored.values()) == {2}
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(stored)} stored")


def test_two_pages_decide_500_times_each_and_differ_exactly_where_they_do(tmp_path, serve):
    audited(tmp_path)
    pages = {name: serve(tmp_path / "audit", name=name) for name in ("ana", "ben")}
    last = {}

    def work(name):
        rng = random.Random(name)
        for step in range(500):
            example, verdict = 5 * rng.randrange(8), rng.choice(["accept", "keep"])
            assert pages[name].decide(f"{name} {step}", example, verdict)[0] == 200
            last[name, example] = verdict

    people = [threading.Thread(target=work, args=(name,)) for name in pages]
    for person in people:
        person.start()
    for person in people:
        person.join()
    differ = {at for at in range(0, N, 5) if last["ana", at] != last["ben", at]}
    for page in pages.values():
        _, conflicts = page.get("/api/conflicts")
        assert {each["example"] for each in conflicts["conflicts"]} == differ
        assert page.get("/api/state")[1]["progress"]["conflict"] == len(differ)
    with ReviewLog(tmp_path / "audit" / "review.sqlite", read_only=True) as log:
        assert log.last() == 1000


def test_a_link_to_elsewhere_a_bomb_and_a_drawing_are_no_pictures(tmp_path):
    folder = tmp_path / "images"
    for name in NAMES:
        (folder / name).mkdir(parents=True)
    pictures = Pictures([folder])
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 13, b"IHDR")
    body = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = header + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    (folder / "cat" / "bomb.png").write_bytes(bomb)
    (folder / "cat" / "shell.png").write_bytes(b"<svg onload='alert(1)'/>")
    (folder / "dog" / "away").symlink_to(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "mine.png")
    for path in ("cat/bomb.png", "cat/shell.png", "dog/away/mine.png", "owl", "no.png", "a\0b"):
        with pytest.raises(InputError):
            pictures.sent(Stored(folder / path, True))
    with pytest.raises(InputError, match="cannot be shown"):
        pictures.sent(Stored(None, True))
    Image.new("RGB", (90, 30)).save(folder / "wide.jpg", exif=_turned())
    for upright, size in ((True, (20, 60)), (False, (60, 20))):
        made = pictures.sent(Stored(folder / "wide.jpg", upright), size=60)
        with Image.open(io.BytesIO(made.content)) as image:
            assert image.size == size
    for size in (0, 5000):
        with pytest.raises(InputError, match="size"):
            pictures.sent(Stored(folder / "wide.jpg", True), size=size)


def _turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def test_a_read_only_review_can_be_queued(tmp_path, serve):
    audited(tmp_path)
    page = serve(tmp_path / "audit", read_only=True)
    assert page.post("/api/queues", {})[1]["total"] == 8
    assert not (tmp_path / "audit" / "review.sqlite").exists()


def test_odd_queries_are_never_an_error_of_ours(page):
    page.post("/api/queues", {})
    odd = ["", "x", "-1", "1.5", "9" * 30, "%00", "%ff", "1e3", "٣", "nan"]
    paths = [
        *("/api/queues/1?from={}", "/api/queues/1?n={}", "/api/queues/{}"),
        *("/api/next?queue=1&after={}", "/api/next?queue={}", "/api/next?queue=1&reviewer={}"),
        *("/api/examples/{}", "/api/examples/0/pictures/{}", "/api/changes?after={}"),
        *("/api/history?before={}", "/api/history?n={}", "/api/state?reviewer={}", "/{}"),
        "/?pass={}",
    ]
    for path in paths:
        for value in odd:
            quoted = urllib.parse.quote(value, safe="%")
            status, _, _ = page.ask("GET", path.format(quoted))
            assert status in (200, 303, 400, 403, 404), (path, value)


def test_a_clock_that_is_set_back_and_a_view_that_fails(tmp_path, serve, monkeypatch):
    audited(tmp_path)
    page = serve(tmp_path / "audit")
    page.decide("a", 0, "accept")
    monkeypatch.setattr("time.time_ns", lambda: 1)
    page.decide("b", 0, "keep")
    assert page.get("/api/examples/0")[1]["answers"][0][0]["verdict"] == "keep"
    (tmp_path / "pets.csv").unlink()
    again = serve(tmp_path / "audit", name="ben")
    again.get("/api/examples/1")  # not flagged, so not in head.json: waits for the dataset
    scene = again.get("/api/examples/0")[1]["scene"]
    assert scene["blocks"] == []
    assert scene["questions"][0]["suggested"] == "cat"
    assert again.get("/api/state")[1]["problem"]["where"].endswith("pets.csv")
    assert again.decide("c", 0, "accept")[0] == 200
