"""The audit of a source's tables: what is missing, old, contradictory or wrong, and what to mend first. Counts only, no value of a cell."""
