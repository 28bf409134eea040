"""Ticket features: how many, how urgent, and how they travel (waiting, hand-offs, clarification loops, reopenings)."""

from collections.abc import Sequence

from prevenance.base.working import TeamHours, working_seconds_sql
from prevenance.features.define import Definition, Distinct, Feature, Last, Mean, State
from prevenance.features.spans import lookback_features, silence_feature, trend_features

OPENED = "event = 'opened'"
URGENT = "event = 'opened' and lower(priority) in ('urgent', 'critical', 'highest', 'blocker', 'p1', '1')"

HANDS = "'assigned', 'transferred', 'replied', 'asked', 'approval_asked', 'escalated'"
"""Events that say that somebody of the team works on a ticket: a log without any of them cannot say when it was taken up."""

TAKEN = f"({HANDS}, 'resolved', 'closed')"
"""Events that say that somebody of the team has taken a ticket up."""

_PATHS = f"""
ordered as (
  select customer_id, ticket_id, event, event_at, known_at, "group", cutoff,
    lead(event_at) over (partition by customer_id, ticket_id order by event_at, known_at, event) as next_at
  from {{rows}}
),
spans as (
  select customer_id, ticket_id, cutoff,
    coalesce(min(event_at) filter (where event = 'opened'), min(event_at)) as opened_at,
    min(event_at) filter (where event in {TAKEN}) as taken_at,
    min(event_at) filter (where event = 'replied') as replied_at,
    max(event_at) filter (where event in ('resolved', 'closed')) as done_at,
    max(event_at) filter (where event = 'resolved') as resolved_at,
    list(event_at) filter (where event = 'closed') as closes,
    max(event_at) filter (where event in ('opened', 'reopened')) as asked_at,
    count(*) filter (where event = 'reopened') as reopenings,
    count(*) filter (where event = 'escalated') as escalations,
    count(*) filter (where event in ('assigned', 'transferred')) as handed,
    count(*) filter (where event in ('waiting', 'asked')) as loops
  from ordered group by customer_id, ticket_id, cutoff
),
lives as (
  select *, done_at is null or coalesce(asked_at > done_at, false) as is_open,
    case when done_at is null or asked_at > done_at then cutoff
      when resolved_at >= coalesce(asked_at, resolved_at) then resolved_at
      else list_min(list_filter(closes, lambda one: one >= coalesce(asked_at, one))) end as until_at
  from spans
)
"""
PATHS = _PATHS.format(rows="tickets")
RECENT = (
    """
moved as (select customer_id, ticket_id from tickets where event_at > cutoff - interval '90' day),
"""
    + _PATHS.format(rows="(from tickets semi join moved using (customer_id, ticket_id))")
    + """,
recent as (select * from lives where opened_at > cutoff - interval '90' day)
"""
)
"""``ordered`` are events with the next one of the ticket; ``lives`` is one row a ticket: when it was opened, first taken by
somebody, first replied to, solved last (open again when asked later than solved), and how often it came back or moved. A close after a
solution or another close moves nothing: help desks close solved tickets by themselves, days later, and file closed ones away. ``RECENT`` has
the tickets opened in the last 90 days as ``recent``, and looks at those alone of which anything happened in them: one that was opened then is among these."""

HOUR = "3600000000.0"
"""Microseconds in an hour."""

OPEN = State(
    "tickets_open",
    ("tickets",),
    f"""
with {PATHS}
select customer_id,
  count(*) filter (where is_open) as tickets_open,
  (epoch_us(cutoff) - epoch_us(min(opened_at) filter (where is_open))) / 86400000000.0 as oldest_open_ticket_days,
  count(*) filter (where is_open and taken_at is null and opened_at <= cutoff - interval '24' hour) as tickets_unassigned_over_24h,
  count(*) filter (where is_open and escalations > 0) as tickets_open_escalated,
  count(*) filter (where is_open and reopenings > 0) as tickets_open_again
from lives group by customer_id, cutoff
""",
    {
        "tickets_open": "Open tickets: {value:.0f}",
        "oldest_open_ticket_days": "Oldest open ticket: {value:.0f} {value:day|days}",
        "tickets_unassigned_over_24h": "Open tickets unassigned for more than 24 hours: {value:.0f}",
        "tickets_open_escalated": "Open tickets that were escalated: {value:.0f}",
        "tickets_open_again": "Open tickets that were solved before: {value:.0f}",
    },
    alone=True,
    worse=dict.fromkeys(
        ("tickets_open", "oldest_open_ticket_days", "tickets_unassigned_over_24h", "tickets_open_escalated", "tickets_open_again"), "more"
    ),
    needs={"tickets_unassigned_over_24h": f"event in ({HANDS})"},
)

PATH = State(
    "ticket_path",
    ("tickets",),
    f"""
with {RECENT},
pauses as (
  select o.customer_id, sum(greatest(0, epoch_us(least(coalesce(o.next_at, r.until_at), r.until_at)) - epoch_us(o.event_at))) as waited
  from ordered as o join recent as r on r.customer_id = o.customer_id and r.ticket_id = o.ticket_id
  where o.event in ('waiting', 'asked', 'approval_asked') group by o.customer_id
),
paths as (
  select customer_id, count(*) as tickets,
    sum(greatest(0, handed - 1)) as handoffs, sum(loops) as loops,
    count(*) filter (where reopenings > 0) as again,
    sum(greatest(0, epoch_us(until_at) - epoch_us(opened_at))) as lead,
    sum(greatest(0, epoch_us(replied_at) - epoch_us(opened_at))) filter (where replied_at is not null) as reply,
    count(replied_at) as replied,
    sum(greatest(0, epoch_us(until_at) - epoch_us(opened_at))) filter (where not is_open) as solve,
    count(*) filter (where not is_open) as solved,
    count(*) filter (where coalesce(taken_at, cutoff) > opened_at + interval '24' hour) as late
  from recent group by customer_id
)
select p.customer_id,
  cast(p.handoffs as double) / p.tickets as handoffs_per_ticket_90d,
  cast(p.loops as double) / p.tickets as clarifications_per_ticket_90d,
  cast(coalesce(w.waited, 0) as double) / nullif(cast(p.lead as double), 0) as waiting_share_90d,
  cast(p.reply as double) / nullif(p.replied, 0) / {HOUR} as first_reply_hours_90d,
  cast(p.solve as double) / nullif(p.solved, 0) / {HOUR} as solution_hours_90d,
  p.late as tickets_taken_after_24h_90d,
  cast(p.again as double) / p.tickets as reopened_share_90d
from paths as p left join pauses as w on w.customer_id = p.customer_id
""",
    {
        "handoffs_per_ticket_90d": "Hand-offs per ticket in 90 days: {value:.1f}",
        "clarifications_per_ticket_90d": "Questions back to the customer per ticket in 90 days: {value:.1f}",
        "waiting_share_90d": "Tickets of 90 days waited {value:.0%} of their time",
        "first_reply_hours_90d": "First reply after {value:.0f} {value:hour|hours} on average in 90 days",
        "solution_hours_90d": "Tickets of 90 days were solved after {value:.0f} {value:hour|hours} on average",
        "tickets_taken_after_24h_90d": "Tickets unassigned for more than 24 hours in 90 days: {value:.0f}",
        "reopened_share_90d": "Tickets of 90 days that were reopened: {value:.0%}",
    },
    alone=True,
    worse=dict.fromkeys(
        (
            *("handoffs_per_ticket_90d", "clarifications_per_ticket_90d", "waiting_share_90d", "first_reply_hours_90d"),
            *("solution_hours_90d", "tickets_taken_after_24h_90d", "reopened_share_90d"),
        ),
        "more",
    ),
    needs={"tickets_taken_after_24h_90d": f"event in ({HANDS})"},
)

FIRST_REPLIES = """(
  select r.customer_id, r.opened_at as since_at, greatest(r.opened_at, r.replied_at) as until_at, coalesce(h.calendar, 0) as calendar
  from recent as r
  join (
    select customer_id, ticket_id, arg_min("group", (event_at, known_at, event, "group")) filter (where "group" is not null) as team
    from ordered group by customer_id, ticket_id
  ) as t on t.customer_id = r.customer_id and t.ticket_id = r.ticket_id
  left join team_hours as h on h.team = t.team
  where r.replied_at is not null
)"""
"""From opened to the first reply, by the hours of the ticket's first team."""

SPELLS = """(
  select o.customer_id, greatest(o.event_at, r.opened_at) as since_at, least(coalesce(o.next_at, r.until_at), r.until_at) as until_at,
    coalesce(h.calendar, 0) as calendar
  from ordered as o join recent as r on r.customer_id = o.customer_id and r.ticket_id = o.ticket_id
  left join team_hours as h on h.team = o."group"
  where not r.is_open and o.event_at < r.until_at and coalesce(o.next_at, r.until_at) > r.opened_at
)"""
"""From opened to solved, from row to row, each by the hours of the team that has it then."""

WORKING = State(
    "ticket_working_hours",
    ("tickets",),
    f"""
with {RECENT},
replies as (
  select customer_id, sum(working_seconds) as reply from {working_seconds_sql(FIRST_REPLIES, "since_at", "until_at", calendar="calendar")}
  group by customer_id
),
solutions as (
  select customer_id, sum(working_seconds) as solve from {working_seconds_sql(SPELLS, "since_at", "until_at", calendar="calendar")}
  group by customer_id
),
counts as (
  select customer_id, count(replied_at) as replied, count(*) filter (where not is_open) as solved from recent group by customer_id
)
select c.customer_id,
  cast(r.reply as double) / nullif(c.replied, 0) / 3600 as first_reply_working_hours_90d,
  case when c.solved > 0 then cast(coalesce(s.solve, 0) as double) / c.solved / 3600 end as solution_working_hours_90d
from counts as c left join replies as r on r.customer_id = c.customer_id left join solutions as s on s.customer_id = c.customer_id
""",
    {
        "first_reply_working_hours_90d": "First reply after {value:.0f} working {value:hour|hours} on average in 90 days",
        "solution_working_hours_90d": "Tickets of 90 days were solved after {value:.0f} working {value:hour|hours} on average",
    },
    alone=True,
    worse=dict.fromkeys(("first_reply_working_hours_90d", "solution_working_hours_90d"), "more"),
    hours=TeamHours(),
)

FIRST = State(
    "first_tickets",
    ("customers", "tickets"),
    """
with starts as (
  select customer_id, min(event_at) as started_at from customers group by customer_id having max(age_days) >= 90
)
select s.customer_id, count(t.ticket_id) as first_90d_tickets
from starts as s left join tickets as t
  on t.customer_id = s.customer_id and t.event = 'opened'
  and t.event_at >= s.started_at and t.event_at < s.started_at + interval '90' day
group by s.customer_id
""",
    {"first_90d_tickets": "Tickets in the first 90 days: {value:.0f}"},
    background=("first_90d_tickets",),
    alone=True,
    worse={"first_90d_tickets": "more"},
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of tickets: opened ones over each lookback (days; 7, 28 and 90 always), kinds, trends, silences and paths."""
    long = max(*lookbacks, 90)
    return (
        *lookback_features("tickets", "tickets", "Tickets", sorted({*lookbacks, 7, 28, 90}), OPENED, worse="more"),
        *lookback_features("tickets", "urgent_tickets", "Urgent tickets", (28, 90), URGENT, worse="more"),
        *lookback_features("tickets", "tickets_reopened", "Tickets reopened", sorted({28, 90, long}), "event = 'reopened'", worse="more"),
        *lookback_features("tickets", "tickets_escalated", "Tickets escalated", (28, 90), "event = 'escalated'", worse="more"),
        *trend_features("tickets", "Tickets", (7, 28, 90)),
        *trend_features("urgent_tickets", "Urgent tickets", (28,)),
        *lookback_features(
            "tickets", "ticket_categories", "Different ticket categories", (90,), OPENED, Distinct("category"), worse="more"
        ),
        *lookback_features(
            "tickets", "ticket_score", "Average ticket rating", (90,), "event = 'rated'", Mean("score"), ".1f", worse="less"
        ),
        Feature("ticket_score_last", "tickets", Last("score"), "Last ticket rating: {value:.1f}", "event = 'rated'", worse="less"),
        silence_feature("tickets", "ticket", "ticket", OPENED, worse=None),
        silence_feature("tickets", "reopened", "reopened ticket", "event = 'reopened'", worse=None),
        OPEN,
        PATH,
        WORKING,
        FIRST,
    )
