"""Whether a model beats the health score a team works with, counted in customers saved."""

import numpy as np
import pandas as pd

from prevenance.judge.bootstrap import (
    Floats,
    Weights,
    bootstrap_interval,
    bootstrap_weights,
    closed_rows,
    customer_index,
    listed_rows,
    pooled_metrics,
)
from prevenance.models.units import unit_evidence

Report = dict[str, float | str | None]


def compare_with_health_score(
    predictions: pd.DataFrame, model: str, *, capacity: int, share: float, replicates: int, seed: int
) -> Report | None:
    """Return hits_model, hits_score, difference (low, high), saved_assumed, share and text; None where the two share no test period.

    Hits are outcomes on the lists as shipped of each test period, summed over the periods both were tested in; the interval of
    their difference is two-sided 90 %, from a paired bootstrap by customer; None with too few (see ``units``). ``saved_assumed`` is the difference times ``share``, the
    share of outcomes that a contact is assumed to prevent.

    Args:
        predictions: see ``training.Backtest``.
        model: the model's name there; the score's is ``health_score``.
        capacity: contacts per period.
        share: in [0, 1].
        replicates: of the bootstrap.
        seed: of its draws.
    """
    rows, customers = closed_rows(predictions[predictions["model"].isin([model, "health_score"])])
    both = [set(rows.loc[rows["model"] == name, "cutoff"]) for name in (model, "health_score")]
    # Only where both were tested can one have found more than the other.
    rows = rows[rows["cutoff"].isin(both[0] & both[1])]
    if rows.empty or model == "health_score":
        return None
    lack = unit_evidence(rows).lack
    weights = bootstrap_weights(len(customers), 0 if lack else replicates, seed)
    ours, theirs = (_hits(rows[rows["model"] == name], customers, weights, capacity) for name in (model, "health_score"))
    found = bootstrap_interval(ours - theirs)
    value, low, high = (found[key] for key in ("value", "low", "high"))
    return {
        "hits_model": float(ours[0]),
        "hits_score": float(theirs[0]),
        "difference": value,
        "low": low,
        "high": high,
        "saved_assumed": None if value is None else value * share,
        "share": share,
        "text": _text(model, float(ours[0]), float(theirs[0]), (value, low, high), share, len(both[0] & both[1]), lack),
    }


def _hits(rows: pd.DataFrame, customers: np.ndarray, weights: Weights, capacity: int) -> Floats:
    """Return hits at capacity summed over periods, one value per column of ``weights``."""
    place = customer_index(rows, customers)
    if (listed := listed_rows(rows)) is not None:
        return np.asarray(np.bincount(place, listed * rows["label"].to_numpy(dtype=float), len(weights)) @ weights)
    contacts = np.zeros(weights.shape[1])
    for part in rows.reset_index(drop=True).groupby("cutoff", sort=True).indices.values():
        contacts += np.minimum(capacity, weights[place[part]].sum(axis=0, dtype=float))
    return np.nan_to_num(pooled_metrics(rows, place, weights, capacity)["precision_at_capacity"]) * contacts


def _text(
    model: str, ours: float, theirs: float, gap: tuple[float | None, float | None, float | None], share: float, periods: int, lack: str
) -> str:
    value, low, high = gap
    head = f"{model} found {ours:.1f} and your health score {theirs:.1f} of those listed, over {periods} test periods"
    if value is None or low is None or high is None:
        return f"{head}: how certain the difference is is not known" + (f" ({lack})" if lack else "")
    between = f"{value * share:+.1f} customers saved (90 % interval {low * share:+.1f} to {high * share:+.1f}), if a contact saves {share * 100:.0f} % (assumed)"
    sure = "the model finds more" if low > 0 else "your score finds more" if high < 0 else "the difference is not certain"
    return f"{head}: {between}; {sure}"
