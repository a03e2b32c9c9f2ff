"""Annotators judged: quality, spammers, drift."""
