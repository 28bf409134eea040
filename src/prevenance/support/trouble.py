"""Known trouble: categories of tickets that rose on a product after its release, and who has that product and has not called yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.history.history import History, visible_sql
from prevenance.history.roster import customer_attributes
from prevenance.order.capacity import Room
from prevenance.order.suppression import Peace, newest_contacts, open_escalations, yearly_revenue
from prevenance.sources.files import sql_text
from prevenance.support.finding import Trouble
from prevenance.tables.contracts import standing_sql
from prevenance.targets.churn import running_sql

FRESH_DAYS, LEAST_DAYS, MOST_DAYS = 42, 3, 14
"""Releases of so many days are looked at, from three days on, each over its first fortnight."""
PAST, LEAST_PAST = 12, 4
"""Windows of the same length before the release: at most, and at least."""
LEAST_CUSTOMERS, LEAST_TIMES = 5, 1.5
"""Customers that a rise has, and how many times the usual it is at least, its interval too."""
FALSE_SHARE = 0.05

CALLS = """
select category, floor(epoch(timestamp '{since}' - event_at) / {span})::integer as window, count(distinct customer_id) as customers
from {visible} where event = 'opened' and product_id = {product} and category is not null and event_at <= timestamp '{until}'
  and event_at > timestamp '{since}' - interval {past} second
group by all order by all
"""
"""Customers that called about each category of a product, by windows before the release (from 0) and since (-1)."""

COLUMNS = ("rank", "customer_id", "name", "owner", "product_id", "version", "category", "yearly_revenue")


def known_trouble(history: History, cutoff: datetime) -> tuple[Trouble, ...]:
    """Return the rises that chance does not explain at a false-discovery share of 5 %, the largest first; empty without releases or products of tickets.

    Customers count, not tickets, so that one who calls again and again is one; past windows that differ more than chance widen what is usual.
    """
    from scipy.stats import false_discovery_control

    if not {"releases", "tickets"} <= history.tables:
        return ()
    since = cutoff - timedelta(days=FRESH_DAYS)
    releases = history.con.execute(
        f"select product_id, version, event_at from {visible_sql('releases', cutoff)} where event_at > timestamp '{since}' "
        f"and event_at <= timestamp '{cutoff - timedelta(days=LEAST_DAYS)}' and product_id is not null order by event_at, product_id, version"
    ).fetchall()
    first = history.con.execute(f"select min(event_at) from {visible_sql('tickets', cutoff)}").fetchall()[0][0]
    found = [(one, p) for product, version, at in releases for one, p in _rises(history, cutoff, first, (product, version, at))]
    shares = false_discovery_control([p for _, p in found]) if found else []
    kept = [
        one
        for (one, _), share in zip(found, shares, strict=True)
        if share <= FALSE_SHARE and one.customers >= LEAST_CUSTOMERS and one.ratio[1] > LEAST_TIMES
    ]
    return tuple(sorted(kept, key=lambda one: (-one.ratio[0], one.product_id, one.category)))


def _rises(history: History, cutoff: datetime, first: datetime, release: tuple[str, str, datetime]) -> list[tuple[Trouble, float]]:
    product, version, at = release
    until = min(cutoff, at + timedelta(days=MOST_DAYS))
    span = (until - at).total_seconds()
    past = min(PAST, int((at - first).total_seconds() // span))
    if past < LEAST_PAST:
        return []
    sql = CALLS.format(
        since=at, until=until, span=span, past=int(past * span), product=sql_text(product), visible=visible_sql("tickets", cutoff)
    )
    frame = history.con.execute(sql).df()
    found = []
    for category, rows in frame.groupby("category", sort=True):
        counts = np.zeros(past)
        before = rows[(rows["window"] >= 0) & (rows["window"] < past)]
        counts[before["window"].to_numpy(dtype=int)] = before["customers"]
        now = int(rows.loc[rows["window"] < 0, "customers"].sum())
        ratio, p = _rise(now, counts)
        found.append((Trouble(product, str(version), at, str(category), now, float(counts.mean()), ratio), p))
    return found


def _rise(now: int, counts: np.ndarray) -> tuple[tuple[float, float, float], float]:
    """Return how many times the usual count came (95 % interval), and how likely chance alone gives so many."""
    from scipy.stats import beta, binom

    spread = max(1.0, float(counts.var(ddof=1)) / max(float(counts.mean()), 0.5))
    came, total, windows = now / spread, float(counts.sum()) / spread, len(counts)
    # of all that came, the share since the release: without a rise it is one window of all
    low = float(beta.ppf(0.025, came, total + 1)) if came else 0.0
    high = float(beta.ppf(0.975, came + 1, total)) if total else 1.0
    ratio = now / counts.mean() if counts.sum() else float("inf")
    p = float(binom.sf(np.floor(came) - 1, np.floor(came) + np.ceil(total), 1 / (1 + windows)))
    ends = [windows * one / (1 - one) if one < 1 else float("inf") for one in (low, high)]
    return (ratio, ends[0], ends[1]), p


def suggestions(
    history: History, cutoff: datetime, found: Sequence[Trouble], room: Room, peace: Peace
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return whom to tell of known trouble before they call (``COLUMNS``, the dearest customers first), and why others are not on it, with counts.

    Whoever did not consent is in no history. Left out are those who called already, were contacted lately or have an open escalation, and what is beyond
    the capacity of the week. A customer is told once, of the largest rise.
    """
    empty = pd.DataFrame({name: pd.Series(dtype="int64" if name == "rank" else "str") for name in COLUMNS})
    if not found or "subscriptions" not in history.tables:
        return empty, {}
    parts = []
    for one in found:
        held = f"select distinct customer_id from ({running_sql(standing_sql(visible_sql('subscriptions', cutoff), 'cutoff, customer_id'))}) where product_id = ?"
        called = (
            f"select distinct customer_id from {visible_sql('tickets', cutoff)} where event = 'opened' and product_id = ? and category = ? "
            f"and event_at > timestamp '{one.released_at}'"
        )
        rows = history.con.execute(
            f"select customer_id, customer_id in ({called}) as called from ({held})", [one.product_id, one.category, one.product_id]
        ).df()
        parts.append(rows.assign(product_id=one.product_id, version=one.version, category=one.category))
    every = pd.concat(parts, ignore_index=True).drop_duplicates("customer_id")
    lately, escalated = (
        newest_contacts(history, [cutoff], peace.cooldown_days)[cutoff].index,
        open_escalations(history, [cutoff], peace.escalation_days)[cutoff],
    )
    revenue = yearly_revenue(history, [cutoff])[cutoff]
    every = every.merge(customer_attributes(history, cutoff), on="customer_id", how="left")
    every["yearly_revenue"] = every["customer_id"].map(revenue).astype(float)
    every = every.sort_values(["yearly_revenue", "customer_id"], ascending=[False, True], na_position="last", ignore_index=True)
    reasons = {
        "called_already": every["called"],
        "contacted_lately": every["customer_id"].isin(lately),
        "escalated": every["customer_id"].isin(escalated),
    }
    why = pd.Series("", index=every.index)
    for reason, there in reasons.items():
        why = why.where(~(there & (why == "")), reason)
    free = every[why == ""]
    why[free.index[~room.inside(free["owner"]).to_numpy()]] = "beyond_capacity"
    listed = every[why == ""].reset_index(drop=True)
    listed.insert(0, "rank", np.arange(1, len(listed) + 1))
    return listed[list(COLUMNS)], {str(reason): int(count) for reason, count in why[why != ""].value_counts().sort_index().items()}
