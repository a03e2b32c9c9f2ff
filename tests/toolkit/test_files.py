"""Files appear whole or not at all."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from goldlabel import InputError
from goldlabel.files import (
    list_files,
    name_inside,
    new_folder,
    path_inside,
    replacing,
    sha256,
)


def test_a_file_appears_when_the_block_ends_well(tmp_path):
    path = tmp_path / "out.txt"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == tmp_path
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()])
def test_the_old_file_stays_when_the_block_fails(tmp_path, error):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_is_that_of_any_new_file(tmp_path):
    old = os.umask(0o027)
    try:
        with replacing(tmp_path / "out.txt") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o640


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("x" * 251 + ".txt")
    with replacing(path) as temporary:
        temporary.write_text("x")
    assert path.read_text() == "x"


def test_a_full_disk_is_said_in_plain_words(tmp_path):
    with pytest.raises(InputError, match="No space left"), replacing(tmp_path / "out.txt"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_another_error_of_the_system_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "out.txt"):
        open(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no/folder.txt", "folder", "x" * 300, "nul\0"])
def test_a_place_that_cannot_be_written(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(InputError, match=r"cannot be written|is no regular file"),
        replacing(tmp_path / name) as temporary,
    ):
        temporary.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


def listener(path):
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(path))


MAKE = {
    "device": device,
    "pipe": os.mkfifo,
    "socket": listener,
    "folder": os.mkdir,
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to itself": lambda path: path.symlink_to(path),
    "link to a device": lambda path: path.symlink_to("/dev/null"),
    "link to a folder": lambda path: path.symlink_to("."),
    "link to what is open": lambda path: path.symlink_to("/proc/self/fd/0"),
}


@pytest.mark.parametrize("kind", list(MAKE))
def test_only_regular_files_are_replaced(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # a socket has a short name
    path = (tmp_path / "out.txt").relative_to(tmp_path)
    MAKE[kind](path)
    before = path.lstat()
    with pytest.raises(InputError, match="is no regular file"), replacing(path) as temporary:
        temporary.write_text("x")
    after = path.lstat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert os.listdir() == ["out.txt"]


def test_of_a_link_to_a_file_the_link_is_replaced(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "out.txt").symlink_to("old.txt")
    with replacing(tmp_path / "out.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "old.txt").read_text() == "old"
    assert (tmp_path / "out.txt").read_text() == "new"
    assert not (tmp_path / "out.txt").is_symlink()


@pytest.mark.parametrize(
    "name",
    ["..", "../x", "a/../../x", "a/b/../../../x", "/x", "/tmp/x", ".", "a/..", "", "link/x", "file",
     "nul\0", "full/x"],
)  # fmt: skip
def test_a_path_that_leaves_its_folder_is_refused(tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "victim").write_text("precious")
    (folder / "link").symlink_to(tmp_path / "out")
    (folder / "file").symlink_to(tmp_path / "victim")
    (folder / "full").write_text("a file, no folder")
    with pytest.raises(InputError):
        path_inside(folder, name).write_text("x")
    assert list((tmp_path / "out").iterdir()) == []
    assert (tmp_path / "victim").read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["in", "out", "victim"]


@pytest.mark.parametrize("name", ["x", "a/b/x", "a/../x", "b\\x", "..x", "x..", "l/x"])
def test_a_path_inside_gets_its_folder(tmp_path, name):
    (tmp_path / "own").mkdir()
    (tmp_path / "l").symlink_to("own")
    path_inside(tmp_path, name).write_text("x")
    assert (tmp_path / name).read_text() == "x"


@pytest.mark.parametrize(
    "name",
    ["/x", "//host/x", "..", "../x", "a/../x", "..\\x", "a\\..\\x", "C:\\x", "c:x", "C:/x", "\\x",
     "\\\\host\\share\\x", "", ".", "x\0", "x\n", "\x1b[31m", "x\x7f", "x\x9b"],
)  # fmt: skip
def test_a_name_of_others_that_leads_out_or_is_none(name):
    with pytest.raises(InputError, match=r"^found\.csv: names ") as caught:
        name_inside(name, "found.csv")
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("x", ("x",)),
        ("./a//x.jpg", ("a", "x.jpg")),
        ("a\\b\\x.jpg", ("a", "b", "x.jpg")),
        ("..x", ("..x",)),
        ("é\u3000x", ("é\u3000x",)),
    ],
)
def test_a_name_that_stays(name, parts):
    assert name_inside(name, "found.csv").parts == parts


def test_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == expected


def test_a_folder_appears_when_the_block_ends_well(tmp_path):
    out = tmp_path / "out"
    with new_folder(out) as temporary:
        (temporary / "a").write_text("a")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [out]


def test_no_folder_when_the_block_fails(tmp_path):
    with pytest.raises(ValueError, match="bad"), new_folder(tmp_path / "out"):
        raise ValueError("bad")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["full", "file", "link"])
def test_a_folder_that_is_taken(tmp_path, taken):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    with pytest.raises(InputError, match="exists already"), new_folder(tmp_path / taken):
        pass
    assert (tmp_path / "full" / "mine").read_text() == "x"


@pytest.mark.parametrize("out", ["data/new", "data/sub/new", "data"])
def test_a_new_folder_stays_apart_from_what_is_read(tmp_path, out):
    (tmp_path / "data" / "sub").mkdir(parents=True)
    with pytest.raises(InputError), new_folder(tmp_path / out, inputs=[tmp_path / "data"]):
        pass


def test_files_are_listed_in_one_order_and_links_do_not_lead_out(tmp_path):
    for name in ("b/2", "a/1", "c"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("x")
    assert [str(path) for path in list_files(tmp_path / "in")] == ["c", "a/1", "b/2"]
    (tmp_path / "secret").write_text("x")
    (tmp_path / "in" / "z").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="link"):
        list_files(tmp_path / "in")
