"""The pipelines: read the conf, call the package in order, write. Run ``python -m pipelines.train``."""

import sys

if sys.argv[:1] == ["-m"]:  # a command is being started: a stop ends it in one line from its very beginning
    from pipelines.start import stops

    stops.catch_stops()
