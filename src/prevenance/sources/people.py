"""Settled between tables: who the customers are (or all derived from the facts), whose facts nobody owns, and what lies before its beginning."""

from prevenance.base.errors import PrevenanceError
from prevenance.sources.apart import count_met, first_met_sql
from prevenance.sources.declared import Source
from prevenance.sources.files import column_names, sql_name, stored_rows
from prevenance.sources.ids import note_damaged
from prevenance.sources.taken import Counts, Intake
from prevenance.tables.canonical import SQL_TYPES, TABLES

UNKNOWN_CUSTOMER, CUSTOMER_SET_APART = "unknown_customer", "customer_set_apart"
"""Reasons: no row of customers has this id; the customer's own rows were quarantined (which is judged there, not here)."""


def settle_customers(taken: Intake, source: Source) -> None:
    """Set orphans apart, or derive the customers from the first fact known of each; then say what is odd between the tables.

    Raises:
        PrevenanceError: E305 when there is no customer.
    """
    logs = [name for name in taken.counts if TABLES[name].per_customer and name != "customers"]
    if "customers" in taken.counts:
        _note_deleted(taken, logs)
        for name in logs:
            _set_orphans_apart(taken, source, name)
    else:
        _derive(taken, logs)
    if not taken.con.execute("select exists(from canonical.customers)").fetchall()[0][0]:
        raise PrevenanceError("E305", "there is no customer to look at", table="customers", fix="check the export and data=")
    _note_alike(taken)
    _note_order(taken)


def _derive(taken: Intake, logs: list[str]) -> None:
    con = taken.con
    facts = " union all ".join(f"select customer_id, event_at, known_at, _file, _line from canonical.{name}" for name in logs)
    if not facts:
        fix = "write a select for customers or for any other table"
        raise PrevenanceError("E305", "no table has a customer", table="customers", fix=fix)
    # beyond id and clocks nothing is known of a customer who is only met in facts
    columns = ", ".join(f"null::{SQL_TYPES[column.kind]} as {sql_name(column.name)}" for column in TABLES["customers"].columns[3:])
    con.execute(
        f"create or replace table canonical.customers as select customer_id, (first).event_at as event_at, (first).known_at as known_at, {columns}, "
        "(place)._file as _file, (place)._line as _line from (select customer_id, min({'known_at': known_at, 'event_at': event_at}) as first, "
        f"min({{'_file': _file, '_line': _line}}) as place from ({facts}) group by 1)"
    )
    rows = con.execute("select count(*) from canonical.customers").fetchall()[0][0]
    taken.counts["customers"], taken.derived_customers = Counts(read=rows), True
    con.execute("create or replace table quarantine.customers (_file varchar, _line bigint, reason varchar)")


def _set_orphans_apart(taken: Intake, source: Source, name: str) -> None:
    con, orphan = taken.con, "customer_id in (from orphans)"
    # of many rows few are of nobody known: whose they are is asked once, customer by customer
    con.execute(
        f"create or replace temp table orphans as from (select distinct customer_id from canonical.{name}) anti join canonical.customers using (customer_id)"
    )
    if not con.execute("select exists(from orphans)").fetchall()[0][0]:
        return
    keys = ", ".join(sql_name(column) for column in column_names(con, f"quarantine.{name}") if column != "reason")
    reason = (
        f"case when customer_id in (select customer_id from quarantine.customers) then '{CUSTOMER_SET_APART}' else '{UNKNOWN_CUSTOMER}' end"
    )
    con.execute(f"create or replace temp table apart as select {keys}, {reason} as reason from canonical.{name} where {orphan}")
    counted = f"select reason, count(*), {first_met_sql(TABLES[name])} from apart group by 1 order by 1"
    for why, rows, first, customers in (found := con.execute(counted).fetchall()):
        taken.counts[name].quarantined[why] = rows
        taken.met[name, why] = (first or "", customers)
    if UNKNOWN_CUSTOMER in [why for why, *_ in found]:
        note_damaged(taken, source, name, UNKNOWN_CUSTOMER)
    con.execute(f"insert into quarantine.{name} by name from apart; drop table apart")
    con.execute(f"delete from {stored_rows(con, name)} where {orphan}")


def _note_deleted(taken: Intake, logs: list[str]) -> None:
    """Say how many ids have facts and no row of customers: a history without those who were deleted flatters every model."""
    # a consent alone does not show that somebody ever was a customer
    ids = " union ".join(f"select customer_id from canonical.{name}" for name in logs if name != "consents")
    if not ids:
        return
    unknown = "customer_id not in (select customer_id from canonical.customers) and customer_id not in (select customer_id from quarantine.customers)"
    gone = taken.con.execute(f"select count(distinct customer_id) from ({ids}) where {unknown}").fetchall()[0][0]
    if gone:
        taken.counts["customers"].warnings["deleted"] = gone
        taken.messages.append(
            f"customers: {gone} id{' has' if gone == 1 else 's have'} facts and no row of customers; if they were deleted there, only survivors are learned from"
        )


def _note_alike(taken: Intake) -> None:
    """Say how many ids differ from another only by case, spaces or Unicode form; they stay distinct."""
    # only told: to merge two accounts that are two is worse than to count one twice
    plain = "regexp_replace(lower(nfc_normalize(customer_id)), '\\s+', '', 'g')"
    alike = f"select {plain} as plain from canonical.customers group by 1 having count(distinct customer_id) > 1"
    found = taken.con.execute(
        f"select count(distinct customer_id), min({{'file': _file, 'line': _line}}) from canonical.customers where {plain} in ({alike})"
    ).fetchall()[0]
    if found[0]:
        taken.counts["customers"].warnings["likely_duplicate"] = found[0]
        place = f" (first {found[1]['file']}:{found[1]['line']})" if found[1]["file"] else ""
        taken.messages.append(
            f"customers: {found[0]} ids differ only by case, spaces or Unicode form{place}; kept apart, likely duplicates in the source"
        )


def _note_order(taken: Intake) -> None:
    """Count the facts before the customer's first row of ``customers`` or first ``started`` subscription, as warnings and in words.

    Real exports are so: such rows are used, because most often it is the beginning that was written down late.
    """
    begins = {}
    if not taken.derived_customers:
        begins["customer"] = "select customer_id, min(event_at) as began from canonical.customers group by 1"
    if "subscriptions" in taken.counts:
        begins["subscription"] = (
            "select customer_id, min(event_at) as began from canonical.subscriptions where event = 'started' group by 1"
        )
    for name, counts in taken.counts.items():
        if not TABLES[name].per_customer or name in ("customers", "consents"):
            continue
        # who has a fact so early is seen by their first one
        firsts = f"select customer_id, min(event_at) as first from canonical.{name} group by 1"
        taken.con.execute(f"create or replace temp table firsts as {firsts}")
        for what, began in begins.items():
            if f"{what}s" == name:
                continue
            early = f"select customer_id, began from firsts join ({began}) using (customer_id) where first < began"
            early = f"from canonical.{name} join ({early}) using (customer_id) where event_at < began"
            if rows := count_met(taken, TABLES[name], f"before_{what}", early):
                counts.warnings[f"before_{what}"] = rows
                told = f"{name}: {rows} of {counts.read} rows lie before the customer's first {what} row"
                taken.messages.append(f"{told}; used, and counted as a warning")
