"""Active learning: what to label next, and by whom."""
