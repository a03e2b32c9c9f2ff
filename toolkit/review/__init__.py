"""`goldlabel review`: a person decides about what an audit found, and nothing is lost."""
