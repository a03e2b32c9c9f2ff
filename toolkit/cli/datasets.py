"""."""

import typer

app = typer.Typer()


@app.command("list")
def list_() -> None:
    """List."""


@app.command()
def fetch() -> None:
    """Fetch."""
