"""The canonical tables, and what a contract is."""
