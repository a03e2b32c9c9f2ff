"""The answer of every task, and an audit with all that reports and exports need."""
