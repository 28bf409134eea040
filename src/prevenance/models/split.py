"""A scikit-learn splitter in time: no row is learned from whose label was not known at the test's cutoff."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError


class TemporalSplit:
    """Test the newest ``tests`` cutoffs, oldest first, each by every row whose label had closed by then.

    The gap law: a row of cutoff ``c`` is learned from at a test of cutoff ``t`` only if ``c + horizon + settle <= t``, because its label
    looks at ``(c, c + horizon]`` and outcomes are recorded up to ``settle`` days late. A test before which nothing had closed is left
    out, so there may be fewer splits than ``tests``. Cutoffs are the level (or column) ``cutoff`` of ``X``, or ``groups``.

    It works wherever scikit-learn takes ``cv``: ``cross_validate``, ``RandomizedSearchCV``, ``check_cv``.

    >>> split = TemporalSplit(horizon_days=30, settle_days=2, tests=1)
    >>> cutoffs = pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"])
    >>> [(learn.tolist(), test.tolist()) for learn, test in split.split(pd.DataFrame({"cutoff": cutoffs}))]
    [([0], [2])]
    """

    def __init__(self, *, horizon_days: int, settle_days: int = 0, tests: int = 6) -> None:
        for name, value, least in (("horizon_days", horizon_days, 1), ("settle_days", settle_days, 0), ("tests", tests, 1)):
            if value < least:
                raise PrevenanceError("E202", f"{name}={value} is below {least}", fix=f"set {name} to {least} or more")
        self.horizon_days, self.settle_days, self.tests = horizon_days, settle_days, tests

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (rows to learn from, rows to test) as positions, a test cutoff at a time, oldest first.

        Raises:
            PrevenanceError: E202 if nothing says what the cutoffs are, or no test has a row to learn from.
        """
        cutoffs = _cutoffs(X, groups)
        gap, found = pd.Timedelta(timedelta(days=self.horizon_days + self.settle_days)), 0
        for test in sorted(cutoffs.unique())[-self.tests :]:
            learn = np.flatnonzero(cutoffs + gap <= test)
            if len(learn):
                found += 1
                yield learn, np.flatnonzero(cutoffs == test)
        if not found:
            what = f"no cutoff of {cutoffs.nunique()} has a label that closed by a later one: {self.horizon_days} + {self.settle_days} days"
            raise PrevenanceError("E202", what, key="horizon_days", fix="give cutoffs that lie further apart, or a longer history")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return how many splits there are for ``X``; without it ``tests``, which is the most."""
        return self.tests if X is None and groups is None else sum(1 for _ in self.split(X, y, groups))

    def __repr__(self) -> str:
        return f"TemporalSplit(horizon_days={self.horizon_days}, settle_days={self.settle_days}, tests={self.tests})"


def _cutoffs(X: Any, groups: Any) -> pd.DatetimeIndex:
    if groups is not None:
        return pd.DatetimeIndex(np.asarray(groups))
    if isinstance(X, pd.DataFrame | pd.Series) and "cutoff" in X.index.names:
        return pd.DatetimeIndex(X.index.get_level_values("cutoff"))
    if isinstance(X, pd.DataFrame) and "cutoff" in X:
        return pd.DatetimeIndex(X["cutoff"])
    fix = "pass history.features(...), a frame with a column cutoff, or groups=<the cutoff of each row>"
    raise PrevenanceError("E202", "X says nothing of cutoffs: no level and no column of this name", key="cutoff", fix=fix)
