"""The KPIs of support: what each is, by week and month, and the newest period beside a baseline, with targets and 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.days import local_time
from prevenance.history.history import History
from prevenance.sources.files import sql_text
from prevenance.support.intervals import difference_interval, mean_interval, median_interval
from prevenance.support.records import Asked, Counts, Cut


@dataclass(frozen=True)
class Kpi:
    """A KPI: ``value`` is SQL over the table ``tickets`` (null: not known of this ticket), ``how`` is mean, median or share.

    ``unit`` is hours (of seconds), share, touches or score; ``better`` is more or less. ``needs`` are kinds of row of which the log must
    have one; ``working``: by the working clock.
    """

    name: str
    value: str
    how: str
    unit: str
    better: str = "less"
    needs: tuple[str, ...] = ("resolved",)
    working: bool = False


_FIRST_CONTACT = "(solutions = 1 and reopenings = 0 and handoffs = 0 and asks = 0 and replies <= 1)::integer"

KPIS: tuple[Kpi, ...] = (
    Kpi("resolve_median", "resolve_seconds", "median", "hours"),
    Kpi("resolve_mean", "resolve_seconds", "mean", "hours"),
    Kpi("resolve_median_working", "working_resolve_seconds", "median", "hours", working=True),
    Kpi("resolve_mean_working", "working_resolve_seconds", "mean", "hours", working=True),
    Kpi("first_resolve_median", "first_resolve_seconds", "median", "hours"),
    Kpi("first_reply_median", "first_reply_seconds", "median", "hours", needs=("replied",)),
    Kpi("first_reply_median_working", "working_first_reply_seconds", "median", "hours", needs=("replied",), working=True),
    Kpi("first_contact", _FIRST_CONTACT, "share", "share", "more", needs=("replied",)),
    Kpi("reopened", "(reopenings > 0)::integer", "share", "share", needs=("reopened",)),
    Kpi("touches", "touches", "mean", "touches"),
    Kpi("several_hands", "(hands > 1)::integer", "share", "share", needs=("hand",)),
    Kpi("last_level", "last_level::integer", "share", "share", needs=("level",)),
    Kpi("csat", "csat", "mean", "score", "more", needs=("rated",)),
)
"""The KPIs, in the order in which a page shows them. A ticket counts in the period in which it was resolved for the last time."""

DATED = """
create or replace temp table dated as
select *,
  timezone({zone}, timezone('UTC', make_timestamp(1000000 * resolved)))::date as day
from tickets where whole
"""
"""The tickets that were resolved, with the local day on which they were."""

SUMS = """
select {period} as period, customer_id, count(*) as tickets, {sums} from dated group by all order by all
"""
"""For each period and customer the sum and the count of every KPI."""

MEDIANS = """
select {period} as period, {medians} from dated group by all order by all
"""
"""For each period the middle of every KPI that is told by its middle."""

COLUMNS = (
    *("kpi", "clock", "unit", "period", "first_day", "last_day", "tickets", "value", "low", "high"),
    *("target", "met", "note"),
)
UNKNOWN = (np.nan, np.nan, np.nan)
CUT, PARTIAL = "withheld: the log is cut off here", "the period is not over"


@dataclass(frozen=True)
class Window:
    """A period by its local days, the first and the last."""

    name: str
    first: date
    last: date


def kpi_windows(asked: Asked, counts: Counts, cut: Cut | None) -> tuple[Window, Window | None, bool]:
    """Return the newest period, its baseline (``None`` where the log has none), and whether both are of the same season.

    The newest period ends on the day before the log is cut off, else on that of the cutoff. The baseline is the one that is asked for, else the same
    days 52 weeks before, else, in a log too short for that, the period before.
    """
    last = local_time(cut.first - timedelta(days=1) if cut else asked.cutoff, asked.zone).date()
    now = Window("now", last - timedelta(days=asked.now_days - 1), last)
    if asked.baseline:
        first, final = map(date.fromisoformat, asked.baseline)
        return now, Window("baseline", first, final), _same_season(now, first, final)
    for days in (364, asked.now_days):
        before = Window("baseline", now.first - timedelta(days=days), now.last - timedelta(days=days))
        if counts.first is not None and local_time(counts.first, asked.zone).date() <= before.first:
            return now, before, days == 364
    return now, None, False


def _same_season(now: Window, first: date, last: date) -> bool:
    """Return whether two periods of about one length lie at the same time of their years."""
    apart = abs(((now.first - first) + (now.last - last)).days) / 2 % 365.25
    alike = abs((now.last - now.first).days - (last - first).days) <= 14
    return alike and min(apart, 365.25 - apart) <= 21


def missing_rows(history: History, asked: Asked, counts: Counts) -> dict[str, str]:
    """Return KPI -> which kind of row the log lacks for it (``hand``, ``level`` too); what can be told is not in it."""
    held = {event for event, rows in counts.events.items() if rows}
    levels = history.con.execute("select count(*) from kinds where team in (select unnest(?))", [list(asked.levels)]).fetchall()[0][0]
    held |= {"level"} if levels else set()
    held |= {"hand"} if history.con.execute("select count(hand) from steps").fetchall()[0][0] else set()
    return {one.name: next(need for need in one.needs if need not in held) for one in KPIS if not held.issuperset(one.needs)}


def make_dated(history: History, asked: Asked) -> None:
    """Make the table ``dated`` of the table ``tickets``."""
    history.con.execute(DATED.format(zone=sql_text(asked.zone or "UTC")))


def kpi_table(history: History, asked: Asked, windows: Sequence[Window], cut: Cut | None, missing: dict[str, str]) -> pd.DataFrame:
    """Return the KPIs (``COLUMNS``): of each window, of each month, of each week, the oldest first.

    ``low`` and ``high`` are a 95 % interval, null where it has too few customers, and for the median of a week or month.
    """
    found = [row for window in windows for row in _window_rows(history, asked, window, missing)]
    for name in ("month", "week"):
        found += _period_rows(history, asked, name, cut, missing)
    return pd.DataFrame(found, columns=list(COLUMNS)).astype({"tickets": "int64"})


def _window_rows(history: History, asked: Asked, window: Window, missing: dict[str, str]) -> list[dict[str, Any]]:
    inside = f"day between date '{window.first}' and date '{window.last}'"
    values = ", ".join(f"{one.value} as {one.name}" for one in KPIS)
    frame = history.con.execute(f"select customer_id, {values} from dated where {inside} order by ticket_id").df()
    customers = pd.factorize(frame["customer_id"])[0]
    days = window.first, window.last
    rows = []
    for one in KPIS:
        column = frame[one.name].astype(float).to_numpy()
        known = ~np.isnan(column)
        values_of, codes = column[known] / _scale(one), customers[known]
        if one.how == "median":
            told = median_interval(values_of, codes)
        else:
            most = int(codes.max()) + 1 if len(codes) else 0
            sums, each = np.bincount(codes, weights=values_of, minlength=most), np.bincount(codes, minlength=most)
            told = mean_interval(sums, each, share=one.how == "share")
        rows.append(_row(asked, one, window.name, days, int(known.sum()), told, missing))
    return rows


def _period_rows(history: History, asked: Asked, name: str, cut: Cut | None, missing: dict[str, str]) -> list[dict[str, Any]]:
    con, period = history.con, f"date_trunc('{name}', day)"
    sums = ", ".join(f"sum({one.value}) as {one.name}_sum, count({one.value}) as {one.name}_n" for one in KPIS)
    each = con.execute(SUMS.format(period=period, sums=sums)).df()
    medians = ", ".join(f"median({one.value}) as {one.name}" for one in KPIS if one.how == "median")
    middles = con.execute(MEDIANS.format(period=period, medians=medians)).df().set_index("period")
    columns = {name: each[name].to_numpy(dtype=float) for name in each.columns if name.endswith(("_sum", "_n"))}
    starts = np.flatnonzero(each["period"].ne(each["period"].shift()).to_numpy())
    rows, until = [], local_time(asked.cutoff, asked.zone).date()
    for begin, end in zip(starts, np.append(starts[1:], len(each))[: len(starts)], strict=True):
        first = each["period"].iloc[begin]
        last = (first + pd.offsets.MonthEnd(0) if name == "month" else first + timedelta(days=6)).date()
        withheld = cut is not None and last >= local_time(cut.first, asked.zone).date()
        note = CUT if withheld else PARTIAL if last >= until else ""
        for one in KPIS:
            n, told = columns[f"{one.name}_n"][begin:end], UNKNOWN
            if one.how == "median" and not withheld:
                told = (float(middles.loc[first, one.name]) / _scale(one), np.nan, np.nan)
            elif not withheld:
                told = mean_interval(columns[f"{one.name}_sum"][begin:end] / _scale(one), n, share=one.how == "share")
            rows.append(_row(asked, one, name, (first.date(), last), int(n.sum()), told, missing, note))
    return rows


def _row(
    asked: Asked,
    one: Kpi,
    period: str,
    days: tuple[Any, Any],
    tickets: int,
    told: tuple[float, float, float],
    missing: dict[str, str],
    note: str = "",
) -> dict[str, Any]:
    if one.name in missing:
        tickets, told = 0, UNKNOWN
        note = "cannot be told from this log: " + NOT_TOLD.get(missing[one.name], f"it has no row of the kind {missing[one.name]}")
    target = asked.targets.get(one.name)
    met = (
        "" if target is None or np.isnan(told[0]) else "yes" if (told[0] <= target if one.better == "less" else told[0] >= target) else "no"
    )
    facts = (
        one.name,
        "working" if one.working else "calendar",
        one.unit,
        period,
        str(days[0]),
        str(days[1]),
        tickets,
        *told,
        target,
        met,
        note,
    )
    return dict(zip(COLUMNS, facts, strict=True))


NOT_TOLD = {"hand": "it does not say who had a ticket", "level": "support.levels does not say which teams are which level"}


def kpi_changes(table: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """Return KPI -> how much the newest period differs from the baseline, with the interval of the difference; NaN where it cannot be told."""
    picked = {name: table[table["period"] == name].set_index("kpi")[["value", "low", "high"]].astype(float) for name in ("now", "baseline")}
    if picked["baseline"].empty:
        return {}
    return {one.name: difference_interval(*(tuple(picked[name].loc[one.name]) for name in ("now", "baseline"))) for one in KPIS}


def _scale(one: Kpi) -> float:
    return 3600.0 if one.unit == "hours" else 1.0
