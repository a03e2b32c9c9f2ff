"""What the page can ask the server: a module for each group of endpoints."""
