"""What a select may not ask, because the same data would give another table another time: chance, clocks, samples."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import duckdb

CLOCKS = frozenset({"current_date", "current_timestamp", "current_time", "localtime", "localtimestamp"})
"""Words that are clocks without brackets, unless a file has a column of that name."""


def unsteady_word(con: duckdb.DuckDBPyConnection, select: str) -> str | None:
    """Return the first thing in a select that changes from run to run, such as ``random()``; ``None`` where nothing does, or it is no SQL."""
    told = json.loads(con.execute("select json_serialize_sql(?)", [select]).fetchall()[0][0])
    changing = _changing_functions()
    held = {row[0].lower() for row in con.execute("select column_name from duckdb_columns() where schema_name = 'raw'").fetchall()}
    for node in _nodes(told):
        name = str(node.get("function_name", "")).lower()
        if name in changing or (name == "age" and len(node.get("arguments") or []) == 1):
            return f"{name}()"
        named = node.get("column_names")
        if isinstance(named, list) and len(named) == 1 and str(named[0]).lower() in CLOCKS - held:
            return str(named[0]).lower()
        if node.get("sample"):
            return "a sample of rows"
    return None


@functools.cache  # listing the engine's functions takes longer than reading a small table
def _changing_functions() -> frozenset[str]:
    """Return which of its functions give another answer each time, as the engine knows it; error() only ends a query."""
    asked = "select distinct lower(function_name) from duckdb_functions() where stability <> 'CONSISTENT' and function_name <> 'error'"
    with duckdb.connect() as con:
        return frozenset(row[0] for row in con.execute(asked).fetchall())


def gathers_rows(con: duckdb.DuckDBPyConnection, select: str) -> bool:
    """Return whether a select makes one row of several on purpose: it groups, keeps distinct rows or one place of a window."""
    told = json.loads(con.execute("select json_serialize_sql(?)", [f"{select}\n"]).fetchall()[0][0])
    for node in _nodes(told):
        grouped = node.get("group_expressions") or node.get("qualify") or node.get("aggregate_handling") == "FORCE_AGGREGATES"
        alike = node.get("type") == "DISTINCT_MODIFIER" or (node.get("type") == "SET_OPERATION_NODE" and not node.get("setop_all", True))
        if grouped or alike:
            return True
        if str(node.get("function_name", "")).lower() in ("row_number", "rank", "first_value"):
            return True
    return False


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)
