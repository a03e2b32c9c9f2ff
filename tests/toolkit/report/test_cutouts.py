"""Pictures of the report: what a question is about, cut out and drawn in."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from goldlabel.report.cutouts import cutouts
from goldlabel.scenes import Box, Layer, Picture, Region, Regions, Scene, Shapes, Text


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def png(array, mode=None):
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def photo(tmp_path):
    """A grey picture of 400 x 200 with a red square at (300, 100)."""
    array = np.full((200, 400, 3), 120, dtype=np.uint8)
    array[100:120, 300:320] = (255, 0, 0)
    Image.fromarray(array).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def shapes(*boxes, others=(), kind="badly placed"):
    return Shapes(parts=(0,), kind=kind, boxes=boxes, others=others, labels=("cat",))


def is_red(found):
    return (found[..., 0] > 180) & (found[..., 1] < 90)


@pytest.mark.parametrize("unit", [(400.0, 200.0), (1.0, 1.0), (0.0, 0.0)])
def test_a_box_is_cut_out_in_whatever_units_it_has(photo, unit):
    w, h = (400 / unit[0], 200 / unit[1]) if unit[0] else (1, 1)
    box = Box(0, "cat", 300 / w, 100 / h, 320 / w, 120 / h)
    new = Box(-1, "dog", 302 / w, 100 / h, 322 / w, 120 / h, "suggested")
    far = Box(1, "cat", 1 / w, 1 / h, 9 / w, 9 / h)
    near = Box(2, "cat", 290 / w, 90 / h, 340 / w, 130 / h)
    scene = Scene(
        0, "a", (Picture("image", *unit, upright=False),), (shapes(box, new, others=(far, near)),)
    )
    found = cutouts(scene, lambda name: photo)
    image = pixels(found.image)
    assert max(image.shape) == 288
    ys, xs = np.nonzero(is_red(image))
    assert [(each.label, each.role) for each in found.frames] == [
        ("", "given"), ("cat", "given"), ("dog", "suggested"),
    ]  # fmt: skip
    frame = found.frames[1]
    assert xs.min() / image.shape[1] == pytest.approx(frame.x, abs=0.03)
    assert (xs.max() + 1) / image.shape[1] == pytest.approx(frame.x + frame.width, abs=0.03)
    assert ys.min() / image.shape[0] == pytest.approx(frame.y, abs=0.03)
    assert found.pictures == {}


def test_further_questions_are_drawn(photo):
    box = Box(0, "cat", 300, 100, 320, 120)
    asked = [shapes(box, kind=f"kind {at}") for at in range(5)]
    scene = Scene(0, "a", (Picture("image", 400, 200, upright=False),), tuple(asked))
    found = cutouts(scene, lambda name: photo)
    assert list(found.pictures) == ["2. kind 1", "3. kind 2"]
    assert (pixels(found.pictures["2. kind 1"]) > 240).all(axis=2).any()  # the white line


def test_a_box_over_the_border_is_cut_to_it(photo):
    box = Box(0, "cat", 380, -10, 430, 50)
    scene = Scene(0, "a", (Picture("image", 400, 200, upright=False),), (shapes(box),))
    [frame] = cutouts(scene, lambda name: photo).frames
    assert frame.x + frame.width == 1.0
    assert frame.y == 0.0


def test_pictures_stand_as_they_are_stored_or_upright(tmp_path):
    image = Image.new("RGB", (40, 20), "gray")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    for upright, size in ((False, (40, 20)), (True, (20, 40))):
        scene = Scene(0, "a", (Picture("image", upright=upright),))
        found = cutouts(scene, lambda name: tmp_path / "a.jpg")
        assert pixels(found.image).shape[1::-1] == size


def test_what_cannot_be_shown(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    for source in (tmp_path / "a.png", None, b"no picture"):
        for layers in ((), (Layer("given", "given", "given"),)):
            scene = Scene(0, "a", (Picture("image"), *layers))
            found = cutouts(scene, lambda name, source=source: source)
            assert found.image is None
            assert found.fields == {"image": "cannot be shown"}
    assert cutouts(Scene(0, "a", (Text("hello"),)), lambda name: None).fields == {}


def test_layers_lie_over_the_same_piece_of_the_picture(photo):
    given = np.zeros((200, 400, 4), dtype=np.uint8)
    given[90:130, 290:330] = (0, 0, 255, 255)
    square = ((290.0, 90.0), (330.0, 90.0), (330.0, 130.0), (290.0, 130.0))
    region = Region(0, 290, 90, 40, 40, (square,))
    question = Regions(parts=(0,), regions=(region,), labels=("a", "b"))
    blocks = (
        Picture("image", 400, 200, upright=False, caption="image"),
        Layer("given", "given", "given"),
        Layer("gone", "gone", "suggested"),
    )
    sources = {"image": photo, "given": png(given)}
    found = cutouts(Scene(0, "a", blocks, (question,)), sources.get)
    assert list(found.pictures) == ["image", "given"]
    below, over = (pixels(each) for each in found.pictures.values())
    assert below.shape == over.shape
    assert max(below.shape) == 224
    assert is_red(below).any()
    blue = (over[..., 2] > 200) & (over[..., 0] < 60)
    assert blue.sum() > 0.6 * (40 * 40) * (224 / 100) ** 2 * 0.5
    assert (below > 240).all(axis=2).any()
    assert found.fields["outlined"] == "0"
    assert found.fields["shown"].startswith("x ")


def test_a_picture_without_a_caption_is_only_what_layers_lie_on():
    grey = np.full((20, 30, 4), 235, dtype=np.uint8)
    blocks = (Picture("blank", 30, 20, upright=False), Layer("given", "given", "given"))
    found = cutouts(Scene(0, "a", blocks), lambda name: png(grey))
    assert list(found.pictures) == ["given"]
    assert found.fields == {}
