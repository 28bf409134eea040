"""Ready sources: exports as the products write them; ten customers and five labels of each worked out by hand from the definitions."""

from __future__ import annotations

from vendor import differences, labels_at, ready, rows_of

# ---- zendesk: cutoff 2024-07-01 00:00 in Paris; windows (cutoff - 28 days, cutoff] begin 06-03 00:00, of 90 days 04-02 00:00 ----
ZENDESK = {
    # 06-28 09:00, taken 09:30, answered after 60 minutes, solved 06-29 09:00 = 24 h; Zendesk closed it on 07-03, which moves nothing
    "Alder": dict(tickets_7d=1, tickets_28d=1, tickets_90d=1, first_reply_hours_90d=1, solution_hours_90d=24, tickets_open=0, reopened_share_90d=0),
    # 06-10 08:00, solved first after 600 minutes, came back, solved last on 06-12 08:00: 48 h from its opening; a suspended ticket is none
    "Birch": dict(tickets_28d=1, tickets_reopened_28d=1, reopened_share_90d=1, solution_hours_90d=48, first_reply_hours_90d=2, tickets_open=0),
    # two requests on 06-20: at 10:00, merged away at 12:00 (2 h); at 09:00, urgent, nobody's since: 10 days 15 h = 10.625 old
    "Cedar": dict(
        tickets_28d=2, urgent_tickets_28d=1, tickets_open=1, oldest_open_ticket_days=10.625, tickets_unassigned_over_24h=1,
        solution_hours_90d=2, tickets_taken_after_24h_90d=1,
    ),
    # a deleted ticket is none; the other is of 03-01 10:00: 121 days and 14 h to 07-01 00:00, less the hour of 31 March; rated bad
    "Dogwood": dict(tickets_28d=0, tickets_90d=0, days_since_ticket=121 + 13 / 24, ticket_score_last=0, solution_hours_90d=None, first_90d_tickets=1),
    # 05-01 09:00 solved after a day, came back, was touched last on 06-15 09:00 and is open: 60 days 15 h old
    "Elm": dict(
        tickets_28d=0, tickets_90d=1, tickets_open=1, tickets_open_again=1, oldest_open_ticket_days=60.625, days_since_reopened=15.625,
        solution_hours_90d=None, tickets_reopened_28d=1,
    ),
    # 06-01 08:00, first group 09:00, second 14:00: one hand-off; solved 20:00 = 12 h; opened two days before the 28 begin; rated good
    "Fir": dict(tickets_28d=0, tickets_90d=1, handoffs_per_ticket_90d=1, solution_hours_90d=12, first_reply_hours_90d=1.5, ticket_score_90d=1),
    # 05-10 09:00 to 17:00 = 8 h, first reply after 20 minutes; a rating that was offered is none; the ticket of 07-10 is to come
    "Gum": dict(tickets_28d=0, tickets_90d=1, solution_hours_90d=8, first_reply_hours_90d=1 / 3, ticket_score_last=None),
    # on hold is open: 06-15 12:00 to 07-01 00:00 = 15.5 days
    "Hazel": dict(tickets_28d=1, tickets_open=1, oldest_open_ticket_days=15.5, tickets_open_again=0),
    # 06-30 23:59 and 07-01 00:00, which is the cutoff itself and counts
    "Iroko": dict(tickets_7d=2, tickets_90d=2, tickets_open=2, oldest_open_ticket_days=1 / 1440),
    # 05-05 12:00, closed without having been solved on 05-08 12:00 = 72 h; nobody took it before that
    "Juniper": dict(tickets_28d=0, tickets_90d=1, tickets_open=0, solution_hours_90d=72, tickets_taken_after_24h_90d=1),
}  # fmt: skip
# (07-01 00:00, 07-31 00:00]: Alder's next is at its very end, Birch's a minute later; Gum's on 07-10; Hazel's in August; Dogwood's was deleted
ZENDESK_LABELS = {"Alder": 1, "Birch": 0, "Gum": 1, "Hazel": 0, "Dogwood": 0}


def test_zendesk_by_hand():
    history = ready("zendesk", "Europe/Paris")
    assert differences(history.features("tickets", cutoffs=["2024-07-01"]), ZENDESK) == {}
    assert labels_at(history, "tickets", "2024-07-01").items() >= ZENDESK_LABELS.items()
    # of 20 rows two were deleted, one suspended, and one is of nobody's organisation
    assert "tickets: the select keeps 16 of the 20 rows of zendesk_tickets" in history.messages
    assert history.counts["quarantined"].sum() == 0
    assert rows_of(history, "tickets", "Elm") == [
        ("opened", "2024-05-01 07:00"), ("assigned", "2024-05-01 07:30"), ("replied", "2024-05-01 07:45"),
        ("resolved", "2024-05-02 07:00"), ("reopened", "2024-06-15 07:00"),
    ]  # fmt: skip
