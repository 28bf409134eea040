"""What a select may not ask, because the same data would give another table another time: chance, clocks, samples."""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

CLOCKS = frozenset({"current_date", "current_timestamp", "current_time", "localtime", "localtimestamp"})
"""Words that are clocks without brackets, unless a file has a column of that name."""

STEADY = frozenset(
    re.findall(
        r"\S+",
        "+ - * / || arg_max arg_min array_agg any_value avg bool_or concat concat_ws contains count count_star dense_rank first_value floor lag "
        "last_value lead left length list lower lpad ltrim max min nullif rank regexp_extract regexp_full_match regexp_matches regexp_replace "
        "replace right round row row_number rtrim split_part starts_with strftime string_agg string_split strptime substr substring sum to_days "
        "to_hours to_minutes to_months to_seconds trim trunc try_strptime unnest upper",
    )
)
"""Functions that selects often use and that always give the same answer: the engine need not be asked, which costs more than a small table."""


GATHERING = frozenset(
    re.findall(
        r"\S+",
        "arg_max arg_min array_agg any_value avg bool_or count count_star dense_rank first_value lag last_value lead list max min rank "
        "row_number string_agg sum unnest",
    )
)
"""Those of them that look at several rows, or make several of one."""


def unsteady_word(con: duckdb.DuckDBPyConnection, select: str) -> str | None:
    """Return the first thing in a select that changes from run to run, such as ``random()``; ``None`` where nothing does, or it is no SQL."""
    told = json.loads(con.execute("select json_serialize_sql(?)", [select]).fetchall()[0][0])
    nodes = list(_nodes(told))
    used = {str(node.get("function_name", "")).lower() for node in nodes} - {""} - STEADY
    changing = used & _changing_functions(con) if used else set()
    for node in nodes:
        name = str(node.get("function_name", "")).lower()
        if name in changing or (name == "age" and len(node.get("arguments") or []) == 1):
            return f"{name}()"
        named = node.get("column_names")
        clock = str(named[0]).lower() if isinstance(named, list) and len(named) == 1 else ""
        if clock in CLOCKS and not _is_column(con, clock):
            return clock
        if node.get("sample"):
            return "a sample of rows"
    return None


def _changing_functions(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return which functions give another answer each time, as the engine knows it; error() only ends a query.

    An engine is asked once: listing its functions takes longer than reading a small table.
    """
    asked = (
        "select distinct lower(function_name) as name from duckdb_functions() where stability <> 'CONSISTENT' and function_name <> 'error'"
    )
    con.execute(f"create temp table if not exists changing_functions as {asked}")
    return {row[0] for row in con.execute("from changing_functions").fetchall()}


def _is_column(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    asked = "select exists(from duckdb_columns() where schema_name = 'raw' and lower(column_name) = ?)"
    return bool(con.execute(asked, [name]).fetchall()[0][0])


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


def treats_rows_alone(con: duckdb.DuckDBPyConnection, select: str) -> bool:
    """Return whether a select takes the rows of one table each by itself: the same rows give the same, whatever stands beside them."""
    told = json.loads(con.execute("select json_serialize_sql(?)", [f"{select}\n"]).fetchall()[0][0])
    [node] = [one["node"] for one in told.get("statements", [])] or [{}]
    if node.get("type") != "SELECT_NODE" or node["from_table"]["type"] != "BASE_TABLE" or node["modifiers"] or node["cte_map"]["map"]:
        return False
    nodes = list(_nodes(node))
    used = {str(one.get("function_name", "")).lower() for one in nodes} - {""}
    gathering = any(one.get("class") in ("WINDOW", "SUBQUERY") or one.get("group_expressions") or one.get("sample") for one in nodes)
    return not gathering and used <= STEADY - GATHERING


def tables_read(con: duckdb.DuckDBPyConnection, select: str) -> set[str] | None:
    """Return the tables that a select names, in small letters; ``None`` where it may read others too, or is no SQL.

    What ``with`` names is none. The select is not bound: what it reads need not be there.
    """
    told = json.loads(con.execute("select json_serialize_sql(?)", [f"{select}\n"]).fetchall()[0][0])
    nodes = list(_nodes(told))
    kinds = {node.get("type") for node in nodes}
    made = {str(node["function"].get("function_name", "")).lower() for node in nodes if node.get("type") == "TABLE_FUNCTION"}
    if told.get("error") or "SHOW_REF" in kinds or made - {"generate_series", "range", "unnest"}:
        return None
    own = {str(one["key"]).lower() for node in nodes if isinstance(node.get("map"), list) for one in node["map"]}
    parts = [[node[part] for part in ("catalog_name", "schema_name", "table_name")] for node in nodes if node.get("type") == "BASE_TABLE"]
    return {".".join(filter(None, names)).lower() for names in parts} - own


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)
