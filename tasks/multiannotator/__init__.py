"""Several annotators for each item: consensus labels, and how far to trust whom."""
