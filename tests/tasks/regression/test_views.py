"""Rows as a person sees them again after an audit, and answers as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Fields, Number
from goldlabel.tasks import regression


def test_rows_and_numbers(tmp_path):
    rng = np.random.default_rng(0)
    guess = rng.uniform(50, 100, 80).round(1)
    price = (guess + rng.normal(0, 1, 80)).round(1)
    price[11] = 500.0
    frame = pd.DataFrame({"price": price, "guess": guess, "rooms": rng.integers(1, 5, 80)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = regression.audit(tmp_path / "a.csv", label="price", predictions="guess")
    write(found, tmp_path / "audit")
    issues, source, summary = read_audit(tmp_path / "audit")
    shown = regression.view(source, issues, summary)
    [scene] = shown.scenes([11])
    [fields] = scene.blocks
    assert isinstance(fields, Fields)
    assert dict(fields.rows)["rooms"] == str(frame["rooms"][11])
    [question] = scene.questions
    assert isinstance(question, Number)
    assert question.given == "500"
    assert question.low < float(question.suggested) < question.high
    for answer, new in ((Answer("set", label="77.5"), 77.5), (Answer("keep"), 500.0)):
        decisions = write_decisions(tmp_path / "d.csv", shown, [(11, 0, answer)])
        export(tmp_path / "audit", tmp_path / "out.csv", decisions=decisions, force=True)
        expected = frame["price"].copy()
        expected[11] = new
        assert pd.read_csv(tmp_path / "out.csv")["price"].tolist() == expected.tolist()
