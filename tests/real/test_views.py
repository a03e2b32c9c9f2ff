"""Reviews of real datasets: what is decided is what differs in the files that come out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from reviewing import decision_rows, write_decisions

from goldlabel.actions.export import export
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Picture, Span, as_json
from goldlabel.tasks import detection, segmentation, token
from goldlabel.tasks.segmentation import runs

pytestmark = pytest.mark.slow

EACH = 20
"""So many findings are accepted, kept and set."""


@pytest.fixture
def reviewed(tmp_path):
    """Return what opens an audit again, and exports answers to it."""

    class Reviewed:
        folder = tmp_path

        def open(self, task, audit):
            write(audit, tmp_path / "audit")
            self.issues, source, summary = read_audit(tmp_path / "audit")
            self.shown = task.view(source, self.issues, summary)
            return self.shown

        def questions(self):
            """Return example and number of the questions of the worst examples."""
            asked = []
            for example in self.issues.ranked().tolist():
                [scene] = self.shown.scenes([example])
                json.dumps(as_json(scene))
                asked += [(scene, at) for at in range(len(scene.questions))]
                if len(asked) >= 3 * EACH:
                    return asked[: 3 * EACH]
            raise AssertionError("too few findings")

        def export(self, answers, name):
            decisions = write_decisions(tmp_path / "decisions.csv", self.shown, answers)
            done = export(tmp_path / "audit", tmp_path / name, decisions=decisions)
            return tmp_path / name, done

    return Reviewed()


def answers_of(asked, new):
    """Return 20 answers of each kind, by turns, and which were set."""
    kinds = [Answer("accept"), Answer("keep"), None]
    return [
        (scene.example, at, kinds[turn % 3] or new(scene, at))
        for turn, (scene, at) in enumerate(asked)
    ]


def test_conll2003(data, reviewed):
    folder = data / "token" / "conll2003_test"
    path = folder / "eng.testb"
    audit = token.audit(path, pred_probs=folder / "pred_probs.npz")
    shown = reviewed.open(token, audit)

    def another(scene, at):
        question = scene.questions[at]
        return Answer("set", spans=(Span(question.first, question.stop, "ORG"),))

    answers = answers_of(reviewed.questions(), another)
    out, done = reviewed.export(answers, "out.testb")
    before, after = (
        [line.split(" ") for line in each.read_bytes().decode("latin-1").split("\n")]
        for each in (path, out)
    )
    assert [line[:-1] for line in before] == [line[:-1] for line in after]
    probs = folder / "pred_probs.npz"
    given = token.read(path, pred_probs=probs)
    new = token.read(out, pred_probs=probs)
    expected = given.codes.copy()
    for row in decision_rows(shown, answers):
        at = given.labels.offsets[row["example"]] + row["part"]
        expected[at] = given.classes.index(row["label"])
    np.testing.assert_array_equal(new.codes, expected)
    assert (new.codes != given.codes).sum() == len(done.changes)
    # the file's own IOB1: what means the same stays as it is written
    differing = sum(a != b for a, b in zip(before, after, strict=True))
    assert 0 < differing <= len(done.changes) + EACH


def test_bccd(data, reviewed):
    folder = data / "detection" / "bccd"
    path = folder / "Annotations_given"
    audit = detection.audit(path, predictions=folder / "predictions")
    shown = reviewed.open(detection, audit)

    def another(scene, at):
        box = scene.questions[at].boxes[0]
        return Answer("set", box=(box.x1 + 1, box.y1 + 2, box.x2 + 3, box.y2 + 4), label="WBC")

    answers = answers_of(reviewed.questions(), another)
    answers.append((answers[0][0], -1, Answer("set", box=(10, 11, 42, 43), label="RBC")))
    out, done = reviewed.export(answers, "out")
    given, new = detection.read(path), detection.read(out)
    rows = decision_rows(shown, answers)
    changed = {(row["example"], row["part"]): row for row in rows if row["action"]}
    for example in range(len(given)):
        assert boxes_of(new, example) == sorted(expected_boxes(given, example, changed))
    files = {row["example"] for row in changed.values()}
    differing = [
        file for file in sorted(path.glob("*.xml"))
        if file.read_bytes() != (out / file.name).read_bytes()
    ]  # fmt: skip
    assert len(differing) == len(files)
    assert len(done.changes) == len(changed)
    [scene] = shown.scenes([answers[0][0]])
    [picture] = [block for block in scene.blocks if isinstance(block, Picture)]
    with Image.open(shown.picture(scene.example, picture.name)) as image:
        assert image.size == (picture.width, picture.height)


def boxes_of(data, example):
    own = slice(data.labels.offsets[example], data.labels.offsets[example + 1])
    return sorted(
        (data.classes[label], *np.round(box).tolist())
        for label, box in zip(data.labels.labels[own], data.labels.boxes[own], strict=True)
    )


def expected_boxes(given, example, changed):
    """Yield the boxes of an image after what was decided; VOC has whole pixels."""
    start, count = int(given.labels.offsets[example]), int(given.labels.counts[example])
    for part in range(count):
        row = changed.get((example, part), {"action": "", "label": ""})
        if row["action"] == "remove":
            continue
        name = given.classes[given.labels.labels[start + part]]
        corners = given.labels.boxes[start + part].tolist()
        yield (row["label"] or name, *rounded(row, corners))
    for (image, part), row in changed.items():
        if image == example and part >= count:
            yield (row["label"], *rounded(row, None))


def rounded(row, corners):
    """Return corners as a file of VOC has them: xmin counts from 1."""
    x1, y1, x2, y2 = [row[n] for n in ("x1", "y1", "x2", "y2")] if "x1" in row else corners
    least = [max(round(value + 1), 1) - 1 for value in (x1, y1)]
    return (*map(float, least), float(round(x2)), float(round(y2)))


def test_camvid(data, reviewed):
    folder = data / "segmentation" / "camvid"
    path = folder / "masks_given"
    audit = segmentation.audit(
        path, pred_probs=folder / "pred_probs_90x120.npz", images=folder / "images"
    )
    shown = reviewed.open(segmentation, audit)

    def another(scene, at):
        [region] = scene.questions[at].regions
        height, width = int(scene.blocks[0].height), int(scene.blocks[0].width)
        pixels = np.zeros((height, width), dtype=bool)
        pixels[int(region.y) : int(region.y + 3), int(region.x) : int(region.x + 5)] = True
        counts = runs.to_counts(runs.of_mask(pixels), pixels.size)
        return Answer("set", label="Sky", paint={"size": [height, width], "counts": counts})

    asked = reviewed.questions()
    names = list(audit.issues.classes)
    other = next(name for name in names if name.lower() == "sky")
    answers = [
        (example, at, Answer("set", label=other, paint=answer.paint) if answer.paint else answer)
        for example, at, answer in answers_of(asked, another)
    ]
    out, done = reviewed.export(answers, "out")
    expected = {
        example: np.asarray(Image.open(path / f"{audit.issues.ids[example]}.png")).copy()
        for example, _, _ in answers
    }
    questions = {(scene.example, at): scene.questions[at] for scene, at in asked}
    before = {example: mask.copy() for example, mask in expected.items()}
    for example, at, answer in sorted(answers, key=lambda each: part_of(questions, each)):
        question = questions[example, at]
        if answer.verdict == "accept":
            pixels = shown.pixels(example, question.parts[0])
            expected[example][pixels] = names.index(question.suggested)
        elif answer.verdict == "set":
            found, size = runs.from_coco(dict(answer.paint), "answer")
            expected[example][runs.to_mask(found, size)] = names.index(other)
    for file in sorted(path.glob("*.png")):
        example = list(audit.issues.ids).index(file.stem)
        if example not in expected or (expected[example] == before[example]).all():
            assert (out / file.name).read_bytes() == file.read_bytes()
        else:
            new = np.asarray(Image.open(out / file.name))
            np.testing.assert_array_equal(new, expected[example])
    assert len(done.changes) == 2 * EACH


def part_of(questions, answer):
    example, at, _ = answer
    return example, questions[example, at].parts[0]
