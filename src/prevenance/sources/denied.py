"""What a source's select never gets to see: other files, special categories of personal data; and agents, who are no input."""

from __future__ import annotations

import re

import duckdb

from prevenance.consent import special
from prevenance.sources.convert import Source
from prevenance.sources.files import sql_name
from prevenance.tables.canonical import Table


def drop_special_columns(con: duckdb.DuckDBPyConnection, source: Source, view: str) -> list[str]:
    """Drop the columns of ``raw.<view>`` whose names speak of a special category, before any select runs; return a message for them, or none."""
    names = [row[0] for row in con.execute(f"describe raw.{sql_name(view)}").fetchall()]
    dropped = [name for name in names if special.refused_category(name, source.permitted)]
    for name in dropped:
        con.execute(f"alter table raw.{sql_name(view)} drop column {sql_name(name)}")
    return [f"{view}: {', '.join(sorted(dropped))} not used, a special category of personal data (Art. 9 GDPR)"] if dropped else []


def deny_outside(con: duckdb.DuckDBPyConnection) -> None:
    """From here on no SQL reads or writes a file or reaches the network: a select sees the declared files and nothing else."""
    con.execute("set enable_external_access=false")


def refuse_agents(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> None:
    """Raise E902 where a column that says who works for the company is given another meaning than ``owner``."""
    text = re.sub(r"--[^\n]*", "", source.selects[table.name])
    for (name,) in con.execute("select distinct column_name from duckdb_columns() where schema_name = 'raw' order by 1").fetchall():
        if special.refused_category(name, source.permitted, agents=True) != special.AGENT:
            continue
        for given in re.findall(rf'(?<!\w)"?{re.escape(name)}"?\s+as\s+"?(\w+)"?', text, re.IGNORECASE):
            if given.lower() in table.names and given.lower() != "owner":
                raise special.special_error(name, special.AGENT, fix=f"give {given} another column in {table.name}.sql", table=table.name)


def refuse_special(names: list[str], source: Source, table: Table, *, agents: bool = True) -> None:
    """Raise E902 if one of ``names``, asked for or given by the table's select, may not be used."""
    for name in names:
        if kind := special.refused_category(name, source.permitted, agents=agents and name not in table.names):
            raise special.special_error(name, kind, table=table.name)
