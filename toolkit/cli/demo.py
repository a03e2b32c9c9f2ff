"""."""

import typer


def command() -> None:
    """Demo."""
