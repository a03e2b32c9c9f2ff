"""Native files: read to the same masks, written back with the corrected pixels and no others."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import segmentation_reference as reference
from hypothesis import given
from hypothesis import strategies as st
from mask_files import (
    NAMES,
    WRITERS,
    brush_tasks,
    coco_file,
    dataset,
    palette_masks,
    panoptic_files,
)
from PIL import Image
from pycocotools import mask as coco_api

from goldlabel import InputError
from goldlabel.cli import main
from goldlabel.tasks import segmentation
from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.formats import brush, pictures, read
from goldlabel.tasks.segmentation.formats.fitting import scale_of
from goldlabel.tasks.segmentation.formats.predictions import read_predictions
from goldlabel.tasks.segmentation.formats.tables import read_table


@pytest.mark.parametrize("name", WRITERS)
def test_masks_come_back_in_their_own_mode(tmp_path, name):
    writer, options = WRITERS[name]
    labels, probs, right = dataset()
    folder = tmp_path / "masks"
    writer(folder, labels)
    np.save(tmp_path / "probs.npy", probs)
    options = {
        key: tmp_path / value if key == "palette" else value for key, value in options.items()
    }
    data = read(folder, pred_probs=tmp_path / "probs.npy", **options)
    assert data.classes == tuple(NAMES)
    for mask, expected in zip(data.labels, labels, strict=True):
        np.testing.assert_array_equal(mask, expected)
    found = segmentation.audit(folder, pred_probs=tmp_path / "probs.npy", threshold=1.0, **options)
    frame = found.issues.to_frame("part")
    assert frame[["example", "given", "suggested", "area"]].values.tolist() == [
        [0, "sky", "car", 24]
    ]
    segmentation.export(found.source, frame, tmp_path / "fixed")
    segmentation.export(found.source, frame[:0], tmp_path / "same")
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        assert (tmp_path / "same" / path.name).read_bytes() == data
        if path.name != "0.png":
            assert (tmp_path / "fixed" / path.name).read_bytes() == data
    with Image.open(folder / "0.png") as old, Image.open(tmp_path / "fixed" / "0.png") as new:
        assert (new.mode, new.size, new.info) == (old.mode, old.size, old.info)
        assert new.getpalette() == old.getpalette()
        differs = np.asarray(old) != np.asarray(new)
    differs = differs.any(axis=2) if differs.ndim == 3 else differs
    np.testing.assert_array_equal(differs, labels[0] != right[0])
    (tmp_path / "fixed" / "notes.txt").unlink(missing_ok=True)
    again = read(tmp_path / "fixed", pred_probs=tmp_path / "probs.npy", **options)
    np.testing.assert_array_equal(np.stack([*again.labels]), right)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_small_pixels_are_packed_as_they_were(tmp_path, depth):
    rng = np.random.default_rng(depth)
    pixels = rng.integers(0, 1 << depth, (7, 13), dtype=np.uint8)
    image = Image.fromarray(pixels, "P")
    image.putpalette(rng.integers(0, 255, 3 << depth).astype(np.uint8).tobytes())
    image.save(tmp_path / "a.png", bits=depth, transparency=0)
    changed = rng.random((7, 13)) < 0.3
    values = rng.integers(0, 1 << depth, changed.sum())
    (tmp_path / "b.png").write_bytes(pictures.repainted(tmp_path / "a.png", changed, values))
    expected = pixels.copy()
    expected[changed] = values
    with Image.open(tmp_path / "a.png") as old, Image.open(tmp_path / "b.png") as new:
        np.testing.assert_array_equal(np.asarray(new), expected)
        assert (new.info, new.getpalette()) == (old.info, old.getpalette())


def test_arrays_come_back_with_their_dtype(tmp_path):
    labels, probs, right = dataset()
    np.save(tmp_path / "probs.npy", probs)
    hot = np.moveaxis(np.eye(3, dtype=np.uint8)[labels], -1, 1)
    np.save(tmp_path / "masks.npy", labels.astype(">i2"))
    np.save(tmp_path / "hot.npy", hot)
    np.savez_compressed(tmp_path / "masks.npz", labels=labels, other=np.arange(3))
    for name in ("masks.npy", "hot.npy", "masks.npz"):
        found = segmentation.audit(
            tmp_path / name, pred_probs=tmp_path / "probs.npy", classes=NAMES, threshold=1.0
        )
        frame = found.issues.to_frame("part")
        out = tmp_path / f"fixed-{name}"
        segmentation.export(found.source, frame, out)
        segmentation.export(found.source, frame[:0], tmp_path / f"same-{name}")
        assert (tmp_path / f"same-{name}").read_bytes() == (tmp_path / name).read_bytes()
        if name == "masks.npz":
            with np.load(out) as archive:
                np.testing.assert_array_equal(archive["labels"], right)
                np.testing.assert_array_equal(archive["other"], np.arange(3))
            with zipfile.ZipFile(out) as archive:
                assert all(entry.compress_type for entry in archive.infolist())
        else:
            array = np.load(out)
            assert array.dtype == np.load(tmp_path / name).dtype
            same = array.argmax(axis=1) if name == "hot.npy" else array
            np.testing.assert_array_equal(same, right)


def test_coco_instances_come_back(tmp_path):
    labels, probs, right = dataset()
    content = coco_file(labels)
    text = json.dumps(content, indent=1)
    (tmp_path / "given.json").write_text(text)
    np.savez(tmp_path / "probs.npz", **{str(at): each for at, each in enumerate(probs)})
    for classes in (["road", "car", "sky"], None):
        options = {"pred_probs": tmp_path / "probs.npz", "classes": classes}
        found = segmentation.audit(tmp_path / "given.json", threshold=1.0, **options)
        assert found.issues.classes == (classes[0] if classes else "background", "car", "sky")
        frame = found.issues.to_frame("part")
        assert frame[["example", "given", "suggested"]].values.tolist() == [[0, "sky", "car"]]
        out = tmp_path / f"fixed-{classes is None}.json"
        segmentation.export(found.source, frame, out)
        again = read(out, **options)
        np.testing.assert_array_equal(np.stack([*again.labels]), right)
        new = json.loads(out.read_text())
        assert new["info"] == content["info"]
        kept = [each for each in new["annotations"] if each["image_id"] != 10]
        assert kept == [each for each in content["annotations"] if each["image_id"] != 10]
        segmentation.export(found.source, frame[:0], tmp_path / f"same-{classes is None}.json")
        assert (tmp_path / f"same-{classes is None}.json").read_text() == text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # decode of pycocotools
def test_polygons_cover_what_the_api_of_coco_says(tmp_path):
    polygon = [1.5, 1, 9.25, 2, 7, 10.5, 2, 8]
    content = coco_file(dataset()[0][:, :12])
    content["annotations"] = [
        {
            "id": 1,
            "image_id": 10,
            "category_id": 7,
            "segmentation": [polygon, [10, 1, 15, 1, 15, 5]],
        }
    ]
    (tmp_path / "given.json").write_text(json.dumps(content))
    np.save(tmp_path / "probs.npy", dataset()[1])
    with pytest.raises(InputError, match=r"there are 2 classes"):
        read(tmp_path / "given.json", pred_probs=tmp_path / "probs.npy", classes=["car", "sky"])
    data = read(tmp_path / "given.json", pred_probs=tmp_path / "probs.npy")
    rle = coco_api.merge(coco_api.frPyObjects([polygon, [10, 1, 15, 1, 15, 5]], 12, 16))
    np.testing.assert_array_equal(data.labels[0], coco_api.decode(rle))
    assert not data.labels[1].any()


@pytest.mark.parametrize("name", ["../victim.png", "/victim.png", "notes.txt", "a\0.png"])
def test_a_summary_that_names_other_files_than_masks(tmp_path, name):
    labels, probs, _ = dataset()
    palette_masks(tmp_path / "masks", labels)
    np.save(tmp_path / "probs.npy", probs)
    Image.fromarray(labels[0]).save(tmp_path / "victim.png")
    before = (tmp_path / "victim.png").read_bytes()
    options = {"pred_probs": tmp_path / "probs.npy", "classes": NAMES}
    found = segmentation.audit(tmp_path / "masks", threshold=1.0, **options)
    source = replace(found.source, options={**found.source.options, "files": [name] * 3})
    with pytest.raises(InputError):
        segmentation.export(source, found.issues.to_frame("part"), tmp_path / "fixed")
    assert (tmp_path / "victim.png").read_bytes() == before
    assert not (tmp_path / "fixed").exists()


def test_panoptic_masks_come_back(tmp_path):
    labels, probs, right = dataset()
    annotations = panoptic_files(tmp_path, labels)
    np.save(tmp_path / "probs.npy", probs)
    options = {"pred_probs": tmp_path / "probs.npy", "classes": NAMES}
    found = segmentation.audit(tmp_path / "panoptic.json", threshold=1.0, **options)
    frame = found.issues.to_frame("part")
    assert len(frame) == 1
    segmentation.export(found.source, frame, tmp_path / "fixed")
    segmentation.export(found.source, frame[:0], tmp_path / "same")
    for name in ("panoptic.json", "panoptic/0.png", "panoptic/2.png"):
        assert (tmp_path / "same" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert (tmp_path / "fixed/panoptic/1.png").read_bytes() == (
        tmp_path / "panoptic/1.png"
    ).read_bytes()
    again = read(tmp_path / "fixed" / "panoptic.json", **options)
    np.testing.assert_array_equal(np.stack([*again.labels]), right)
    new = json.loads((tmp_path / "fixed" / "panoptic.json").read_text())["annotations"]
    assert new[1:] == annotations[1:]
    assert {each["category_id"]: each["area"] for each in new[0]["segments_info"]} == {
        7: 24,
        14: 64,
    }


def test_brush_strokes_come_back(tmp_path):
    labels, probs, right = dataset()
    tasks = brush_tasks(labels)
    text = json.dumps(tasks, indent=2)
    (tmp_path / "export.json").write_text(text)
    np.savez(tmp_path / "probs.npz", **{str(at): each for at, each in enumerate(probs)})
    options = {"pred_probs": tmp_path / "probs.npz", "classes": NAMES}
    found = segmentation.audit(tmp_path / "export.json", threshold=1.0, **options)
    assert any("1 tasks without brush strokes" in note for note in found.notes)
    frame = found.issues.to_frame("part")
    segmentation.export(found.source, frame, tmp_path / "fixed.json")
    segmentation.export(found.source, frame[:0], tmp_path / "same.json")
    assert (tmp_path / "same.json").read_text() == text
    again = read(tmp_path / "fixed.json", **options)
    np.testing.assert_array_equal(np.stack([*again.labels]), right)
    assert json.loads((tmp_path / "fixed.json").read_text())[1:] == tasks[1:]


masks = st.integers(0, 10**6).map(
    lambda seed: (
        np.random.default_rng(seed).random(tuple(np.random.default_rng(seed).integers(1, 30, 2)))
        < np.random.default_rng(seed + 1).random()
    )
)


@given(masks)
def test_run_lengths_are_those_of_coco(mask):
    rle = coco_api.encode(np.asfortranarray(mask.astype(np.uint8)))
    own = runs.of_mask(mask)
    assert runs.to_text(own, mask.size) == rle["counts"].decode()
    for counts in (rle["counts"], rle["counts"].decode(), runs.to_counts(own, mask.size)):
        found, shape = runs.from_coco({"size": list(mask.shape), "counts": counts}, "rle")
        np.testing.assert_array_equal(found, own)
        np.testing.assert_array_equal(runs.to_mask(found, shape), mask)


@given(masks)
def test_brush_codes_come_back(mask):
    np.testing.assert_array_equal(brush.decoded(brush.encoded(mask), mask.shape, "rle"), mask)


def test_brush_codes_with_literal_values():
    """One pixel, its four bytes written out one by one."""
    bits = f"{4:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}" + "0" + "00" + f"{3:03b}"
    bits += "".join(f"{value:08b}" for value in (1, 2, 3, 255))
    bits += "0" * (-len(bits) % 8)
    code = list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    assert brush.decoded(code, (1, 1), "rle").tolist() == [[True]]
    for broken in (code[:5], code[:-1], [300], "x", [*code[:3], 8, *code[4:]]):
        with pytest.raises(InputError, match="rle: "):
            brush.decoded(broken, (1, 1), "rle")


def test_predictions_in_every_form(tmp_path):
    labels, probs, _ = dataset()
    expected = segmentation.find_label_issues(labels, probs).scores
    palette_masks(tmp_path / "masks", labels)
    folder = tmp_path / "each"
    (folder / "deep").mkdir(parents=True)
    for at, each in enumerate(probs):
        np.save(folder / f"{at}.npy", each) if at else np.savez(folder / "0.npz", p=each)
    np.save(tmp_path / "stacked.npy", probs)
    np.save(tmp_path / "last.npy", np.moveaxis(probs, 1, -1))
    np.savez(tmp_path / "named.npz", stems=np.array(["2", "0", "1"]), pred_probs=probs[[2, 0, 1]])
    np.savez(
        tmp_path / "each.npz", **{f"{at}.png": each for at, each in enumerate(probs)}, x=probs[0]
    )
    np.save(tmp_path / "logits.npy", np.log(probs) + 5)
    for name in ("each", "stacked.npy", "last.npy", "named.npz", "each.npz", "logits.npy"):
        found = segmentation.audit(
            tmp_path / "masks",
            pred_probs=tmp_path / name,
            classes=NAMES,
            softmax=name == "logits.npy",
        )
        np.testing.assert_allclose(found.issues.scores, expected, atol=1e-6, err_msg=name)
    (folder / "1.npy").unlink()
    with pytest.raises(InputError, match="lacks '1'; 1 of 3"):
        segmentation.audit(tmp_path / "masks", pred_probs=folder, classes=NAMES)
    np.savez(tmp_path / "many.npz", pred_probs=probs, probs=probs)
    with pytest.raises(InputError, match="holds 2 arrays: pred_probs, probs"):
        read_predictions(tmp_path / "many.npz")
    assert read_predictions(tmp_path / "many.npz", key="probs").images.shape == probs.shape


@pytest.mark.filterwarnings("ignore::Warning")  # zarr's own, about versions of its format
@pytest.mark.parametrize("version", [2, 3])
def test_predictions_in_zarr(tmp_path, version):
    zarr = pytest.importorskip("zarr", minversion="3")
    labels, probs, _ = dataset()
    palette_masks(tmp_path / "masks", labels)
    array = zarr.create_array(
        tmp_path / "p.zarr", shape=probs.shape, chunks=(1, 3, 6, 16), dtype="f4",
        zarr_format=version,
    )  # fmt: skip
    array[:] = probs
    data = read(tmp_path / "masks", pred_probs=tmp_path / "p.zarr")
    np.testing.assert_array_equal(np.stack([data.pred_probs[i] for i in range(3)]), probs)
    expected = segmentation.find_label_issues(labels, probs)
    for given_probs in (data.pred_probs, array):
        found = segmentation.find_label_issues(labels, given_probs)
        np.testing.assert_array_equal(found.scores, expected.scores)
    name = tmp_path / "p.zarr" / (".zarray" if version == 2 else "zarr.json")
    text = name.read_text()
    name.write_text(text.replace("{", '{"more": [{"id": "\\u0070ickle"}], ', 1))
    with pytest.raises(InputError, match="holds pickled objects"):
        read(tmp_path / "masks", pred_probs=tmp_path / "p.zarr")
    for broken, message in (
        (text[:-9], "is not JSON"),
        ("{}", "is not a zarr array that can be read"),
    ):
        name.write_text(broken)
        with pytest.raises(InputError, match=message):
            read(tmp_path / "masks", pred_probs=tmp_path / "p.zarr")


def test_the_probability_of_the_foreground_will_do(tmp_path):
    labels, probs = reference.made_up(seed=2, k=2, dtype=np.float32)
    np.save(tmp_path / "masks.npy", labels)
    np.savez(tmp_path / "p.npz", **{str(at): each[1] for at, each in enumerate(probs)})
    found = segmentation.audit(tmp_path / "masks.npy", pred_probs=tmp_path / "p.npz")
    expected = segmentation.find_label_issues(labels, probs).scores
    np.testing.assert_allclose(found.issues.scores, expected, atol=1e-5)


def test_coarse_predictions_are_compared_with_the_middle_of_cells(tmp_path):
    labels, probs, right = dataset()
    fine = np.kron(labels, np.ones((4, 4), np.uint8))[:, :46, :63]
    palette_masks(tmp_path / "masks", fine)
    np.save(tmp_path / "probs.npy", probs)
    data = read(tmp_path / "masks", pred_probs=tmp_path / "probs.npy", classes=NAMES)
    assert data.scales == (4, 4, 4)
    rows, columns = np.minimum(np.arange(12) * 4 + 2, 45), np.arange(16) * 4 + 2
    np.testing.assert_array_equal(data.labels[0], fine[0][rows][:, columns])
    found = segmentation.audit(
        tmp_path / "masks", pred_probs=tmp_path / "probs.npy", classes=NAMES, threshold=1.0
    )
    (row,) = found.issues.to_frame("part").to_dict("records")
    assert (row["x"], row["y"], row["width"], row["height"], row["area"]) == (12, 24, 24, 16, 384)
    segmentation.export(found.source, found.issues.to_frame("part"), tmp_path / "fixed")
    again = read(tmp_path / "fixed", pred_probs=tmp_path / "probs.npy", classes=NAMES)
    np.testing.assert_array_equal(np.stack([*again.labels]), right)


@pytest.mark.parametrize(
    ("mask", "shape", "factor"),
    [
        ((360, 480), (90, 120), 4),
        ((520, 696), (260, 348), 2),
        ((521, 695), (260, 348), 2),
        ((260, 347), (130, 173), 2),
        ((7, 9), (7, 9), 1),
        ((46, 63), (12, 16), 4),
        ((5, 5), (2, 2), 2),
    ],
)
def test_scales(mask, shape, factor):
    assert scale_of(mask, shape, "file") == factor


@pytest.mark.parametrize("shape", [(90, 121), (80, 120), (0, 5), (500, 700)])
def test_scales_that_do_not_fit(shape):
    with pytest.raises(InputError, match="file: is predicted as"):
        scale_of((360, 480), shape, "file")


@pytest.mark.parametrize(
    ("text", "names", "values", "colors"),
    [
        ("road\ncar\n", ["road", "car"], None, None),
        ("names:\n  0: road\n  13: fire hydrant\n", ["road", "fire hydrant"], [0, 13], None),
        ("road 0\ncar 1", ["road", "car"], [0, 1], None),
        ("name,r,g,b\nroad,1,2,3\ncar,4,5,6\n", ["road", "car"], None, [[1, 2, 3], [4, 5, 6]]),
        (
            "64 128 64\tAnimal\n192 0 128\tArchway",
            ["Animal", "Archway"],
            None,
            [[64, 128, 64], [192, 0, 128]],
        ),
        ("0 1 2 3 road\n1 4 5 6 car", ["road", "car"], None, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_tables_of_classes(tmp_path, text, names, values, colors):
    (tmp_path / "table.txt").write_text(text)
    table = read_table(tmp_path / "table.txt")
    assert list(table.names) == names
    assert (None if table.values is None else table.values.tolist()) == values
    assert (None if table.colors is None else table.colors.tolist()) == colors


def test_from_the_command_line_with_decisions(tmp_path, capsys):
    labels, probs, right = dataset()
    palette_masks(tmp_path / "masks", labels)
    np.save(tmp_path / "probs.npy", probs)
    (tmp_path / "pictures").mkdir()
    for at in range(3):
        Image.new("RGB", (32, 24), (at * 50, 90, 90)).save(tmp_path / "pictures" / f"{at}.jpg")
    audit = str(tmp_path / "audit")
    words = ["audit", "segmentation", str(tmp_path / "masks"), "--out", audit]
    words += ["--pred-probs", str(tmp_path / "probs.npy"), "--classes", ",".join(NAMES)]
    words += ["--threshold", "0.999"]
    assert main([*words, "--images", str(tmp_path / "pictures")]) == 0
    said = capsys.readouterr().out
    assert "1 of 3 examples look mislabelled" in said
    assert "24 pixels labelled sky look like car" in said
    page = (tmp_path / "audit" / "report.html").read_text()
    for caption in ("image", "given", "predicted", "disagreement"):
        assert f"<figcaption>{caption}</figcaption>" in page
    assert main(["export", audit, "--out", str(tmp_path / "fixed"), "--auto"]) == 0
    again = read(tmp_path / "fixed", pred_probs=tmp_path / "probs.npy", classes=NAMES)
    np.testing.assert_array_equal(np.stack([*again.labels]), right)
    (tmp_path / "mine.csv").write_text("example,part,label\n0,0,road\n")
    decide = ["export", audit, "--decisions", str(tmp_path / "mine.csv")]
    assert main([*decide, "--out", str(tmp_path / "mine")]) == 0
    mine = read(tmp_path / "mine", pred_probs=tmp_path / "probs.npy", classes=NAMES)
    assert (mine.labels[0][right[0] == 1] == 0).all()
    Image.new("P", (16, 12)).save(tmp_path / "masks" / "0.png")
    for bad in ("0,1,road", "0,0,tree"):
        (tmp_path / "mine.csv").write_text(f"example,part,label\n{bad}\n")
        assert main([*decide, "--out", str(tmp_path / "bad")]) == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"example": 0, "part": 3, "suggested": "car"}, "names region 3 of example 0"),
        ({"example": 7, "part": 0, "suggested": "car"}, "names example 7"),
        ({"example": 0, "part": 0, "suggested": "tree"}, "suggests 'tree'"),
        ({"example": 0, "part": 0}, "has no column 'suggested'"),
    ],
)
def test_corrections_are_checked(tmp_path, row, message):
    import pandas as pd

    labels, probs, _ = dataset()
    palette_masks(tmp_path / "masks", labels)
    np.save(tmp_path / "probs.npy", probs)
    found = segmentation.audit(
        tmp_path / "masks", pred_probs=tmp_path / "probs.npy", classes=NAMES, threshold=1.0
    )
    with pytest.raises(InputError, match=message):
        segmentation.export(found.source, pd.DataFrame([row]), tmp_path / "fixed")
    assert not (tmp_path / "fixed").exists()
