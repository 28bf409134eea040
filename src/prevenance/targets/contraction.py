"""Shrinking: fewer seats or less money at the end of the window, while a contract still runs."""

from prevenance.tables.contracts import standing_sql
from prevenance.targets.target import Target, TargetWords
from prevenance.words.saying import saying

AT_MOST = 0.8
"""A contraction leaves at most this part of the seats or of the money of the cutoff. It is the target's definition, so no setting."""

WORDS = TargetWords(
    title="Contracts that may shrink",
    question="Chance of shrinking in {n} days",
    stake="A fifth of the contract → expected loss",
    expected="About {number} of them are expected to reduce their contract within {n} days.",
    expected_money="About {number} of them are expected to reduce their contract within {n} days: {amount} a year, if by a fifth.",
    hits="{where}, {hits} of the {n} customers on the list reduced their contract.",
    missed="{missed} of the {n} that reduced it were not on it.",
    similar="Of {n} similar customers of the past, {outcome} reduced their contract.",
    against="What speaks for staying at this size",
    verb="reduce their contract",
    past="reduced their contract",
    absent="On {date} the customer had no running contract with seats or money, so this list did not ask about them",
)
"""Nothing here says "leave" or "left": who leaves altogether is no contraction."""

PLAYS = {
    "usage": {
        "action": "Find the people who do not use it yet and show them what it does for their work",
        "days": 7,
        "owner": "customer-success manager",
        "draft": "Hello, some of your colleagues have access and may not know yet what they can do with it. May we show them in half an hour, "
        "with examples from their own work?",
    },
    "any": {
        "action": "Go through who works with it, and fit plan and seats to that together",
        "days": 10,
        "owner": "customer-success manager",
        "draft": "Hello, I would like to look with you at who works with our product and whether plan and seats fit that. Would half an hour in "
        "the next two weeks suit you?",
    },
}


def contraction(*, horizon_days: int = 90, settle_days: int = 7, lead_days: int = 14, name: str = "contraction") -> Target:
    """Return the target: customers with a running contract, and which of them have at most 80 % of its seats or money when the window ends.

    Seats and money are sums over all that run, of the last value known of each subscription; one without a value adds nothing. Either
    is enough; one that is unknown (or nothing) at the cutoff, or unknown later, says nothing, and who has neither at the cutoff is not
    asked about. What counts is how it stands at the end of ``(cutoff, cutoff + horizon]``: a dip that was made good is none, so nothing is
    sure before, and ``outcome_at`` is from when it stayed that low. A subscription that ends beside others that run on is a contraction, and
    so is one that is paid down to nothing and goes on (a pause); who has nothing left that runs has left, which is 0 here (``churn`` asks
    about it). Whose every contract is under notice at the cutoff is ``too_late``, as for ``churn``. A change that had happened at the cutoff
    and was not known then belongs to neither side. Value at stake is a fifth of a year's money, what the least contraction in money takes: a deeper one takes more, one in
    seats alone takes none.
    """
    now = f"""
        select customer_id, sum(seats) as seats, sum(mrr) as mrr, bool_and(noticed) as noticed
        from ({standing_sql()}) where runs group by customer_id"""
    cohort = f"""
        select customer_id, case when noticed then 'too_late' else 'at_risk' end as state,
            nullif(round(mrr * 12 * (1 - {AT_MOST}), 2), 0)::double as value_at_stake
        from ({now}) where seats > 0 or mrr > 0"""
    outcome = f"""
        with before as ({now}),
        moments as (select distinct customer_id, event_at as moment from next_subscriptions),
        rows_then as (
            select facts.*, moment from (from subscriptions union all by name from next_subscriptions) as facts
            join moments on moments.customer_id = facts.customer_id and facts.event_at <= moment),
        later as (
            select customer_id, moment, sum(seats) as seats, sum(mrr) as mrr
            from ({standing_sql("rows_then", "customer_id, moment")}) where runs group by all),
        judged as (
            select m.customer_id, m.moment, coalesce(b.seats > 0 and l.seats <= b.seats * {AT_MOST}, false)
                or coalesce(b.mrr > 0 and l.mrr <= b.mrr * {AT_MOST}, false) as low
            from moments as m join before as b using (customer_id) left join later as l using (customer_id, moment)),
        ends as (select customer_id, max(moment) filter (where not low) as kept_until from judged group by customer_id)
        select customer_id, min(moment) as outcome_at from judged join ends using (customer_id)
        where kept_until is null or moment > kept_until group by customer_id"""
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
        says=saying(
            "had at most {share:.0%} of the cutoff's seats or money {n} days later, under a contract that still ran; "
            "one who left altogether is no such case",
            share=AT_MOST,
            n=horizon_days,
        ),
        words=WORDS,
        told_by="worse",
        plays=PLAYS,
        keeps=True,
    )


KINDS = {"contraction": contraction}
