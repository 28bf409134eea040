"""The laws that a company calls on what it adds: they pass what is right, and see what looks ahead, through whatever door."""

from __future__ import annotations

from dataclasses import replace

import pytest
from amount import amount, some

import prevenance as pv
from prevenance import testing

pytestmark = pytest.mark.long

SOME = amount(4, 8)
"""Companies: a database of them, or two."""
TICKETS = pv.Feature("vip_tickets_60d", table="tickets", value=pv.Count(), where="event = 'opened'", days=60, phrase="{value:.0f} tickets")
SOUND = (
    TICKETS,
    pv.Trend("vip_tickets_60d_trend", of="vip_tickets_60d", phrase="{before:.0f} → {now:.0f}"),
    pv.State(
        "quiet_path",
        ("tickets",),
        "select customer_id, min(age_days) as quiet_days from tickets group by 1",
        {"quiet_days": "Quiet for {value:.0f} days"},
        days=90,
    ),
)
PEEKS = {
    "canonical table of its own": "select customer_id, count(*) as peeked from canonical.tickets group by 1",
    "the second clock forgotten": "select t.customer_id, count(*) as peeked from canonical.tickets t, snapshots s "
    "where t.customer_id = s.customer_id and t.event_at <= s.cutoff group by 1",
    "a day too far": "select t.customer_id, count(*) as peeked from canonical.tickets t, snapshots s "
    "where t.customer_id = s.customer_id and t.known_at <= s.cutoff + interval 1 day and t.event_at <= s.cutoff + interval 1 day group by 1",
    "how many rows there will be": "select customer_id, (select count(*) from canonical.usage) as peeked from snapshots",
}


def test_what_is_right_passes():
    testing.check_features(SOUND, companies=SOME)


@pytest.mark.parametrize("way", sorted(PEEKS))
def test_a_state_that_reads_beyond_the_cutoff_through_its_own_sql_is_caught(way):
    with pytest.raises(AssertionError, match=r"not known at the cutoff.*peeked was .* \(customer .* at 2025-"):
        testing.check_features([pv.State("peek", ("tickets",), PEEKS[way], {"peeked": "{value}"})], companies=20)


def test_a_window_that_is_longer_than_it_says_is_caught():
    sql = "select t.customer_id, count(*) as counted from canonical.tickets t, snapshots s where t.customer_id = s.customer_id "
    sql += "and t.known_at <= s.cutoff and t.event_at <= s.cutoff group by 1"
    with pytest.raises(AssertionError, match=r"at or before the beginning of its 28 days"):
        testing.check_features([pv.State("long", ("tickets",), sql, {"counted": "{value}"}, days=28)], companies=8)


def test_a_feature_that_never_says_anything_proves_nothing():
    never = pv.Feature("never_28d", table="tickets", value=pv.Count(), where="category = 'no such'", days=28, phrase="{value}")
    with pytest.raises(AssertionError, match=r"never_28d: .*prove nothing; pass worlds="):
        testing.check_features([never], companies=4)


def target(**changes):
    given = {
        "name": "own",
        "tables": ("tickets",),
        "cohort": "select distinct customer_id, 'at_risk' as state, null::double as value_at_stake from tickets",
        "outcome": "select customer_id, event_at as outcome_at from next_tickets where event = 'opened'",
        "horizon_days": 14,
        "settle_days": 3,
    }
    return pv.Target(**(given | changes))


def test_a_target_that_is_right_passes():
    testing.check_target(target(), companies=SOME)


@pytest.mark.parametrize(
    ("changes", "law"),
    some(
        [
            (
                {"cohort": "select distinct customer_id, 'at_risk' as state, 1.0 as value_at_stake from canonical.tickets"},
                "changes the cohort",
            ),
            ({"outcome": "select customer_id, event_at as outcome_at from canonical.tickets where event = 'opened'"}, "outside of"),
            ({"outcome": "select customer_id, event_at as outcome_at from tickets"}, "outside of"),
            ({"outcome": "select customer_id, event_at as outcome_at from next_tickets where category = 'no such'"}, "prove nothing"),
        ],
        0,
        1,
    ),
)
def test_a_target_that_looks_elsewhere_is_caught(changes, law):
    with pytest.raises(AssertionError, match=law):
        testing.check_target(target(**changes), companies=20)


def test_a_closed_label_that_still_moves_is_caught():
    late = "select n.customer_id, n.event_at as outcome_at from canonical.tickets n where n.event = 'opened' "
    late += (
        "and n.event_at > (select max(cutoff) from next_tickets) and n.event_at <= (select max(cutoff) from next_tickets) + interval 14 day"
    )
    with pytest.raises(AssertionError, match="a closed label changes"):
        testing.check_target(target(outcome=late), companies=20)


BUSIEST = "select customer_id, count(*) as n from tickets group by customer_id having count(*) >= (select count(*) / 12 from tickets)"


def test_sql_that_compares_customers_and_says_alone_is_caught():
    state = pv.State("busy", ("tickets",), f"select customer_id, n as busy from ({BUSIEST})", {"busy": "{value}"})
    testing.check_features([state], companies=SOME)
    with pytest.raises(AssertionError, match="one cutoff says something else than many"):
        testing.check_features([replace(state, alone=True)], companies=SOME)
    busiest = target(cohort=f"select customer_id, 'at_risk' as state, n::double as value_at_stake from ({BUSIEST})")
    testing.check_target(busiest, companies=SOME)
    with pytest.raises(AssertionError, match="one cutoff says something else than many"):
        testing.check_target(replace(busiest, alone=True), companies=SOME)
