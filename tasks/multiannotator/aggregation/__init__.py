"""From votes to consensus labels: aggregation methods."""
