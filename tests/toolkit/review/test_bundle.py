"""The page that is shipped is the one that its sources make."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WEB, STATIC = ROOT / "toolkit/review/web", ROOT / "toolkit/review/static"


def digests(folder, names):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_the_bundle_is_of_these_sources():
    record = json.loads((STATIC / "build.json").read_text())
    names = {f"src/{path.name}" for path in (WEB / "src").iterdir()}
    names |= {"build.mjs", "package.json", "package-lock.json", "tsconfig.json"}
    assert record["sources"] == digests(WEB, sorted(names)), "npm run build in toolkit/review/web"
    outputs = {path.name for path in STATIC.iterdir()} - {"build.json"}
    assert record["outputs"] == digests(STATIC, sorted(outputs)), "static/ was edited by hand"


def test_the_bundle_is_small_and_asks_nobody():
    script = (STATIC / "app.js").read_text(encoding="utf-8")
    assert len(script) < 150_000
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        addresses = [word for word in text.split() if "https://" in word or "http://" in word]
        assert path.name == "LICENSES.txt" or not [
            each for each in addresses if "www.w3.org" not in each
        ]


def test_the_lock_file_names_no_host():
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert all("resolved" not in each for each in packages.values())
    assert all(each.get("integrity") for each in packages.values())
    direct = [name for name, each in packages.items() if not each.get("optional")]
    assert len(direct) <= 8


@pytest.mark.slow
def test_a_build_gives_the_same_bytes(tmp_path):
    if shutil.which("npm") is None:
        pytest.skip("npm is not on the PATH")
    review = tmp_path / "review"
    shutil.copytree(WEB, review / "web", ignore=shutil.ignore_patterns("node_modules"))

    def npm(*words):
        return subprocess.run(["npm", *words], cwd=review / "web", capture_output=True, text=True)

    if npm("ci", "--ignore-scripts").returncode:
        pytest.skip("npm cannot fetch packages here")
    for script in ("check", "build"):
        done = npm("run", script)
        assert done.returncode == 0, done.stdout + done.stderr
    for path in STATIC.iterdir():
        assert (review / "static" / path.name).read_bytes() == path.read_bytes(), path.name


def test_no_source_sets_html():
    for path in (WEB / "src").iterdir():
        assert "innerHTML" not in path.read_text(encoding="utf-8").replace("InnerHTML", "innerHTML")
