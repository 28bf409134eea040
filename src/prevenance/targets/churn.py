"""Leaving: by contract (notice or end), by an account-level event, or by silence."""

from collections.abc import Sequence
from dataclasses import replace

from prevenance.tables.contracts import instants_sql, standing_sql
from prevenance.targets.sql import acting_rows, activity_rows
from prevenance.targets.target import Target, TargetWords
from prevenance.words.saying import saying


def running_sql(standing: str) -> str:
    """Return SQL for the contracts among the rows of ``standing_sql`` that run; one without a price is worth nothing."""
    return f"select * replace (coalesce(mrr, 0) as mrr) from ({standing}) where runs"


ACTIVE = running_sql(standing_sql())

MONEY = "nullif(round(sum(mrr) * 12, 2), 0)::double"


LEAVING = TargetWords(
    title="Customers to keep",
    question="Chance of leaving in {n} days",
    stake="At stake → expected loss",
    expected="About {number} of them are expected to leave within {n} days.",
    expected_money="About {number} of them are expected to leave within {n} days, and {amount} a year with them.",
    hits="{where}, {hits} of the {n} customers on the list left.",
    missed="{missed} of the {n} that left were not on it.",
    similar="Of {n} similar customers of the past, {outcome} left.",
    why="Why, and what holds",
    against="What holds them",
    against_one="Holds: {reason}",
    verb="leave",
    past="left",
)
"""What holds a customer speaks against leaving, so it is told as that."""

UNDER_CONTRACT = replace(LEAVING, absent="On {date} the customer had no running contract, so this list did not ask about them")


def by_contract(*, horizon_days: int = 90, settle_days: int = 7, lead_days: int = 14, name: str = "churn") -> Target:
    """Return the target: customers with a running contract, and which of them give notice on, or end, all they have.

    How it stands at the end of ``(cutoff, cutoff + horizon]`` decides: a customer who has no running contract without notice then has
    left, whatever began in between; so nothing is sure before. ``outcome_at`` is when the last such contract got the notice or end that
    held. Customers whose every running contract is under notice at the cutoff are ``too_late``.
    """
    cohort = f"""
        select customer_id, case when bool_and(noticed) then 'too_late' else 'at_risk' end as state, {MONEY} as value_at_stake
        from ({ACTIVE}) group by customer_id"""
    outcome = f"""
        with told as (from subscriptions union all by name from next_subscriptions),
        steps as (
            select customer_id, subscription_id, event_at, coalesce(last_value(runs ignore nulls) over so_far, false)
                and not coalesce(last_value(noticed ignore nulls) over so_far, false) as kept
            from ({instants_sql("told")}) window so_far as (partition by customer_id, subscription_id order by event_at)),
        turns as (
            select *, lag(kept, 1, false) over (partition by customer_id, subscription_id order by event_at) as was_kept from steps),
        ends as (
            select customer_id, arg_max(kept, event_at) as kept, max(event_at) filter (where was_kept and not kept) as left_at
            from turns group by customer_id, subscription_id)
        select customer_id, max(left_at) as outcome_at from ends join (select distinct customer_id from ({ACTIVE}) where not noticed) using (customer_id)
        group by customer_id having not bool_or(kept)"""
    return Target(
        name,
        ("subscriptions",),
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        alone=True,
        at_end=True,
        says=saying("gave notice on, or ended, every contract within {n} days of the cutoff", n=horizon_days),
        words=UNDER_CONTRACT,
        keeps=True,
        told_by="worse",
    )


def by_event(*, horizon_days: int = 90, settle_days: int = 0, lead_days: int = 14, name: str = "churn") -> Target:
    """Return the target: customers with a running subscription, and which of them have a ``notice`` row in the window.

    For sources that record leaving as an event of the account and keep its subscriptions running.
    """
    cohort = f"select customer_id, 'at_risk' as state, {MONEY} as value_at_stake from ({ACTIVE}) group by customer_id"
    outcome = "select customer_id, min(event_at) as outcome_at from next_subscriptions where event = 'notice' group by customer_id"
    return Target(
        name,
        ("subscriptions",),
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        alone=True,
        says=saying("had a churn event within {n} days of the cutoff", n=horizon_days),
        words=UNDER_CONTRACT,
        keeps=True,
        told_by="worse",
    )


def by_silence(
    *,
    activity_in: Sequence[str] = ("usage",),
    horizon_days: int = 28,
    active_days: int = 56,
    settle_days: int = 1,
    lead_days: int = 0,
    name: str = "churn",
) -> Target:
    """Return the target: customers active in ``(cutoff - active_days, cutoff]`` who do nothing in ``(cutoff, cutoff + horizon]``."""
    recent = " union all ".join(acting_rows(table, active_days) for table in activity_in)
    cohort = f"select distinct customer_id, 'at_risk' as state, null::double as value_at_stake from ({recent})"
    if "purchases" in activity_in:
        spent = f"select customer_id, round(sum(amount) * 365 / {active_days}, 2)::double as spent from purchases where age_days < {active_days} group by 1"
        cohort = f"select customer_id, state, nullif(spent, 0) as value_at_stake from ({cohort}) left join ({spent}) using (customer_id)"
    outcome = f"select customer_id, min(event_at) as outcome_at from ({activity_rows(activity_in, 'next_')}) group by customer_id"
    return Target(
        name,
        tuple(activity_in),
        cohort,
        outcome,
        horizon_days,
        settle_days,
        lead_days,
        alone=True,
        absence=True,
        says=saying(
            "had no activity ({tables}) within {n} days of the cutoff, among those active in the {before} days before",
            tables=", ".join(activity_in),
            n=horizon_days,
            before=active_days,
        ),
        burn_in_days=active_days,
        words=LEAVING,
        keeps=True,
        told_by="worse",
    )


KINDS = {"contract": by_contract, "event": by_event, "silence": by_silence}
