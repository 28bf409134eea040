"""A finished feature table in a notebook, checked for columns that know the outcome."""

from collections.abc import Sequence

import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.judge.leakage import measure_features
from prevenance.runs.feature_table import TAKEN, checked_table
from prevenance.runs.settings.schema import TableSettings


def leakage(
    frame: pd.DataFrame, label: str, *, id: str | None = None, cutoff: str | None = None, permitted: Sequence[str] = (), seed: int = 7
) -> pd.DataFrame:
    """Return the features of a finished table that look like they know the outcome, then the best of the rest by their AUC alone.

    Columns: feature, leak (True for those that are named), alone (AUC), with_it and without (AUC of a small model), why (a sentence).
    Empty where there are too few rows with or without the outcome to tell.

    >>> label = pd.Series([0, 1] * 100)
    >>> leakage(pd.DataFrame({"logins": range(200), "refund": label * 9, "left": label}), "left").query("leak")["feature"].tolist()
    ['refund']

    Args:
        frame: one row a customer (at a cutoff); its index plays no part.
        label: the column of the outcome, 0 or 1.
        id: the column of the customer; left out, the first that is called like one, else each row is a customer of its own.
        cutoff: the column of the snapshot's date, if there are several.
        permitted: columns of a special category that may be looked at all the same.
        seed: of everything random.

    Raises:
        PrevenanceError: E301 no such column, E304 no row, E307 a label that is not 0 or 1, E902 a column that may be no input.
    """
    if frame.empty:
        raise PrevenanceError("E304", "the table has no row", fix="pass a frame with its rows")
    asked = TableSettings(file="frame", label=label, id=id, cutoff=cutoff, permitted=list(permitted))
    read = checked_table(frame.rename(columns=str).reset_index(drop=True), asked)
    found = measure_features(read.frame, read.features, (), seed, others=len(read.features))
    rows = [(one.feature.removeprefix(TAKEN), bool(one.why), one.alone, one.with_it, one.without, one.why) for one in found]
    return pd.DataFrame(rows, columns=["feature", "leak", "alone", "with_it", "without", "why"])
