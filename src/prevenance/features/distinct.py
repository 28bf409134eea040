"""Distinct values in a window: one bit per interval for each (customer, value) pair.

A count of different users cannot be a difference of prefix sums. Each pair gets a bit mask of the intervals it
appears in (one ``GROUP BY``); a window is a mask, and a pair counts when the two masks meet.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from prevenance.features.intervals import WORD, Axis, keyed, words
from prevenance.history.history import History
from prevenance.sources.files import sql_name


def distinct(
    history: History, rows: str, column: str, where: str, axis: Axis, windows: Sequence[tuple[datetime, int | None, bool]], customers: int
) -> list[np.ndarray]:
    """Return, for each ``(cutoff, days, before)`` window (by ascending cutoff), the number of values per customer code.

    ``rows`` is SQL for the facts of a table. ``column`` ``day`` means the UTC day of event_at. Null values do not count.
    """
    con = history.con
    value = "epoch_us(event_at) // 86400000000" if column == "day" else sql_name(column)
    numbers = range(words(axis))
    # what lies before the first edge counts only where a window goes back to the beginning
    if all(days is not None for _, days, _ in windows):
        rows = f"(from {rows} where event_at > timestamp '{axis.edges[0]}')"
    masks = ", ".join(f"bit_or(bit{w}) as w{w}" for w in numbers)
    con.execute(
        f"create or replace temp table masks as select code, value, late, {', '.join(f'w{w}' for w in numbers)} from (select customer_id, {value} as value, "
        f"late, {masks} from ({keyed(history, rows, axis, '*')}) where {value} is not null and ({where or 'true'}) group by 1, 2, 3) "
        "join codes using (customer_id)"
    )
    merged = ", ".join(f"coalesce(max(w{w}) filter (where late = 0), 0) as w{w}" for w in numbers)
    con.execute(
        f"create or replace temp table pairs as select row_number() over () - 1 as pair, * from (select code, value, {merged} from masks group by 1, 2)"
    )
    pairs = con.execute("select * exclude (value) from pairs order by pair").fetchnumpy()
    late = con.execute(
        "select pair, late, masks.* exclude (code, value, late) from masks join pairs using (code, value) where late > 0"
    ).fetchnumpy()
    con.execute("drop table masks; drop table pairs")
    code = np.asarray(pairs["code"], dtype=np.int64)
    mask = np.stack([np.asarray(pairs[f"w{w}"], dtype=np.int64) for w in numbers])
    return _counted(axis, windows, customers, code, mask, {name: np.asarray(array, dtype=np.int64) for name, array in late.items()})


def _counted(
    axis: Axis,
    windows: Sequence[tuple[datetime, int | None, bool]],
    customers: int,
    code: np.ndarray,
    mask: np.ndarray,
    late: dict[str, np.ndarray],
) -> list[np.ndarray]:
    """Walk the cutoffs upwards, letting late facts in when they become known, and count meeting masks."""
    results, known = [], 0
    for cutoff, days, before in windows:
        number = axis.cutoffs.index(cutoff) + 1
        while known < number:
            known += 1
            arrived = late["late"] == known
            for w in range(len(mask)):
                np.bitwise_or.at(mask[w], late["pair"][arrived], late[f"w{w}"][arrived])
        low, high = axis.window(cutoff, days, before)
        hit = np.zeros(len(code), dtype=bool)
        for w in range(len(mask)):
            if bits := _bits(low, high, w):
                hit |= (mask[w] & bits) != 0
        results.append(np.bincount(code[hit], minlength=customers))
    return results


def _bits(low: int, high: int, word: int) -> int:
    """Return the bits of intervals ``low+1 .. high`` that lie in ``word``."""
    first, last = max(low + 1 - WORD * word, 0), min(high - WORD * word, WORD - 1)
    return 0 if first > last else ((1 << (last - first + 1)) - 1) << first
