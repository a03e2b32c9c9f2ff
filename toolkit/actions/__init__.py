"""What is done with an audit: corrections, export, what to label next."""
