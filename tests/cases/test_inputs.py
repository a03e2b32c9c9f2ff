"""Arrays, tables and pictures as people have them, damaged ones and hostile ones."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.formats.arrays import Archive, load_array
from goldlabel.formats.numerals import NUMBER, NUMBER_OR_COMMA
from goldlabel.formats.predictions import read_pred_probs
from goldlabel.formats.tables import read_table
from goldlabel.formats.tables.delimited import _count_ends
from goldlabel.formats.tables.writing import write_column
from goldlabel.formats.text import read_text
from goldlabel.formats.unpacking import LIMIT, check_unpacked, inflate
from goldlabel.tasks.multiclass.auditing import audit as audit_multiclass
from goldlabel.tasks.multiclass.formats import read as read_multiclass
from goldlabel.tasks.segmentation.auditing import audit as audit_masks
from goldlabel.tasks.segmentation.formats import export as export_masks
from goldlabel.tasks.segmentation.formats import read as read_masks
from goldlabel.tasks.segmentation.formats.brush import decoded
from goldlabel.views import Rows

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
    monkeypatch.setattr("goldlabel.formats.unpacking._LEAST", 1 << 20)
    for name, data in (
        ("a.csv.gz", gzip.compress(b"\n" * (1 << 22) + b"a")),
        ("a.csv.zst", pa.compress(b"\n" * (1 << 22) + b" ", "zstd", asbytes=True)),
    ):
        file = tmp_path / name
        file.write_bytes(data)
        with pytest.raises(InputError, match=r"unpacks to more than 1 MiB, .* times its size"):
            read_text(file)
    monkeypatch.setenv(LIMIT, "6M")
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


@pytest.fixture
def two_views(tmp_path):
    """Give masks whose last class is left out, and predictions that are sure of it somewhere."""
    masks = np.zeros((4, 16, 16), dtype=np.uint8)
    masks[:, :, 8:] = 1
    masks[:, 14:] = 2
    given = masks.copy()
    given[1, 2:8, 2:6] = 1  # wrong, and the model says 0
    seen = masks.copy()
    seen[2, 2:8, 2:6] = 2  # the model sees what is left out
    probs = np.full((4, 3, 16, 16), 0.05)
    for plane in range(3):
        probs[:, plane][seen == plane] = 0.9
    np.save(tmp_path / "probs.npy", probs)
    return given, tmp_path


def _as_arrays(given, folder):
    np.savez(folder / "masks.npz", masks=given)
    return folder / "masks.npz", lambda path: np.load(path)["masks"]


def _as_one_hot(given, folder):
    np.save(folder / "masks.npy", np.eye(3, dtype=np.uint8)[given].transpose(0, 3, 1, 2))
    return folder / "masks.npy", lambda path: np.load(path).argmax(axis=1)


def _as_pictures(given, folder, mode="L"):
    (folder / "masks").mkdir()
    for at, mask in enumerate(given):
        image = Image.fromarray(mask)
        if mode == "P":
            image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        if mode == "RGB":
            image = Image.fromarray(np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0)], "u1")[mask])
        image.save(folder / "masks" / f"{at}.png")

    def load(path):
        found = np.stack([np.asarray(Image.open(file)) for file in sorted(path.iterdir())])
        return found if mode != "RGB" else found[..., 0] // 255 + 2 * (found[..., 1] // 255)

    return folder / "masks", load


LAYOUTS = {
    "arrays": _as_arrays,
    "one-hot": _as_one_hot,
    "grey": _as_pictures,
    "palette": partial(_as_pictures, mode="P"),
    "colours": partial(_as_pictures, mode="RGB"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_class_that_is_left_out_is_never_suggested(layout, two_views):
    given, folder = two_views
    masks, load = LAYOUTS[layout](given, folder)
    table = folder / "table.txt"
    colors = ["0 0 0 sky", "255 0 0 road", "0 255 0 void"]
    table.write_text("\n".join(colors if layout == "colours" else ["sky", "road", "void"]))
    data = read_masks(masks, pred_probs=folder / "probs.npy", palette=table, ignore=["void"])
    assert data.ignored == (2,)
    assert (data.labels[0][14:] == -1).all()
    done = audit_masks(masks, pred_probs=folder / "probs.npy", palette=table, ignore=["void"])
    found = done.issues.to_frame("part")
    assert found[["example", "given", "suggested"]].values.tolist() == [[1, "road", "sky"]]
    for name, value in (("sky", 0), ("void", 2)):  # a person may decide for it
        decisions = found.assign(suggested=name)
        export_masks(done.source, decisions, folder / f"fixed-{name}{masks.suffix}")
        expected = given.copy()
        expected[1, 2:8, 2:6] = value
        assert (load(folder / f"fixed-{name}{masks.suffix}") == expected).all()


@pytest.mark.parametrize(
    ("task", "file", "options", "code"),
    [
        ("regression", "mixed.jsonl", ("--label", "y", "--predictions", "m"), 0),
        ("token", "tokens.jsonl", ("--pred-probs", "probs.jsonl"), 0),
        ("multiannotator", "votes.jsonl", (), 0),
        ("multiannotator", "doccano.jsonl", (), 0),
    ],
)
def test_half_surrogates(task, file, options, code, case, capsys, monkeypatch):
    folder = case("hostile-half-surrogates")
    monkeypatch.chdir(folder)
    said = main(["audit", task, file, *options, "--out", "out", "--quiet"])
    assert said == code, capsys.readouterr().err
    for table in Path("out").glob("*.parquet"):
        pd.read_parquet(table)


def test_half_surrogates_stay_in_the_file_that_is_written(tmp_path):
    lines = [f'{{"text": "cut \\ud83d", "label": "{"ab"[at % 2]}"}}' for at in range(6)]
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    table = read_table(file)
    assert table.frame["text"].tolist() == ["cut \ufffd"] * 6
    write_column(table.source, "label", {1: "a"}, tmp_path / "b.jsonl")
    lines[1] = lines[1].replace('"b"', '"a"')
    assert (tmp_path / "b.jsonl").read_text(encoding="utf-8") == "\n".join(lines)


@pytest.mark.parametrize(
    "metadata",
    [
        {b"pandas": b"{"},
        {b"pandas": b"\xff"},
        {b"pandas": b"[" * 100_000},
        {b"pandas": b'{"columns": 5}'},
        {b"pandas": b'{"columns": [5, {"pandas_type": "categorical", "field_name": []}]}'},
        {b"pandas": b'[{"columns": []}]'},
        {b"huggingface": b"{}"},
        {b"huggingface": b'{"info": []}'},
        {b"huggingface": b'{"info": {"features": [1]}}'},
        {b"huggingface": b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 7}}}}'},
        {
            b"huggingface": b'{"info": {"features": {"label": {"_type": "ClassLabel",'
            b' "names": ["x", "y"]}, "other": {"_type": "ClassLabel", "names": []}}}}'
        },
    ],
)
def test_damaged_metadata_of_parquet(metadata, tmp_path):
    label = pa.array(["a", "b", "a", "b"])
    table = pa.table({"label": label}).replace_schema_metadata(metadata)
    pq.write_table(table, tmp_path / "a.parquet")
    np.save(tmp_path / "p.npy", np.full((4, 2), 0.5))
    found = read_multiclass(tmp_path / "a.parquet", pred_probs=tmp_path / "p.npy")
    assert found.classes == ("a", "b")
    assert found.labels.tolist() == [0, 1, 0, 1]


def test_parquet_bombs(tmp_path, monkeypatch):
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": np.zeros(1 << 20, np.int64)}), file)
    assert len(read_table(file).frame) == 1 << 20
    monkeypatch.setattr("goldlabel.formats.tables.parquet._LARGEST", 1 << 20)
    with pytest.raises(InputError, match=r"a\.parquet: unpacks to more than 1 MiB"):
        read_table(file)


def test_numbers_of_any_length(case, capsys, monkeypatch):
    folder = case("hostile-digits-hang")
    monkeypatch.chdir(folder)
    code = main(
        "audit multiclass header.csv --label label --pred-probs probs.npy --out out --quiet".split()
    )
    assert code == 0, capsys.readouterr().err
    for pattern in (NUMBER, NUMBER_OR_COMMA):
        assert not pattern.fullmatch("1" * 1_000_000 + "x")  # in time that grows with the square
        assert not pattern.fullmatch("1" * 500_000 + "." + "1" * 500_000 + "x")
        assert not pattern.fullmatch("1e" + "1" * 1_000_000 + "x")
        for number in ("1", "-1.", "+.5", "1.5e-3", "0E+7", "007"):
            assert pattern.fullmatch(number)
        for other in ("", ".", "-", "e5", "1e", "1.2.3", "\u0661", "inf", "nan", "1 ", "0x1"):
            assert not pattern.fullmatch(other)
    assert NUMBER_OR_COMMA.fullmatch("1,5")
    assert not NUMBER.fullmatch("1,5")


def test_too_little_memory_is_a_message(monkeypatch, capsys):
    def short(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 8 GiB")

    monkeypatch.setattr("goldlabel.cli.get_command", short)
    assert main(["--version"]) == 2
    said = capsys.readouterr().err
    assert "memory: is too small for this (Unable to allocate 8 GiB)" in said


def test_probabilities_named_after_pictures(case):
    folder = case("probabilities-named-after-pictures")
    data = read_masks(folder / "masks", pred_probs=folder / "probs")
    assert data.ids[3] == "cam1.0003"
    assert (data.pred_probs[3] == np.load(folder / "probs" / "cam1.0003.jpg.npy")).all()
    done = audit_masks(folder / "masks", pred_probs=folder / "probs")
    found = done.issues.to_frame("part")
    assert found[["id", "given", "suggested"]].values.tolist() == [["cam1.0003", "0", "3"]]
    assert done.summary["share_of_pixels_the_model_agrees_with"] > 0.98
    packed = {path.stem: np.load(path) for path in (folder / "probs").iterdir()}
    np.savez(folder / "named.npz", **packed)
    np.savez(
        folder / "stacked.npz",
        pred_probs=np.stack(list(packed.values())),
        names=[f"{name}.JPG" for name in (each.removesuffix(".jpg") for each in packed)],
    )
    for name in ("named.npz", "stacked.npz"):
        again = read_masks(folder / "masks", pred_probs=folder / name)
        assert all((a == b).all() for a, b in zip(again.pred_probs, data.pred_probs, strict=True))


@pytest.fixture
def twelve(tmp_path):
    """Give twelve masks and predictions that agree with them, each with its own picture."""
    rng = np.random.default_rng(0)
    masks = np.repeat(np.repeat(rng.integers(0, 3, (12, 4, 4)), 4, axis=1), 4, axis=2)
    probs = np.full((12, 3, 16, 16), 0.05)
    for plane in range(3):
        probs[:, plane][masks == plane] = 0.9
    return masks.astype(np.uint8), probs, tmp_path


def save_masks(masks, folder, name):
    folder.mkdir()
    for at, mask in enumerate(masks):
        Image.fromarray(mask).save(folder / (name.format(at) + ".png"))
    return folder


def save_probs(probs, folder, name):
    folder.mkdir()
    for at, array in enumerate(probs):
        np.save(folder / (name.format(at) + ".npy"), array)
    return folder


def agreement(data):
    pairs = zip(data.labels, data.pred_probs, strict=True)
    return min((mask == probs.argmax(axis=0)).mean() for mask, probs in pairs)


@pytest.mark.parametrize(
    ("mask", "prob", "how"),
    [
        ("{:04}", "{}", "by name, without leading zeros"),
        ("mask_{:03}", "mask_{}.png", "by name, without leading zeros"),
        ("mask_{:03}", "prob_{}", "by number"),
        ("v1.{}", "v1.{}", "by name"),
        ("a.{}", "a.{}.jpg", "by name"),
        ("0a1b2c3d-part{}", "part{}", "by name, without the marks of an upload"),
    ],
)
def test_names_of_predictions(mask, prob, how, twelve):
    masks, probs, folder = twelve
    data = read_masks(
        save_masks(masks, folder / "masks", mask),
        pred_probs=save_probs(probs, folder / "probs", prob),
    )
    assert agreement(data) == 1
    assert any(f"Matched predictions with masks {how}." in note for note in data.notes)


@pytest.mark.parametrize(
    ("mask", "prob"),
    [("a.{}", "b.{}.x"), ("{}", "x{:x}"), ("mask_{}", "prob_1{}"), ("m{}", "p{}z")],
)
def test_names_that_do_not_match(mask, prob, twelve):
    masks, probs, folder = twelve
    save_masks(masks, folder / "masks", mask)
    save_probs(probs[:11], folder / "probs", prob)
    with pytest.raises(InputError, match="images have no prediction"):
        read_masks(folder / "masks", pred_probs=folder / "probs")


def test_numbered_without_zeros_and_stacked(twelve):
    masks, probs, folder = twelve
    save_masks(masks, folder / "masks", "{}")
    np.save(folder / "by_number.npy", probs)
    order = sorted(range(12), key=str)
    np.save(folder / "by_name.npy", probs[order])
    for name, said in (("by_number.npy", "masks' numbers"), ("by_name.npy", "masks' names")):
        data = read_masks(folder / "masks", pred_probs=folder / name)
        assert agreement(data) == 1
        assert any(f"in the order of the {said}, where 100% of the pixels" in n for n in data.notes)
    noise = np.random.default_rng(1).dirichlet(np.ones(3), (12, 16, 16)).transpose(0, 3, 1, 2)
    np.save(folder / "noise.npy", noise)
    data = read_masks(folder / "masks", pred_probs=folder / "noise.npy")
    assert any("That is close: name the predictions like the masks." in n for n in data.notes)


def test_numbered_predictions_of_masks_without_names(twelve):
    masks, probs, folder = twelve
    np.save(folder / "masks.npy", masks)
    data = read_masks(folder / "masks.npy", pred_probs=save_probs(probs, folder / "probs", "{}"))
    assert agreement(data) == 1
    assert any("by the numbers in them (0, 1, ...)" in note for note in data.notes)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("studio-task.json", "task 2"),
        ("studio-size.json", "without one size"),
        ("studio-rle.json", "is no run-length code of a brush"),
        ("masks", "0.png: is an image of mode LA"),
    ],
)
def test_segmentation_structures(given, what, case, capsys):
    folder = case("hostile-segmentation-structures")
    named = ("--palette", folder / "table.txt") if given == "masks" else ("--classes", "bg,car")
    said = audit(
        capsys, "segmentation", folder / given, *named,
        "--pred-probs", folder / "probs.npy", "--out", folder / "out",
    )  # fmt: skip
    assert what in said


@pytest.mark.parametrize("mode", ["LA", "PA", "CMYK", "F", "YCbCr"])
@pytest.mark.parametrize("at", [0, 1])
def test_masks_of_other_modes(mode, at, tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(2):
        image = Image.new("RGB", (4, 4)).convert("P" if mode == "PA" else "RGB")
        if number == at:
            image = image.convert(mode) if mode != "F" else Image.new("F", (4, 4))
        suffix = ".tif" if number == at and mode != "LA" else ".png"
        if mode == "PA" and number == at:
            suffix, image = ".png", image.convert("LA")
        image.save(folder / f"{number}{suffix}")
    (tmp_path / "table.txt").write_text("sky 0 0 0\nroad 1 1 1\n")
    np.save(tmp_path / "p.npy", np.full((2, 2, 4, 4), 0.5))
    with pytest.raises(InputError, match=r"is an image of mode|has the mode"):
        audit_masks(folder, pred_probs=tmp_path / "p.npy", palette=tmp_path / "table.txt")


@pytest.mark.parametrize(
    "rle", [[1.5], [None], [[1]], ["a"], [256], [-1], {"a": 1}, "abc", 7, None, [], [0] * 3]
)
def test_brushes(rle):
    with pytest.raises(InputError, match="rle: "):
        decoded(rle, (2, 2), "rle")


def test_backslash_escapes(case, capsys):
    folder = case("csv-backslash-escapes")
    table = read_table(folder / "reviews.csv")
    assert len(table.frame) == 60
    text = 'They called it "The bus ride was lovely, visit 0", twice'
    assert table.frame["text"].iloc[0] == text
    assert "quotes are escaped by a backslash" in table.notes[0]
    found = audit_multiclass(folder / "reviews.csv", pred_probs=folder / "probs.npy")
    assert sorted(found.issues.ranked().tolist()) == [7, 31]
    out = folder / "fixed.csv"
    write_column(table.source, "label", {3: 'a "b" \\ c, d'}, out)
    old, new = (path.read_bytes().splitlines() for path in (folder / "reviews.csv", out))
    assert [at for at, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [4]
    assert b'"a \\"b\\" \\\\ c, d"' in new[4]
    assert read_table(out).frame["label"].iloc[3] == 'a "b" \\ c, d'


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (r'a,b{n}"x \"y\"",1{n}"C:\dir",2{n}"\\",3{n}', ['x "y"', r"C:\dir", "\\"]),
        (r'a,b{n}"\"x",1{n}"\"\"",2{n}"q ""d""",3{n}', ['"x', '""', 'q "d"']),
        (r'a;b{n}"x\"; y";1{n}"\"";2{n}z\";3{n}', ['x"; y', '"', 'z\\"']),
        # Not escaped: a backslash is only that where quotes are doubled and rows are even.
        (r'a,b{n}"x\",1{n}"y\z",2{n}"q ""d""",3{n}', ["x\\", r"y\z", 'q "d"']),
    ],
)
@pytest.mark.parametrize("n", ["\n", "\r\n"])
def test_quotes_escaped_or_not(data, rows, n, tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(data.replace("{n}", n).encode())
    table = read_table(file)
    assert table.frame["a"].tolist() == rows
    assert table.frame["b"].tolist() == ["1", "2", "3"]
    write_column(table.source, "b", {1: "5"}, tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == file.read_bytes().replace(
        b"2" + n.encode(), b"5" + n.encode()
    )


def test_broken_quotes_are_still_refused(tmp_path):
    file = tmp_path / "a.csv"
    for text in ('a,b\n"x"y,1\n', 'a,b\n"x \\"y,1\n', 'a,b\n"x\\" y,1\n"z"z,2\n', 'a,b\n"x\\"'):
        file.write_text(text)
        with pytest.raises(InputError, match="quote"):
            read_table(file)


def test_blank_lines_take_no_memory():
    for text, most in (
        (b"\n" * 5_000_000 + b"a,b\n" + b"\r\n" * 5_000_000 + b"1,2", 2),
        (b"a\rb\rc\r", 3),
        (b"", 0),
        (b"\n\n", 0),
    ):
        assert _count_ends(np.frombuffer(text, np.uint8)) + 1 >= most
        assert _count_ends(np.frombuffer(text, np.uint8)) <= most


def test_a_class_of_half_a_character_is_read(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"label": "a"}\n{"label": "\\ud800"}\n{"label": "a"}\n')
    assert read_multiclass(file).classes == ("a", "\ufffd")


def test_a_wide_table_shows_the_columns_that_are_shown(tmp_path):
    frame = pd.DataFrame({f"c{at}": ["x"] for at in range(3000)})
    frame.insert(1, "text", "a text that is long enough to be taken for one")
    [(text, fields)] = Rows(frame).blocks([0])
    assert text.text == frame["text"][0]
    assert [name for name, _ in fields.rows] == ["c0", *(f"c{at}" for at in range(1, 8))]


def test_ids_written_as_numbers_in_two_ways(tmp_path):
    file = tmp_path / "p.csv"
    file.write_text("id,p_a,p_b\n2.0,0.1,0.9\n1.0,0.8,0.2\n")
    assert read_pred_probs(file, ids=[1, 2]).values.tolist() == [[0.8, 0.2], [0.1, 0.9]]
    file.write_text("id,p_a,p_b\n2.0,0.1,0.9\n2,0.8,0.2\n")
    with pytest.raises(InputError, match="lacks id '1'"):
        read_pred_probs(file, ids=[1, 2])
