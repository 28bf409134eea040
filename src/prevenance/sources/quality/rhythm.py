"""Logs that begin, end or happen oddly: each kind is one question to a table, and one line with what to do next."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import exp, lgamma, log

from prevenance.sources.quality.meant import Oddity, Rows
from prevenance.sources.taken import Intake
from prevenance.words.saying import saying

GOING_ON = ("usage", "tickets", "purchases")
"""Tables that get rows all the time, where there are customers."""

FEW = 0.4
"""Share of the usual rows of a week below which the last one is no whole week."""

MOMENTS = {"customers": "true", "tickets": "event = 'opened'", "subscriptions": "event = 'started'", "purchases": "true"}


def odd_ends(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give logs that stop, thin out or end before the others."""
    lasts = {}
    for table in (one for one in GOING_ON if one in taken.counts):
        days = rows(f"select event_at::date, count(*) from canonical.{table} where UNTIL group by 1 order by 1")
        if len(days) < 20:
            continue
        gaps = sorted((after[0] - before[0]).days for before, after in pairwise(days))
        far = max(14, 10 * gaps[len(gaps) // 2])
        last = next(place for place in range(len(days) - 1, -1, -1) if place == 0 or (days[place][0] - days[place - 1][0]).days >= far)
        after = sum(count for _, count in days[last:])
        if last and after <= 3:
            what = saying(
                "{table} stop on {day}, and {n} rows after that make them look fresh", table=table, day=str(days[last - 1][0]), n=after
            )
            yield Oddity(
                "stopped", table, what, saying("export {table} again up to today, and look where the late rows come from", table=table)
            )
            continue
        end = days[-1][0]
        week, usual = _last_week(days, end)
        # days on which the company rests are quiet every year
        rests = (lambda before: before[0] < FEW * before[1])(_last_week(days, end - timedelta(days=364)))
        if (
            usual >= 10
            and week < FEW * usual
            and (usual > 100 or _chance(week, usual) < 0.001)
            and (end - days[0][0]).days > 120
            and not rests
        ):
            what = saying("{table} end ragged: {n} rows in the last 7 days, usually {usual}", table=table, n=week, usual=usual)
            yield Oddity("ragged_end", table, what, saying("export whole days only, or say as_of={day}", day=str(days[-7][0])))
        lasts[table] = (days[-1][0], far)
    newest = max((one for one, _ in lasts.values()), default=None)
    for table, (end, far) in lasts.items():
        if newest and (newest - end).days > max(28, far):
            what = saying("{table} end on {day}, {n} days before the other tables", table=table, day=str(end), n=(newest - end).days)
            yield Oddity("ended_early", table, what, saying("export {table} again up to the same day as the others", table=table))


def _last_week(days: Sequence[tuple[date, int]], end: date) -> tuple[int, int]:
    """Return the rows of the 7 days that end with ``end``, and those that are usual in the twelve weeks before."""
    weeks = [sum(count for day, count in days if 7 * week <= (end - day).days < 7 * week + 7) for week in range(13)]
    return weeks[0], sorted(weeks[1:])[6]


def _chance(rows: int, usual: int) -> float:
    """Return the chance of so few rows, or fewer, where ``usual`` are expected."""
    return sum(exp(n * log(usual) - usual - lgamma(n + 1)) for n in range(rows + 1))


def odd_beginnings(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give logs that trickle before they begin."""
    for table in (one for one in GOING_ON if one in taken.counts):
        first = f"(select min(event_at) from canonical.{table})"
        found = dict(rows(f"select date_diff('day', {first}, event_at) // 28, count(*) from canonical.{table} where UNTIL group by 1"))
        counts = [found.get(place, 0) for place in range(max(found, default=-1) + 1)]
        filled = sorted(one for one in counts if one)
        usual = filled[len(filled) // 2] if len(filled) >= 6 else 0
        thin = next((place for place, count in enumerate(counts) if count >= 0.1 * usual), 0)
        if usual >= 10 and thin and counts[thin] >= 0.5 * usual:
            # a company that begins with few customers has few rows of each of them, not fewer
            began = f"select count(distinct customer_id) from canonical.customers where event_at <= {first} + interval"
            known = [rows(f"{began} {28 * place} day")[0][0] for place in range(1, len(counts) + 1)]
            if sum(counts[:thin]) >= 0.1 * usual * sum(known[:thin]) / max(1, known[-1]) > 0:
                continue
            what = saying(
                "{table} begin ragged: {n} rows in the first {days} days, then about {usual} in 28",
                table=table,
                n=sum(counts[:thin]),
                days=28 * thin,
                usual=usual,
            )
            yield Oddity("ragged_begin", table, what, saying("leave out in {table}.sql what was before the log was whole", table=table))


def single_moments(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give tables of which half happened at once."""
    for table, where in MOMENTS.items():
        if table not in taken.counts:
            continue
        query = f"select event_at::varchar, count(*), sum(count(*)) over () from canonical.{table} where {where} and UNTIL group by 1 order by 2 desc, 1 limit 1"
        for moment, count, total in rows(query):
            if total >= 20 and count >= 0.5 * total:
                what = saying(
                    "{n} of {all} rows of {table} happened at one moment, {day}: the day of an import?",
                    n=count,
                    all=int(total),
                    table=table,
                    day=moment[:10],
                )
                yield Oddity(
                    "one_moment",
                    table,
                    what,
                    saying("take the column with the day when it happened as event_at in {table}.sql", table=table),
                )
