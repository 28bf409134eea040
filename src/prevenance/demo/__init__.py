"""The simulated company, its exports and its truth."""
