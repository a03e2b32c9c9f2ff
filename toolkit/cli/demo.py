"""."""



def command() -> None:
    """Demo."""
