"""Whether tonight's tables may be used: how old their newest knowledge is, and whether rows are missing beside the nights before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from prevenance.base.errors import PrevenanceError
from prevenance.sources.taken import Counts

LEAST_SHARE = 0.4
"""A table with fewer than this share of its usual rows is taken for a part of itself."""

NIGHTS = 7
"""Lists whose row counts say what is usual."""

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Limit:
    """What is asked of one table; ``None`` asks nothing. ``required=False``: a list may be made without it."""

    warn_after: timedelta | None = None
    error_after: timedelta | None = None
    required: bool | None = None


@dataclass(frozen=True)
class Gate:
    """One question and its answer: ``outcome`` is pass, warn or fail; ``says`` a sentence, ``where`` and ``fix`` as in an error.

    ``facts`` are for a page: days and limit of a late feed (days is None where no row is known), rows and usual of a partial table, events and usual
    of one whose events the watch warns of.
    """

    name: str
    outcome: str
    says: str = ""
    code: str = "E403"
    where: Mapping[str, object] = field(default_factory=dict, hash=False)
    fix: str = ""
    facts: Mapping[str, float | str | None] = field(default_factory=dict, hash=False)

    @property
    def table(self) -> str:
        """Return the table that was asked about."""
        return self.name.rpartition(".")[2]


def parse_age(value: object, key: str) -> timedelta | None:
    """Return an age from a number of days or a text such as ``36h``, ``2d``, ``1w``.

    Raises:
        PrevenanceError: E202 for anything else, or an age that is not above 0.
    """
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([mhdw])(?:in|inutes?|ours?|ays?|eeks?)?)?", str(value).strip().lower())
    length = timedelta(**{UNITS[found.group(2) or "d"]: float(found.group(1))}) if found else timedelta(0)
    if length <= timedelta(0):
        fix = f"give days or an age with its unit, such as {key}=3 or {key}=36h"
        raise PrevenanceError("E202", f'"{value}" is no age', key=key, fix=fix)
    return length


def freshness_gates(counts: Mapping[str, Counts], as_of: datetime, limits: Mapping[str, Limit]) -> list[Gate]:
    """Judge each table with a limit by its newest visible ``known_at`` against ``as_of`` (naive UTC), never against the clock."""
    asked = {name: limit for name, limit in limits.items() if name in counts and (limit.warn_after or limit.error_after)}
    return [_fresh(name, counts[name].newest_known_at, as_of, limit) for name, limit in sorted(asked.items())]


def _fresh(name: str, newest: str, as_of: datetime, limit: Limit) -> Gate:
    old = as_of - datetime.fromisoformat(newest.rstrip("Z")) if newest else None
    # fail before warn: of two limits that are passed the stricter is told
    over = [outcome for outcome, most in (("fail", limit.error_after), ("warn", limit.warn_after)) if most and (old is None or old > most)]
    if not over:
        return Gate(f"fresh.{name}", "pass")
    most = limit.error_after if over[0] == "fail" else limit.warn_after
    where = {"table": name, "newest": newest or None, "age": None if old is None else age_text(old), "limit": age_text(most)}
    told, days_needed = "it has no row that is known", ""
    if old is not None:
        told = f"its newest knowledge is {where['age']} old"
        days_needed = f", or set tables.{name}.error_after={old.days + 1}"
    says = f"{name}: {told}, the limit is {where['limit']}" + (f" (newest known_at {newest})" if newest else "")
    fix = f"bring the feed up to date and run again{days_needed}, or set tables.{name}.required=false for a list without it"
    facts = {"days": None if old is None else old / timedelta(days=1), "limit": (most or timedelta(0)) / timedelta(days=1)}
    return Gate(f"fresh.{name}", over[0], says, where=where, fix=fix, facts=facts)


def volume_gates(
    read: Mapping[str, int], before: Sequence[Mapping[str, int]], limits: Mapping[str, Limit], *, accepted: bool = False
) -> list[Gate]:
    """Compare the rows of each table with the median of the last ``NIGHTS`` lists (``before``, newest last); one that fell to a part fails.

    ``accepted`` or a table that is not required turns a failure into a warning.
    """
    gates = []
    for name in sorted(read):
        # the median: one strange night must not make the next one usual
        known = [night[name] for night in before[-NIGHTS:] if night.get(name)]
        usual = median(known) if known else 0
        if not usual or read[name] >= LEAST_SHARE * usual:
            gates.append(Gate(f"volume.{name}", "pass"))
            continue
        outcome = "warn" if accepted or limits.get(name, Limit()).required is False else "fail"
        says = f"{name}: {read[name]:,} rows, {1 - read[name] / usual:.0%} fewer than the {usual:,.0f} that are usual"
        says += "; taken as it is (accept_volume)" if accepted else ""
        where = {"table": name, "rows": read[name], "usual": round(usual)}
        fix = "export the table whole and run again, or add accept_volume=true if it really shrank"
        gates.append(Gate(f"volume.{name}", outcome, says, "E404", where, fix, {"rows": read[name], "usual": usual}))
    return gates


def enforce_gates(gates: Sequence[Gate]) -> None:
    """Raise the first failed gate: E403 for a feed that is too old, E404 for one that is a part of itself."""
    for gate in gates:
        if gate.outcome == "fail":
            raise PrevenanceError(gate.code, gate.says, fix=gate.fix, **gate.where)


def age_text(length: timedelta | None) -> str:
    """Return a length of time as it is told: days with one decimal, hours below two days.

    >>> age_text(timedelta(hours=30)), age_text(timedelta(days=6))
    ('30 hours', '6 days')
    """
    hours = (length or timedelta(0)) / timedelta(hours=1)
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.1f}".removesuffix(".0") + " days"
