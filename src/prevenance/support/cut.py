"""Whether the log is whole to its end: an export that was cut off in time has far fewer tickets there, or far more, than before."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from prevenance.history.history import History
from prevenance.support.records import Asked, Cut

BLOCKS = """
select floor(({end} - {moment}) / 604800.0)::integer as weeks_before, count(*) as tickets
from paths where {moment} is not null group by 1 order by 1
"""
"""Tickets by whole weeks back from the cutoff: opened, or resolved for the last time."""

LEAST_WEEKS, LEAST_TICKETS = 8, 5
"""Weeks that a usual week is worked out from, and tickets that it must have, for an unusual end to be seen."""
MOST_CUT = 12
"""Weeks at most that are looked at, and that lie outside what is usual."""
TIMES = 5.0
"""A week with less than a fifth, or more than five times, of the usual tickets is not whole; seasons and holidays move less."""
SURE = 1e-6
"""How rarely chance alone would leave so few."""


def log_cut(history: History, asked: Asked) -> Cut | None:
    """Return the part at the end of the log that is not whole, the longer of those of opened and of resolved tickets; ``None`` where it is."""
    from scipy.special import pdtr

    end, found = int((asked.cutoff - datetime(1970, 1, 1)).total_seconds()), list[Cut]()
    for what, moment in (("opened", "began"), ("resolved", "resolved")):
        rows = history.con.execute(BLOCKS.format(end=end, moment=moment)).fetchall()
        if not rows:
            continue
        counts = np.zeros(rows[-1][0] + 1)
        for week, tickets in rows:
            counts[week] = tickets
        counts = counts[:-1]  # the oldest week is hardly ever whole
        weeks = min(MOST_CUT, len(counts) - LEAST_WEEKS)
        if weeks < 1 or (usual := float(np.median(counts[weeks:]))) < LEAST_TICKETS:
            continue
        odd = [
            len_weeks
            for len_weeks in range(1, weeks + 1)
            if (total := float(counts[:len_weeks].sum())) > TIMES * usual * len_weeks
            or (total < usual * len_weeks / TIMES and pdtr(total, usual * len_weeks) < SURE)
        ]
        # a burst a week long lifts the sum of many weeks: each of them must be odd by itself as well
        odd = [one for one in odd if all(not usual / TIMES <= count <= TIMES * usual for count in counts[:one])]
        if odd:
            first = asked.cutoff - timedelta(weeks=max(odd))
            found.append(Cut(first, asked.cutoff, what, float(counts[: max(odd)].sum()) / (usual * max(odd))))
    return min(found, key=lambda one: one.first, default=None)
