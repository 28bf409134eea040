"""The audit of a source as a person reads it in a minute, and as report.json."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from prevenance.publish.wording import count_text
from prevenance.sources.quality.ages import Age
from prevenance.sources.quality.columns import Gap
from prevenance.sources.quality.findings import ACCURACY, CONSISTENCY, Finding, first_to_mend
from prevenance.sources.quality.meant import Meaning, Oddity
from prevenance.sources.taken import Counts
from prevenance.words import Words
from prevenance.words.saying import said_in

MOST = 8
"""Lines of a section; the rest is counted, and stands in report.json."""


@dataclass(frozen=True)
class Audit:
    """What the input checks saw: counts of every table, and what was found; ``refused`` are the error lines of what a run stumbles over."""

    source: str
    as_of: datetime
    counts: Mapping[str, Counts]
    customers: Mapping[str, int]
    gaps: Sequence[Gap]
    ages: Sequence[Age]
    findings: Sequence[Finding]
    refused: Sequence[str]
    means: Meaning

    def of(self, section: str) -> list[Finding]:
        """Return the findings of one section."""
        return [one for one in self.findings if one.section == section]

    @property
    def mend(self) -> list[Finding]:
        """Return what to mend first."""
        return first_to_mend(self.findings, self.gaps)


def audit_report(audit: Audit) -> dict[str, Any]:
    """Return the audit for report.json: counts, names and places, no value of a cell."""
    return {
        "source": audit.source,
        "as_of": f"{audit.as_of.isoformat()}Z",
        "customers": audit.customers,
        "tables": {name: asdict(one) for name, one in audit.counts.items()},
        "completeness": [asdict(gap) | {"share": round(gap.share, 6)} for gap in audit.gaps],
        "freshness": [asdict(one) for one in audit.ages],
        "consistency": [asdict(one) for one in audit.of(CONSISTENCY)],
        "accuracy": [asdict(one) for one in audit.of(ACCURACY)],
        "fix_first": [asdict(one) for one in audit.mend],
        "refused": list(audit.refused),
        "meaning": asdict(audit.means),
    }


def audit_text(audit: Audit, say: Words) -> str:
    """Return the audit in about forty lines: what it means, what looks wrong and what to mend on the first screen."""
    blocks = [
        _tables(audit),
        ["MEANING       from when to when, and how many customers have a row", *_meanings(audit.means)],
        ["LOOKS WRONG   cells are right, and what they mean probably is not", *_oddities(audit.means.oddities, say)],
        ["FIX FIRST     by what stops a run, then by customers and rows", *_mend(audit.mend)],
        ["COMPLETENESS  values missing, worst first, among rows of the events that carry the column", *_gaps(audit.gaps)],
        ["FRESHNESS     age of the newest knowledge at as_of", *_ages(audit.ages)],
        ["CONSISTENCY   rows that do not fit together", *_findings(audit.of(CONSISTENCY))],
        ["ACCURACY      cells that are not what they should be", *_findings(audit.of(ACCURACY))],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _tables(audit: Audit) -> list[str]:
    known = audit.customers
    apart = sum(n for reason, n in known.items() if reason.startswith("quarantined "))
    told = [f"{known.get(key, 0):,} {key.replace('_', ' ')}" for key in ("opted_out", "after_as_of", "erased") if known.get(key)]
    head = f"DATA          {audit.source} at {audit.as_of:%Y-%m-%d %H:%M}Z: " + ", ".join(
        [count_text(known.get("read", 0), "customer"), *([f"{apart:,} set apart"] if apart else []), *told]
    )
    lines = [head, f"  {'table':<14}{'read':>12}{'used':>12}{'set apart':>11}{'left out':>11}  newest known (UTC)"]
    for name, one in audit.counts.items():
        apart, out = sum(one.quarantined.values()), sum(one.excluded.values())
        newest = one.newest_known_at[:16].replace("T", " ") or "no row"
        lines.append(f"  {name:<14}{one.read:>12,}{one.used:>12,}{apart:>11,}{out:>11,}  {newest}")
    read = [file for one in audit.counts.values() for file in one.files.values()]
    traced = [(one.raw, one.reached, one.dropped) for one in read if one.reached is not None and one.dropped is not None]
    raw, reached, dropped = (sum(part) for part in zip(*traced, strict=True)) if traced else (0, 0, 0)
    blind = f", {len(read) - len(traced)} not traceable" if len(read) > len(traced) else ""
    return [
        *lines,
        f"  selects read {count_text(len(read), 'file')}: {raw:,} rows = {reached:,} reached their table + {dropped:,} dropped{blind}",
    ]


def _meanings(means: Meaning) -> list[str]:
    lines = [
        f"  {one.table:<14}{one.first or 'no row':>12} – {one.last:<12}"
        + (f"{count_text(one.customers, 'customer'):>16} ({one.share:.0%})" if one.customers else "")
        for one in means.tables
    ]
    month = [] if means.tickets_a_month is None else [f"{means.tickets_a_month:,.1f} tickets opened a month in the last year"]
    running = [] if means.contracts_running is None else [f"{count_text(means.contracts_running, 'contract')} running"]
    return lines + ([f"  {', '.join([*month, *running])}"] if month or running else [])


def _oddities(found: Sequence[Oddity], say: Words) -> list[str]:
    lines = [f"  {said_in(say, one.what)}. FIX: {said_in(say, one.fix)}" for one in found]
    return lines or ["  nothing found"]


def _gaps(gaps: Sequence[Gap]) -> list[str]:
    never, some = [one for one in gaps if one.share == 1], [one for one in gaps if one.share < 1]
    lines = [f"  {f'{one.table}.{one.column}':<28}{one.share:>7.1%}  {one.missing:,} of {one.rows:,} rows" for one in some[:MOST]]
    if some[MOST:]:
        lines.append(f"  and {count_text(len(some) - MOST, 'column')} below {some[MOST - 1].share:.1%}")
    if never:
        lines.append("  never filled: " + ", ".join(f"{one.table}.{one.column}" for one in never))
    return lines or ["  nothing is missing"]


def _ages(ages: Sequence[Age]) -> list[str]:
    return [f"  {one.table:<16}{_age(one):<29} {_limit(one)}" for one in ages]


def _age(one: Age) -> str:
    if one.days is None:
        return "no row"
    usual = "" if not one.usual_days else ", rows on most days" if one.usual_days == 1 else f", rows every {one.usual_days:g} days"
    return f"{one.days:.1f} days{usual}"


def _limit(one: Age) -> str:
    if one.outcome:
        return {"pass": "within its limit", "warn": "LATE: older than warn_after", "fail": "TOO OLD: a run refuses or goes without"}[
            one.outcome
        ]
    if one.suggested and one.days is not None and one.days > one.suggested:
        return f"no limit; older than its rhythm of at most {one.suggested} days"  # a limit that would stop tonight is no advice
    return f"no limit; set tables.{one.table}.error_after={one.suggested}" if one.suggested else "no limit, too few days to propose one"


def _findings(found: Sequence[Finding]) -> list[str]:
    ordered = sorted(found, key=lambda one: (not one.blocks, -one.rows, one.table, one.column))
    lines = [f"  {_place(one):<28}{one.rows:>9,}  {one.what}" + (f"  first {one.first}" if one.first else "") for one in ordered[:MOST]]
    if ordered[MOST:]:
        lines.append(f"  and {count_text(len(ordered) - MOST, 'more kind')} with {sum(one.rows for one in ordered[MOST:]):,} rows")
    return lines or ["  nothing found"]


def _mend(mend: Sequence[Finding]) -> list[str]:
    lines = []
    for number, one in enumerate(mend, 1):
        cost = ", ".join(
            [*([count_text(one.rows, "row")] if one.rows else []), *([count_text(one.customers, "customer")] if one.customers else [])]
            + ([f"first {one.first}"] if one.first else [])
        )
        stop = "stops the run: " if one.blocks else ""
        lines += [f"  {number} {_place(one)}  {stop}{one.what}" + (f" ({cost})" if cost else ""), f"      -> {one.action}"]
    return lines or ["  nothing"]


def _place(one: Finding) -> str:
    return f"{one.table}.{one.column}" if one.column else one.table
