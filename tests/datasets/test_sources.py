import gzip
import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import PurePosixPath

import pytest

from goldlabel import InputError
from goldlabel.datasets import list_datasets
from goldlabel.datasets.sources import find_dataset, public_datasets

SHA256 = re.compile(r"[0-9a-f]{64}")
PINNED = re.compile(r"https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{40}/\S+")


@pytest.fixture(scope="module")
def raw():
    return tomllib.loads(files("goldlabel.datasets").joinpath("sources.toml").read_text("utf-8"))


def test_tables_have_the_keys_they_should(raw):
    assert set(raw) == {"sets"}
    needed = {"task", "description", "licence", "citation"}
    for name, entry in raw["sets"].items():
        assert re.fullmatch(r"[a-z0-9_]+", name)
        assert needed <= set(entry) <= needed | {"files", "folders", "made", "read"}, name
        assert all(entry[key].strip() for key in needed), name
        assert entry.get("files") or entry.get("folders"), name
        for file in entry.get("files", []):
            assert set(file) == {"path", "url", "sha256", "bytes"}
        for folder in entry.get("folders", []):
            assert set(folder) == {"path", "url", "files"}
            assert folder["url"].endswith("/")
        assert set(entry.get("read", {})) <= {"files", "options"}


def test_files_are_pinned_hashed_and_stay_in_their_folder():
    for name, entry in public_datasets().items():
        paths = [file.path for file in entry.files]
        assert len(set(paths)) == len(paths), name
        for file in entry.files:
            assert SHA256.fullmatch(file.sha256), (name, file.path)
            assert PINNED.fullmatch(file.url), (name, file.url)
            assert file.bytes > 0
        for path in [*paths, *entry.made]:
            parts = PurePosixPath(path).parts
            assert not PurePosixPath(path).is_absolute()
            assert not {"..", "."} & set(parts)
            assert not set("\\:") & set(path)


def test_what_is_made_and_read_is_there():
    for name, entry in public_datasets().items():
        paths = {file.path for file in entry.files}
        assert set(entry.made.values()) <= paths, name
        assert set((entry.read_files or {}).values()) <= paths | set(entry.made), name


def test_hashes_are_those_of_the_real_files(data):
    checked = 0
    for entry in public_datasets().values():
        for file in entry.files:
            path = data / entry.task / entry.name / file.path
            packed = path.with_name(path.name + ".gz")
            content = path.read_bytes() if path.is_file() else gzip.decompress(packed.read_bytes())
            assert len(content) == file.bytes, path
            assert hashlib.sha256(content).hexdigest() == file.sha256, path
            checked += 1
    assert checked > 600


def test_list_has_a_row_per_dataset():
    table = list_datasets()
    assert table["name"].is_unique
    assert list(table["name"]) == list(public_datasets())
    assert list(table.columns) == [
        "name", "task", "description", "files", "bytes", "licence", "citation", "loads",
    ]  # fmt: skip
    assert not table.isna().any(axis=None)
    assert {"cifar10_test", "20news_test", "banking77", "ag_news", "emotions"} <= set(
        table.loc[table["loads"], "name"]
    )


def test_unknown_names_get_similar_ones():
    with pytest.raises(InputError, match=r"Did you mean bankin.*list_datasets"):
        find_dataset("banking7")
    with pytest.raises(InputError, match="not one of the 23 public datasets"):
        find_dataset("")
