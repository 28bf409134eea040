"""Policies as rivals: what each order of the list would have brought over the test periods, beside a blind list and the rule's."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.judge.bootstrap import Estimate, Floats, Weights, bootstrap_interval, bootstrap_weights, closed_rows, customer_index
from prevenance.judge.shipped import RulesAt, decided_test, with_known
from prevenance.models.units import unit_evidence
from prevenance.order.decision import BELOW, BEYOND

RANDOM, RULE, NO_FLOOR = "random", "rule", "value_without_floor"
"""A blind list of the same length; the list that the simple rule would have shipped; what the floor costs or brings."""

METRICS = ("contacts", "hits", "precision", "recall", "money_caught", "expected_net")
GAPS = ("hits", "precision", "money_caught", "expected_net")
"""Metrics whose difference from the policy in use is told too, paired by customer: ``hits_difference``, ...."""


def policy_estimates(
    predictions: pd.DataFrame,
    known: pd.DataFrame,
    model: str,
    rules_at: RulesAt,
    policies: Iterable[str],
    *,
    replicates: int,
    seed: int,
) -> dict[str, dict[str, Estimate]]:
    """Return {policy: {metric: {value, low, high}}}: ``METRICS``, and the differences of ``GAPS`` from the policy in use.

    ``money_caught`` is the money at stake of the hits, ``expected_net`` what of it a contact is assumed to keep, less the cost of all
    contacts. Intervals are two-sided 90 %, bootstrapped by customer, the lists staying as they are; None with too few (see ``units``).

    Args:
        predictions: with ranks, see ``shipped.with_ranks``.
        known: as there.
        model: the model whose list is shipped.
        rules_at: as there; what is in use.
        policies: the orders to compare, keys of ``policies.POLICIES``.
        replicates: of the bootstrap.
        seed: of its draws.
    """
    rows, customers = closed_rows(predictions[predictions["model"] == model])
    if rows.empty:
        return {}
    told, place = with_known(rows, known), customer_index(rows, customers)
    weights = bootstrap_weights(len(customers), replicates if unit_evidence(rows).enough else 0, seed)
    tests = [(part, rules_at(model, pd.Timestamp(cutoff).to_pydatetime())) for cutoff, part in told.groupby("cutoff", sort=True)]
    rules = tests[0][1]
    lists = {name: _listed(rows, [decided_test(part, replace(one, policy=name))["rank"] for part, one in tests]) for name in policies}
    if rules.floor:
        bare = [decided_test(part, replace(one, policy="value", floor=0.0))["rank"] for part, one in tests]
        lists[NO_FLOOR] = _listed(rows, bare)
    used = rows["rank"].notna().to_numpy(dtype=float)
    lists |= {RANDOM: _blind(rows, used), RULE: _of_rule(rows, predictions)}
    money = {"share": rules.share, "cost": rules.cost}
    sums = {name: _summed(rows, one, place, weights, **money) for name, one in {"": used, **lists}.items()}
    return {name: _estimates(sums[name], sums[""]) for name in lists}


def _listed(rows: pd.DataFrame, ranks: list[pd.Series]) -> Floats:
    return pd.concat(ranks).reindex(rows.index).notna().to_numpy(dtype=float)


def _blind(rows: pd.DataFrame, used: Floats) -> Floats:
    """Return the share of a list of the same length that falls on each row, if those who may be contacted are drawn blindly."""
    free = rows["apart"].isin(["", BEYOND, BELOW]).to_numpy(dtype=float)
    each = pd.DataFrame({"cutoff": rows["cutoff"], "used": used, "free": free}).groupby("cutoff")[["used", "free"]].transform("sum")
    return free * (each["used"] / each["free"].clip(lower=1.0)).to_numpy()


def _of_rule(rows: pd.DataFrame, predictions: pd.DataFrame) -> Floats:
    keys = [name for name in ("cutoff", "customer_id", "product_id") if name in rows]
    rule = predictions.loc[(predictions["model"] == RULE) & predictions["rank"].notna(), keys].assign(listed=1.0)
    return rows[keys].merge(rule, on=keys, how="left")["listed"].fillna(0.0).to_numpy(dtype=float)


def _summed(
    rows: pd.DataFrame, listed: Floats, place: NDArray[np.intp], weights: Weights, *, share: float, cost: float
) -> dict[str, Floats]:
    """Return each metric of a list, one value per column of ``weights``; money is nan where no value is known."""
    label, value = rows["label"].to_numpy(dtype=float), rows["value_at_stake"].to_numpy(dtype=float)
    priced = np.nan_to_num(value) if np.isfinite(value).any() else np.full(len(value), np.nan)
    parts = {"contacts": listed, "hits": listed * label, "outcomes": label, "money": listed * label * priced}
    total = {name: np.bincount(place, one, len(weights)) @ weights for name, one in parts.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = total["hits"] / total["contacts"], total["hits"] / total["outcomes"]
    return {
        "contacts": total["contacts"],
        "hits": total["hits"],
        "precision": np.where(total["contacts"] > 0, precision, np.nan),
        "recall": np.where(total["outcomes"] > 0, recall, np.nan),
        "money_caught": total["money"],
        "expected_net": share * total["money"] - cost * total["contacts"],
    }


def _estimates(mine: Mapping[str, Floats], used: Mapping[str, Floats]) -> dict[str, Any]:
    gaps = {f"{name}_difference": mine[name] - used[name] for name in GAPS}
    found = {name: bootstrap_interval(values) for name, values in {**mine, **gaps}.items()}
    return {name: {key: None if one is None else round(one, 6) for key, one in told.items()} for name, told in found.items()}
