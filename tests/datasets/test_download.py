import gzip
import hashlib
import io
import logging
import os
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from goldlabel import InputError
from goldlabel.datasets import download, fetch, load
from goldlabel.datasets.sources import Dataset, RemoteFile

FILES = {
    "a.txt": b"first file\n" * 50,
    "sub/b.csv": b"text,label\nx,y\n",
    "c.bin": bytes(range(256)),
}


class Server:
    """A web server on this machine that can fail in the ways that servers do."""

    def __init__(self):
        self.files = dict(FILES)
        self.asked = Counter()
        self.failures = {}  # path -> list of what to do for the next requests
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def answer(self, handler):
        path = handler.path.lstrip("/")
        self.asked[path] += 1
        content = self.files.get(path)
        todo = self.failures.get(path, [])
        failure = todo.pop(0) if todo else None
        status = 404 if content is None else failure if isinstance(failure, int) else 200
        handler.send_response(status)
        body = content if status == 200 else b"no"
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if failure == "cut" else body)

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GOLDLABEL_DATA", raising=False)
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.setattr(download, "TIMEOUT", 5)
    running = Server()
    yield running
    running.close()


@pytest.fixture
def tiny(server, monkeypatch, tmp_path):
    """Let `fetch` know one dataset, "tiny", which lies on the server."""
    listed = tuple(
        RemoteFile(path, server.url + path, hashlib.sha256(content).hexdigest(), len(content))
        for path, content in FILES.items()
    )
    entry = Dataset("tiny", "multiclass", "Tiny.", "CC0", "Nobody 2024", listed, {})
    monkeypatch.setattr(download, "find_dataset", lambda name: entry)
    monkeypatch.setenv("GOLDLABEL_CACHE", str(tmp_path / "cache"))
    return entry


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_fetch_downloads_once(server, tiny, tmp_path):
    folder = fetch("tiny")
    assert folder == tmp_path / "cache" / "multiclass" / "tiny"
    assert contents(folder) == FILES
    assert fetch("tiny") == folder
    assert server.asked == dict.fromkeys(FILES, 1)


def test_fetch_into_a_named_folder(tiny, tmp_path):
    assert contents(fetch("tiny", folder=tmp_path / "here")) == FILES
    assert not (tmp_path / "cache").exists()


def test_default_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("GOLDLABEL_CACHE", raising=False)
    assert download._cache().name == "goldlabel"


def test_damaged_and_missing_files_are_fetched_again_and_only_these(server, tiny):
    folder = fetch("tiny")
    (folder / "a.txt").write_bytes(FILES["a.txt"][:-7])
    (folder / "c.bin").write_bytes(bytes(256))  # right size, wrong content
    assert contents(fetch("tiny")) == FILES
    assert server.asked == {"a.txt": 2, "sub/b.csv": 1, "c.bin": 2}


def test_interrupted_fetch_goes_on_where_it_stopped(server, tiny):
    def stop(done, total, what):
        if what == "c.bin":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", progress=stop)
    folder = download._cache() / "multiclass" / "tiny"
    assert contents(folder) == {name: FILES[name] for name in ("a.txt", "sub/b.csv")}
    assert contents(fetch("tiny")) == FILES
    assert server.asked == dict.fromkeys(FILES, 1)


@pytest.mark.parametrize("failure", ["cut", 500, 503])
def test_passing_failures_are_tried_again(server, tiny, failure):
    server.failures["a.txt"] = [failure, failure]
    assert contents(fetch("tiny")) == FILES
    assert server.asked["a.txt"] == 3


def test_cut_files_never_appear(server, tiny):
    server.failures["a.txt"] = ["cut"] * 3
    with pytest.raises(InputError, match=r"a.txt"):
        fetch("tiny")
    assert contents(download._cache()) == {}


def test_changed_file_is_refused(server, tiny):
    server.files["a.txt"] = b"something else"
    with pytest.raises(InputError, match=r"has 14 bytes with SHA-256 .* not 550 bytes") as caught:
        fetch("tiny")
    assert caught.value.where == server.url + "a.txt"
    assert contents(download._cache()) == {}


def test_gone_file_is_asked_for_once(server, tiny):
    del server.files["sub/b.csv"]
    with pytest.raises(InputError, match="the server answers 404") as caught:
        fetch("tiny")
    assert "GOLDLABEL_DATA" in caught.value.fix
    assert server.asked["sub/b.csv"] == 1
    assert contents(download._cache()) == {"multiclass/tiny/a.txt": FILES["a.txt"]}


def test_no_network_says_what_to_do(server, tiny):
    server.close()
    with pytest.raises(InputError, match=r"cannot be reached .*Check the network.*GOLDLABEL_DATA"):
        fetch("tiny")


def test_progress_counts_bytes_up_to_all(tiny):
    said = []
    fetch("tiny", progress=lambda done, total, what: said.append((done, total, what)))
    total = sum(len(content) for content in FILES.values())
    assert [done for done, _, _ in said] == sorted(done for done, _, _ in said)
    assert {entry[1] for entry in said} == {total}
    assert said[0] == (0, total, "a.txt")
    assert said[-1] == (total, total, "tiny")


def test_bar_only_on_a_terminal(server, tiny, monkeypatch, capsys):
    fetch("tiny")
    assert capsys.readouterr() == ("", "")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    (download._cache() / "multiclass" / "tiny" / "a.txt").unlink()
    fetch("tiny")
    assert "tiny: licence: CC0" in terminal.getvalue()


def test_licence_is_logged(tiny, caplog):
    with caplog.at_level(logging.INFO, logger="goldlabel"):
        fetch("tiny")
    assert "tiny: licence: CC0. Cite: Nobody 2024." in caplog.text


@pytest.fixture
def mirror(server, tiny, tmp_path, monkeypatch):
    """Return the folder of "tiny" in GOLDLABEL_DATA; one of its files is packed."""
    monkeypatch.setenv("GOLDLABEL_DATA", str(tmp_path / "mirror"))
    folder = tmp_path / "mirror" / "multiclass" / "tiny"
    (folder / "sub").mkdir(parents=True)
    for name in ("sub/b.csv", "c.bin"):
        (folder / name).write_bytes(FILES[name])
    (folder / "a.txt.gz").write_bytes(gzip.compress(FILES["a.txt"], mtime=0))
    return folder


def test_mirror_replaces_the_network(server, mirror):
    assert contents(fetch("tiny")) == FILES
    assert not server.asked


def test_mirror_without_the_file(server, mirror):
    (mirror / "c.bin").unlink()
    with pytest.raises(InputError, match=r"c.bin: is not there.*GOLDLABEL_DATA"):
        fetch("tiny")
    assert not server.asked


@pytest.mark.parametrize(
    ("name", "content"),
    [("c.bin", b"wrong"), ("a.txt.gz", gzip.compress(b"wrong", mtime=0)), ("a.txt.gz", b"no gzip")],
)
def test_mirror_with_a_wrong_file(mirror, name, content):
    (mirror / name).write_bytes(content)
    with pytest.raises(InputError, match=r"SHA-256|no whole gzip"):
        fetch("tiny")
    assert (name if name == "c.bin" else "a.txt") not in contents(download._cache())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_cache_that_cannot_be_written(tiny, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match=r"cannot be made .*GOLDLABEL_CACHE"):
            fetch("tiny")
    finally:
        tmp_path.chmod(0o700)


def test_cache_that_is_a_file(tiny, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(InputError, match="cannot be made"):
        fetch("tiny")


def test_vector_of_labels_becomes_a_column(server, monkeypatch, tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([2, 0, 1], dtype=np.uint16))
    content = stream.getvalue()
    server.files["given.npy"] = content
    digest = hashlib.sha256(content).hexdigest()
    file = RemoteFile("given.npy", server.url + "given.npy", digest, len(content))
    entry = Dataset("v", "multiclass", "", "", "", (file,), {"given.csv": "given.npy"})
    monkeypatch.setattr(download, "find_dataset", lambda name: entry)
    folder = fetch("v", folder=tmp_path)
    assert (folder / "given.csv").read_bytes() == b"label\n2\n0\n1\n"


@pytest.fixture
def real(data, monkeypatch, tmp_path):
    monkeypatch.setenv("GOLDLABEL_DATA", str(data))
    monkeypatch.setenv("GOLDLABEL_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "n", "k", "accuracy"),
    [("cifar10_test", 10_000, 10, 0.9294), ("20news_test", 7_532, 20, 0.923394)],
)
def test_load_gives_the_published_labels_and_probabilities(real, name, n, k, accuracy):
    loaded = load(name)
    assert loaded.pred_probs.shape == (n, k)
    assert len(loaded.classes) == k
    right = np.mean(loaded.pred_probs.argmax(axis=1) == loaded.labels)
    assert right == pytest.approx(accuracy, abs=1e-6)


def test_load_without_probabilities(real):
    loaded = load("ag_news")
    assert loaded.pred_probs is None
    assert loaded.classes == ("World", "Sports", "Business", "Sci/Tech")
    assert np.bincount(loaded.labels).tolist() == [1900] * 4
    assert len(load("banking77").classes) == 77


def test_load_of_a_task_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDLABEL_CACHE", str(tmp_path))
    monkeypatch.setattr(download, "find_tasks", lambda: {"multiclass": None})
    with pytest.raises(InputError, match=r"none of the installed tasks .*fetch\('emotions'\)"):
        load("emotions")
    assert not list(tmp_path.iterdir())


def test_load_of_a_dataset_that_its_task_cannot_read(tiny):
    with pytest.raises(InputError, match="not all that its task reads"):
        load("tiny")
