"""What was known at many moments, as one hash each: equal hashes, equal rows.

The rows are those of ``history.visible_sql``: what an opt-out or an erasure took out of the history is in none of them.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from prevenance.history.history import History
from prevenance.sources.files import sql_name
from prevenance.tables.canonical import TABLES


def digests_at(history: History, cutoffs: Iterable[datetime]) -> dict[datetime, str]:
    """Return for each of ``cutoffs`` a hash of all rows visible then, whatever their order; each table is read once for all of them."""
    moments = sorted(set(cutoffs))
    said: dict[datetime, list[str]] = {moment: [] for moment in moments}
    for name in sorted(history.tables) if moments else ():
        columns = ", ".join(sql_name(column) for column in TABLES[name].shared)
        place = " ".join(
            f"when greatest(event_at, known_at) <= timestamp '{moment}' then {number}" for number, moment in enumerate(moments)
        )
        found = history.con.execute(
            f"select case {place} end as place, count(*), sum(hash({columns})::hugeint), bit_xor(hash({columns}, 1)) "
            f"from canonical.{name} where event_at is not null and known_at is not null group by 1"
        ).fetchall()
        parts = {number: part for number, *part in found if number is not None}
        rows, total, mixed = 0, 0, 0
        for number, moment in enumerate(moments):
            more, added, other = parts.get(number, (0, 0, 0))
            rows, total, mixed = rows + more, total + int(added), mixed ^ int(other)
            said[moment].append(f"{name}:{rows}:{total}:{mixed}")
    return {moment: hashlib.sha256("|".join(parts).encode()).hexdigest() for moment, parts in said.items()}
