"""Confident learning: thresholds, joint, noise, pruning, filters, diagnostics."""
