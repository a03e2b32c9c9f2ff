"""The tasks: a folder each, all of one shape."""
