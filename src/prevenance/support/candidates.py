"""Categories whose tickets a form or a page could answer: short uniform paths with one reply, and long waits for a short answer."""

from __future__ import annotations

import pandas as pd

from prevenance.history.history import History

SHORT_HOURS, LEAST_SHARE = 4, 0.2
"""Working hours after the first hand that are short, and the share of a category from which on it is told."""

CANDIDATES = """
select category, count(*) as tickets,
  count(*) filter (where {plain} and touches <= 4 and solutions = 1) as uniform,
  count(*) filter (where {plain} and after < {short} and first_queue_working_seconds > 2 * after) as answered,
  median(first_queue_working_seconds) filter (where {plain} and after < {short} and first_queue_working_seconds > 2 * after) / 3600 as waited_hours
from (select *, working_resolve_seconds - first_queue_working_seconds - thought_solved_working_seconds as after from judged)
where category is not null group by 1 having count(*) >= {least} order by category
"""
"""One row a category: tickets on a short path with one reply, never handed on, asked back or reopened (a rule could answer them); and those
that waited longer than twice the short time in which they were answered (a page could have)."""

PLAIN = "replies <= 1 and handoffs = 0 and asks = 0 and reopenings = 0 and approval_seconds = 0"


def candidate_rows(history: History, least: int) -> pd.DataFrame:
    """Return the categories that come into question, most tickets first: category, tickets, uniform, answered, waited_hours.

    A log without replies cannot say which tickets needed one alone, and gives none.
    """
    replied = history.con.execute("select exists (from kinds where event = 'replied')").fetchall()[0][0]
    least = least if replied else 1 << 60
    frame = history.con.execute(CANDIDATES.format(plain=PLAIN, short=SHORT_HOURS * 3600, least=least)).df()
    some = frame[["uniform", "answered"]].max(axis=1) >= LEAST_SHARE * frame["tickets"]
    return frame[some].sort_values(["uniform", "category"], ascending=[False, True], ignore_index=True)
