"""What changed since an earlier list, split exactly into new facts, another model and another calibration."""

from collections.abc import Sequence

import pandas as pd

from prevenance.explain.attribution import contributions, secant
from prevenance.explain.facts import Fact, wordings
from prevenance.explain.telling import Telling
from prevenance.features.define import Definition
from prevenance.models.bundle import Fitted, calibrated, log_odds
from prevenance.words import Words

PARTS = ("points", "data", "model", "calibration")


def change_parts(now: Fitted, rows_now: pd.DataFrame, before: Fitted, rows_before: pd.DataFrame) -> pd.DataFrame:
    """Return how many percentage points each customer's chance moved and why: the columns ``PARTS``, the index of ``rows_now``.

    ``data`` is the earlier model on the new facts less the earlier score; ``model`` the new model on the new facts under the earlier
    calibrator less that; ``calibration`` the rest. The three sum to ``points``. A customer without an earlier row has NaN.

    Args:
        now: the present model.
        rows_now: its inputs and those of ``before``, one row a customer, indexed by what names the customer.
        before: the model of the earlier list, which may be the same.
        rows_before: its inputs then, indexed alike; in any order.

    Raises:
        PrevenanceError: E504 if a model lacks an input.
    """
    then = rows_before.reindex(rows_now.index)
    # Who was not on the earlier list has no chance that could have moved.
    asked = rows_now.index.isin(rows_before.index)
    raw = log_odds(now, rows_now)
    steps = [calibrated(before, log_odds(before, then)), calibrated(before, log_odds(before, rows_now)), calibrated(before, raw)]
    first, data, model = (100 * step for step in steps)
    last = 100 * calibrated(now, raw)
    found = pd.DataFrame({"points": last - first, "data": data - first, "model": model - data, "calibration": last - model})
    return found.set_index(rows_now.index).where(pd.Series(asked, index=rows_now.index), axis=0)[list(PARTS)]


def change_facts(
    before: Fitted, rows_now: pd.DataFrame, rows_before: pd.DataFrame, definitions: Sequence[Definition], say: Words, *, k: int = 3
) -> list[list[Fact]]:
    """Return, for each row of ``rows_now``, up to ``k`` facts whose change moved the chance most, by the earlier model; largest first.

    The points of all facts, told or not, sum to the part ``data`` of ``change``. A customer without an earlier row has none. A fact
    whose wording knows no number before is told with that of the earlier list.
    """
    if rows_now.empty:
        return []
    then = rows_before.reindex(rows_now.index)
    slope, intercept = before.calibrator
    # One call for both: what is only sampled is told against the typical row of the rows that it is asked about.
    base, found = contributions(before, pd.concat([then, rows_now]))
    earlier, later = found.iloc[: len(then)].to_numpy(), found.iloc[len(then) :].to_numpy()
    start, end = (slope * (base + part.sum(axis=1)) + intercept for part in (earlier, later))
    weights = pd.DataFrame(slope * (later - earlier), columns=found.columns, index=rows_now.index)
    weights.loc[~rows_now.index.isin(rows_before.index)] = 0.0
    told = Telling(weights, 100 * secant(start, end), rows_now, wordings(definitions), say, (say("last list"), then))
    every = ([*told.facts(row, told.movable, k), *told.facts(row, told.context, k)] for row in range(len(rows_now)))
    return [sorted(facts, key=lambda fact: -abs(fact.weight))[:k] for facts in every]
