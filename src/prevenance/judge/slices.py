"""Slices: whether a model that wins overall fails a group of customers, or leaves it without attention."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from prevenance.judge import clustered
from prevenance.judge.bootstrap import Floats, Weights, bootstrap_weights, closed_rows, customer_index
from prevenance.judge.metrics import average_precision
from prevenance.models.units import unit_evidence
from prevenance.words.saying import Saying, said_together, saying

COLLAPSE_POSITIVES = 30
"""A slice with at least so many positive snapshots is judged; below, there is not enough data."""

STARVED = 0.8
"""A slice is starved if its share of contacts is below this much of its share of outcomes, by the upper end of the interval."""

CHANCE = 0.05
"""Chance that any of the slices looked at is called worse though all are alike (weighted Bonferroni, see ``FIRST``)."""

FIRST = "segment"
"""The column that a company serves its customers by: decided before looking, so half of the chance is its own, the other half is all others'."""

LEAST_GAP, LEAST_RATIO = 0.05, 0.8
"""AUC lost, and share of the others' recall, from which a difference matters at all."""

NOT_ENOUGH = "not enough data"

SIZES = ("seats", "mrr", "uses_90d", "logins_90d", "spend_90d", "purchases_90d", "tickets_365d")
"""Columns that tell a customer's size, the first that a frame has."""

TENURES = ("tenure_days", "contract_age_days")
YEAR = 365.25


def slice_report(
    predictions: pd.DataFrame,
    frame: pd.DataFrame,
    columns: Sequence[str],
    model: str,
    rule: str = "rule",
    *,
    capacity: int | None = None,
    unblocking: Sequence[str] = (),
    replicates: int = 400,
    seed: int = 0,
) -> list[dict[str, object]]:
    """Return one dict per value of each column of ``frame`` (null is "unknown"): how the model serves that slice.

    Keys: column, value, customers, snapshots, positives, enough (at least ``COLLAPSE_POSITIVES`` positives), average_precision, rule (its
    average precision there), roc_auc, others_auc, collapse (``COLLAPSE_POSITIVES`` customers with the outcome, ranked worse than by the
    rule), worse (in words, if clearly worse than for everyone else, allowing for the number of slices), says (the judgement). With
    ``capacity`` also recall, others_recall, false_alarms, outcome_share, contact_share, attention {value, low, high} (the second over
    the first, 90 % interval by customer) and starved. Nothing is judged, and no interval given, where too few customers or groups stand
    behind it (see ``units``).
    Average precision is the mean over periods weighted by positives, None where a slice has one class only. Columns that ``frame``
    does not have are left out; those of ``unblocking`` never collapse, because the more ways of slicing may block, the surer one does by luck.
    """
    keys = [key for key in ("cutoff", "customer_id", "product_id") if key in predictions and key in frame]
    columns = [column for column in columns if column in frame and column not in keys]
    rows, customers = closed_rows(predictions[predictions["model"].isin([model, rule])])
    rows = rows.drop(columns=columns, errors="ignore").merge(frame[[*keys, *columns]], on=keys, how="left", validate="many_to_one")
    # Unknown is a slice too: who has no segment is easily forgotten.
    rows[columns] = rows[columns].astype(object).where(rows[columns].notna(), "unknown").astype(str)
    if capacity:
        rows["contacted"] = is_contacted(rows, capacity)
    mine, theirs = (rows[rows["model"] == name].reset_index(drop=True) for name in (model, rule))
    places, weights = customer_index(mine, customers), bootstrap_weights(len(customers), replicates if capacity else 0, seed)
    found = [
        _slice(mine, mine[column] == value, theirs[theirs[column] == value], places, weights, column, str(value))
        for column in columns
        for value in sorted(mine[column].unique())
    ]
    chances = _chances(found)
    return [_judged(one | {"collapse": one["collapse"] and one["column"] not in unblocking}, chances[one["column"]]) for one in found]


def is_contacted(rows: pd.DataFrame, capacity: int) -> pd.Series:
    """Return for each row whether it stood on the list as shipped; without ``rank``, whether it is among the ``capacity`` best by ranking value."""
    if "rank" in rows:
        return rows["rank"].notna()
    best = rows.assign(minus=-rows["raw"]).sort_values(["minus", "customer_id"], kind="stable")
    return (best.groupby(["model", "cutoff"]).cumcount() < capacity).reindex(rows.index)


def size_and_tenure(frame: pd.DataFrame, learned: pd.Series) -> pd.DataFrame:
    """Return ``frame``'s keys with the columns size and tenure, where it has something to tell them by.

    Size is in thirds of the first of ``SIZES``, cut on the rows where ``learned`` is true; tenure below one year, one to two, and longer.
    """
    found = frame[[key for key in ("cutoff", "customer_id", "product_id") if key in frame]].copy()
    size = next((name for name in SIZES if name in frame and frame.loc[learned, name].nunique() > 2), None)
    if size is not None:
        low, high = (float(cut) for cut in frame.loc[learned, size].quantile([1 / 3, 2 / 3]))
        words = [f"{size} up to {low:,.0f}", f"{size} {low:,.0f} to {high:,.0f}", f"{size} above {high:,.0f}"]
        place = np.where(frame[size] <= low, 0, np.where(frame[size] <= high, 1, 2))
        found["size"] = pd.Series(np.array(words, dtype=object)[place], frame.index).where(frame[size].notna())
    tenure = next((name for name in TENURES if name in frame and frame[name].notna().any()), None)
    if tenure is not None:
        words = ["under 1 year", "1 to 2 years", "2 years and more"]
        years = np.clip(np.floor(frame[tenure].fillna(0.0) / YEAR), 0, 2).astype(int)
        found["tenure"] = pd.Series(np.array(words, dtype=object)[years], frame.index).where(frame[tenure].notna())
    return found


def _slice(
    mine: pd.DataFrame, inside: pd.Series, theirs: pd.DataFrame, places: np.ndarray, weights: Weights, column: str, value: str
) -> dict[str, object]:
    """Return what is counted and estimated in one slice; ``gaps`` are its distances from everyone else, judged later."""
    ours = mine[inside]
    positives = int(ours["label"].sum())
    enough, here = positives >= COLLAPSE_POSITIVES, inside.to_numpy()
    large = ours.loc[ours["label"] > 0, "customer_id"].nunique() >= COLLAPSE_POSITIVES
    precision, rule = _precision(ours), _precision(theirs)
    # Everyone else within their own slices too: a column that itself tells who leaves would else make them look better ranked.
    aucs = [_auc(mine[side], column, places[side], len(weights)) for side in (here, ~here)]
    enough = enough and unit_evidence(ours).enough
    found: dict[str, object] = {
        "column": column,
        "value": value,
        "customers": int(ours["customer_id"].nunique()),
        "snapshots": len(ours),
        "positives": positives,
        "enough": enough,
        "average_precision": precision,
        "rule": rule,
        "roc_auc": _finite(aucs[0].value),
        "others_auc": _finite(aucs[1].value),
        "collapse": bool(large and precision is not None and rule is not None and precision < rule),
        "gaps": {"roc_auc": clustered.clustered_difference(*aucs)},
    }
    return found | (_attention(mine, here, places, weights, found) if "contacted" in mine else {})


def _attention(mine: pd.DataFrame, here: np.ndarray, places: np.ndarray, weights: Weights, found: dict[str, object]) -> dict[str, object]:
    """Return the slice's share of the contacts beside its share of the outcomes, and what the contacts caught."""
    label, listed = mine["label"].to_numpy(), mine["contacted"].to_numpy(dtype=float)
    recalls = [
        _trusted(clustered.clustered_share((label * listed)[side], label[side], places[side], len(weights)), mine[side])
        for side in (here, ~here)
    ]
    outcomes, contacts = _share(label[here].sum(), label.sum()), _share(listed[here].sum(), listed.sum())
    ratio = _ratio(label, listed, here, places, weights if unit_evidence(mine).enough else weights[:, :1])
    return {
        "recall": _finite(recalls[0].value),
        "others_recall": _finite(recalls[1].value),
        "false_alarms": int(((label == 0) & (listed > 0) & here).sum()),
        "outcome_share": outcomes,
        "contact_share": contacts,
        "attention": ratio,
        "starved": bool(found["enough"] and ratio["high"] is not None and ratio["high"] < STARVED),
        "gaps": {**found["gaps"], "recall": clustered.clustered_difference(*recalls)},  # type: ignore[dict-item]
    }


def _ratio(label: Floats, listed: Floats, here: np.ndarray, places: np.ndarray, weights: Weights) -> dict[str, float | None]:
    """Return contact share over outcome share with its 90 % interval by customer.

    A bootstrap cannot draw what it never saw, so the upper end is at least that of Poisson's law for the customers listed here (with
    nobody listed this is the "rule of three").
    """
    from scipy.stats import chi2

    sums = [np.bincount(places, values, len(weights)) for values in (listed * here, listed, label * here, label)]
    contacts, every, outcomes, total = (one @ weights for one in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (contacts / every) / (outcomes / total)
    if not np.isfinite(ratios[0]):
        return {"value": None, "low": None, "high": None}
    others = ratios[1:][np.isfinite(ratios[1:])]
    if not len(others):
        return {"value": float(ratios[0]), "low": None, "high": None}
    low, high = (float(side) for side in np.quantile(others, [0.05, 0.95]))
    customers, each = int((sums[0] > 0).sum()), float(every[0]) / max(int((sums[1] > 0).sum()), 1)
    most = float(chi2.ppf(0.95, 2 * (customers + 1))) / 2 * each / float(every[0]) / float(outcomes[0] / total[0])
    return {"value": float(ratios[0]), "low": low, "high": max(high, most)}


def _chances(found: Sequence[dict[str, object]]) -> dict[object, float]:
    """Return for each column the chance of a false word that one of its comparisons may have (two for each slice with enough data)."""
    looked = {side: 2 * sum(bool(one["enough"]) for one in found if (one["column"] == FIRST) == side) for side in (True, False)}
    each = CHANCE / 2 if all(looked.values()) else CHANCE
    return {one["column"]: each / max(looked[one["column"] == FIRST], 1) for one in found}


def _judged(one: dict[str, object], chance: float) -> dict[str, object]:
    """Return the slice with its judgement in words; ``chance`` is that of a false word in one comparison."""
    gaps: dict[str, clustered.Clustered] = one.pop("gaps")  # type: ignore[assignment]
    worse = []
    if one["enough"]:
        sure = {name: gap.below(0.0) < chance for name, gap in gaps.items()}
        if sure["roc_auc"] and gaps["roc_auc"].value <= -LEAST_GAP:
            worse.append(saying("AUC {ours:.2f}, {others:.2f} for everyone else", ours=one["roc_auc"], others=one["others_auc"]))
        recall, others = (float(one.get(name) or 0.0) for name in ("recall", "others_recall"))  # type: ignore[arg-type]
        if sure.get("recall") and recall <= LEAST_RATIO * others:
            worse.append(saying("{ours:.0%} of its outcomes caught, {others:.0%} of everyone else's", ours=recall, others=others))
    low, high = gaps["roc_auc"].interval()
    gap = {"value": _finite(gaps["roc_auc"].value), "low": low, "high": high}
    judgement = saying("ranked worse than by the rule") if one["collapse"] else said_together(*worse)
    judgement = judgement or (saying("gets less attention than its losses") if one.get("starved") else _step(one.get("attention")))
    return {**one, "auc_gap": gap, "worse": said_together(*worse), "says": judgement if one["enough"] else NOT_ENOUGH}


def _step(attention: object) -> Saying:
    """Return whether contacts and outcomes agree within luck: only an interval that holds 1 says so, and both sides are told."""
    told: dict[str, float | None] = attention if isinstance(attention, dict) else {}
    low, high = told.get("low"), told.get("high")
    if low is None or high is None:
        return saying("no difference found")
    if low > 1:
        return saying("more contacts than its share of the outcomes")
    return saying("fewer contacts than its share of the outcomes") if high < 1 else saying("in step")


def _auc(rows: pd.DataFrame, column: str, places: np.ndarray, customers: int) -> clustered.Clustered:
    period = rows.groupby(["cutoff", column], sort=False).ngroup().to_numpy()
    return _trusted(clustered.clustered_auc(rows["label"].to_numpy(), rows["raw"].to_numpy(dtype=float), period, places, customers), rows)


def _trusted(found: clustered.Clustered, rows: pd.DataFrame) -> clustered.Clustered:
    """Return the value as one that nobody stands behind, hence without an interval, where its rows are too few customers or groups."""
    return found if unit_evidence(rows).enough else replace(found, behind=0)


def _precision(rows: pd.DataFrame) -> float | None:
    """Return the average precision, mean over periods weighted by positives; None where no period has both classes."""
    parts = [(average_precision(part["label"], part["raw"]), float(part["label"].sum())) for _, part in rows.groupby("cutoff", sort=True)]
    defined = [(value, weight) for value, weight in parts if np.isfinite(value)]
    return float(np.average([value for value, _ in defined], weights=[weight for _, weight in defined])) if defined else None


def _share(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
