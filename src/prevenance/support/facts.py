"""Everything that a report says of the tickets at a cutoff, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from prevenance.base.days import local_time
from prevenance.history.history import History
from prevenance.sources.files import sql_text
from prevenance.support import groups, kpis, maps
from prevenance.support.candidates import candidate_rows
from prevenance.support.cut import log_cut
from prevenance.support.finding import Behind, Losses, Promise
from prevenance.support.findings import make_findings
from prevenance.support.journey import journey_rows
from prevenance.support.kpis import Window
from prevenance.support.log import log_counts, make_steps
from prevenance.support.lost import QUARTER
from prevenance.support.parts import PARTS, QUEUES, make_parts, make_tickets
from prevenance.support.records import Asked, Counts, Cut
from prevenance.support.teams import OTHERS, shown_teams
from prevenance.support.trouble import known_trouble
from prevenance.support.whatif import measured_since, promises_of

SHOWN_VARIANTS, SHOWN_TICKETS, SHOWN_DAYS = 12, 150, 90

GROUPED = ("category", "team", "priority")

QUEUED = """
select count(*), count(*) filter (where not coalesce(taken_up, false)), coalesce(sum(seconds) filter (where not coalesce(taken_up, false)), 0)::bigint
from spans where part in ({queues}) and seconds > 0
"""
"""How many waits in a queue there were, how many of them ended with something else than a row that says that somebody took the ticket, and
the seconds of these: work may be in them."""

OVERALL = """
select count(*), avg(resolve_seconds), median(resolve_seconds), avg(working_resolve_seconds), median(working_resolve_seconds),
  median(first_resolve_seconds), median(closing_seconds) filter (where closed >= resolved), avg(csat), count(csat), avg((reopenings > 0)::integer)
from dated
"""
"""The resolved tickets at a glance: how many, their time to resolve by both clocks, the time until they were closed, rating, reopenings."""

DOTS = """
with shown as (
  select number, row_number() over (order by began, ticket_id) - 1 as nth, count(*) over () as tickets from paths where began >= {since}),
picked as (
  select number, nth * least({most}, tickets) // tickets as row from shown
  where nth = 0 or nth * least({most}, tickets) // tickets > (nth - 1) * least({most}, tickets) // tickets)
select row::integer as row, (second - {since}) / {span}::double as share, list_position({parts}, part) - 1 as number
from picked join steps using (number) join kinds using (kind) where second >= {since} order by row, place
"""
"""A dot a row of up to ``most`` tickets, evenly chosen among those that came in the days shown, and no word of which tickets they are."""

PATH_COLUMNS = """
select d.customer_id, d.ticket_id, make_timestamp(1000000 * d.began) as first_row_at, make_timestamp(1000000 * d.first_resolved) as first_resolved_at,
  make_timestamp(1000000 * d.resolved) as resolved_at, make_timestamp(1000000 * d.closed) as closed_at,
  {team} as team, d.category, d.priority, d.resolve_seconds, d.working_resolve_seconds, d.first_resolve_seconds, d.first_reply_seconds,
  d.working_first_reply_seconds, d.closing_seconds, {parts}, d.steps, d.touches, d.replies, d.handoffs, d.reopenings, d.csat, v.variant
from tickets as d left join team_names as t on t.team = d.team
left join variants as v on v.way = d.way and v.steps = d.steps
order by d.ticket_id
"""
"""One row a ticket, those without a time to resolve among them (with nulls); teams as they may be shown."""


@dataclass(frozen=True)
class Facts:
    """What a report says. Frames as their functions return them; ``queued`` is how many waits in a queue there
    were, how many of them without an end that the log tells, and the seconds of these."""

    asked: Asked
    counts: Counts
    cut: Cut | None
    overall: dict[str, float]
    parts: pd.DataFrame
    queued: tuple[int, int, int]
    windows: tuple[Window, Window | None]
    same_season: bool
    kpis: pd.DataFrame
    changes: dict[str, tuple[float, float, float]]
    missing: dict[str, str]
    nodes: pd.DataFrame
    edges: pd.DataFrame
    variants: pd.DataFrame
    variants_in_all: int
    variants_for_most: int
    waits: pd.DataFrame
    groups: dict[str, pd.DataFrame]
    dots: pd.DataFrame
    dots_from: str
    paths: pd.DataFrame
    losses: Losses


def support_facts(history: History, asked: Asked, behind: Behind | None = None, earlier: Sequence[Promise] = ()) -> Facts:
    """Return what a report says of the tickets visible at the cutoff; see the fields. Tables of its own come and go in the history's engine.

    ``behind`` is what is known of customers besides, and ``earlier`` what reports before this cutoff promised.
    """
    words = make_steps(history, asked)
    make_parts(history, asked)
    make_tickets(history, asked)
    kpis.make_dated(history, asked)
    groups.show_teams(history, shown_teams(groups.team_of_tickets(history), asked.team_sizes))
    counts, cut = log_counts(history, words), log_cut(history, asked)
    now, before, same_season = kpis.kpi_windows(asked, counts, cut)
    missing = kpis.missing_rows(history, asked, counts)
    table = kpis.kpi_table(history, asked, [one for one in (now, before) if one], cut, missing)
    variants, in_all, for_most = maps.variants(history, SHOWN_VARIANTS)
    dots, since = _dots(history, asked)
    return Facts(
        asked, counts, cut, _overall(history), groups.mean_parts(history), _queued(history), (now, before), same_season, table,
        kpis.kpi_changes(table) if before else {}, missing, maps.nodes(history), maps.edges(history), variants, in_all, for_most,
        maps.bottlenecks(history, asked.least_tickets), _groups(history, asked), dots, since, _paths(history),
        _losses(history, asked, behind or Behind(), earlier, past=_told_quarters(asked, counts, cut)),
    )  # fmt: skip


def _told_quarters(asked: Asked, counts: Counts, cut: Cut | None) -> bool:
    """Return whether the log tells the newest two quarters whole, and four weeks before, so that what took long then is there, too."""
    since = asked.cutoff - timedelta(days=2 * QUARTER)
    whole = counts.first is not None and counts.first <= since - timedelta(days=28) and (cut is None or cut.last <= since)
    return whole and asked.findings_days >= 2 * QUARTER


def _losses(history: History, asked: Asked, behind: Behind, earlier: Sequence[Promise], *, past: bool) -> Losses:
    found = make_findings(history, asked, behind, past=past)
    promises = promises_of(history, found.found, asked.keep, asked.cutoff, found.days)
    return Losses(
        found, promises, tuple(measured_since(history, earlier, asked.cutoff, asked.findings_days)), known_trouble(history, asked.cutoff),
        candidate_rows(history, asked.least_tickets), journey_rows(history, asked.cutoff),
    )  # fmt: skip


def _overall(history: History) -> dict[str, float]:
    names = (
        *("tickets", "mean", "median", "working_mean", "working_median", "first_median"),
        *("closing_median", "csat", "rated", "reopened"),
    )
    found = history.con.execute(OVERALL).fetchall()[0]
    return {name: float("nan") if value is None else float(value) for name, value in zip(names, found, strict=True)}


def _queued(history: History) -> tuple[int, int, int]:
    waits, without_end, seconds = history.con.execute(QUEUED.format(queues=", ".join(map(sql_text, QUEUES)))).fetchall()[0]
    return waits, without_end, seconds


def _groups(history: History, asked: Asked) -> dict[str, pd.DataFrame]:
    found = {name: groups.grouped_parts(history, name, asked.least_tickets) for name in GROUPED}
    # other teams alone say nothing that all tickets do not say
    return {name: frame for name, frame in found.items() if len(frame) and set(frame["name"]) != {OTHERS}}


def _dots(history: History, asked: Asked) -> tuple[pd.DataFrame, str]:
    since = int((asked.cutoff - timedelta(days=SHOWN_DAYS) - datetime(1970, 1, 1)).total_seconds())
    sql = DOTS.format(since=since, span=SHOWN_DAYS * 86_400, most=SHOWN_TICKETS, parts=list(PARTS))
    return history.con.execute(sql).df(), f"{local_time(asked.cutoff - timedelta(days=SHOWN_DAYS), asked.zone):%Y-%m-%d}"


def _paths(history: History) -> pd.DataFrame:
    parts = ", ".join(f"d.{part}_seconds, d.{part}_working_seconds" for part in PARTS)
    # "" stands for the other teams, as it does for nobody on a page
    team = f"case when t.shown = {sql_text(OTHERS)} then 'other teams' else t.shown end"
    return history.con.execute(PATH_COLUMNS.format(team=team, parts=parts)).df()
