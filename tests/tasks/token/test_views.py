"""Sentences as a person sees them, and answers as tags in the dataset's own scheme."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Choice, Span, Spans, as_json
from goldlabel.tasks import token
from goldlabel.tasks.token.stretches import Finding, entities, stretches, with_spans
from goldlabel.tasks.token.tags import tag_set
from goldlabel.tasks.token.views import view

SENTENCES = [
    (["Leeds", "beat", "Blackburn", "Rovers", "2-0", "."], "S-ORG O B-LOC E-LOC O O"),
    (["Ann", "Lee", "sings", "in", "New", "York", "."], "B-PER E-PER O O B-LOC E-LOC O"),
    (["Bob", "Ann", "and", "Eve", "sing"], "S-PER S-PER O S-PER O"),
    (["It", "rains", "in", "Rome"], "O O O O"),
    (["Oslo", "wins"], "S-LOC O"),
    (["Ajax", "Club", "lost"], "B-ORG E-ORG O"),
]
WANTED = {0: "S-ORG O B-ORG E-ORG O O", 3: "O O O S-LOC"}
LETTERS = {
    "io": None, "iob1": "BIIB", "iob2": "BIIB", "bioes": "BIES", "bilou": "BILU", "bmewo": "BMEW",
}  # fmt: skip


def in_scheme(tags, scheme):
    """Write BIOES tags in another scheme."""
    out = []
    for at, tag in enumerate(tags):
        role, _, kind = tag.partition("-")
        before = tags[at - 1].partition("-")[2] if at else ""
        if tag == "O":
            out.append(tag)
        elif scheme == "io":
            out.append(kind)
        elif scheme == "iob1":
            out.append(("B-" if role in "BS" and before == kind else "I-") + kind)
        else:
            out.append(LETTERS[scheme]["BIES".index(role)] + "-" + kind)
    return out


def classes_of(scheme):
    if scheme == "io":
        return ["LOC", "O", "ORG", "PER"]
    return ["O", *(f"{r}-{t}" for t in ("LOC", "ORG", "PER") for r in sorted(set(LETTERS[scheme])))]


def audited(tmp_path, scheme="iob2", model_scheme=None, write_labels=None):
    """Write sentences in a scheme and a model's probabilities; return the audit's folder."""
    model_scheme = model_scheme or scheme
    classes = classes_of(model_scheme)
    given = [in_scheme(tags.split(), scheme) for _, tags in SENTENCES]
    lines = []
    for number, (_, tags) in enumerate(SENTENCES):
        best = in_scheme(WANTED.get(number, tags).split(), model_scheme)
        probs = np.full((len(best), len(classes)), 0.02)
        probs[np.arange(len(best)), [classes.index(tag) for tag in best]] = 0.9
        probs /= probs.sum(axis=1, keepdims=True)
        lines.append(json.dumps({"probs": probs.tolist(), "classes": classes}))
    many = 6  # so that the thresholds stand
    path = (write_labels or write_conll)(tmp_path, given, many)
    (tmp_path / "p.jsonl").write_text("\n".join(lines * many))
    audit = token.audit(path, pred_probs=tmp_path / "p.jsonl")
    write(audit, tmp_path / "audit")
    return path


def write_conll(folder, given, many):
    blocks = [
        "".join(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True))
        for (words, _), tags in zip(SENTENCES, given, strict=True)
    ]
    path = folder / "labels.conll"
    path.write_text("\n".join(blocks * many))
    return path


def opened(tmp_path):
    issues, source, summary = read_audit(tmp_path / "audit")
    return view(source, issues, summary)


def exported(tmp_path, shown, answers):
    """Return the tags of each sentence after an export, and what it says of itself."""
    decisions = write_decisions(tmp_path / "decisions.csv", shown, answers)
    done = export(tmp_path / "audit", tmp_path / "out", decisions=decisions, force=True)
    blocks = (tmp_path / "out").read_text().split("\n\n")
    return [[line.split()[1] for line in each.strip().splitlines()] for each in blocks], done


@pytest.mark.parametrize("scheme", list(LETTERS))
def test_a_sentence_as_it_is_shown(tmp_path, scheme):
    audited(tmp_path, scheme)
    scene = opened(tmp_path).scenes([0])[0]
    [pieces] = scene.blocks
    assert pieces.words == ("Leeds", "beat", "Blackburn", "Rovers", "2-0", ".")
    assert pieces.gaps == ("", " ", " ", " ", " ", " ", "")
    assert pieces.spans == (Span(0, 1, "ORG"), Span(2, 4, "LOC"))
    [question] = scene.questions
    assert isinstance(question, Spans)
    assert question.kind == "wrong type"
    assert question.spans_given == (Span(2, 4, "LOC"),)
    assert question.spans_suggested == (Span(2, 4, "ORG"),)
    assert question.labels == ("LOC", "ORG", "PER")
    assert (question.first, question.stop) == ((2, 6) if scheme in ("io", "iob1") else (1, 6))
    assert set(question.parts) == {2, 3}
    assert (question.given, question.suggested) == ("LOC Blackburn Rovers", "ORG Blackburn Rovers")
    assert "Blackburn Rovers" in question.reason
    json.dumps(as_json(scene))


@pytest.mark.parametrize("model_scheme", ["iob2", "bioes", "bilou"])
@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes", "bmewo"])
def test_answers_are_written_in_the_scheme_of_the_file(tmp_path, scheme, model_scheme):
    audited(tmp_path, scheme, model_scheme)
    shown = opened(tmp_path)
    before = [in_scheme(tags.split(), scheme) for _, tags in SENTENCES] * 6
    answers = [
        (0, 0, Answer("accept")),
        (3, 0, Answer("accept")),
        (6, 0, Answer("keep")),
        (9, 0, Answer("keep")),
        (12, 0, Answer("set", spans=(Span(2, 5, "PER"),))),
        (15, 0, Answer("set", spans=(Span(2, 3, "ORG"), Span(3, 4, "LOC")))),
        (18, 0, Answer("set", spans=())),
        (24, 0, Answer("unsure")),
    ]
    after, done = exported(tmp_path, shown, answers)
    wanted = {
        0: WANTED[0],
        3: WANTED[3],
        12: "S-ORG O B-PER I-PER E-PER O",
        15: "O O S-ORG S-LOC",
        18: "S-ORG O O O O O",
    }
    expected = [
        in_scheme(wanted[at].split(), scheme) if at in wanted else tags
        for at, tags in enumerate(before)
    ]
    assert after == expected
    changed = sum(
        a != b
        for one, two in zip(before, after, strict=True)
        for a, b in zip(one, two, strict=True)
    )
    if scheme == model_scheme:
        assert len(done.changes) == changed
    assert (done.changes["suggested"] != done.changes["given"]).all()


def test_the_last_answer_of_a_person_takes_back_what_the_one_before_did(tmp_path):
    """Every answer says the tags of the same tokens."""
    audited(tmp_path)
    shown = opened(tmp_path)
    first = Answer("set", spans=(Span(1, 6, "PER"),))
    for last, expected in ((Answer("accept"), WANTED[0]), (Answer("keep"), SENTENCES[0][1])):
        after, _ = exported(tmp_path, shown, [(0, 0, first), (0, 0, last)])
        assert after[0] == in_scheme(expected.split(), "iob2")


@pytest.mark.parametrize(
    ("spans", "what"),
    [
        ((Span(0, 3, "PER"),), "no piece of 1 to 6"),
        ((Span(2, 4, "PER"), Span(3, 5, "PER")), "no piece"),
        ((Span(3, 3, "PER"),), "no piece"),
        ((Span(2, 4, "Bird"),), "not one of LOC, ORG, PER"),
    ],
)
def test_spans_that_cannot_be(tmp_path, spans, what):
    audited(tmp_path)
    with pytest.raises(InputError, match=what):
        opened(tmp_path).changes(0, 0, Answer("set", spans=spans))


def test_spans_that_a_scheme_cannot_say(tmp_path):
    audited(tmp_path, "io")
    with pytest.raises(InputError, match="cannot be said by the scheme io"):
        opened(tmp_path).changes(0, 0, Answer("set", spans=(Span(2, 3, "PER"), Span(3, 4, "PER"))))


def test_no_such_question(tmp_path):
    audited(tmp_path)
    with pytest.raises(InputError, match="question"):
        opened(tmp_path).changes(0, 1, Answer("accept"))


def test_a_file_that_has_changed(tmp_path):
    path = audited(tmp_path)
    path.write_text(path.read_text().replace("B-LOC", "B-ORG", 1))
    with pytest.raises(InputError, match="changed"):
        opened(tmp_path)


def test_findings_of_other_sentences(tmp_path):
    audited(tmp_path)
    issues, source, summary = read_audit(tmp_path / "audit")
    parts = dataclasses.replace(issues.parts, part=issues.parts.part + 77)
    issues = dataclasses.replace(issues, parts=parts)
    with pytest.raises(InputError, match="other sentences"):
        view(source, issues, summary)


def test_tags_that_are_no_entities(tmp_path):
    """A question for each token judged wrong."""
    tags = ["DET NOUN VERB".split(), "NOUN VERB NOUN".split()]
    classes = ["DET", "NOUN", "VERB"]
    words = [["the", "dog", "barks"], ["dogs", "see", "cats"]]
    wrong = {(10, 2)}
    blocks, lines = [], []
    for number in range(20):
        own, probs = tags[number % 2], []
        text = ""
        for at, (word, tag) in enumerate(zip(words[number % 2], own, strict=True)):
            written = "NOUN" if (number, at) in wrong else tag
            text += f"{word} {written}\n"
            probs.append([0.9 if each == tag else 0.05 for each in classes])
        blocks.append(text)
        lines.append(json.dumps({"probs": probs, "classes": classes}))
    (tmp_path / "labels.conll").write_text("\n".join(blocks))
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    audit = token.audit(tmp_path / "labels.conll", pred_probs=tmp_path / "p.jsonl")
    write(audit, tmp_path / "audit")
    shown = opened(tmp_path)
    scene = shown.scenes([10])[0]
    assert scene.blocks[0].spans[2] == Span(2, 3, "NOUN")
    [question] = scene.questions
    assert isinstance(question, Choice)
    assert (question.parts, question.name) == ((2,), "barks")
    assert (question.given, question.suggested) == ("NOUN", "VERB")
    assert question.alternatives == (("VERB", pytest.approx(0.9)), ("NOUN", pytest.approx(0.05)))
    for answer, tag in (
        (Answer("accept"), "VERB"), (Answer("keep"), "NOUN"), (Answer("set", label="DET"), "DET"),
    ):  # fmt: skip
        after, _ = exported(tmp_path, shown, [(10, 0, answer)])
        assert after[10] == ["DET", "NOUN", tag]
    with pytest.raises(InputError, match="not one of the classes"):
        shown.changes(10, 0, Answer("set", label="ADJ"))
    assert shown.changes(10, 0, Answer("unsure")) == []


TEXTS = [
    ("🙂🙂 Ana  met\tZoë\u0301 👩‍👩‍👧 in Rome!", {"Ana": "PER", "Zoë\u0301": "PER", "Rome": "PER"}),
    ("مریم در تهران زندگی می‌کند.", {"مریم": "PER", "تهران": "PER"}),
]


def test_texts_keep_what_stands_between_their_words(tmp_path):
    """Code points are counted, whatever they look like; only the span that was decided differs."""
    documents, lines = [], []
    classes = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    for number in range(12):
        text, names = TEXTS[number % 2]
        spans = [[text.index(n), text.index(n) + len(n), k] for n, k in names.items()]
        if number > 1:  # the cities of the first two are wrong
            spans[-1][2] = "LOC"
        documents.append({"text": text, "label": spans, "more": "é"})
        probs = []
        for a, b in token.tokenize(text):
            word = text[a:b]
            best = "B-LOC" if word in ("Rome", "تهران") else "B-PER" if word in names else "O"
            probs.append([0.9 if each == best else 0.025 for each in classes])
        lines.append(json.dumps({"probs": probs, "classes": classes}))
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in documents))
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    write(token.audit(path, pred_probs=tmp_path / "p.jsonl"), tmp_path / "audit")
    shown = opened(tmp_path)
    for number, scene in enumerate(shown.scenes([0, 1])):
        [pieces], [question] = scene.blocks, scene.questions
        woven = "".join(g + w for g, w in zip(pieces.gaps, (*pieces.words, ""), strict=True))
        assert woven == TEXTS[number][0]
        [span] = question.spans_given
        city = "".join(pieces.words[span.first : span.stop])
        assert (city, span.label) == (("Rome", "تهران")[number], "PER")
    wide = Answer("set", spans=(Span(question.first, question.stop, "LOC"),))
    decisions = write_decisions(tmp_path / "d.csv", shown, [(0, 0, Answer("accept")), (1, 0, wide)])
    out = tmp_path / "out.jsonl"
    export(tmp_path / "audit", out, decisions=decisions)
    before, after = (each.read_text(encoding="utf-8").splitlines() for each in (path, out))
    assert after[2:] == before[2:]
    assert after[0] == before[0].replace('"PER"]], "more', '"LOC"]], "more')
    text = TEXTS[1][0]
    *_, (start, end, label) = json.loads(after[1])["label"]
    words = shown.scenes([1])[0].blocks[0].words
    assert text[start:end].startswith(words[question.first])
    assert text[start:end].endswith(words[question.stop - 1])
    assert label == "LOC"


@st.composite
def sentences(draw):
    scheme = draw(st.sampled_from(list(LETTERS)))
    rules = tag_set(classes_of(scheme), scheme)
    n = draw(st.integers(1, 12))
    codes = st.integers(-1, len(rules.names) - 1)
    given = np.array(draw(st.lists(codes, min_size=n, max_size=n)), dtype=np.int64)
    tokens = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4, unique=True))
    findings = [
        Finding((row,), {at: (int(given[at]), draw(codes))}) for row, at in enumerate(tokens)
    ]
    return rules, given, findings


@drawn(sentences())
@settings(deadline=None, max_examples=300)
def test_stretches_can_be_answered_one_by_one(data):
    rules, given, findings = data
    found = stretches(findings, given, rules)
    covered = [at for each in found for at in range(each.first, each.stop)]
    assert len(covered) == len(set(covered))
    assert set(covered) >= {at for each in findings for at in each.tags}
    assert sorted(each.rows for each in findings) == sorted(
        each.rows for stretch in found for each in stretch.findings
    )
    for stretch in found:
        for span in (*entities(given, rules), *entities(stretch.suggested(given), rules)):
            inside = stretch.first <= span.first and span.stop <= stretch.stop
            assert inside or span.stop <= stretch.first or span.first >= stretch.stop
    # whatever is said of one leaves the entities of the others as they are
    tags, kept = given, [
        each for each in entities(given, rules)
        if not any(s.first < each.stop and each.first < s.stop for s in found)
    ]  # fmt: skip
    said = []
    for stretch in found:
        new = [Span(stretch.first, stretch.stop, "LOC")]
        try:
            tags = with_spans(tags, stretch, new, rules)
        except InputError:  # a broken tag beside it would go on with it
            return
        said += new
    assert sorted(entities(tags, rules), key=str) == sorted([*kept, *said], key=str)
