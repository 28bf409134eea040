"""Ready for more: which customer takes which offer next. A row is a customer and a product that the customer does not have."""

from collections.abc import Sequence
from dataclasses import replace

from prevenance.tables.contracts import CATALOGUE_SQL, GROUNDS_SQL, HELD_SQL, HIGHER_PLAN, MORE_SEATS, OFFERS_SQL
from prevenance.targets.sql import acting_rows, activity_rows
from prevenance.targets.target import Target, TargetWords
from prevenance.words.saying import saying

BUYING = TargetWords(
    title="Offers that may fit",
    question="Chance of buying in {n} days",
    stake="Worth → expected",
    expected="About {number} of them are expected to buy within {n} days.",
    expected_money="About {number} of them are expected to buy within {n} days: {amount} in all.",
    hits="{where}, {hits} of the {n} customers on the list bought.",
    missed="{missed} of the {n} that bought were not on it.",
    similar="Of {n} similar customers of the past, {outcome} bought.",
    verb="buy",
    past="bought",
    gain=True,
)
TAKING = replace(
    BUYING,
    verb="take an offer",
    past="took an offer",
    absent="On {date} the customer had no contract that runs on, or nothing was left to offer",
)

PLAYS = {
    "any": {
        "action": "Offer {product}, and say what it would save them",
        "days": 14,
        "owner": "account manager",
        "draft": "Hello, from how your team works today, {product} could save you some time. May I show you in 20 minutes what it would do for "
        "you? There is no obligation at all.",
    },
}


def next_offer(*, horizon_days: int = 90, settle_days: int = 0, lead_days: int = 0, name: str = "cross_sell") -> Target:
    """Return the target: every product, ``more-seats`` and ``higher-plan`` that a customer under contract could take, and which are taken.

    A product is taken by a contract on it; more seats by more than the largest number now; a higher plan by a product of the same family with
    a higher price. Customers whose every contract ends or is under notice get no offer.
    """
    grounds = f"with {HELD_SQL}, {CATALOGUE_SQL}, {GROUNDS_SQL}, {OFFERS_SQL}"
    cohort = f"{grounds} select customer_id, product_id, 'at_risk' as state, round(cast(value_at_stake as double), 2) as value_at_stake from offers"
    outcome = f"""{grounds}
        select o.customer_id, o.product_id, min(n.event_at) as outcome_at
        from offers as o join next_subscriptions as n on n.customer_id = o.customer_id join base as b on b.customer_id = o.customer_id
        left join catalogue as c on c.product_id = n.product_id
        where n.event in ('started', 'changed', 'renewed') and (
          n.product_id = o.product_id
          or (o.product_id = '{MORE_SEATS}' and n.seats > b.seats and (n.product_id is null or c.family in (select family from plan_families)))
          or (o.product_id = '{HIGHER_PLAN}' and c.family = b.family and c.price > b.price))
        group by all"""
    return Target(
        name,
        ("subscriptions", "products"),
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        says=saying("took the offer within {n} days of the cutoff", n=horizon_days),
        pairs=True,
        words=TAKING,
        told_by="chance",
        plays=PLAYS,
    )


def next_family(
    *,
    horizon_days: int = 14,
    settle_days: int = 0,
    lead_days: int = 0,
    active_days: int = 56,
    owned_days: int = 150,
    activity_in: Sequence[str] = ("purchases",),
    name: str = "cross_sell",
) -> Target:
    """Return the target: every product family not bought in ``(cutoff - owned_days, cutoff]``, and which are bought in the horizon.

    Customers active in ``(cutoff - active_days, cutoff]`` are asked; families are those that anybody bought in ``owned_days``.
    """
    activity_rows(activity_in)
    recent = " union all ".join(acting_rows(table, active_days) for table in activity_in)
    bought = "family is not null and coalesce(amount, 1) > 0 and coalesce(quantity, 1) > 0"
    cohort = f"""
        with lately as (select distinct customer_id, family as product_id from purchases where {bought} and age_days < {owned_days}),
        customers_ as (select distinct customer_id from ({recent})), families as (select distinct product_id from lately)
        select customer_id, product_id, 'at_risk' as state, null::double as value_at_stake
        from customers_ cross join families anti join lately using (customer_id, product_id)"""
    outcome = f"select customer_id, family as product_id, min(event_at) as outcome_at from next_purchases where {bought} group by all"
    return Target(
        name,
        tuple(dict.fromkeys((*activity_in, "purchases"))),
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        says=saying("bought from a family not bought in {before} days, within {n} days of the cutoff", before=owned_days, n=horizon_days),
        pairs=True,
        words=BUYING,
        told_by="chance",
        plays=PLAYS,
    )


KINDS = {"offer": next_offer, "family": next_family}
