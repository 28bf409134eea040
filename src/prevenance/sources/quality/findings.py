"""Consistency and accuracy: what is wrong with rows and cells, whom it costs, and what to mend first."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prevenance.base.errors import PrevenanceError
from prevenance.sources.apart import EXCLUDED
from prevenance.sources.gates import Gate
from prevenance.sources.limits import REASON_TEXTS, reason_saying
from prevenance.sources.people import CUSTOMER_SET_APART
from prevenance.sources.quality.columns import Gap
from prevenance.sources.repeats import DUPLICATE, OLDER
from prevenance.sources.taken import NO_ROW, Intake, Policy
from prevenance.sources.twice import ALIKE
from prevenance.tables.canonical import TABLES
from prevenance.words.saying import Saying, said_listed, said_together, saying

LEAST, MOST = 0.005, 0.2
"""A column with a share of missing values from LEAST to MOST is usually filled: the gap is a defect, not a habit."""

CONSISTENCY, ACCURACY = "consistency", "accuracy"

CONTRADICTIONS = (
    "duplicate",
    "conflicting_key",
    "in_another_file",
    "no_row",
    "older_version",
    "unknown_customer",
    "customer_set_apart",
    "no_known_at",
    "known_at: before",
    "event: ended",
    "event: started",
)
"""Beginnings of the reasons that are about how rows fit together; all others are about what stands in a cell."""

ACTIONS = {
    "duplicate": "export each row once (one of them is used)",
    "conflicting_key": "keep one row for each key, or give each row its own id as _id",
    "in_another_file": "keep one of the two files",
    "no_row": "nothing: these lines are left out",
    "older_version": "nothing: the newest row of each id is used",
    "rounded by": "export ids as text, not from a spreadsheet's column of numbers",
    "unknown_customer": "export these customers too (without the deleted ones only survivors are learned from), or leave their rows out",
    "customer_set_apart": "correct the customer's own row",
    "no_known_at": "fill the load time, or leave known_at out of the select and set delay_days",
    "ragged_row": "quote cells that hold separators or line breaks",
    "before event_at": "correct the load time, or the zone of the source (timezone:)",
    "ended before it started": "correct the dates of these contracts",
    "noticed before it started": "begin the contract with its first term: a notice cannot come before what it ends",
    "started while it runs": "end the old contract before the new one starts, or export a change",
    "not a timestamp": "write every date as 2024-03-25 in the export",
    "not a number": "write every number as 1250.50 in the export",
    "not yes or no": "write yes or no",
    "outside": "correct the value at its source",
    "unknown value": "map it in the select to one of: {choices}",
    "blank": "fill it in the export",
}
"""Ending, or part, of a reason -> what to do."""

WRITE = re.compile(r"write (.+?) in (the source's yaml|\w+\.sql)")
"""A line to paste in a hint: the same in every language."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: how many rows and customers have it, where it is first met, what to do.

    ``section`` of the audit: consistency, accuracy, or none of its own. ``blocks``: a run refuses for it. ``weight``: how much a customer
    counts (1 where rows or values are lost, less where they are used, 0 for nothing).
    """

    table: str
    column: str
    what: str
    rows: int
    customers: int
    first: str
    action: str
    section: str = ACCURACY
    blocks: bool = False
    weight: float = 1.0


def source_findings(taken: Intake, policies: Mapping[str, Policy]) -> list[Finding]:
    """Return what is wrong with rows and cells: of each table every reason why rows are left out or set apart, and words taken as missing."""
    found = []
    for name, counts in taken.counts.items():
        policy = policies.get(name, Policy())
        broken = {reason: rows for reason, rows in counts.quarantined.items() if reason != CUSTOMER_SET_APART}
        over = policy.on_bad_row == "refuse" and sum(broken.values()) > policy.max_bad_share * counts.read
        excluded = {reason: rows for reason, rows in counts.excluded.items() if reason in EXCLUDED}
        for reason, rows in (counts.quarantined | excluded).items():
            found.append(_finding(taken, name, reason, rows, blocks=over and reason in broken))
    return [*found, *_words(taken), *_unread_consents(taken), *_early(taken), *_warned(taken)]


def _finding(taken: Intake, name: str, reason: str, rows: int, *, blocks: bool) -> Finding:
    column, _, what = reason.rpartition(": ")
    first, customers = taken.met.get((name, reason), ("", 0))
    said, hint = taken.hints.get((name, reason), ("", ""))
    part = next((part for part in ACTIONS if part in what), "")
    choices = ", ".join(TABLES[name].column(column).choices) if what == "unknown value" else ""
    action = saying(ACTIONS.get(part, "correct the export"), choices=choices)
    if hint:
        action = Saying(hint + choices, action.key, action.values)
        if lines := [saying("write {what} in {place}", what=line, place=place_said(place)) for line, place in WRITE.findall(hint)]:
            told = said_together(*lines)
            action = Saying(hint + choices, told.key, told.values)
    column = column or ("customer_id" if reason == "unknown_customer" else "")
    plain = reason_saying(reason)
    told = Saying(said or REASON_TEXTS.get(reason, what), plain.key, plain.values)
    section = CONSISTENCY if reason.startswith(CONTRADICTIONS) else ACCURACY
    return Finding(
        name, column, told, rows, customers, first, action, section, blocks, 0.0 if reason in (DUPLICATE, OLDER, NO_ROW) else 1.0
    )


def place_said(place: str) -> str:
    """Return where a line is to be written: a select has one name in every language."""
    return saying("the source's yaml") if place == "the source's yaml" else place


def _words(taken: Intake) -> list[Finding]:
    told, action = saying("words such as NaN or #REF! taken as missing"), saying("export an empty cell where there is no value")
    found = []
    for (name, column), rows in taken.words.items():
        first, customers = taken.met.get((name, f"{column}: missing word"), ("", 0))
        found.append(Finding(name, column, told, rows, customers, first, action))
    return found


def _unread_consents(taken: Intake) -> list[Finding]:
    if "consents" not in taken.counts:
        return []
    query = "select count(*), count(distinct customer_id) from canonical.consents where allowed is null"
    rows, customers = taken.con.execute(query).fetchall()[0]
    told = saying("no yes and no no: it counts as a no, and the customer is left out")
    return [Finding("consents", "allowed", told, rows, customers, "", saying("write yes or no"))] if rows else []


BEFORE = {"before_customer": "customers", "before_subscription": "subscriptions"}
"""Warning of the intake on facts that lie too early -> the table that is probably wrong."""

EARLY = {
    "before_customer": "{tables} lie before the customer's first row; used",
    "before_subscription": "{tables} lie before the customer's first contract; used",
}

EARLIER = {
    "before_customer": "correct when customers begin, or leave out what was before",
    "before_subscription": "export older contracts too, or correct when they start",
}


def _early(taken: Intake) -> list[Finding]:
    """Return a finding for each kind of beginning that facts of other tables precede: they are used, and probably that date is wrong."""
    found = []
    for warning, table in BEFORE.items():
        tables = {name: counts.warnings[warning] for name, counts in taken.counts.items() if warning in counts.warnings}
        if tables:
            places = [taken.met[name, warning] for name in tables if (name, warning) in taken.met]
            counted = said_listed(*(saying("{n} of {table}", n=rows, table=name) for name, rows in tables.items()))
            told, action = saying(EARLY[warning], tables=counted), saying(EARLIER[warning])
            first, customers = next(iter(places), ("", 0))[0], max((one[1] for one in places), default=0)
            found.append(Finding(table, "event_at", told, sum(tables.values()), customers, first, action, CONSISTENCY, weight=0.5))
    return found


WARNED = {
    "clock_change": "at an hour that the zone skips or has twice",
    "left_out": "rows of its files that the select leaves out",
    ALIKE: "rows that are equal to another of their file, and count each",
    "likely_duplicate": "ids that differ only by case, spaces or Unicode form",
}
"""Other warning of the intake -> what it says."""

MENDED = {
    "clock_change": "export timestamps with their offset",
    "left_out": "see that its where means to; a blank cell is null, never unequal",
    ALIKE: "give each row its own id as _id",
    "likely_duplicate": "write each id in one way",
}
"""The same -> what to do."""


def _warned(taken: Intake) -> list[Finding]:
    found = []
    for name, counts in taken.counts.items():
        for warning in sorted(WARNED.keys() & counts.warnings.keys()):
            rows, weight = counts.warnings[warning], 1.0 if warning == "likely_duplicate" else 0.0
            action = saying(MENDED[warning])
            action = Saying(taken.hints.get((name, warning), ("", action))[1], action.key, action.values)
            what = saying(WARNED[warning])
            found.append(Finding(name, "", what, rows, rows if weight else 0, "", action, CONSISTENCY, weight=weight))
    return found


def refusal_finding(problem: PrevenanceError) -> Finding:
    """Return what a run was refused for."""
    where = problem.where
    table, column, first = (str(where.get(key, "")) for key in ("table", "column", "first"))
    rows = str(where.get("rows", 0))
    count = int(rows) if rows.isdigit() else 0
    # of errors there is one line, in English, for everybody who looks for it; other languages lead to it
    said, action = saying("ERROR {code} says why, on its own line", code=problem.code), saying("its FIX says what to do")
    told = Saying(problem.what, said.key, said.values), Saying(problem.fix, action.key)
    return Finding(table or str(where.get("key", "")), column, told[0], count, 0, first, told[1], section="", blocks=True)


def gate_finding(gate: Gate, taken: Intake) -> Finding:
    """Return what a gate that did not pass says, and what it asks for; it costs all customers of its table."""
    query = f"select count(*), count(distinct customer_id) from canonical.{gate.table}"
    per_customer = gate.table in taken.counts and TABLES[gate.table].per_customer
    rows, customers = taken.con.execute(query).fetchall()[0] if per_customer else (0, 0)
    late = gate.code == "E403"
    said = saying("its newest row is older than its limit, or there is none") if late else saying("far fewer rows than usual, or far more")
    told = Saying(gate.says.removeprefix(f"{gate.table}: "), said.key)
    action = Saying(gate.fix, saying("bring the feed up to date and run again, or change what is asked of the table").key)
    return Finding(gate.table, "", told, rows, customers, "", action, "", gate.outcome == "fail")


def gap_finding(gap: Gap) -> Finding:
    """Return a gap as something to mend."""
    what = saying("missing in {share:.1%} of the rows that usually have it", share=gap.share)
    action = saying("fill it at its source, or map it in the select")
    return Finding(gap.table, gap.column, what, gap.missing, gap.customers, "", action)


def first_to_mend(found: Iterable[Finding], gaps_found: Iterable[Gap], most: int = 5) -> list[Finding]:
    """Return at most ``most`` findings: what stops a run, then what costs the most customers, then the most rows; last, columns with gaps."""
    # repeats cost nobody anything: one of them is used
    costly = [one for one in found if one.blocks or one.weight]
    ordered = sorted(costly, key=lambda one: (not one.blocks, -one.weight * one.customers, -one.rows, one.table, one.column, one.what))
    usual = [gap for gap in gaps_found if LEAST <= gap.share <= MOST and not TABLES[gap.table].column(gap.column).personal]
    defects = sorted(map(gap_finding, usual), key=lambda one: (-one.customers, -one.rows, one.table, one.column))
    return [*ordered, *defects][:most]
