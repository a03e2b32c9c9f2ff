"""Arrays, tables and pictures as people have them, damaged ones and hostile ones."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.formats.arrays import Archive, load_array
from goldlabel.formats.text import read_text
from goldlabel.formats.unpacking import LIMIT, check_unpacked, inflate

BROKEN = ("open-bracket.npy", "shape-float.npy", "deflate.npz", "lzma.npz", "method.npz")


def audit(capsys, *arguments: object) -> str:
    """Run a command that is refused; return its message."""
    code = main(["audit", *map(str, arguments), "--quiet"])
    said = capsys.readouterr().err
    assert code == 2, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("name", BROKEN)
def test_broken_npy(name, case, capsys):
    folder = case("hostile-broken-npy")
    out = folder / "out"
    said = audit(
        capsys, "multiclass", folder / "a.csv", "--pred-probs", folder / name, "--out", out
    )
    assert "that can be read" in said
    assert name in said
    for task in ("multilabel", "segmentation", "token"):
        audit(capsys, task, folder / name, "--pred-probs", folder / name, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize("name", ["damaged", "short", "deep"])
def test_damaged_zarr(name, case, capsys):
    pytest.importorskip("zarr")
    folder = case("hostile-damaged-zarr")
    probs = folder / f"{name}.zarr"
    masks = folder / "masks.npy"
    said = audit(capsys, "segmentation", masks, "--pred-probs", probs, "--out", folder / "out")
    assert f"{name}.zarr" in said


def test_text_bombs(tmp_path, monkeypatch):
    for name, data in (
        ("a.csv.gz", gzip.compress(b"\n" * (1 << 28) + b"a", 1)),
        ("a.csv.zst", pa.compress(b"\n" * (1 << 28) + b" ", "zstd", asbytes=True)),
    ):
        file = tmp_path / name
        file.write_bytes(data)
        with pytest.raises(InputError, match=r"unpacks to more than 256 MiB, .* times its size"):
            read_text(file)
    monkeypatch.setenv(LIMIT, "600M")
    with pytest.raises(InputError, match="is empty"):
        read_text(file)
    monkeypatch.setenv(LIMIT, "many")
    with pytest.raises(InputError, match=f"^{LIMIT}: is 'MANY', no number of bytes"):
        read_text(file)


def test_a_limit_below_what_a_file_needs(tmp_path, monkeypatch):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"label\na\n" * 1000))
    assert len(read_text(file).data) == 8000
    monkeypatch.setenv(LIMIT, "7999")
    with pytest.raises(InputError, match=r"a\.csv\.gz: unpacks to more than 7 KiB"):
        read_text(file)


def test_bombs_in_archives(tmp_path, monkeypatch):
    file = tmp_path / "a.npz"
    np.savez_compressed(file, probs=np.zeros((1000, 1000)))
    assert Archive(file)["probs"].shape == (1000, 1000)  # 1000 times, and small
    monkeypatch.setenv(LIMIT, "1M")
    with pytest.raises(InputError, match=r"a\.npz\['probs'\]: unpacks to more than 1 MiB"):
        Archive(file)["probs"]
    monkeypatch.delenv(LIMIT)
    with pytest.raises(InputError, match="unpacks to more than 1 GiB"):
        check_unpacked("a", 1 << 31, 1 << 20, least=1 << 30)
    check_unpacked("a", 1 << 33, 1 << 28)


def test_inflate(tmp_path, monkeypatch):
    packed = zlib.compress(b"a" * 5000)
    assert inflate(tmp_path, packed) == b"a" * 5000
    with pytest.raises(zlib.error):
        inflate(tmp_path, packed[:-5])
    monkeypatch.setenv(LIMIT, "4999")
    with pytest.raises(InputError, match="unpacks to more than"):
        inflate(tmp_path, packed)


def test_members_that_are_no_arrays(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, probs=np.eye(3))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("notes.txt", "hello")
    archive = Archive(file)
    assert list(archive) == ["probs", "notes.txt"]
    assert archive["probs"].tolist() == np.eye(3).tolist()
    with pytest.raises(InputError, match=r"a\.npz\['notes\.txt'\]: is no array"):
        archive["notes.txt"]
    with pytest.raises(InputError, match="is not an array"):
        load_array(Path(__file__))
