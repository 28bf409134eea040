"""The pipelines: read the conf, call the package in order, write. Run ``python -m pipelines.train``."""
