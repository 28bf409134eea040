"""What was known at many moments, as hashes: equal hashes, equal rows.

The rows are those of ``history.visible_sql``: what an opt-out or an erasure took out of the history is in none of them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from prevenance.history.history import History, visible_sql
from prevenance.history.once import asked_once
from prevenance.sources.files import sql_name
from prevenance.tables.canonical import TABLES

GROUPS = 256
"""Groups of customers, by the hash of their id: what is known of one of them is told by the hash of its group."""

GROUP = f"(hash(customer_id) % {GROUPS})::int"


@dataclass(frozen=True)
class Seen:
    """The rows visible at a moment: a hash of all, of those of each group of customers, and of what is ``beside`` the customers.

    ``beside`` are the rows of tables that are of no customer, which tables there are, and which of them had any row then.
    """

    whole: str
    groups: tuple[str, ...]
    beside: str


def digests_at(history: History, cutoffs: Iterable[datetime]) -> dict[datetime, Seen]:
    """Return for each of ``cutoffs`` hashes of all rows visible then, whatever their order; each table is read once for all of them."""
    moments = sorted(set(cutoffs))
    groups: dict[datetime, list[list[str]]] = {moment: [[] for _ in range(GROUPS)] for moment in moments}
    beside: dict[datetime, list[str]] = {moment: [] for moment in moments}
    for name in sorted(history.tables) if moments else ():
        columns, own = ", ".join(sql_name(column) for column in TABLES[name].shared), TABLES[name].per_customer
        place = " ".join(
            f"when greatest(event_at, known_at) <= timestamp '{moment}' then {number}" for number, moment in enumerate(moments)
        )
        found = history.con.execute(
            f"select {GROUP if own else '-1'} as group_, case {place} end as place, count(*), sum(hash({columns})::hugeint), "
            f"bit_xor(hash({columns}, 1)) from canonical.{name} where event_at is not null and known_at is not null group by 1, 2"
        ).fetchall()
        parts = {(group, number): part for group, number, *part in found if number is not None}
        for group in sorted({group for group, _ in parts}):
            rows, total, mixed = 0, 0, 0
            for number, moment in enumerate(moments):
                more, added, other = parts.get((group, number), (0, 0, 0))
                rows, total, mixed = rows + more, total + int(added), mixed ^ int(other)
                if rows:
                    (groups[moment][group] if own else beside[moment]).append(f"{name}:{rows}:{total}:{mixed}")
        for number, moment in enumerate(moments):
            beside[moment].append(f"{name}:{any(known <= number for _, known in parts)}")
    return {moment: _seen(groups[moment], beside[moment]) for moment in moments}


@asked_once
def history_digest(history: History, cutoff: datetime) -> str:
    """Return a hash of all rows visible at ``cutoff``, independent of their order (the engine's hash, summed)."""
    parts = []
    # consents are exempt from law 6, so a later no may not change the digest of a past cutoff
    for name in sorted(history.tables - {"consents"}):
        columns = ", ".join(sql_name(column) for column in TABLES[name].shared)
        row = history.con.execute(
            f"select count(*), coalesce(sum(hash({columns})::hugeint), 0) from {visible_sql(name, cutoff)}"
        ).fetchall()[0]
        parts.append(f"{name}:{row[0]}:{row[1]}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def customer_groups(history: History) -> pd.Series:
    """Return customer_id -> its group in ``Seen.groups``, of every customer of the history."""
    found = history.con.execute(f"select distinct customer_id, {GROUP} as group_ from canonical.customers order by 1").df()
    return found.set_index("customer_id")["group_"]


def _seen(groups: list[list[str]], beside: list[str]) -> Seen:
    told, more = tuple(_hash(one) for one in groups), _hash(beside)
    return Seen(_hash([*told, more]), told, more)


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
