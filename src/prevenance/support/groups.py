"""Where the days go by category, team and priority, with the rating and the reopenings beside each time."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from prevenance.history.history import History
from prevenance.support.parts import PARTS

GROUPS = """
select {name} as name, count(*) as tickets, avg(resolve_seconds) as seconds, median(resolve_seconds) as median_seconds,
  avg(working_resolve_seconds) as working_seconds, avg(csat) as csat, count(csat) as rated, avg((reopenings > 0)::integer) as reopened, {parts}
from dated where {name} is not null group by 1 having count(*) >= {least} order by tickets desc, name limit {most}
"""
"""One row a group of resolved tickets, the largest first: the mean of each part, the mean and the middle of the time, rating and reopenings."""

TEAMS = """
create or replace temp table dated as
select d.* exclude (team), t.shown as team from dated as d left join team_names as t on t.team = d.team
"""
"""The resolved tickets with the team that may be shown: itself, "" for the other teams, null where even these are too few people."""

MOST = 8
"""Groups that are shown."""


def show_teams(history: History, shown: Mapping[str, str | None]) -> None:
    """Replace the teams of the table ``dated`` by what may be shown of them."""
    con = history.con
    con.register(
        "given", pd.DataFrame({"team": pd.Series(list(shown), dtype="str"), "shown": pd.Series(list(shown.values()), dtype="str")})
    )
    con.execute("create or replace temp table team_names as from given")
    con.unregister("given")
    con.execute(TEAMS)


def team_of_tickets(history: History) -> list[str]:
    """Return the teams of the log, by name."""
    return [row[0] for row in history.con.execute("select distinct team from kinds where team is not null order by 1").fetchall()]


def grouped_parts(history: History, name: str, least: int) -> pd.DataFrame:
    """Return the largest groups of resolved tickets by ``name`` (category, team or priority), those of at least ``least`` tickets.

    Columns: name, tickets, seconds, median_seconds, working_seconds, csat, rated, reopened, and the mean seconds of each part under its name.
    """
    parts = ", ".join(f"avg({part}_seconds) as {part}" for part in PARTS)
    return history.con.execute(GROUPS.format(name=name, parts=parts, least=least, most=MOST)).df()


def mean_parts(history: History) -> pd.DataFrame:
    """Return one row a part, in the order of ``PARTS``: part, seconds and working_seconds (means over resolved tickets), tickets with any."""
    sums = ", ".join(
        f"coalesce(sum({part}_seconds), 0)::hugeint, coalesce(sum({part}_working_seconds), 0)::hugeint, count(*) filter (where {part}_seconds > 0)"
        for part in PARTS
    )
    n, *found = history.con.execute(f"select count(*), {sums} from dated").fetchall()[0]
    each = [(part, *(int(one) for one in found[3 * place : 3 * place + 3])) for place, part in enumerate(PARTS)]
    frame = pd.DataFrame(each, columns=["part", "seconds", "working_seconds", "tickets"])
    return frame.assign(seconds=frame["seconds"] / max(n, 1), working_seconds=frame["working_seconds"] / max(n, 1))
