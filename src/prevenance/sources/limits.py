"""How many rows of a table may break the contract, and what the refusal says."""

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources.ids import ROUNDED, ROUNDED_FIX
from prevenance.sources.people import CUSTOMER_SET_APART, UNKNOWN_CUSTOMER
from prevenance.sources.taken import Intake, Policy
from prevenance.tables.canonical import TABLES
from prevenance.words.saying import Saying, saying

REASON_TEXTS = {
    "duplicate": "rows there twice, one of them is used",
    "conflicting_key": "rows with the same key and other content",
    "in_another_file": "rows that stand in another file too",
    "no_row": "lines that are no rows (a header again, a total, words around the table)",
    "older_version": "older versions of a row",
    "unknown_customer": "rows of customers who are not in customers",
    "customer_set_apart": "rows of customers whose own row was set apart",
    "no_known_at": "rows without known_at, never visible",
    "ragged_row": "rows that do not fit the header",
}
"""Reason -> what it says, where the reason alone is too short."""

CELL_TEXTS = {
    "not a timestamp": "not a timestamp",
    "not a number": "not a number",
    "not yes or no": "not yes or no",
    "unknown value": "unknown value",
    "blank": "blank",
    "before event_at": "before event_at",
    "rounded by a spreadsheet": "rounded by a spreadsheet",
    "ended before it started": "ended before it started",
    "noticed before it started": "noticed before it started",
    "started while it runs": "started while it runs",
}
"""Last part of a reason -> what it says, of a cell or step."""

FIXES = {
    ROUNDED: ROUNDED_FIX,
    "conflicting_key": "keep one row of each key in the export",
    ": blank": "fill it in the export",
}
"""Part of a reason -> what to do, where it is more than to correct the export."""


def reason_saying(reason: str) -> Saying:
    """Return what a reason says in every language; a hint of the rows themselves may tell more."""
    what = reason.rpartition(": ")[2]
    if what.startswith("outside "):
        return saying("outside {range}", range=what.removeprefix("outside "))
    return saying(REASON_TEXTS[reason]) if reason in REASON_TEXTS else saying(CELL_TEXTS.get(what, "cells that break the contract"))


def refuse_bad_rows(taken: Intake, name: str, policy: Policy) -> None:
    """Raise E302 when too many rows broke the contract; rows of a customer who was set apart are judged with the customers."""
    counts = taken.counts[name]
    broken = {reason: rows for reason, rows in counts.quarantined.items() if reason != CUSTOMER_SET_APART}
    bad = sum(broken.values())
    if not counts.read or bad / counts.read <= policy.max_bad_share:
        return
    if policy.on_bad_row == "quarantine":
        told = f"{name}: all {counts.read:,} rows are set apart; what the table would say is unknown, not zero"
        taken.messages += [told] if bad == counts.read and told not in taken.messages else []
        return
    # the commonest reason is the one to mend first; of equal ones the same each time
    reason, rows = max(broken.items(), key=lambda item: (item[1], item[0]))
    first = taken.con.execute(
        f"select _file, _line from quarantine.{name} where reason = ? order by _file, _line limit 1", [reason]
    ).fetchall()
    place = f"{first[0][0]}:{first[0][1]}" if first and first[0][1] is not None else None
    column = reason.rpartition(": ")[0]
    said, fix = _said(taken, name, reason)
    # setting rows apart helps only where something is left without them: of the customers, who may be derived from this table
    if taken.con.execute("select exists(from canonical.customers)").fetchall()[0][0]:
        fix += f", or set tables.{name}.on_bad_row=quarantine"
        if bad == counts.read:
            fix += " (it sets all of them apart: nothing is left of the table)"
        elif (name, reason) in taken.whole:
            fix += f" (it sets every {column} apart: none of them can be read)"
    what = f"{said}; {bad} of {counts.read} rows ({bad / counts.read:.1%}) break the contract, at most {policy.max_bad_share:.1%} may"
    column = "customer_id" if reason == UNKNOWN_CUSTOMER else column
    raise PrevenanceError("E302", what, table=name, column=column or None, rows=rows, first=place, fix=fix)


def _said(taken: Intake, name: str, reason: str) -> tuple[str, str]:
    """Return what is told of a reason, and the fix that fits it best."""
    sample = taken.samples.get((name, reason), "")
    said, fix = taken.hints.get((name, reason), ("", ""))
    column, _, broken = reason.rpartition(": ")
    if broken == "unknown value" and not fix:
        near = did_you_mean(sample[3:-2], TABLES[name].column(column).choices)
        fix = f"write its word for {sample[2:-1] or 'it'} as {column} in {name}.sql; {near}"
    plain = f"{REASON_TEXTS[reason]} ({reason})" if reason in REASON_TEXTS else reason.rpartition(": ")[2]
    return said or plain + sample, fix or next((text for part, text in FIXES.items() if part in reason), "correct the export")
