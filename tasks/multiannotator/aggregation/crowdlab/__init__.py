"""CROWDLAB: consensus from votes and classifiers, each weighed by how far it is to be trusted.

Every annotator's weight comes from agreement with the others, every model's from agreement with the
consensus, both relative to what the most frequent class alone achieves. The posterior of an item
is the mean of its models' probabilities and its voters' likelihoods under these weights.

References
----------
H. Goh, U. Tkachenko, J. Mueller. CROWDLAB: Supervised learning to infer consensus labels and
quality scores for data with multiple annotators. arXiv:2210.06812 (2022).
"""

from __future__ import annotations

from .fitting import fit
from .temperature import best_temperature, scaled

__all__ = ["best_temperature", "fit", "scaled"]
