"""The schema of ``conf/`` and what its values may be."""
