"""Cross-sell: which offers a customer has open, which are taken, and what is known of a customer and an offer."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from amount import amount
from worlds import CUTOFFS, world

from prevenance.features.build import build
from prevenance.features.offers import BASKET_OFFER, CONTRACT_OFFER, definitions
from prevenance.history.history import History
from prevenance.models.encode import Encoder
from prevenance.models.single import estimator
from prevenance.order.policies import as_likely_offers, best_offers, offers_by_product
from prevenance.tables.contracts import HIGHER_PLAN, MORE_SEATS
from prevenance.targets.cross_sell import next_family, next_offer
from prevenance.targets.labels import cohort, label

CUTOFF = datetime(2025, 6, 1)
END = CUTOFF + timedelta(days=200)
DAY = timedelta(days=1)


def company(*later: tuple[object, ...]) -> History:
    """Two customers: a on plan "team" with 10 seats and the add-on "x"; b on "pro" under notice. ``later`` are more subscription rows."""
    began = CUTOFF - 100 * DAY
    rows = [
        ("a", began, "a1", "started", "team", "team", 10.0, 100.0),
        ("a", began, "a2", "started", "x", None, None, 20.0),
        ("b", began, "b1", "started", "pro", "pro", 4.0, 80.0),
        ("b", CUTOFF - DAY, "b1", "notice", "pro", "pro", None, None),
        *later,
    ]
    subscriptions = pd.DataFrame(
        rows, columns=["customer_id", "event_at", "subscription_id", "event", "product_id", "plan", "seats", "mrr"]
    )
    catalogue = [("team", "plans", 10.0), ("pro", "plans", 15.0), ("max", "plans", 30.0), ("x", "more", 20.0), ("y", "more", 8.0)]
    products = pd.DataFrame(catalogue, columns=["product_id", "family", "price"]).assign(event_at=began, known_at=began)
    customers = pd.DataFrame({"customer_id": ["a", "b"], "event_at": began, "known_at": began})
    frames = {"customers": customers, "products": products, "subscriptions": subscriptions.assign(known_at=subscriptions["event_at"])}
    return History.from_frames(frames, END)


def taken(*later: tuple[object, ...]) -> dict[tuple[str, str], float]:
    history = company(*later)
    found = label(history, next_offer(), cohort(history, next_offer(), [CUTOFF]))
    return dict(zip(zip(found["customer_id"], found["product_id"], strict=True), found["label"], strict=True))


def test_offers_are_what_a_customer_could_take_and_has_not() -> None:
    found = cohort(company(), next_offer(), [CUTOFF])
    assert found["product_id"].tolist() == [HIGHER_PLAN, MORE_SEATS, "y"], "no plan beside a plan, nothing owned, nobody under notice"
    assert found["value_at_stake"].tolist() == [120 * 12 * 0.5, 120 * 12 * 0.1, 8 * 12]


@pytest.mark.parametrize(
    ("row", "offer"),
    [
        (("a", CUTOFF + DAY, "a3", "started", "y", None, None, 8.0), "y"),
        (("a", CUTOFF + DAY, "a1", "changed", "team", "team", 11.0, 110.0), MORE_SEATS),
        (("a", CUTOFF + DAY, "a1", "changed", "pro", "pro", 10.0, 150.0), HIGHER_PLAN),
        (("a", CUTOFF + DAY, "a4", "started", "max", "max", 10.0, 300.0), HIGHER_PLAN),
    ],
)
def test_an_offer_is_taken_by_what_follows(row: tuple[object, ...], offer: str) -> None:
    assert taken(row) == {("a", one): float(one == offer) for one in (HIGHER_PLAN, MORE_SEATS, "y")}


@pytest.mark.parametrize(
    "row",
    [
        ("a", CUTOFF + DAY, "a1", "changed", "team", "team", 9.0, 90.0),
        ("a", CUTOFF + 91 * DAY, "a1", "changed", "team", "team", 11.0, 110.0),
        ("a", CUTOFF + DAY, "a1", "ended", "team", "team", 12.0, 110.0),
        ("b", CUTOFF + DAY, "b2", "started", "y", None, None, 8.0),
    ],
    ids=["fewer seats", "after the horizon", "an end", "another customer"],
)
def test_nothing_else_takes_an_offer(row: tuple[object, ...]) -> None:
    assert sum(taken(row).values()) == 0


def test_the_features_of_an_offer_equal_the_plain_count() -> None:
    for seed in range(amount(6, 30)):
        frames = world(seed, customers=8, rows=1.5)
        history = History.from_frames(frames, END)
        found = build(history, cohort(history, next_offer(), CUTOFFS), [CONTRACT_OFFER])
        walked = {cutoff: _walked(frames, cutoff) for cutoff in found["cutoff"].unique()}
        for row in found.to_dict("records"):
            expected = _plain(*walked[row["cutoff"]], row["customer_id"], row["product_id"], row["cutoff"])
            assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True, abs=2e-6), (seed, row)


Took = dict[str, dict[str, pd.Timestamp]]
"""Customer -> offer -> when it was taken."""


def _walked(frames: dict[str, pd.DataFrame], cutoff: pd.Timestamp) -> tuple[Took, int]:
    """Walk through every contract row; return who took what when, and how many customers there are."""
    rows = frames["subscriptions"]
    rows = rows[(rows["event_at"] <= cutoff) & (rows["known_at"] <= cutoff)]
    products = frames["products"]
    products = products[(products["event_at"] <= cutoff) & (products["known_at"] <= cutoff)]
    newest = products.sort_values(["event_at", "known_at"]).groupby("product_id").last()
    newest = newest.assign(family=products.sort_values(["event_at", "known_at"]).groupby("product_id")["family"].agg(lambda x: x.iloc[-1]))
    prices = products.sort_values(["event_at", "known_at"]).groupby("product_id")["price"].agg(lambda x: x.iloc[-1])
    plans = {newest["family"].get(one) for one in rows.loc[rows["plan"].notna(), "product_id"].dropna() if one in newest.index}
    step = rows["event"].map({"started": 0, "changed": 1, "renewed": 2, "notice": 3, "ended": 4})
    took: Took = {}
    best: dict[tuple[str, object], list[float]] = {}
    ordered = rows.assign(step=step, price=rows["product_id"].map(prices)).sort_values(["event_at", "known_at", "step", "seats", "price"])
    for row in ordered.to_dict("records"):
        if row["event"] not in ("started", "changed", "renewed") or not isinstance(row["product_id"], str):
            continue
        mine = took.setdefault(row["customer_id"], {})
        mine.setdefault(row["product_id"], row["event_at"])
        family = newest["family"].get(row["product_id"])
        if row["product_id"] in newest.index and isinstance(family, str) and family in plans:
            seats, price = best.setdefault((row["customer_id"], family), [np.nan, np.nan])
            if row["seats"] > seats:
                mine[MORE_SEATS] = row["event_at"]
            if row["price"] > price:
                mine[HIGHER_PLAN] = row["event_at"]
            best[row["customer_id"], family] = [np.fmax(seats, row["seats"]), np.fmax(price, row["price"])]
    return took, rows["customer_id"].nunique()


def _plain(took: Took, everybody: int, customer: str, offer: str, cutoff: pd.Timestamp) -> dict[str, float]:
    """Return popularity and fit of an offer among those who took what."""
    owners = [one for one, mine in took.items() if offer in mine]
    lately = [one for one in owners if took[one][offer] > cutoff - pd.Timedelta(days=90)]
    shares = []
    for item in took.get(customer, {}):
        if item != offer:
            having = [one for one, mine in took.items() if item in mine]
            shares.append(sum(offer in took[one] for one in having) / len(having))
    return {
        "popularity_90d": len(lately) / everybody,
        "offer_owners_share": len(owners) / everybody,
        "offer_fit_best": max((share for share in shares if share), default=np.nan),
        "offer_fit_mean": float(np.mean(shares)) if shares else 0.0,
    }


def baskets() -> History:
    """Three shoppers: a buys bread often; b bread and wine; c wine 160 and 10 days ago."""
    rows = [
        ("a", 5, "bread"),
        ("a", 50, "bread"),
        ("b", 5, "bread"),
        ("b", 6, "wine"),
        ("c", 160, "wine"),
        ("c", 10, "wine"),
        ("c", 140, "fish"),
    ]
    bought = pd.DataFrame(rows, columns=["customer_id", "ago", "family"])
    bought["event_at"] = CUTOFF - pd.to_timedelta(bought.pop("ago"), unit="D")
    later = pd.DataFrame({"customer_id": ["a"], "family": ["wine"], "event_at": [CUTOFF + 3 * DAY]})
    purchases = pd.concat([bought, later], ignore_index=True)
    purchases = purchases.assign(known_at=purchases["event_at"], order_id=[f"o{n}" for n in range(len(purchases))], amount=1.0)
    first = bought.groupby("customer_id", as_index=False)["event_at"].min()
    return History.from_frames({"purchases": purchases, "customers": first.assign(known_at=first["event_at"])}, END)


def test_a_family_not_bought_lately_is_an_offer() -> None:
    history, target = baskets(), next_family(active_days=28, owned_days=60)
    found = label(history, target, cohort(history, target, [CUTOFF]))
    assert found[["customer_id", "product_id", "label"]].values.tolist() == [["a", "wine", 1.0], ["c", "bread", 0.0]]


def test_the_features_of_a_family() -> None:
    history = baskets()
    pairs = pd.DataFrame({"customer_id": ["a", "c"], "product_id": ["wine", "bread"], "cutoff": CUTOFF}).astype(
        {"cutoff": "datetime64[us]"}
    )
    found = build(history, pairs, [BASKET_OFFER]).set_index("customer_id")
    assert found.loc["a", "popularity_28d"] == pytest.approx(2 / 3)
    assert found.loc["a", "popularity_new_28d"] == pytest.approx(2 / 3), "b has begun with wine, and c again after 150 days"
    assert found.loc["a", "family_fit_best"] == pytest.approx(1 / 2), "of the two who buy bread one buys wine"
    assert found.loc["c", "family_fit_mean"] == pytest.approx((1 / 2 + 0) / 2), "wine: b of two also buys bread; fish: nobody"


def test_popularity_is_the_rule_among_offers() -> None:
    encoder = Encoder(("strong", "popularity_90d", "offer"), {"offer": ("x",)})
    frame = np.array([[1.0, 0.1, 0.0], [0.0, 0.3, 0.0], [1.0, 0.2, 0.0], [0.0, 0.4, 0.0]])
    fitted = estimator(encoder, seed=1).fit(frame, np.array([1, 0, 1, 0]))
    assert fitted[0].transformers_[0][2] == [1]


def test_the_best_offer_of_each_customer_and_the_list_of_each_product() -> None:
    offers = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b"],
            "product_id": ["x", "y", "x", "y"],
            "product": ["X", "Y", "X", "Y"],
            "state0": "at_risk",
            "score": [0.5, 0.4, 0.1, 0.3],
            "score_low": 0.0,
            "score_high": 1.0,
            "value_at_stake": [100.0, 200.0, 100.0, 50.0],
        }
    )
    best = best_offers(offers, policy="value", share=1.0, cost_per_contact=0.0)
    assert best[["customer_id", "product_id"]].values.tolist() == [["a", "y"], ["b", "y"]], "80 beats 50; 15 beats 10"
    assert best_offers(
        offers.drop(columns="value_at_stake").assign(value_at_stake=np.nan), policy="value", share=1.0, cost_per_contact=0.0
    )["product_id"].tolist() == ["x", "y"], "without money the chance decides"
    each = offers_by_product(offers, policy="value", share=1.0, cost_per_contact=0.0)
    assert each[["product_id", "place", "customer_id"]].values.tolist() == [["x", 1, "a"], ["x", 2, "b"], ["y", 1, "a"], ["y", 2, "b"]]


def test_another_offer_is_as_likely_where_its_chance_lies_within_the_band() -> None:
    offers = pd.DataFrame(
        {"customer_id": ["a", "a", "a", "b", "b", "c", "c"], "product_id": [*"xyzxyxy"], "product": [*"XYZXYXY"], "state0": "at_risk"}
    ).assign(score=[0.5, 0.45, 0.42, 0.3, 0.1, 0.2, 0.2], score_low=[0.4] * 3 + [0.2] * 2 + [0.1] * 2)
    offers.loc[6, "state0"] = "too_late"
    assert as_likely_offers(offers.iloc[[0, 3, 5]], offers) == {"a": "Y"}
    assert as_likely_offers(offers.iloc[[2]], offers) == {"a": "X"}, "a likelier one, too"


def test_offers_have_no_features_without_a_product() -> None:
    snapshots = pd.DataFrame({"customer_id": ["a"], "cutoff": [CUTOFF]}).astype({"cutoff": "datetime64[us]"})
    assert list(build(company(), snapshots, definitions((28,)))) == ["customer_id", "cutoff"]
