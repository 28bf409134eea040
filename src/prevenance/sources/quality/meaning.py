"""What the tables mean together: from when to when, how much, who joins, and what looks wrong in meaning."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prevenance.sources.files import sql_text
from prevenance.sources.quality import oddities, rhythm
from prevenance.sources.quality.meant import Meaning, TableMeaning
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import TABLES
from prevenance.tables.contracts import standing_sql


def meaning_of(taken: Intake, as_of: datetime, prints: Mapping[str, str], zone: str = "") -> Meaning:
    """Return what the tables mean until ``as_of`` (naive UTC), by days of ``zone``, and what looks wrong; ``prints`` are file -> digest."""

    def rows(sql: str) -> list[Any]:
        return taken.con.execute(sql.replace("UNTIL", f"event_at <= timestamp '{as_of}'")).fetchall()

    [(everybody,)] = rows("select count(distinct customer_id) from canonical.customers")
    there = f"timezone({sql_text(zone or 'UTC')}, timezone('UTC', X(event_at)))::date::varchar"
    first_and_last = ", ".join(there.replace("X", name) for name in ("min", "max"))
    tables = []
    for name in taken.counts:
        who = "count(distinct customer_id)" if TABLES[name].per_customer else "0"
        [(first, last, customers)] = rows(f"select {first_and_last}, {who} from canonical.{name} where UNTIL")
        tables.append(TableMeaning(name, first or "", last or "", customers, customers / max(1, everybody)))
    month = running = None
    if "tickets" in taken.counts:
        year = "event = 'opened' and event_at > (select max(event_at) from canonical.tickets where UNTIL) - interval 365 day"
        query = "select count(distinct ticket_id), date_diff('day', min(event_at), max(event_at)) from canonical.tickets where UNTIL"
        [(count, days)] = rows(f"{query} and {year}")
        month = round(count / max(1.0, (days or 0) / 30.4), 1)
    if "subscriptions" in taken.counts:
        query = f"select count(*) from ({standing_sql('(from canonical.subscriptions where UNTIL)')}) where runs"
        running = int(rows(query)[0][0])
    checks = (
        *(oddities.running_totals, oddities.daily_totals, oddities.shared_ids, oddities.many_names, rhythm.odd_ends, rhythm.odd_beginnings),
        *(
            oddities.many_openings,
            oddities.renamed_words,
            oddities.missing_joins,
            rhythm.single_moments,
            oddities.solved_first,
            oddities.unended_tickets,
        ),
    )
    found = [one for check in checks for one in check(taken, rows)]
    return Meaning(tuple(tables), month, running, (*found, *oddities.several_currencies(taken), *oddities.same_files(prints)))
