"""Rows in two clocks, asked only as of a cutoff; who the customers are then."""
