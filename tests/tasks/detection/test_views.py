"""Images as a person sees them, and answers as boxes in the dataset's own files."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Box, Fields, Picture, Shapes, as_json
from goldlabel.tasks import detection
from goldlabel.tasks.detection.views import view

FORMATS = (
    "coco", "yolo", "voc", "text", "csv", "parquet", "open_images", "label_studio",
)  # fmt: skip
IMAGES = {5: "add", 7: "relabel", 9: "move", 11: "remove"}


@pytest.fixture(params=FORMATS)
def format(request):
    return request.param


def audited(made, format):
    audit = detection.audit(
        made.labels(format), predictions=made.predictions("text"), duplicate_iou=0.7
    )
    write(audit, made.folder / "audit")
    return audit


def opened(made):
    issues, source, summary = read_audit(made.folder / "audit")
    return view(source, issues, summary)


def places(made):
    """Return the position of each image with a finding, by its number."""
    issues, _, _ = read_audit(made.folder / "audit")
    names = issues.to_frame()["id"][issues.is_issue]
    return {int(str(name).rpartition("img_")[2][:3]): at for at, name in names.items()}


def read(made, audit, path):
    names = made.folder / "data.yaml" if audit.source.format == "yolo" else None
    return detection.read(path, names=names)


def boxes_of(data):
    """Return class and corners, in pixels, of the boxes of each image."""
    unit = np.array([200, 100, 200, 100]) if data.is_relative else np.ones(4)
    return {
        int(str(name).rpartition("img_")[2][:3]): [
            (data.classes[label], *np.round(box * unit, 1).tolist())
            for label, box in zip(
                data.labels.labels[a:b].tolist(), data.labels.boxes[a:b], strict=True
            )
        ]
        for name, a, b in zip(
            data.ids, data.labels.offsets[:-1], data.labels.offsets[1:], strict=True
        )
        if "img_" in str(name)
    }


def test_an_image_as_it_is_shown(made, format):
    audit = audited(made, format)
    shown = opened(made)
    at = places(made)
    assert set(at) == set(IMAGES)
    is_relative = detection.read(audit.source.files[0]).is_relative
    size = (1.0, 1.0) if is_relative else (200.0, 100.0)
    for number, action in IMAGES.items():
        [scene] = shown.scenes([at[number]])
        [picture] = [each for each in scene.blocks if isinstance(each, Picture)]
        assert (picture.width, picture.height, picture.upright) == (*size, False)
        assert (
            shown.picture(at[number], picture.name) == made.folder / f"images/img_{number:03d}.jpg"
        )
        [question] = scene.questions
        assert isinstance(question, Shapes)
        assert question.action == action
        assert question.labels == ("cat", "dog")
        roles = [each.role for each in question.boxes]
        assert roles == {"add": ["suggested"], "remove": ["given"]}.get(
            action, ["given", "suggested"]
        )
        held = [each for each in question.boxes if each.role == "given"]
        assert len(held) + len(question.others) == len(made.given[number])
        json.dumps(as_json(scene))
    [question] = shown.scenes([at[7]])[0].questions
    unit = np.array([*size, *size]) / [200, 100, 200, 100]
    box = question.boxes[0]
    assert (box.part, box.label, question.given, question.suggested) == (0, "dog", "dog", "cat")
    corners = np.array([box.x1, box.y1, box.x2, box.y2])
    np.testing.assert_allclose(corners, np.array([20, 10, 80, 50]) * unit, atol=0.01)
    assert shown.picture(0, "other") is None
    fields = [each for each in shown.scenes([at[7]])[0].blocks if isinstance(each, Fields)]
    assert ("given", "2 dog") in fields[0].rows


def scaled(made, audit, *corners):
    unit = [200, 100, 200, 100] if detection.read(audit.source.files[0]).is_relative else [1] * 4
    return tuple(side / own for side, own in zip(corners, unit, strict=True))


def exported(made, audit, shown, answers):
    decisions = write_decisions(made.folder / "decisions.csv", shown, answers)
    out = made.folder / f"out{audit.source.files[0].suffix}"
    done = export(made.folder / "audit", out, decisions=decisions)
    return boxes_of(read(made, audit, out)), done


def test_answers_change_the_decided_boxes_alone(made, format):
    audit = audited(made, format)
    shown = opened(made)
    at = places(made)
    box = scaled(made, audit, 30, 20, 90, 70)
    answers = [
        (at[5], 0, Answer("set", box=box, label="cat")),
        (at[7], 0, Answer("accept")),
        (at[9], 0, Answer("set", box=box, label="cat")),
        (at[11], 0, Answer("keep")),
        (at[11], -1, Answer("set", box=box, label="dog")),
        (at[11], -1, Answer("set", box=scaled(made, audit, 1, 2, 3, 4), label="cat")),
        (at[5], -1, Answer("set", box=scaled(made, audit, 5, 6, 15, 16), label="dog")),
    ]
    before = boxes_of(read(made, audit, audit.source.files[0]))
    after, done = exported(made, audit, shown, answers)
    new = ("cat", 30, 20, 90, 70)
    expected = dict(before)
    expected[5] = [*before[5], new, ("dog", 5, 6, 15, 16)]
    expected[7] = [("cat", *before[7][0][1:]), before[7][1]]
    expected[9] = [before[9][0], new]
    expected[11] = [*before[11], ("dog", *new[1:]), ("cat", 1, 2, 3, 4)]
    assert {at: sorted(boxes) for at, boxes in after.items()} == {
        at: sorted(boxes) for at, boxes in expected.items()
    }
    assert (len(done.changes), done.kept) == (6, 1)


def test_all_that_is_suggested_makes_the_labels_right(made, format):
    audit = audited(made, format)
    shown = opened(made)
    after, _ = exported(
        made, audit, shown, [(at, 0, Answer("accept")) for at in places(made).values()]
    )
    for number, boxes in made.true.items():
        assert [each[0] for each in sorted(after[number])] == ["cat", "dog"]
        for (_, *own), (_, *true) in zip(sorted(after[number]), sorted(boxes), strict=True):
            np.testing.assert_allclose(own, true, atol=1.1)


def test_answers_one_by_one(made):
    audited(made, "coco")
    shown = opened(made)
    at = places(made)
    changes = shown.changes(at[5], 0, Answer("keep"))
    assert [(each.label, each.action) for each in changes] == [("", "")]
    changes = shown.changes(at[5], 0, Answer("set", remove=True))
    assert [(each.label, each.action) for each in changes] == [("", "")]
    [change] = shown.changes(at[5], 0, Answer("set", label="cat"))
    assert (change.label, change.action) == ("cat", "add")
    assert change.evidence == pytest.approx({"x1": 105.5, "y1": 30, "x2": 165, "y2": 89.5})
    [change] = shown.changes(at[9], 0, Answer("set", remove=True))
    assert (change.label, change.action) == ("", "remove")
    own = shown.scenes([at[9]])[0].questions[0].boxes[0]
    same = Answer("set", box=(own.x1, own.y1, own.x2, own.y2))
    [change] = shown.changes(at[9], 0, same)
    assert (change.label, change.action) == ("dog", "")
    [change] = shown.changes(at[9], 0, Answer("set", box=(1, 2, 3, 4)))
    assert (change.label, change.action, change.evidence["x2"]) == ("dog", "move", 3)
    [change] = shown.changes(at[7], 0, Answer("set", label="dog"))
    assert (change.label, change.action) == ("dog", "")
    assert shown.changes(at[7], 0, Answer("unsure")) == []


@pytest.mark.parametrize(
    ("question", "answer", "what"),
    [
        (3, Answer("accept"), "question"),
        (0, Answer("set"), "no box and no label"),
        (0, Answer("set", label="bird"), "not one of cat, dog"),
        (0, Answer("set", box=(5, 5, 1, 9)), "ends before it begins"),
        (0, Answer("set", box=(5, 5, 5, 9)), "no size"),
        (0, Answer("set", box=(float("nan"), 5, 5, 9)), "no image has"),
        (-1, Answer("set", box=(1, 1, 2, 2)), "no label"),
        (-1, Answer("set", box=(1, 1, 2, 2), label="bird"), "not one of"),
        (-1, Answer("accept"), "Draw a box"),
    ],
)
def test_answers_that_cannot_be(made, question, answer, what):
    audited(made, "coco")
    shown = opened(made)
    with pytest.raises(InputError, match=what):
        shown.changes(places(made)[9], question, answer)


def test_a_drawn_box_is_the_same_part_when_it_is_drawn_again(made):
    audited(made, "coco")
    draw = Answer("set", box=(1, 2, 3, 4), label="dog")
    first, again = opened(made).changes(0, -1, draw), opened(made).changes(0, -1, draw)
    assert first == again
    other = opened(made).changes(0, -1, Answer("set", box=(1, 2, 3, 5), label="dog"))
    assert other[0].part != first[0].part


def test_files_that_have_changed(made, format):
    audit = audited(made, format)
    path = audit.source.files[0]
    file = sorted(path.rglob("*.[tx][xm]*"))[2] if path.is_dir() else path
    data = file.read_bytes()
    file.write_bytes(data[:-9] + data[-8:] if format == "parquet" else data + b"\n")
    with pytest.raises(InputError):
        opened(made)


def test_findings_of_other_images(made):
    audited(made, "coco")
    issues, source, summary = read_audit(made.folder / "audit")
    other = dataclasses.replace(issues, classes=("cat", "dog", "bird"))
    with pytest.raises(InputError, match="other images"):
        view(source, other, summary)


def test_pictures_lie_in_a_folder_that_the_audit_lists(made):
    """What summary.json says of another folder is not followed."""
    audited(made, "coco")
    issues, source, summary = read_audit(made.folder / "audit")
    for options in ({"pictures": 99}, {"pictures": -2}, {"pictures": 0}):
        shown = view(
            dataclasses.replace(source, options={**source.options, **options}), issues, summary
        )
        assert shown.picture(0, "image") is None
    with pytest.raises(InputError, match="unknown key"):
        view(
            dataclasses.replace(source, options={**source.options, "folder": "/etc"}),
            issues,
            summary,
        )


def test_a_link_that_leads_out_of_the_folder_of_pictures_is_no_picture(made, tmp_path):
    audited(made, "coco")
    issues, source, summary = read_audit(made.folder / "audit")
    picture = made.folder / "images/img_003.jpg"
    outside = made.folder / "outside.jpg"
    picture.rename(outside)
    picture.symlink_to(outside)
    with pytest.raises(InputError, match="out of this one"):
        view(source, issues, summary)


@pytest.mark.parametrize(("size", "upright"), [((200, 100), False), ((100, 200), True)])
def test_boxes_count_stored_pixels_unless_the_file_says_otherwise(made, size, upright):
    """A picture that EXIF turns: is the file's size the stored one, or that which viewers show?"""
    path = made.labels("coco")
    content = json.loads(path.read_text(encoding="utf-8"))
    image = content["images"][9]
    image["width"], image["height"] = size
    path.write_text(json.dumps(content), encoding="utf-8")
    turned = Image.new("RGB", (200, 100))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(made.folder / "images/img_009.jpg", exif=exif)
    write(detection.audit(path, predictions=made.predictions("text")), made.folder / "audit")
    [picture] = [each for each in opened(made).scenes([9])[0].blocks if isinstance(each, Picture)]
    assert (picture.width, picture.height, picture.upright) == (*size, upright)


def test_without_pictures(made):
    for file in (made.folder / "images").iterdir():
        file.unlink()
    (made.folder / "images").rmdir()
    audited(made, "voc")
    [scene] = opened(made).scenes([9])
    assert not any(isinstance(each, Picture) for each in scene.blocks)
    assert scene.questions
    assert isinstance(scene.questions[0].boxes[0], Box)
