"""The demo company's contracts: as they stand today, the log of what changed in them, the add-ons ordered, and the catalogue.

A plan and its seats are one contract for as long as the customer stays: a higher plan or other seats change it. An add-on is an order, and from
that day a contract of its own, of one seat and without a plan, that ends with the customer.
"""

import numpy as np
import pandas as pd

from prevenance.demo.activity import FEATURES, PAID_FEATURES
from prevenance.demo.company import Block
from prevenance.demo.growth import Growth
from prevenance.demo.leaving import renewal_after
from prevenance.demo.world import ADDONS, DAY, END, NEVER, PLANS, World, column_moments, midnight

UNIT_PRICE = PLANS["price"].to_numpy()


def monthly_prices(block: Block, grown: Growth, week: int, moment: np.ndarray) -> np.ndarray:
    """Return each customer's monthly money at a moment of a week (N,), by seats, plan and add-ons; as if it were a customer then."""
    held = grown.orders[column_moments(grown.orders, "at") <= moment]
    extra = np.bincount(held["who"], ADDONS["price"].to_numpy()[held["addon"]], len(block.people))
    return np.asarray(np.round(grown.seats[:, week] * UNIT_PRICE[grown.plan[:, week]] + extra, 2))


def contract_frames(block: Block, grown: Growth, ids: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the contracts as they stand today and the log of their renewals and changes."""
    people, orders = block.people, grown.orders
    begin = midnight(column_moments(people, "signup"))
    log = _log(block, grown, begin)
    newest = log.groupby("who").last().reindex(people.index)
    seats, plan = (newest[f"new_{name}"].fillna(people[name]).astype(int).to_numpy() for name in ("seats", "plan_no"))
    main = _contracts(block, ids, people.index.to_numpy(), begin, PLANS.iloc[plan], seats)
    renews = newest["new_renews_on"].to_numpy().astype("datetime64[s]")
    main["renews_on"] = np.where(np.isnat(renews), main["renews_on"], renews)
    addons = ADDONS.iloc[orders["addon"]].assign(plan=None)
    extra = _contracts(block, ids, orders["who"].to_numpy(), column_moments(orders, "at"), addons, np.ones(len(orders), dtype=int))
    main["subscription_id"] += "-1"
    extra["subscription_id"] += "-" + extra["product_id"].str[2:]
    log.insert(0, "subscription_id", "S" + pd.Series(ids[log["who"]]) + "-1")
    return pd.concat([main, extra]).sort_values("subscription_id", ignore_index=True), _named(log)


def _contracts(block: Block, ids: np.ndarray, who: np.ndarray, begin: np.ndarray, sold: pd.DataFrame, seats: np.ndarray) -> pd.DataFrame:
    """Return a contract of each of ``who`` on what was ``sold`` to them, in the columns of the export."""
    people = block.people.iloc[who]
    return pd.DataFrame(
        {
            "subscription_id": "S" + pd.Series(ids[who]),
            "account_id": ids[who],
            "product_id": sold["product_id"].to_numpy(),
            "plan": sold["plan"].to_numpy(),
            "term": np.where(people["monthly"], "monthly", "yearly"),
            "seats": seats,
            "mrr": np.round(seats * sold["price"].to_numpy(), 2),
            "started_on": begin,
            "renews_on": np.where(people["monthly"], NEVER, midnight(renewal_after(column_moments(people, "signup"), begin))),
            "notice_on": column_moments(people, "notice"),
            "ends_on": column_moments(people, "leaves_on"),
            "ended_on": column_moments(people, "ended"),
        }
    )


def _log(block: Block, grown: Growth, begin: np.ndarray) -> pd.DataFrame:
    """Return renewals (yearly contracts, at their date) and changes of seats and plan, each with the values before and after."""
    people, changes = block.people, grown.changes
    last = np.fmin(column_moments(people, "leaves_on"), END)
    # a monthly contract renews all the time, which is no event
    years = np.where(people["monthly"], 0, np.maximum((last - begin - DAY) // (365 * DAY), 0)).astype(int)
    who = np.repeat(np.arange(len(people)), years)
    year = np.arange(len(who)) - np.repeat(np.cumsum(years) - years, years) + 1
    renewed = pd.DataFrame({"who": who, "what": "renewed", "changed_at": begin[who] + year * 365 * DAY})
    changed = changes.rename(columns={"at": "changed_at", "seats": "new_seats", "plan": "new_plan_no"}).assign(what="changed")
    log = pd.concat([renewed, changed[["who", "what", "changed_at", "new_seats", "new_plan_no"]]])
    log = log.sort_values(["who", "changed_at", "what"], ignore_index=True)
    by = log.groupby("who")
    for column in ("seats", "plan_no"):
        start = pd.Series(people[column].to_numpy()[log["who"]], index=log.index)
        log[f"new_{column}"] = by[f"new_{column}"].ffill().fillna(start).astype(int)
        log[f"old_{column}"] = log.groupby("who")[f"new_{column}"].shift().fillna(start).astype(int)
    who, at = log["who"].to_numpy(), column_moments(log, "changed_at")
    yearly = ~people["monthly"].to_numpy()[who]
    for word in ("old", "new"):
        asked = np.where((log["what"] == "renewed") & (word == "old"), at - DAY, at)
        log[f"{word}_renews_on"] = np.where(yearly, renewal_after(begin[who], asked), NEVER)
    return log


def _named(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log as it is exported, in order of time."""
    for word in ("old", "new"):
        number = log[f"{word}_plan_no"].to_numpy()
        log[f"{word}_plan"], log[f"{word}_product_id"] = PLANS["plan"].to_numpy()[number], PLANS["product_id"].to_numpy()[number]
        log[f"{word}_mrr"] = np.round(log[f"{word}_seats"] * UNIT_PRICE[number], 2)
    fields = ("product_id", "plan", "seats", "mrr", "renews_on")
    log = log.sort_values(["changed_at", "who", "what"], ignore_index=True)
    return log[["subscription_id", "what", "changed_at", *(f"{word}_{field}" for word in ("old", "new") for field in fields)]]


def order_frame(grown: Growth, ids: np.ndarray) -> pd.DataFrame:
    """Return the add-ons ordered: one line each, the price of a year."""
    frame = grown.orders.sort_values(["at", "who", "addon"])
    number = frame["addon"].to_numpy()
    product = ADDONS["product_id"].to_numpy()[number]
    return pd.DataFrame(
        {
            "order_id": [f"O{account}-{name[2:]}" for account, name in zip(ids[frame["who"]], product, strict=True)],
            "account_id": ids[frame["who"]],
            "product_id": product,
            "family": ADDONS["family"].to_numpy()[number],
            "quantity": 1,
            "amount": np.round(ADDONS["price"].to_numpy()[number] * 12, 2),
            "ordered_on": column_moments(frame, "at"),
        }
    )


def product_frame(world: World) -> pd.DataFrame:
    """Return the catalogue: three plans of one family and the add-ons, listed before anybody could have bought them."""
    # before the oldest signup, so that nobody holds a product that was not on offer
    listed = world.weeks[0] - 1_900 * DAY
    plans = PLANS.rename(columns={"plan": "name"}).drop(columns="seats_up_to")
    plans = plans.assign(family="platform", features=["; ".join(FEATURES[:count]) for count in PAID_FEATURES])
    frame = pd.concat([plans, ADDONS.assign(features=None)], ignore_index=True)
    frame["usage_limit"] = frame["usage_limit"].astype("Int64")
    return frame[["product_id", "name", "family", "price", "usage_limit", "features"]].assign(listed_on=midnight(listed))
