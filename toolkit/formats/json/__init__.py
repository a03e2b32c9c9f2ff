"""JSON with the place of each value, so that single values can be changed."""
