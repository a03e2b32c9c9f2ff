"""Token classification: label issues and scores, flat and from lists, against cleanlab."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

MISTAKES = 0.03
"""Share of the tokens whose label is replaced by a random one."""
TAIL = 0.6
"""Share of the tokens that are outside of all entities."""

ABOUT = f"""\
Made up from a fixed seed: sentences of one length, classes O, B-X, I-X ... of legal tags,
{100 * TAIL:g} % of the tokens outside, and {100 * MISTAKES:g} % of the tags replaced at random.
cleanlab takes lists of lists; goldlabel takes the same lists, or flat arrays and where sentences
end. Both are made beforehand. Tokens are judged one by one, as cleanlab does."""


def make(n: int, t: int, k: int, dtype: str) -> Arrays:
    """Return tags, some of them wrong, predicted probabilities, and where sentences end."""
    rng = np.random.default_rng(n + k)
    types = (k - 1) // 2
    labels = np.zeros((n, t), dtype=np.int64)
    for at in range(t):
        fresh = rng.random(n) > TAIL
        goes_on = (labels[:, at - 1] > 0) & (rng.random(n) < 0.4) if at else np.zeros(n, bool)
        kind = (labels[:, at - 1] - 1) // 2 if at else np.zeros(n, dtype=np.int64)
        begin = 1 + 2 * rng.integers(0, types, n)
        labels[:, at] = np.where(goes_on, 2 + 2 * kind, np.where(fresh, begin, 0))
    labels = labels.ravel()
    probs = np.empty((n * t, k), dtype=dtype)
    for start in range(0, n * t, 65536):
        rows = labels[start : start + 65536]
        logits = rng.normal(size=(len(rows), k))
        logits[np.arange(len(rows)), rows] += 5.0
        weights = np.exp(logits)
        probs[start : start + 65536] = weights / weights.sum(axis=1, keepdims=True)
    wrong = rng.random(n * t) < MISTAKES
    labels[wrong] = rng.integers(0, k, int(wrong.sum()))
    return {"labels": labels, "pred_probs": probs, "offsets": np.arange(n + 1) * t}


def inputs(*shapes: tuple[int, int, int]) -> tuple[Input, ...]:
    return tuple(
        Input(shape_name(*shape, dtype), lambda shape=shape, dtype=dtype: make(*shape, dtype))
        for shape in shapes
        for dtype in ("float64", "float32")
    )


def shape_name(n: int, t: int, k: int, dtype: str) -> str:
    return f"{n:,} x {t} x {k} {dtype}"


class Given(dict[str, Any]):
    """The arrays, and the same as lists."""


def prepare(arrays: Arrays) -> Any:
    """Make the lists that cleanlab asks for."""
    given = Given(arrays)
    pairs = list(zip(arrays["offsets"][:-1].tolist(), arrays["offsets"][1:].tolist(), strict=True))
    given["lists"] = [arrays["labels"][a:b].tolist() for a, b in pairs]
    given["arrays"] = [arrays["pred_probs"][a:b] for a, b in pairs]
    return given


def flat(given: Any) -> tuple[Any, Any]:
    from goldlabel import Ragged

    return tuple(Ragged(given[name], given["offsets"]) for name in ("labels", "pred_probs"))


def lists(given: Any) -> tuple[Any, Any]:
    return given["lists"], given["arrays"]


def issues(form: Any, **options: Any) -> Any:
    def call(given: Any) -> Any:
        from goldlabel.tasks import token

        return token.find_label_issues(*form(given), **options)

    return call


def peer_issues(given: Any) -> Any:
    from cleanlab.token_classification.filter import find_label_issues

    return find_label_issues(*lists(given))


def scores(form: Any, **options: Any) -> Any:
    def call(given: Any) -> Any:
        from goldlabel.tasks import token

        return token.get_label_quality_scores(*form(given), **options)

    return call


def peer_scores(**options: Any) -> Any:
    def call(given: Any) -> Any:
        from cleanlab.token_classification.rank import get_label_quality_scores

        return get_label_quality_scores(*lists(given), **options)

    return call


def same_scores(given: Any, found: np.ndarray, expected: Any) -> str:
    tolerance = 1e-9 if given["pred_probs"].dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, expected[0], rtol=0, atol=tolerance)
    return f"equal to {tolerance:g}"


def same_tokens(given: Any, found: Any, expected: Any) -> str:
    mine = set(zip(found.parts.example.tolist(), found.parts.part.tolist(), strict=True))
    differ = len(mine ^ set(expected))
    # Ties in the rounding of the joint; in float32 cleanlab's means are less exact.
    assert differ <= max(20, len(mine) // 500), f"{differ} of {len(mine)} tokens differ"
    return "equal" if not differ else f"{differ:,} of {len(mine):,} tokens differ: ties in rounding"


def bare_read(given: Any) -> Any:
    import measure

    return measure.bare_read(given["pred_probs"])


CASES = (
    Case(
        "find_label_issues",
        "Label issues, from flat arrays",
        issues(flat),
        peer_issues,
        same_tokens,
        first=True,
    ),
    Case(
        "find_label_issues_lists",
        "Label issues, from lists",
        issues(lists),
        peer_issues,
        same_tokens,
    ),
    Case("scores", "Scores, from flat arrays", scores(flat), peer_scores(), same_scores),
    Case("scores_lists", "Scores, from lists", scores(lists), peer_scores(), same_scores),
    Case(
        "softmin",
        "Scores: softmin, from flat arrays",
        scores(flat, aggregator="softmin"),
        peer_scores(sentence_score_method="softmin"),
        same_scores,
    ),
)

USUAL = tuple(shape_name(20_000, 20, 9, dtype) for dtype in ("float64", "float32"))

TARGETS = tuple(
    Target(
        case + suffix,
        USUAL,
        "ratio.processor",
        f"{what} {form}: at least {least} x less processor time than cleanlab",
        at_least=least,
    )
    for case, what in (("find_label_issues", "label issues"), ("scores", "scores"))
    for suffix, form, least in (("", "from flat arrays", 20), ("_lists", "from lists", 8))
)

SECTION = Section(
    name="token",
    title="Token classification",
    about=ABOUT,
    peer="cleanlab",
    largest="pred_probs",
    inputs={
        "tiny": inputs((40, 8, 5)),
        "small": inputs((2_000, 20, 9)),
        "full": inputs((20_000, 20, 9)),
    },
    cases=CASES,
    targets=TARGETS,
    floor=bare_read,
    prepare=prepare,
)
