"""Lines of a file that are no rows of its table: its header again, where files were put together, and totals at its end."""

from collections.abc import Iterable

import duckdb

from prevenance.sources.files import PLACE, column_names, sql_name, sql_text

TOTAL = r"(?i)\s*(grand[ _-]?|sub[ _-]?)?(total(s|e|es|aux)?|sum|summe|gesamt(summe|betrag)?|insgesamt|somme|ensemble)\b.*"
"""How the first cell of a line of totals begins."""

COUNTED = (
    r"(?i)\s*(anzahl|nombre d|number of|count\b|cantidad|n[uú]mero de|rows?\b|zeilen|lignes|filas|records?\b|datens[äa]tze|registros|"
    r"enregistrements|export(ed|iert|é|ado)|generated|erstellt|g[ée]n[ée]r[ée]|generado).*"
)
"""How a line begins that says how many there are, or when they were exported: no row where nothing stands beside it."""

LAST = 3
"""So many lines at the end of a file may be totals."""


def take_out(con: duckdb.DuckDBPyConnection, part: str) -> list[tuple[str, int]]:
    """Take such lines out of the table ``part`` and return where they are: (file, line)."""
    names = [name for name in column_names(con, part) if name not in PLACE]
    first, heads = sql_name(names[0]), [name for name in names if not name.startswith("nameless_")]
    # lists, not a condition a column: a file may have thousands; the first column alone spares most rows the others
    again = (
        f"{sql_name(heads[0])} = {sql_text(heads[0])} and {_listed(map(sql_name, heads))} = {_listed(map(sql_text, heads))}"
        if heads
        else "false"
    )
    found = con.execute(f"select _file, _line from {part} where {again} order by _line").fetchall()
    # a total stands alone: what a row of the table says of its day or its owner is blank
    trimmed = [f"coalesce(trim({sql_name(name)}), '')" for name in names]
    blank = f"list_contains({_listed(trimmed[1:])}, '')" if names[1:] else "false"
    alone = f"concat_ws('', {', '.join(trimmed[1:])}) = ''" if len(names) > 2 else "false"
    beside = f"concat_ws('', {', '.join(trimmed)}) <> ''"
    # so that nothing is worked out for the rows before them
    end = f"(select * from {part} where _line > (select max(_line) from {part}) - 100)"
    last = (
        f"select _file, _line, {first}, {blank} as lone, {alone} as alone, {beside} as filled from {end} order by _line desc limit {LAST}"
    )
    for file, line, text, lone, alone_too, filled in con.execute(last).fetchall():
        ways = TOTAL if not alone_too else f"{TOTAL}|{COUNTED}"
        fits = lone and con.execute("select regexp_full_match(trim(?), ?)", [text or "", ways]).fetchall()[0][0]
        if filled and not fits:
            break
        found += [(file, line)] if filled else []
    if found:
        con.execute(f"delete from {part} where _line in ({', '.join(str(line) for _, line in found)})")
    return sorted(found)


def _listed(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"
