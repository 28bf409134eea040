"""Tickets that their status calls closed, while no column says when: they would stay open for ever."""

import duckdb

from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.guess.found import Guess, Part
from prevenance.sources.guess.plan import raw_rows
from prevenance.sources.guess.profile import date_sql
from prevenance.sources.guess.roles import says_closed

FEW = 0.003
"""Share of tickets without an end of which each is set apart as a row of its own; more would stop a run, so that they are asked for alone."""


def set_unended(con: duckdb.DuckDBPyConnection, part: Part, guess: Guess) -> None:
    """Set which tickets have a closing row though its time is blank (``closed``, SQL), and ask for the times that are missing or unreadable."""
    if not {"status", "resolved", "ticket"} <= part.roles.keys() or not part.file.column(part.roles["ticket"]).unique:
        return
    status, done = part.file.column(part.roles["status"]), part.file.column(part.roles["resolved"])
    if not (words := says_closed(status.values)):
        return
    said = f"{sql_name(status.name)} in ({', '.join(sql_text(one) for one in words)})"
    when = f"try_cast({date_sql(done)} as timestamptz)"
    [(lost, blank)] = raw_rows(
        con,
        f"select count(*), count(*) filter (coalesce(trim({sql_name(done.name)}), '') = '') from {part.file.view} where {said} and {when} is null",
    )
    if not lost:
        return
    if blank <= FEW * part.file.rows:
        part.closed = said
    guess.ask(
        f'{part.file.view}: {lost:,} {"ticket is" if lost == 1 else "tickets are"} {" or ".join(words[:3])}, and "{done.name}" does not say when: they stay open.',
        f'Fill "{done.name}" in the export, or leave them out in tickets.sql: where not coalesce({said} and {sql_name(done.name)} is null, false).',
    )
