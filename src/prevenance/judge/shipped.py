"""The past as it would have been shipped: the decision of tonight's list applied to the predictions of each test period.

A page, a report and a gate count on these lists; nothing else says who would have been contacted.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd

from prevenance.judge.bootstrap import closed_rows
from prevenance.order.decision import BELOW, STANDING, Memory, Rules, decide
from prevenance.order.policies import best_offers
from prevenance.order.value import WORKABLE

RulesAt = Callable[[str, datetime], Rules]
"""Gives the rules of a model's list at a test cutoff: its floor is a matter of both."""

DECIDED = ["rank", "expected_value", "apart"]


def with_ranks(predictions: pd.DataFrame, known: pd.DataFrame, rules_at: RulesAt) -> pd.DataFrame:
    """Return ``predictions`` (same rows, same index) with value_at_stake and the columns ``DECIDED`` of each model's list at each test cutoff.

    Args:
        predictions: see ``evaluation``.
        known: cutoff, customer_id[, product_id], value_at_stake and the columns of ``decision.STANDING`` as they were known at the cutoff.
        rules_at: the rules of a model's list at a cutoff.
    """
    rows = with_known(predictions, known)
    parts = [decided_test(part, rules_at(str(model), _moment(cutoff))) for (model, cutoff), part in rows.groupby(["model", "cutoff"])]
    empty = pd.DataFrame({"rank": pd.Series(dtype="Int64"), "expected_value": pd.Series(dtype=float), "apart": pd.Series(dtype="str")})
    found = pd.concat(parts) if parts else empty
    return predictions.assign(value_at_stake=rows["value_at_stake"], **{name: found[name].reindex(rows.index) for name in DECIDED})


def with_known(predictions: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return ``predictions`` (same rows, same index) with what was ``known`` of each customer at its cutoff."""
    keys = [name for name in ("cutoff", "customer_id", "product_id") if name in predictions]
    told = predictions.drop(columns=["value_at_stake", *DECIDED], errors="ignore")
    return told.merge(known, on=keys, how="left", validate="many_to_one").set_axis(predictions.index)


def decided_test(rows: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return the columns ``DECIDED`` of one model's rows of one test period (their index): tonight's decision, made then.

    A hold-out is drawn as on any Monday, for who is left alone is on no list; no list came before it. Of offers the best of each customer
    stands on the list, as tonight; the others have no rank.
    """
    asked = rows.assign(state0=WORKABLE)
    if "product_id" in asked:
        asked = best_offers(asked, policy=rules.policy, share=rules.share, cost_per_contact=rules.cost)
    found, _ = decide(asked, rules, _moment(rows["cutoff"].iloc[0]), Memory(), draws=True)
    return found[DECIDED].astype({"apart": "str"}).reindex(rows.index)


def shipped_list(predictions: pd.DataFrame, model: str, cutoff: datetime) -> pd.DataFrame:
    """Return the list of a test period, best first, as it would have been shipped: the rows of ``predictions`` (see ``with_ranks``) with a rank."""
    rows = predictions[(predictions["model"] == model) & (predictions["cutoff"] == pd.Timestamp(cutoff)) & predictions["rank"].notna()]
    return rows.sort_values("rank", ignore_index=True)


def shipped_record(predictions: pd.DataFrame, model: str, rules_at: RulesAt) -> dict[str, Any]:
    """Return what the lists of a model held: policy, contacts, hits, outcomes, money_caught, and the same of each of the ``periods``.

    A period also says the least chance (``floor``) and how many customers stood above it.
    """
    rows, _ = closed_rows(predictions[predictions["model"] == model])
    periods = [_period(_moment(cutoff), part, rules_at(model, _moment(cutoff))) for cutoff, part in rows.groupby("cutoff", sort=True)]
    money = [one["money_caught"] for one in periods if one["money_caught"] is not None]
    total = {key: sum(one[key] for one in periods) for key in ("contacts", "hits", "outcomes")}
    policy = rules_at(model, _moment(rows["cutoff"].iloc[0])).policy if len(rows) else None
    return {"policy": policy, **total, "money_caught": round(sum(money), 2) if money else None, "periods": periods}


def _period(cutoff: datetime, rows: pd.DataFrame, rules: Rules) -> dict[str, Any]:
    listed = rows["rank"].notna()
    hit = listed & (rows["label"] > 0)
    money = rows.loc[hit, "value_at_stake"]
    known = rows["value_at_stake"].notna().any()
    return {
        "cutoff": cutoff.isoformat(),
        "contacts": int(listed.sum()),
        "hits": int(hit.sum()),
        "outcomes": int((rows["label"] > 0).sum()),
        "money_caught": round(float(money.sum()), 2) if known else None,
        "floor": rules.floor or None,
        "above_floor": int((rows["apart"] != BELOW).sum()) if rules.floor else None,
    }


def _moment(cutoff: Any) -> datetime:
    return pd.Timestamp(cutoff).to_pydatetime()


KNOWN = ["value_at_stake", *STANDING, "unit"]
"""What ``known`` says of a customer at a test cutoff, besides the keys."""
