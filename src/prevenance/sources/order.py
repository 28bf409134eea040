"""Order between tables: facts that lie before what should precede them. Real exports are so; they are used, and said."""

from __future__ import annotations

from prevenance.sources.people import first_met_sql
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import TABLES


def note_order(taken: Intake) -> None:
    """Count the facts before the customer's first row of ``customers`` or first ``started`` subscription, as warnings and in words."""
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
        for what, began in begins.items():
            if name == "subscriptions" and what == "subscription":
                continue
            rows, *place = taken.con.execute(
                f"select count(*), {first_met_sql(TABLES[name])} from canonical.{name} join ({began}) using (customer_id) where event_at < began"
            ).fetchall()[0]
            if rows:
                taken.met[name, f"before_{what}"] = (place[0] or "", place[1])
                counts.warnings[f"before_{what}"] = rows
                taken.messages.append(
                    f"{name}: {rows} of {counts.read} rows lie before the customer's first {what} row; used, and counted as a warning"
                )
