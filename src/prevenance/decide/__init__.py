"""Plays, the answers of the team, and the rows of a ranked list."""
