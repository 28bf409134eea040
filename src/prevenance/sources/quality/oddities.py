"""What looks wrong in meaning: each kind is one question to the tables, and one line with what to do next."""

from collections.abc import Iterator, Mapping

from prevenance.sources.files import COLUMNS, sql_name
from prevenance.sources.people import UNKNOWN_CUSTOMER
from prevenance.sources.quality.meant import Oddity, Rows
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import TABLES
from prevenance.words.saying import saying

TOTALS = {
    "usage": ("quantity", "customer_id, kind, feature"),
    "invoices": ("amount", "customer_id, event"),
    "purchases": ("amount", "customer_id"),
}
OWNED = {"tickets": "ticket_id", "subscriptions": "subscription_id", "invoices": "invoice_id", "purchases": "order_id"}
NAMED = (
    ("tickets", "category"),
    ("tickets", "priority"),
    ("tickets", "group"),
    ("subscriptions", "plan"),
    ("usage", "feature"),
    ("purchases", "family"),
)


def running_totals(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give sums that only rise, and are read as events."""
    for table, (value, keys) in TOTALS.items():
        if table not in taken.counts:
            continue
        [(groups, rising)] = rows(f"""
            with steps as (select *, lag({value}) over (partition by {keys} order by event_at, known_at) as before from canonical.{table} where {value} is not null),
            ways as (select bool_and(coalesce({value} >= before, true)) as up from steps group by {keys} having count(*) >= 6 and count(distinct {value}) >= 4)
            select count(*), count(*) filter (up) from ways""")
        if rising >= 3 and rising >= 0.8 * groups:
            what = saying(
                "{table}.{column} never falls for {n} of {all} customers or features: it is a running total, and is added up as if each row were new",
                table=table,
                column=value,
                n=rising,
                all=groups,
            )
            yield Oddity(
                "running_total",
                table,
                what,
                saying(
                    "take the difference to the row before in {table}.sql: {column} - lag({column}) over (partition by … order by …)",
                    table=table,
                    column=value,
                ),
            )


def daily_totals(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give numbers of logins and errors a day that are read as one of them."""
    if "usage" not in taken.counts:
        return
    found = rows("""
        with counted as (select kind, customer_id, event_at, quantity,
            count(*) over (partition by kind, event_at::time) >= 0.2 * count(*) over (partition by kind) as day_only
          from canonical.usage where kind in ('login', 'error') and feature is null and quantity is not null and UNTIL)
        select kind, count(*), sum(quantity)::bigint from counted group by kind
        having count(*) >= 20 and count(*) >= 5 * count(distinct customer_id) and count(*) filter (day_only) >= 0.95 * count(*)
          and count(distinct (customer_id, event_at)) >= 0.98 * count(*) and count(*) filter (quantity > 1) >= 0.2 * count(*)
        order by kind""")
    for kind, count, total in found:
        what = saying(
            "usage: {n} rows of “{kind}” are totals of a day, one row a customer: they count as {n}, their quantities say {all}",
            n=count,
            kind=kind,
            all=total,
        )
        fix = saying(
            "make as many rows of each in usage.sql: {sql} behind its from",
            sql="cross join unnest(range(try_cast(… as bigint))) as each(n)",
        )
        yield Oddity("daily_totals", "usage", what, fix)


def shared_ids(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give ids of tickets, contracts, invoices and orders under several customers."""
    for table, key in OWNED.items():
        if table not in taken.counts:
            continue
        query = f"select count(*) from (select {key} from canonical.{table} where {key} is not null group by 1 having count(distinct customer_id) > 1)"
        if count := rows(query)[0][0]:
            what = saying("{table}.{column}: {n} {n:id stands|ids stand} under two customers or more", n=count, table=table, column=key)
            yield Oddity(
                "two_customers",
                table,
                what,
                saying(
                    "see whether customers were merged, or ids are counted anew for each: then put the customer before the id in {table}.sql",
                    table=table,
                ),
            )


def many_names(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give ids of customers that have three names or more."""
    held = f"select place from {COLUMNS} where table_name = 'customers' and column_name = 'name' and place in ('canonical', 'quarantine')"
    parts = [f"select customer_id, name from {schema}.customers" for (schema,) in rows(held)]
    if not parts:
        return
    query = f"select count(*) from (select customer_id from ({' union all '.join(parts)}) group by 1 having count(distinct lower(trim(name))) >= 3)"
    if count := rows(query)[0][0]:
        what = saying("{n} {n:id of a customer has|ids of customers have} three names or more: the id may be no customer's own", n=count)
        yield Oddity("many_names", "customers", what, saying("take the column that tells customers apart as customer_id, in every select"))


def many_openings(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give tickets that open several times."""
    if "tickets" in taken.counts:
        query = "select count(*) from (select ticket_id from canonical.tickets where event = 'opened' group by customer_id, ticket_id having count(*) > 1)"
        if count := rows(query)[0][0]:
            what = saying("{n} {n:ticket is|tickets are} opened more than once: each opening counts as a request", n=count)
            yield Oddity(
                "many_openings", "tickets", what, saying("keep the first as opened in tickets.sql, and make the others reopened or replied")
            )


def renamed_words(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give words of which one begins where another stops."""
    for table, column in NAMED:
        if table not in taken.counts:
            continue
        name = sql_name(column)
        found = rows(f"""
            with words as (select {name} as word, count(*) as n, min(event_at) as a, max(event_at) as b
              from canonical.{table} where {name} is not null and UNTIL group by 1 having count(*) >= 10),
            span as (select min(a) as low, max(b) as high, epoch(max(b)) - epoch(min(a)) as long from words)
            select o.word, w.word, w.a::date::varchar from words o, words w, span
            where w.a > o.b - interval 7 day and w.a < o.b + interval 21 day and o.b < w.b and o.a < w.a
              and epoch(o.b) - epoch(low) > 0.15 * long and epoch(high) - epoch(w.a) > 0.15 * long and epoch(high) - epoch(o.b) > 0.15 * long
              and epoch(w.a) - epoch(low) > 0.15 * long and o.b - o.a > interval 42 day and w.b - w.a > interval 42 day
              and (o.n / (epoch(o.b) - epoch(o.a))) / (w.n / (epoch(w.b) - epoch(w.a))) between 0.33 and 3
            order by 1, 2 limit 1""")
        for old, new, day in found:
            what = saying(
                "{table}.{column}: “{old}” stops and “{new}” begins around {day}: one thing with two names?",
                table=table,
                column=column,
                old=old[:40],
                new=new[:40],
                day=day,
            )
            sql = f"case {name} when '{old[:40]}' then '{new[:40]}' else {name} end"
            fix = saying("if it is, write {sql} in {table}.sql", table=table, sql=sql)
            yield Oddity("renamed", table, what, fix)


def missing_joins(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give tables whose customers are nobody elsewhere."""
    fix = saying(
        "see that customer_id is the same id in every select, with the same prefix and zeros, or join a file that says which is which"
    )
    for table, counts in taken.counts.items():
        lost = counts.quarantined.get(UNKNOWN_CUSTOMER, 0) + counts.excluded.get(UNKNOWN_CUSTOMER, 0)
        if lost > 0.5 * max(1, counts.read):
            yield Oddity(
                "nothing_joins",
                table,
                saying("{n} of {all} rows of {table} are of nobody in customers", n=lost, all=counts.read, table=table),
                fix,
            )
    names = [one for one in taken.counts if TABLES[one].per_customer and one != "customers"] if taken.derived_customers else []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            query = "select count(*) from (select distinct customer_id from canonical.{})"
            both = rows(
                f"select count(distinct customer_id) from canonical.{one} where customer_id in (select customer_id from canonical.{other})"
            )[0][0]
            if both == 0 and all(rows(query.format(name))[0][0] >= 5 for name in (one, other)):
                yield Oddity("nothing_joins", other, saying("no customer of {table} is one of {other}", table=one, other=other), fix)


def solved_first(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give tickets that are solved before they open."""
    if "tickets" not in taken.counts:
        return
    query = """select count(*), count(*) filter (done < made) from (select min(event_at) filter (event = 'opened') as made,
        min(event_at) filter (event = 'resolved') as done from canonical.tickets group by customer_id, ticket_id)"""
    [(total, early)] = rows(query)
    if early > 0.02 * max(1, total):
        what = saying("{n} of {all} tickets are solved before they are opened", n=early, all=total)
        yield Oddity(
            "solved_first",
            "tickets",
            what,
            saying("see that both times are of one zone, and that opened and resolved are not mixed up in tickets.sql"),
        )


def unended_tickets(taken: Intake, rows: Rows) -> Iterator[Oddity]:
    """Give tickets without an end of which a step was set apart for its time: most likely the end."""
    held = "select 1 from duckdb_columns() where schema_name = 'quarantine' and table_name = 'tickets' and column_name = 'ticket_id'"
    if "tickets" not in taken.counts or not rows(held):
        return
    [(count,)] = rows("""select count(*) from (select ticket_id from canonical.tickets group by customer_id, ticket_id
        having not bool_or(event in ('resolved', 'closed'))) where ticket_id in (select ticket_id from quarantine.tickets where reason like 'event_at: %')""")
    if count:
        what = saying(
            "{n} {n:ticket has|tickets have} no end, and a step of {n:it|them}, of a blank or unreadable time, was set apart: {n:it stays|they stay} open",
            n=count,
        )
        yield Oddity("unended", "tickets", what, saying("fill in the export when they ended, or leave these tickets out in tickets.sql"))


def several_currencies(taken: Intake) -> Iterator[Oddity]:
    """Give amounts in several currencies."""
    for place, money in sorted(taken.currencies.items()):
        what = saying("amounts of {place} are in {money}, and are added up as one", place=place, money=", ".join(money))
        yield Oddity(
            "two_currencies",
            place.partition(".")[0],
            what,
            saying("convert them in the select, or keep one: {sql}", sql=f"where upper(…) = '{money[0]}'"),
        )


def same_files(prints: Mapping[str, str]) -> Iterator[Oddity]:
    """Give files of the same content."""
    seen: dict[str, str] = {}
    for path, digest in sorted(prints.items()):
        if (other := seen.setdefault(digest, path)) != path:
            yield Oddity(
                "same_files",
                "",
                saying("{one} and {other} have the same content, byte by byte", one=other, other=path),
                saying("keep one of the two files, and export the other again"),
            )
