"""The one reader of Label Studio's exports, on which those of five tasks stand."""

from __future__ import annotations

import json

import pytest

from goldlabel.errors import InputError
from goldlabel.formats import label_studio
from goldlabel.formats.json.text import edited_entries


def choice(name, *choices):
    return {"from_name": name, "to_name": "text", "value": {"choices": list(choices)}}


def test_which_annotation_counts():
    first, second = {"result": [1]}, {"result": [2]}
    cancelled, truth = {"result": [3], "was_cancelled": True}, {"result": [4], "ground_truth": True}
    for key in ("annotations", "completions"):
        for listed, path, results in [
            ([first, second], (key, 0, "result"), [1]),
            ([cancelled, first], (key, 1, "result"), [1]),
            ([first, truth, second], (key, 1, "result"), [4]),
            ([{**truth, "was_cancelled": True}, second], (key, 1, "result"), [2]),
            ([7, {"result": None}], (key, 1, "result"), []),
        ]:
            counts = label_studio.counting({key: listed})
            assert (counts.path, counts.results) == (path, results)
    assert label_studio.counting({"annotations": [cancelled]}) is None
    assert label_studio.counting({"annotations": {}}) is None
    assert label_studio.counting({"annotations": [], "completions": [first]}).results == [1]


def test_long_and_short_form():
    assert label_studio.looks_like([{"data": {}, "annotations": []}])
    assert label_studio.looks_like([{"text": "a", "annotation_id": 3}])
    for other in ([], {}, [1], [{"data": {}}], [{"annotations": []}], [{"text": "a"}]):
        assert not label_studio.looks_like(other)


def test_names_of_choices(tmp_path):
    annotation = {"result": [choice("mood", "ok"), {"value": 3}, 5, choice("topic", "a")]}
    task = {"annotations": [annotation, {"result": [choice("mood", "bad")]}]}
    names = label_studio.control_tags(label_studio.annotations_of(task), "choices")
    assert names == {"mood": "text", "topic": "text"}
    assert label_studio.choose_tag(tmp_path, names, "topic", "label") == "topic"
    for asked, message in ((None, "has the choices mood, topic"), ("x", "mood, topic, not 'x'")):
        with pytest.raises(InputError, match=message):
            label_studio.choose_tag(tmp_path, names, asked, "label")


def test_what_tasks_show_and_are_called():
    long = {"id": 7, "data": {"id": 3, "text": "a", "more": [1]}, "annotations": []}
    short = {"id": 8, "text": "b", "mood": "ok", "annotator": 1, "lead_time": 3.5}
    frame = label_studio.shown([long, short], "mood")
    assert frame.to_dict("records") == [{"id": "3", "text": "a"}, {"id": "", "text": "b"}]
    for value, name in [
        ("/data/upload/3/a.jpg?x=1", "a.jpg"),
        ("s3://bucket/b/c.png", "c.png"),
        ("no name", "7"),
    ]:
        assert label_studio.picture_name({"id": 7, "data": {"image": value}}, 0) == name
    assert label_studio.picture_name({"data": 3}, 4) == "4"


def test_edits_leave_everything_else(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf[ {"id": 1,\t"data": {}} ,\r\n {"id":2, "data": {"a": 1.50}}]\n')
    export = label_studio.read_export(path)
    assert [task["id"] for task in export.tasks] == [1, 2]
    assert label_studio.edited(export.file, {}) == path.read_bytes()[3:]
    new = label_studio.edited(export.file, {1: lambda task, text: json.dumps(task)})
    assert new == b'[ {"id": 1,\t"data": {}} ,\r\n {"id": 2, "data": {"a": 1.5}}]\n'


@pytest.mark.parametrize("text", ["{}", "[]", "3", '["a"]', "[null]", "[[]]"])
def test_what_is_no_list_of_tasks(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"no list of tasks|task 1: is a JSON"):
        label_studio.read_export(tmp_path / "a.json")


def test_entries_of_a_list():
    assert edited_entries(' [ 1 ,2 , "[3" ] ', {2: "4"}, drop={0}, add=["5"]) == " [ 2 , 4 ,5 ] "
    assert edited_entries("[1, 2]", {}, drop={0, 1}) == "[]"
    assert edited_entries("[ ]", {}, add=["1", "2"]) == "[1, 2]"
    assert edited_entries("[1,2]", {1: "9"}) == "[1,9]"


def rectangle(*labels, kind="rectanglelabels", at=10.0, **more):
    value = {"x": at, "y": 10.0, "width": 20.0, "height": 20.0, kind: list(labels)}
    return {"type": kind, "from_name": "l", "to_name": "i", "original_width": 100,
            "original_height": 50, "value": value, **more}  # fmt: skip


def test_rectangles_without_one_label_are_kept_and_not_judged(tmp_path):
    from goldlabel.tasks.detection.formats import label_studio as reader

    bare = rectangle(kind="rectangle", id="a")
    results = [
        [rectangle("car"), rectangle(), rectangle("car", "bus", at=50.0)],
        [bare, {**rectangle("bus", kind="labels", id="a")}, {"type": "choices", "value": {}}],
        [rectangle(kind="rectangle", id="b"), {"type": "relation", "from_id": "b"}],
    ]
    tasks = [
        {"id": [at], "data": {"image": f"/x/{at}.jpg"}, "annotations": [{"result": each}]}
        for at, each in enumerate(results)
    ]
    tasks.append({"id": 9, "data": {"image": "d.jpg"}, "annotations": []})
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tasks))
    listed = reader.read(path)
    assert listed.image.tolist() == [0, 0, 0, 1, 2]
    assert listed.ignore.tolist() == [False, True, True, False, True]
    assert [listed.classes[label] for label in listed.labels] == ["car", "bus", "car", "bus", "bus"]
    assert listed.looked_for[0] == ({0, 1}, set())
    assert listed.looked_for[3] == (set(), set())
    assert any("3 rectangles have not one label" in note for note in listed.notes)
    assert any("1 tasks have no annotation" in note for note in listed.notes)
    path.write_text(json.dumps([{"data": {}, "annotations": [{"result": [results[1][2]]}]}]))
    with pytest.raises(InputError, match="no rectangle with a label, only choices"):
        reader.read(path)
