"""Completeness: which columns lack values, among rows of the events that carry them."""

from collections.abc import Sequence
from dataclasses import dataclass

from prevenance.sources.files import sql_name
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import TABLES


@dataclass(frozen=True)
class Gap:
    """Values missing in a column, out of the rows of those events that carry the column at all; ``missing`` of them for ``customers``."""

    table: str
    column: str
    rows: int
    missing: int
    customers: int

    @property
    def share(self) -> float:
        """Return the share of missing values, 1.0 for a column that is never filled."""
        return self.missing / self.rows


def column_gaps(taken: Intake) -> list[Gap]:
    """Return a row for each column that its select gives and that has missing values, the worst share first."""
    found = [gap for name, columns in taken.columns.items() for gap in _gaps(taken, name, columns)]
    return sorted(found, key=lambda gap: (-gap.share, gap.table, gap.column))


def _gaps(taken: Intake, name: str, given: Sequence[str]) -> list[Gap]:
    table = TABLES[name]
    columns = [column.name for column in table.columns if column.name in given and not column.required and column.name != "known_at"]
    if not columns:
        return []
    # a cancellation has no price to miss: a gap is asked for only among the events that carry the column
    event = next((f"cast({one} as varchar)" for one in ("event", "kind") if one in table.names), "''")
    counted = ", ".join(f"count({sql_name(column)})" for column in columns)
    groups = taken.con.execute(f"select {event}, count(*), {counted} from canonical.{name} group by 1 order by 1").fetchall()
    result = []
    for place, column in enumerate(columns, 2):
        carried = [row for row in groups if row[place] * 2 >= row[1]] or groups  # an event that mostly lacks it does not carry it
        rows, filled = sum(row[1] for row in carried), sum(row[place] for row in carried)
        if rows > filled:
            result.append(Gap(name, column, rows, rows - filled, _customers(taken, name, column, event, [row[0] for row in carried])))
    return result


def _customers(taken: Intake, name: str, column: str, event: str, events: list[str]) -> int:
    if not TABLES[name].per_customer:
        return 0
    query = f"select count(distinct customer_id) from canonical.{name} where {sql_name(column)} is null and list_contains(?, {event})"
    return int(taken.con.execute(query, [events]).fetchall()[0][0])
