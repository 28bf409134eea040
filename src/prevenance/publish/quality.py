"""The audit of a source as a person reads it in a minute, and as report.json."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from prevenance.sources.quality.ages import Age
from prevenance.sources.quality.columns import Gap
from prevenance.sources.quality.findings import ACCURACY, CONSISTENCY, Finding, first_to_mend
from prevenance.sources.quality.meant import Meaning, Oddity
from prevenance.sources.taken import Counts
from prevenance.words import Words
from prevenance.words.saying import said_in, told_in

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
        _tables(audit, say),
        [_head(say("MEANING"), say("from when to when, and how many customers have a row")), *_meanings(audit.means, say)],
        [_head(say("LOOKS WRONG"), say("cells are right, and what they mean probably is not")), *_oddities(audit.means.oddities, say)],
        [_head(say("FIX FIRST"), say("by what stops a run, then by customers and rows")), *_mend(audit, say)],
        [
            _head(say("COMPLETENESS"), say("values missing, worst first, among rows of the events that carry the column")),
            *_gaps(audit.gaps, say),
        ],
        [_head(say("FRESHNESS"), say("age of the newest knowledge at as_of")), *_ages(audit.ages, say)],
        [_head(say("CONSISTENCY"), say("rows that do not fit together")), *_findings(audit.of(CONSISTENCY), say)],
        [_head(say("ACCURACY"), say("cells that are not what they should be")), *_findings(audit.of(ACCURACY), say)],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _head(label: str, text: str) -> str:
    return f"{label:<13} {text}"


def _rows(say: Words, n: int) -> str:
    return say.many("{n} row", "{n} rows", n)


def _customers(say: Words, n: int) -> str:
    return say.many("{n} customer", "{n} customers", n)


def _tables(audit: Audit, say: Words) -> list[str]:
    known = audit.customers
    apart = sum(n for reason, n in known.items() if reason.startswith("quarantined "))
    others = [
        (apart, say("{n} set apart", n=apart)),
        (known.get("opted_out"), say("{n} opted out", n=known.get("opted_out", 0))),
        (known.get("after_as_of"), say("{n} after as_of", n=known.get("after_as_of", 0))),
        (known.get("erased"), say("{n} erased", n=known.get("erased", 0))),
    ]
    told = ", ".join([_customers(say, known.get("read", 0)), *(text for n, text in others if n)])
    lines = [
        _head(say("DATA"), say("{source} at {at}: {told}", source=audit.source, at=f"{audit.as_of:%Y-%m-%d %H:%M}Z", told=told)),
        f"  {say('table'):<14}{say('read'):>12}{say('used'):>12}{say('set apart'):>13}{say('left out'):>13}  {say('newest known (UTC)')}",
    ]
    for name, one in audit.counts.items():
        apart, out = sum(one.quarantined.values()), sum(one.excluded.values())
        newest = one.newest_known_at[:16].replace("T", " ") or say("no row")
        numbers = (say.number(n) for n in (one.read, one.used, apart, out))
        lines.append(f"  {name:<14}{{:>12}}{{:>12}}{{:>13}}{{:>13}}  {newest}".format(*numbers))
    read = [file for one in audit.counts.values() for file in one.files.values()]
    traced = [(one.raw, one.reached, one.dropped) for one in read if one.reached is not None and one.dropped is not None]
    raw, reached, dropped = (sum(part) for part in zip(*traced, strict=True)) if traced else (0, 0, 0)
    files = say.many("{n} file", "{n} files", len(read))
    text = say("selects read {files}: {raw} rows = {reached} reached their table + {dropped} dropped", files=files, raw=raw, reached=reached, dropped=dropped)  # fmt: skip
    blind = f", {say('{n} not traceable', n=len(read) - len(traced))}" if len(read) > len(traced) else ""
    return [*lines, f"  {text}{blind}"]


def _meanings(means: Meaning, say: Words) -> list[str]:
    lines = [
        f"  {one.table:<14}{one.first or say('no row'):>12} – {one.last:<12}"
        + (f"{_customers(say, one.customers):>16} ({say.percent(one.share)})" if one.customers else "")
        for one in means.tables
    ]
    month = [] if means.tickets_a_month is None else [say("{n:.1f} tickets opened a month in the last year", n=means.tickets_a_month)]
    running = (
        [] if means.contracts_running is None else [say.many("{n} contract running", "{n} contracts running", means.contracts_running)]
    )
    return lines + ([f"  {', '.join([*month, *running])}"] if month or running else [])


def _oddities(found: Sequence[Oddity], say: Words) -> list[str]:
    return [f"  {said_in(say, one.what)}. FIX: {said_in(say, one.fix)}" for one in found] or [f"  {say('nothing found')}"]


def _gaps(gaps: Sequence[Gap], say: Words) -> list[str]:
    never, some = [one for one in gaps if one.share == 1], [one for one in gaps if one.share < 1]
    lines = [
        f"  {f'{one.table}.{one.column}':<28}{say.percent(one.share, 1):>8}  {say('{n} of {all} rows', n=one.missing, all=one.rows)}"
        for one in some[:MOST]
    ]
    if some[MOST:]:
        share = say.percent(some[MOST - 1].share, 1)
        lines.append(f"  {say('and {n} {n:column|columns} below {share}', n=len(some) - MOST, share=share)}")
    if never:
        lines.append(f"  {say('never filled: {columns}', columns=', '.join(f'{one.table}.{one.column}' for one in never))}")
    return lines or [f"  {say('nothing is missing')}"]


def _ages(ages: Sequence[Age], say: Words) -> list[str]:
    told = [_age(one, say) for one in ages]
    wide = max(29, *map(len, told)) if told else 0
    return [f"  {one.table:<16}{age:<{wide}} {_limit(one, say)}" for one, age in zip(ages, told, strict=True)]


def _age(one: Age, say: Words) -> str:
    if one.days is None:
        return say("no row")
    days = say("{n:.1f} days", n=one.days)
    if not one.usual_days:
        return days
    return f"{days}, " + (
        say("rows on most days")
        if one.usual_days == 1
        else say("rows every {n} days", n=say.number(one.usual_days, int(one.usual_days % 1 > 0)))
    )


def _limit(one: Age, say: Words) -> str:
    if one.outcome:
        told = {
            "pass": say("within its limit"),
            "warn": say("LATE: older than warn_after"),
            "fail": say("TOO OLD: a run refuses or goes without"),
        }
        return told[one.outcome]
    if one.suggested and one.days is not None and one.days > one.suggested:
        # a limit that would stop tonight is no advice
        return say("no limit; older than its rhythm of at most {n} days", n=one.suggested)
    if one.suggested:
        return say("no limit; set {setting}", setting=f"tables.{one.table}.error_after={one.suggested}")
    return say("no limit, too few days to propose one")


def _first(one: Finding, say: Words) -> str:
    return say("first {place}", place=one.first)


def _findings(found: Sequence[Finding], say: Words) -> list[str]:
    ordered = sorted(found, key=lambda one: (not one.blocks, -one.rows, one.table, one.column))
    lines = [
        f"  {_place(one):<28}{say.number(one.rows):>9}  {told_in(say, one.what)}" + (f"  {_first(one, say)}" if one.first else "")
        for one in ordered[:MOST]
    ]
    if ordered[MOST:]:
        n, rows = len(ordered) - MOST, sum(one.rows for one in ordered[MOST:])
        lines.append(f"  {say('and {n} more {n:kind|kinds} with {rows} rows', n=n, rows=rows)}")
    return lines or [f"  {say('nothing found')}"]


def _mend(audit: Audit, say: Words) -> list[str]:
    lines = []
    for number, one in enumerate(audit.mend, 1):
        cost = ", ".join(
            [
                *([_rows(say, one.rows)] if one.rows else []),
                *([_customers(say, one.customers)] if one.customers else []),
                *([_first(one, say)] if one.first else []),
            ]
        )
        stop = f"{say('stops the run:')} " if one.blocks else ""
        lines += [f"  {number} {_place(one)}  {stop}{told_in(say, one.what)}" + (f" ({cost})" if cost else "")]
        lines += [f"      -> {told_in(say, one.action)}"]
    if lines:
        return lines
    return [f"  {say('nothing of rows and cells; see what looks wrong, above') if audit.means.oddities else say('nothing')}"]


def _place(one: Finding) -> str:
    return f"{one.table}.{one.column}" if one.column else one.table
