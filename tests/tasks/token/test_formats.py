"""Native formats: what is read; the same bytes without corrections; one label changed with one."""

from __future__ import annotations

import gzip
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goldlabel.errors import InputError, MissingExtra
from goldlabel.tasks import token

CLASSES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def corrections(*rows):
    frame = pd.DataFrame(rows, columns=["example", "part", "suggested"])
    return frame.astype({"example": np.int64, "part": np.int64})


def tags(data):
    return [[data.classes[c] if c >= 0 else None for c in codes] for codes in data.labels]


def round_trip(path, change, expected, **options):
    """Export without corrections and with some; return the text of the latter."""
    data = token.read(path, **options)
    same, new = path.with_name("same"), path.with_name("new")
    token.export(data.source, corrections(), same)
    assert same.read_bytes() == path.read_bytes()
    token.export(data.source, corrections(*change), new)
    again = token.read(new, **options)
    assert tags(again) == expected
    assert again.tokens == data.tokens
    return new.read_bytes()


LINES = {
    "spaces": b"Ann NNP  B-PER \nlives VBZ O\n\n\nParis NNP B-LOC",
    "tabs, CRLF": b"Ann\tNNP\tB-PER\r\nlives\tVBZ\tO\r\n\r\n \r\nParis\tNNP\tB-LOC\r\n",
    "DOCSTART": b"-DOCSTART- -X- O\n\nAnn NNP B-PER\nlives VBZ O\n\n-DOCSTART- -X- O\n"
    b"\nParis NNP B-LOC\n\n",
    "comments": b"# newdoc\n# text = Ann lives\nAnn NNP B-PER\nlives VBZ O\n\n#end\n"
    b"Paris NNP B-LOC\n",
    "byte-order mark": b"\xef\xbb\xbfAnn NNP B-PER\nlives VBZ O\n\nParis NNP B-LOC\n",
}


@pytest.mark.parametrize("name", LINES)
def test_columns(tmp_path, name):
    path = tmp_path / "a.conll"
    path.write_bytes(LINES[name])
    written = round_trip(
        path,
        [(0, 0, "O"), (1, 0, "B-PER")],
        [["O", "O"], ["B-PER"]],
        classes=CLASSES,
    )
    before = LINES[name].replace(b"B-PER", b"\0").replace(b"B-LOC", b"B-PER").replace(b"\0", b"O")
    assert written == before


def test_columns_of_any_place_and_separator(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"0|B-PER|Ann Lee\n1|O|sings\n")
    options = dict(token_column=2, tag_column=1, separator="|", classes=CLASSES)
    assert token.read(path, **options).tokens == ("Ann Lee", "sings")
    written = round_trip(path, [(0, 0, "O")], [["O", "O"]], **options)
    assert written == b"0|O|Ann Lee\n1|O|sings\n"


def test_encodings_and_compression(tmp_path):
    text = "Zoë B-PER\nשלם O\n"
    (tmp_path / "a.conll").write_bytes("Zoë B-PER\nc'est O\n".encode("latin-1"))
    written = round_trip(
        tmp_path / "a.conll", [(0, 0, "O")], [["O", "O"]], classes=CLASSES, encoding="latin-1"
    )
    assert written == "Zoë O\nc'est O\n".encode("latin-1")
    (tmp_path / "b.conll.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    written = round_trip(
        tmp_path / "b.conll.gz", [(0, 1, "B-LOC")], [["B-PER", "B-LOC"]], classes=CLASSES
    )
    assert gzip.decompress(written).decode() == "Zoë B-PER\nשלם B-LOC\n"


def test_conll_u(tmp_path):
    rest = "\t_" * 6
    text = (
        f"# sent_id = 1\n1-2\tdu\t_\t_{rest}\n1\tde\tde\tADP{rest}\n2\tle\tle\tDET{rest}\n"
        f"2.1\tx\tx\tX{rest}\n\n1\tva\taller\t_{rest}\n\n"
    )
    path = tmp_path / "a.conllu"
    path.write_text(text)
    data = token.read(path)
    assert data.tokens == ("de", "le", "va")
    assert tags(data) == [["ADP", "DET"], [None]]
    assert data.scheme == "none"
    written = round_trip(path, [(0, 1, "ADP")], [["ADP", "ADP"], [None]], classes=["ADP", "DET"])
    assert written.decode() == text.replace("le\tDET", "le\tADP")


def test_a_hash_may_be_a_word(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("# O\nhappy O\n\n#1 B-PER\n")
    assert token.read(path).tokens == ("#", "happy", "#1")
    path.write_text("# id = 3\nAnn NNP B O\n# NNP B O\n#x NNP B B-PER\n")
    data = token.read(path)
    assert data.tokens == ("Ann", "#", "#x")
    assert any("1 comment line" in note for note in data.notes)


def test_tags_are_turned_into_the_scheme_of_the_predictions_and_back(tmp_path):
    """IOB1 in the file, IOB2 in the columns: the neighbour of a new entity changes with it."""
    path, probs = tmp_path / "a.conll", tmp_path / "p.npz"
    path.write_text("Ann I-PER\nLee I-PER\nBob B-PER\nsings O\n\nUtah I-LOC\n")
    values = np.full((5, 5), 0.02)
    values[np.arange(5), [1, 2, 1, 0, 3]] = 0.92
    np.savez(probs, probs=values, offsets=[0, 4, 5], labels=np.array(CLASSES))
    data = token.read(path, pred_probs=probs)
    assert tags(data) == [["B-PER", "I-PER", "B-PER", "O"], ["B-LOC"]]
    assert any("IOB1; they were turned into the IOB2" in note for note in data.notes)
    token.export(data.source, corrections((0, 0, "O"), (0, 1, "O")), tmp_path / "b.conll")
    expected = "Ann O\nLee O\nBob I-PER\nsings O\n\nUtah I-LOC\n"
    assert (tmp_path / "b.conll").read_text() == expected
    token.export(data.source, corrections(), tmp_path / "c.conll")
    assert (tmp_path / "c.conll").read_bytes() == path.read_bytes()


def test_bioes_to_iob2_and_back(tmp_path):
    path, probs = tmp_path / "a.conll", tmp_path / "p.npz"
    path.write_text("Ann B-PER\nLee E-PER\nin O\nUtah S-LOC\n")
    np.savez(probs, probs=np.eye(5)[[1, 2, 0, 3]], labels=np.array(CLASSES))
    data = token.read(path, pred_probs=probs)
    assert tags(data) == [["B-PER", "I-PER", "O", "B-LOC"]]
    token.export(data.source, corrections((0, 1, "O"), (0, 2, "I-LOC")), tmp_path / "b.conll")
    # an I after no entity of its type begins one
    assert (tmp_path / "b.conll").read_text() == "Ann S-PER\nLee O\nin B-LOC\nUtah S-LOC\n".replace(
        "in B-LOC\nUtah S-LOC", "in S-LOC\nUtah S-LOC"
    )


def test_tags_that_break_the_rules_of_a_converted_file_are_told(tmp_path):
    path, probs = tmp_path / "a.conll", tmp_path / "p.npz"
    path.write_text("Ann B-PER\nsings O\n\nUtah S-LOC\n")
    np.savez(probs, probs=np.eye(5)[[1, 0, 3]], labels=np.array(CLASSES))
    assert token.read(path, pred_probs=probs).broken == ((0, 0, "B-PER"),)


DOCUMENTS = {
    "doccano": (
        '{"id": 1, "text": "Ann lives in Paris.", "label": [[0, 3, "PER"], [13, 18, "LOC"]]}\n'
        '{"id": 2, "text": "Bob Rémy", "label":[]}\n',
        '{"id": 1, "text": "Ann lives in Paris.", "label": [[13, 18, "PER"]]}\n'
        '{"id": 2, "text": "Bob Rémy", "label":[[0, 8, "PER"]]}\n',
    ),
    "doccano, relations": (
        '{"text": "Ann lives in Paris.", "entities": [{"id": 7, "label": "PER", "start_offset": 0,'
        ' "end_offset": 3}, {"id": 9, "label": "LOC", "start_offset": 13, "end_offset": 18}]}\n'
        '{"text": "Bob Rémy", "entities": []}\n',
        '{"text": "Ann lives in Paris.", "entities": [{"id": 9, "label": "PER",'
        ' "start_offset": 13, "end_offset": 18}]}\n'
        '{"text": "Bob Rémy", "entities": [{"label": "PER", "start_offset": 0,'
        ' "end_offset": 8}]}\n',
    ),
    "spaCy": (
        '[["Ann lives in Paris.", {"entities": [[0,3,"PER"], [13, 18, "LOC"]]}],\n'
        ' ["Bob Rémy", {"entities": []}]]',
        '[["Ann lives in Paris.", {"entities": [[13, 18, "PER"]]}],\n'
        ' ["Bob Rémy", {"entities": [[0, 8, "PER"]]}]]',
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_texts_with_spans(tmp_path, name):
    text, expected = DOCUMENTS[name]
    path = tmp_path / ("a.json" if text.startswith("[") else "a.jsonl")
    path.write_text(text, encoding="utf-8")
    change = [(0, 0, "O"), (0, 3, "B-PER"), (1, 0, "B-PER"), (1, 1, "I-PER")]
    new = [["O", "O", "O", "B-PER", "O"], ["B-PER", "I-PER"]]
    written = round_trip(path, change, new, classes=CLASSES).decode()
    if name == "doccano, relations":
        lines = [json.loads(line) for line in written.splitlines()]
        assert lines[0] == json.loads(expected.splitlines()[0])
        assert lines[1]["entities"][0]["label"] == "PER"
    else:
        assert written == expected


def test_prodigy(tmp_path):
    words = [("Ann", 0, 3), ("Lee", 4, 7), ("sings", 8, 13)]
    task = {
        "text": "Ann Lee sings",
        "tokens": [
            {"text": text, "start": a, "end": b, "id": i} for i, (text, a, b) in enumerate(words)
        ],
        "spans": [{"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}],
        "answer": "accept",
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(task) + "\n")
    written = round_trip(path, [(0, 1, "I-PER")], [["B-PER", "I-PER", "O"]], classes=CLASSES)
    task["spans"] = [{"start": 0, "end": 7, "token_start": 0, "token_end": 1, "label": "PER"}]
    assert json.loads(written) == task


def label_studio():
    value = {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}
    result = {"id": "a", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    relation = {"type": "relation", "from_id": "a", "to_id": "a", "value": {}}
    return [
        {"id": 1, "data": {"text": "Ann lives"}, "annotations": [{"result": [result, relation]}]},
        {
            "id": 2,
            "data": {"text": "Bob"},
            "annotations": [
                {"result": [{**result, "value": dict(value)}], "was_cancelled": True},
                {"result": [], "ground_truth": True},
            ],
        },
    ]


def test_label_studio(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(label_studio(), indent=2), encoding="utf-8")
    written = json.loads(
        round_trip(
            path,
            [(0, 0, "B-LOC"), (1, 0, "B-PER")],
            [["B-LOC", "O"], ["B-PER"]],
            classes=CLASSES,
        )
    )
    expected = label_studio()
    expected[0]["annotations"][0]["result"][0]["value"]["labels"] = ["LOC"]
    added = written[1]["annotations"][1]["result"][0]
    assert added["value"] == {"start": 0, "end": 3, "text": "Bob", "labels": ["PER"]}
    assert added["from_name"] == "label"
    expected[1]["annotations"][1]["result"] = [added]
    assert written == expected


def test_spans_that_overlap_or_cut_words_are_told_and_kept(tmp_path):
    path = tmp_path / "a.jsonl"
    entries = [[0, 8, "PER"], [4, 8, "LOC"], [9, 11, "LOC"]]
    path.write_text(json.dumps({"text": "Ann Utah inside", "label": entries}))
    data = token.read(path, classes=CLASSES)
    assert tags(data) == [["B-PER", "I-PER", "B-LOC"]]
    assert "1 spans begin or end inside of a word" in " ".join(data.notes)
    assert "1 spans lie in others" in " ".join(data.notes)
    token.export(data.source, corrections((0, 0, "O"), (0, 1, "O")), tmp_path / "b")
    assert json.loads((tmp_path / "b").read_text())["label"] == entries[1:]


def test_offsets_count_characters_of_any_script(tmp_path):
    path = tmp_path / "a.jsonl"
    text = "👩‍👧 שָׁלוֹם हिन्दी"
    begin = text.index("हि")
    path.write_text(
        json.dumps({"text": text, "spans": [{"start": begin, "end": len(text), "label": "LOC"}]})
    )
    data = token.read(path, classes=CLASSES)
    assert data.tokens[-1] == "हिन्दी"
    assert tags(data)[0][-1] == "B-LOC"
    assert data.tokens[-2] == "שָׁלוֹם"
    at = len(data.tokens) - 2
    token.export(data.source, corrections((0, at, "B-PER")), tmp_path / "b")
    new = json.loads((tmp_path / "b").read_text())["spans"][-1]
    assert text[new["start"] : new["end"]] == "שָׁלוֹם"


def test_predictions_may_say_where_words_are(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "New York", "label": [[0, 8, "LOC"]]}')
    row = {"probs": [[0.1, 0.2, 0.7]], "offsets": [[0, 8]], "classes": ["O", "B-PER", "B-LOC"]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    data = token.read(tmp_path / "a.jsonl", pred_probs=tmp_path / "p.jsonl")
    assert (data.tokens, tags(data)) == (("New York",), [["B-LOC"]])
    token.export(data.source, corrections((0, 0, "B-PER")), tmp_path / "b")
    assert (tmp_path / "b").read_text() == '{"text": "New York", "label": [[0, 8, "PER"]]}'


SPACY = (
    '[{"id": 0, "paragraphs": [{"raw": "Ann sings", "sentences": [{"tokens": ['
    '{"id":0,"orth":"Ann","ner":"U-PER"}, {"id":1,"orth":"sings","ner":"-"},'
    ' {"id":2,"orth":"on"}], "brackets": []}]}]}]'
)


def test_spacy_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(SPACY)
    assert tags(token.read(path, classes=["O", "U-PER"])) == [["U-PER", None, None]]
    written = round_trip(
        path, [(0, 0, "O"), (0, 2, "O")], [["O", None, "O"]], classes=["O", "U-PER"]
    )
    expected = SPACY.replace('"U-PER"', '"O"').replace('"on"}', '"on", "ner": "O"}')
    assert written.decode() == expected


def test_docbin(tmp_path):
    spacy = pytest.importorskip("spacy", reason="the extra 'spacy' is not installed")
    from spacy.tokens import Doc, DocBin, Span

    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["Ann", "lives", "in", "Paris"], user_data={"kept": 1})
    doc.ents = [Span(doc, 0, 1, label="PER")]
    doc.cats = {"news": 1.0}
    bare = nlp("Bob sings")
    path = tmp_path / "a.spacy"
    DocBin(docs=[doc, bare], store_user_data=True).to_disk(path)
    data = token.read(path, classes=CLASSES)
    assert tags(data) == [["B-PER", "O", "O", "O"], [None, None]]
    token.export(data.source, corrections(), tmp_path / "same.spacy")
    assert (tmp_path / "same.spacy").read_bytes() == path.read_bytes()
    token.export(data.source, corrections((0, 0, "O"), (0, 3, "B-LOC")), tmp_path / "b.spacy")
    first, second = DocBin().from_disk(tmp_path / "b.spacy").get_docs(spacy.blank("en").vocab)
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Paris", "LOC")]
    assert (first.cats, first.user_data["kept"], len(second.ents)) == ({"news": 1.0}, 1, 0)


def test_docbin_needs_spacy(tmp_path, monkeypatch):
    import sys

    (tmp_path / "a.spacy").write_bytes(b"\x78\x9c" + bytes(20))
    monkeypatch.setitem(sys.modules, "srsly", None)
    with pytest.raises(MissingExtra, match=r"pip install 'goldlabel\[spacy\]'"):
        token.read(tmp_path / "a.spacy")


def test_json_lines_with_lists(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"id": "x", "tokens": ["Ann", "é"], "ner_tags": [1,  0]}\n'
        '{"id": "y", "tokens": [], "ner_tags": []}\n'
        '{"id": "z", "tokens": ["a"],"ner_tags":[-100]}\n'
    )
    options = dict(classes=["O", "B-PER"])
    data = token.read(path, **options)
    assert data.ids.tolist() == ["x", "y", "z"]
    written = round_trip(path, [(0, 1, "B-PER")], [["B-PER", "B-PER"], [], [None]], **options)
    assert written == path.read_bytes().replace(b"[1,  0]", b"[1,  1]")


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_one_bad_row_does_not_end_the_audit(tmp_path, suffix):
    """A number without a name, and a row with another number of tags than words."""
    rows = [{"tokens": ["Ann", "in"], "ner_tags": [1, 0]} for _ in range(30)]
    rows[3] = {"tokens": ["Ann", "in"], "ner_tags": [1, 7]}
    rows[5] = {"tokens": ["Ann", "in"], "ner_tags": [1]}
    path = tmp_path / f"a.{suffix}"
    if suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    np.savez(tmp_path / "p.npz", probs=[[0.1, 0.9], [0.9, 0.1]] * 30, lengths=[2] * 30,
             labels=np.array(["O", "B-PER"]))  # fmt: skip
    found = token.audit(path, pred_probs=tmp_path / "p.npz")
    table = found.issues.to_frame("part")
    assert table[["example", "part", "kind", "suggested"]].values.tolist() == [
        [5, 0, "not a tag for each word", "B-PER"],
        [5, 1, "not a tag for each word", "O"],
        [3, 1, "not a tag", "O"],
    ]
    token.export(found.source, table, tmp_path / "new")
    new = token.read(tmp_path / "new", classes=["O", "B-PER"], format=suffix)
    assert tags(new) == [["B-PER", "O"]] * 30


def test_one_label_that_is_no_class_in_python():
    names = ["O", "B-PER", "I-PER"]
    labels = [["B-PER", "O"]] * 20
    labels[7] = ["B-PER", "0"]
    probs = [[[0.1, 0.8, 0.1], [0.9, 0.05, 0.05]]] * 20
    issues = token.find_label_issues(labels, probs, classes=names)
    table = issues.to_frame("part")
    assert table[["example", "part", "kind", "given_text", "suggested"]].values.tolist() == [
        [7, 1, "not a tag", "0", "O"]
    ]
    assert "'0' is not a tag" in table["reason"][0]
    assert token.get_token_quality_scores(labels, probs, classes=names)[7].tolist() == [0.8, 0.0]
    assert token.get_label_quality_scores(labels, probs, classes=names, aggregator="softmin")[7] < (
        0.01
    )


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"words": [["Ann", "in"], []], "tags": [["B-PER", "O"], []], "n": [1, 2]})
    pq.write_table(table, path)
    data = token.read(path, classes=CLASSES)
    assert tags(data) == [["B-PER", "O"], []]
    token.export(data.source, corrections((0, 1, "B-LOC")), tmp_path / "b.parquet")
    new = pq.read_table(tmp_path / "b.parquet")
    assert new["tags"].to_pylist() == [["B-PER", "B-LOC"], []]
    assert new.schema == table.schema
    assert new["n"] == table["n"]


def arrow_folder(folder):
    """A Hugging Face dataset on disk, written without the package."""
    folder.mkdir()
    feature = {"feature": {"names": CLASSES, "_type": "ClassLabel"}, "_type": "Sequence"}
    words = {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"}
    table = pa.table(
        {"tokens": [["Ann", "in"], ["Utah"]], "ner_tags": [[1, 0], [3]]},
        schema=pa.schema(
            {"tokens": pa.list_(pa.string()), "ner_tags": pa.list_(pa.int64())},
        ),
    )
    with pa.ipc.new_stream(str(folder / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)
    info = {"features": {"tokens": words, "ner_tags": feature}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    (folder / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": "train"})
    )


def test_a_hugging_face_folder(tmp_path):
    arrow_folder(tmp_path / "set")
    data = token.read(tmp_path / "set")
    assert (data.classes, tags(data)) == (tuple(CLASSES), [["B-PER", "O"], ["B-LOC"]])
    token.export(data.source, corrections((1, 0, "O")), tmp_path / "new")
    assert tags(token.read(tmp_path / "new")) == [["B-PER", "O"], ["O"]]
    shutil.rmtree(tmp_path / "new")
    token.export(data.source, corrections(), tmp_path / "new")
    name = "data-00000-of-00001.arrow"
    assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "set" / name).read_bytes()


def test_predictions_of_every_kind(tmp_path):
    (tmp_path / "a.conll").write_text("Ann B-PER\nin O\n\nUtah B-LOC\n")
    rows = np.array([[0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6]])
    names = ["O", "B-PER", "B-LOC"]
    np.save(tmp_path / "flat.npy", rows)
    padded = np.zeros((2, 4, 3), dtype=np.float32)
    padded[0, :2], padded[1, :1] = rows[:2], rows[2:]
    np.save(tmp_path / "padded.npy", padded)
    np.savez(tmp_path / "a.npz", pred_probs=rows, lengths=[2, 1], classes=np.array(names))
    lines = [{"probs": rows[:2].tolist(), "classes": names}, {"probs": rows[2:].tolist()}]
    lines[1]["classes"] = names
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    pq.write_table(
        pa.table({"probs": [rows[:2].tolist(), rows[2:].tolist()]}), tmp_path / "p.parquet"
    )
    pd.DataFrame(rows, columns=names).to_parquet(tmp_path / "flat.parquet")
    for name in ("flat.npy", "padded.npy", "a.npz", "p.jsonl", "p.parquet", "flat.parquet"):
        data = token.read(tmp_path / "a.conll", pred_probs=tmp_path / name, classes=names)
        scores = token.get_label_quality_scores(data.labels, data.pred_probs)
        np.testing.assert_allclose(scores, [0.8, 0.6], rtol=1e-6, err_msg=name)


def test_logits_and_pieces_of_words(tmp_path):
    (tmp_path / "a.conll").write_text("Ann B-PER\nin O\n")
    row = {
        "logits": [[9, 9], [0.0, 2.0], [5, 5], [1.0, 0.0], [9, 9]],
        "word_ids": [None, 0, 0, 1, None],
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    data = token.read(
        tmp_path / "a.conll",
        pred_probs=tmp_path / "p.jsonl",
        classes=["O", "B-PER"],
        softmax=True,
    )
    expected = np.exp([[0, 2], [1, 0]]) / np.exp([[0, 2], [1, 0]]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(data.pred_probs, expected)


@pytest.mark.slow
def test_real_files_round_trip(tmp_path, data):
    folder = data / "token" / "conll2003_test"
    for name in ("eng.testb", "conllpp_test.txt"):
        read = token.read(folder / name, pred_probs=folder / "pred_probs.npz")
        token.export(read.source, corrections(), tmp_path / name)
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
        token.export(read.source, corrections((0, 7, "B-LOC")), tmp_path / "one")
        pairs = zip(
            (folder / name).read_text().splitlines(),
            (tmp_path / "one").read_text().splitlines(),
            strict=True,
        )
        changed = [pair for pair in pairs if pair[0] != pair[1]]
        assert len(changed) == (name == "eng.testb")  # CoNLL++ has it right already


def test_a_file_that_has_changed_is_not_written(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Ann B-PER\n\nBob O\n")
    data = token.read(path)
    path.write_text("Ann B-PER\n\nBo O\n")
    with pytest.raises(InputError, match="has changed since"):
        token.export(data.source, corrections(), tmp_path / "b.conll")
    assert not (tmp_path / "b.conll").exists()
