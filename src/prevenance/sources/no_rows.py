"""Lines of a file that are no rows of its table: its header again, where files were put together, and totals at its end."""

import duckdb

from prevenance.sources.files import PLACE, column_names, sql_name, sql_text

TOTAL = r"(?i)\s*(grand[ _-]?|sub[ _-]?)?(total(s|e|es|aux)?|sum|summe|gesamt(summe|betrag)?|insgesamt|somme|ensemble)\b.*"
"""How the first cell of a line of totals begins."""

LAST = 3
"""So many lines at the end of a file may be totals."""


def take_out(con: duckdb.DuckDBPyConnection, part: str) -> list[tuple[str, int]]:
    """Take such lines out of the table ``part`` and return where they are: (file, line)."""
    names = [name for name in column_names(con, part) if name not in PLACE]
    first, again = (
        sql_name(names[0]),
        " and ".join(f"{sql_name(name)} = {sql_text(name)}" for name in names if not name.startswith("nameless_")),
    )
    found = con.execute(f"select _file, _line from {part} where {again or 'false'} order by _line").fetchall()
    # a total stands alone: what a row of the table says of its day or its owner is blank
    blank = " or ".join(f"coalesce(trim({sql_name(name)}), '') = ''" for name in names[1:])
    beside = " or ".join(f"coalesce(trim({sql_name(name)}), '') <> ''" for name in names)
    # so that nothing is worked out for the rows before them
    end = f"(select * from {part} where _line > (select max(_line) from {part}) - 100)"
    last = f"select _file, _line, {first}, {blank or 'false'} as lone, {beside} as filled from {end} order by _line desc limit {LAST}"
    for file, line, text, lone, filled in con.execute(last).fetchall():
        fits = lone and con.execute("select regexp_full_match(trim(?), ?)", [text or "", TOTAL]).fetchall()[0][0]
        if filled and not fits:
            break
        found += [(file, line)] if filled else []
    if found:
        con.execute(f"delete from {part} where _line in ({', '.join(str(line) for _, line in found)})")
    return sorted(found)
