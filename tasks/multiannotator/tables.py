"""The tables of a report on votes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from goldlabel.results.audit import Table
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.agreement.coefficients import (
    LARGEST,
    Agreement,
    fleiss_kappa,
    krippendorff_alpha,
    observed_agreement,
)
from goldlabel.tasks.multiannotator.agreement.cohen import PairAgreement, cohen_kappa
from goldlabel.tasks.multiannotator.annotators.report import confusion_of
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.tasks.multiannotator.summary import class_table, confusion_matrix
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Ints

__all__ = ["agreement_statistics", "report_tables"]


_PEOPLE = 30
"""So many annotators, those with the most labels, are on the map of agreement."""
_SINGLE = 3
"""So many annotators of the lowest quality get a confusion matrix of their own."""
_DISPUTED = 100
_CLASSES = 40


def agreement_statistics(data: MultiannotatorData) -> tuple[Agreement, ...]:
    """Return the agreement of all annotators; as of numbers too where classes are numbers."""
    votes = data.votes
    found = [observed_agreement(votes), fleiss_kappa(votes), krippendorff_alpha(votes)]
    if votes.num_classes > 2 and all(_is_number(name) for name in data.classes):
        found += [
            krippendorff_alpha(votes, level="ordinal"),
            krippendorff_alpha(votes, level="interval", values=[float(c) for c in data.classes]),
        ]
    return tuple(found)


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) <= LARGEST
    except ValueError:
        return False


def report_tables(
    data: MultiannotatorData,
    consensus: Consensus,
    methods: Mapping[str, Ints],
    annotators: pd.DataFrame,
    statistics: tuple[Agreement, ...],
) -> tuple[Table, ...]:
    """Return the tables of the report, in the order to show."""
    pairs = cohen_kappa(data.votes, min_items=2) if data.has_identities else None
    tables = [
        _annotators(annotators) if data.has_identities else None,
        _agreement(statistics, pairs),
        None if pairs is None else _heat_map(data, pairs),
        _methods(data, consensus, methods),
        _confusion(consensus),
        *(_single_confusions(consensus) if data.has_identities else ()),
        _disputed(data, consensus),
        Table(
            "Classes",
            class_table(consensus),
            "Label noise is the share of votes for a class that are against the consensus, inverse"
            " label noise that of votes on items of the class that are for another.",
        ),
    ]
    return tuple(table for table in tables if table is not None)


def _annotators(annotators: pd.DataFrame) -> Table:
    """Return the report on annotators, with what one looks for first on the left."""
    low, high = annotators["quality_low"], annotators["quality_high"]
    interval = [f"{a:.0%} to {b:.0%}" if a == a else "" for a, b in zip(low, high, strict=True)]
    frame = annotators.drop(columns=["quality_low", "quality_high", "remarks"])
    frame.insert(2, "95% interval", interval)
    frame.insert(4, "remarks", annotators["remarks"])
    return Table(
        "Annotators",
        frame,
        "The lowest quality first. Agreement with others is over pairs of votes on an item."
        " Remarks name what is hardly an accident: one class for everything, votes no better than"
        " chance, labels the same as another's, quality that shifts at some time.",
    )


def _agreement(statistics: tuple[Agreement, ...], pairs: PairAgreement | None) -> Table:
    rows = [*statistics, *([pairs.mean] if pairs is not None and pairs.num_pairs else [])]
    frame = pd.DataFrame(
        {
            "statistic": [each.name.replace("_", " ") for each in rows],
            "value": [each.value for each in rows],
            "low": [each.low for each in rows],
            "high": [each.high for each in rows],
            "items": [each.items for each in rows],
            "interval from": [each.source for each in rows],
        }
    )
    return Table(
        "Agreement",
        frame,
        "Kappa and alpha are 0 where annotators agree as by chance, 1 where they always agree; the"
        " observed agreement is the plain share of pairs of votes. Intervals are of 95%. Ordinal"
        " and interval alpha mean something only where classes are steps of a scale.",
    )


def _heat_map(data: MultiannotatorData, pairs: PairAgreement) -> Table | None:
    """Return Cohen's kappa between the annotators with the most labels."""
    count = data.votes.votes_per_annotator
    chosen = np.sort(np.argsort(-count, kind="stable")[: min(_PEOPLE, len(count))])
    place = np.full(len(count), -1)
    place[chosen] = np.arange(len(chosen))
    first, second = place[pairs.first], place[pairs.second]
    there = (first >= 0) & (second >= 0)
    if not there.any():
        return None
    matrix = np.full((len(chosen), len(chosen)), np.nan)
    matrix[first[there], second[there]] = pairs.kappa[there]
    matrix[second[there], first[there]] = pairs.kappa[there]
    names = [data.annotators[j] for j in chosen.tolist()]
    of = "" if len(chosen) == len(count) else f" the {len(chosen)} with the most labels of"
    frame = pd.DataFrame(
        matrix,
        index=pd.Index(names, name="annotator"),
        columns=pd.Index(names, name="other"),
    )
    return Table(
        "Agreement of annotators",
        frame.round(2),
        f"Cohen's kappa of each pair, for{of} {len(count):,} annotators; empty where two have"
        " fewer than two items in common. Negative: they disagree more than by chance.",
        style="heatmap",
    )


def _methods(
    data: MultiannotatorData, consensus: Consensus, methods: Mapping[str, Ints]
) -> Table | None:
    """Return in how many items each method differs from the consensus of this audit."""
    if not methods:
        return None
    known = consensus.labels >= 0
    names = list(methods)
    differ = [
        int(np.count_nonzero(methods[name][known] != consensus.labels[known])) for name in names
    ]
    frame = pd.DataFrame(
        {
            "method": [name.replace("_", " ") for name in names],
            "items with another label": differ,
            "share": [each / max(int(known.sum()), 1) for each in differ],
        }
    )
    for name in names:
        frame[f"differs from {name.replace('_', ' ')}"] = [
            int(np.count_nonzero(methods[name][known] != methods[other][known])) for other in names
        ]
    return Table(
        "Methods",
        frame,
        "How many items get another label by each method than in this audit's consensus, and than"
        " by each other method. consensus.parquet has all labels.",
    )


def _confusion(consensus: Consensus) -> Table:
    return Table(
        "Votes by consensus",
        _named(consensus, confusion_matrix(consensus)),
        "Each row is a consensus class, each column what annotators said of its items.",
        style="heatmap",
    )


def _single_confusions(consensus: Consensus) -> list[Table]:
    """Return the matrices of the annotators who are most against the consensus."""
    if consensus.votes.num_classes > _CLASSES:
        return []
    votes: Votes = consensus.votes
    count, quality = votes.votes_per_annotator, consensus.annotator_quality
    enough = np.flatnonzero((count >= min(20, int(count.max()))) & ~np.isnan(quality))
    worst = enough[np.argsort(quality[enough], kind="stable")][:_SINGLE]
    return [
        Table(
            f"Votes of {consensus.annotators[j]} by consensus",
            _named(consensus, confusion_of(consensus, j)),
            f"{count[j]:,} votes, quality {quality[j]:.0%}: one of the {len(worst)} annotators of"
            " the lowest quality among those with 20 votes or more.",
            style="heatmap",
        )
        for j in worst.tolist()
    ]


def _named(consensus: Consensus, matrix: Ints) -> pd.DataFrame:
    names = list(map(str, consensus.classes))
    return pd.DataFrame(
        matrix,
        index=pd.Index(names, name="consensus"),
        columns=pd.Index(names, name="vote"),
    )


def _disputed(data: MultiannotatorData, consensus: Consensus) -> Table | None:
    """Return the items whose annotators disagree most, whatever the consensus makes of them."""
    votes, k = consensus.votes, consensus.votes.num_classes
    several = votes.votes_per_item > 1
    if not several.any():
        return None
    pairs, counts = np.unique(votes.item.astype(np.int64) * k + votes.label, return_counts=True)
    alike = np.bincount(pairs // k, weights=counts * (counts - 1.0), minlength=len(several))
    size = votes.votes_per_item
    share = alike / np.maximum(size * (size - 1.0), 1.0)
    items = np.flatnonzero(several & (share < 1))
    # Among equals, those with more votes: the more people disagree, the surer it is the item.
    order = np.lexsort((items, consensus.quality[items], -size[items], share[items]))
    worst = items[order][:_DISPUTED]
    if not worst.size:
        return None
    first = np.searchsorted(pairs // k, worst)
    said = []
    for item, start in zip(worst.tolist(), first.tolist(), strict=True):
        stop = int(np.searchsorted(pairs // k, item, side="right"))
        own = sorted(zip(-counts[start:stop], pairs[start:stop] % k, strict=True))
        said.append(", ".join(f"{-n} for {data.classes[c]}" for n, c in own[:6]))
    frame = pd.DataFrame(
        {
            "item": data.ids[worst],
            "votes": said,
            "agreement of pairs": share[worst],
            "consensus": [data.classes[c] for c in consensus.labels[worst].tolist()],
            "quality": consensus.quality[worst],
        }
    )
    return Table(
        "Most disputed items",
        frame,
        f"The {len(frame)} items whose annotators disagree most, by the share of pairs of votes"
        " that agree: often unclear items, or a guideline that leaves them open.",
    )
