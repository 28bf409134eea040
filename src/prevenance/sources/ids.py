"""Ids that other programs have damaged, as SQL and in words: rounded to a few digits, with .0, without their zeros, cut to 15 characters."""

from collections.abc import Mapping, Sequence

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Source
from prevenance.sources.nothing import text_sql
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import Table

ROUNDED = "rounded by a spreadsheet"
"""What is wrong with an id such as 5.00034E+17: its digits are gone, and others look the same."""

ROUNDED_PATTERN = r"\s*\d[.,]\d+[eE]\+?\d+\s*"


def is_rounded_sql(text: str) -> str:
    """Return SQL for whether an id was rounded to a few digits."""
    # most ids hold neither, and are spared the pattern
    return f"((contains({text}, '+') or substr({text}, 2, 1) in ('.', ',')) and regexp_full_match({text}, '{ROUNDED_PATTERN}'))"


LONG, LEAST = 16, 6
"""Digits from which an id may be rounded, and how many ids (or zeros at their ends) are no chance."""

DIGITS = f"length(id) >= {LONG} and length(id) <= 30 and regexp_full_match(id, '[1-9][0-9]+')"
NEXT = "(2::hugeint ** greatest(floor(log2(id::hugeint::double)) - 52, 0))::hugeint"
"""SQL for how far two numbers of the size of an id lie apart in a program that takes them for numbers with a fraction."""

KEPT_SQL = f"""
select count(*), max(length(rtrim(id, '0'))), min(length(id)), min(length(id) - length(rtrim(id, '0'))), min(id),
  coalesce(bool_and(length(id) >= 18 and id::hugeint % {NEXT} = 0) and bool_or(id::hugeint % (2 * {NEXT}) <> 0), false)
from (select distinct trim(TEXT) as id from judged where length(TEXT) >= {LONG}) where {DIGITS}
"""
"""How many long ids a column has, how many digits of them are kept, the length of the shortest, zeros at the ends of all, one of them, and whether all
are numbers that a program with fractions can hold."""


def refuse_rounded(con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: Sequence[str]) -> None:
    """Raise E302 where all long ids of a column of ``judged`` are what a spreadsheet (15 digits) or a program (53 bits) keeps of them.

    Several may have become one. Ids of fewer digits that matter, such as 20240325103000000, are what they are.
    """
    texts = {column.name: text_sql(column) for column in table.columns if column.kind == "id" and column.name in columns}
    if not texts:
        return
    # nearly every column has no long id, or one that ends in an odd digit
    even = f"coalesce(bool_and(case when strlen(TEXT) >= {LONG} then substr(TEXT, -1) in ('0', '2', '4', '6', '8') end), false)"
    asked = con.execute(f"select {', '.join(even.replace('TEXT', text) for text in texts.values())} from judged").fetchall()[0]
    for name in [name for name, all_even in zip(texts, asked, strict=True) if all_even]:
        count, kept, shortest, zeros, first, halves = con.execute(KEPT_SQL.replace("TEXT", texts[name])).fetchall()[0]
        digits = kept == 15 or (kept in (16, 17) and shortest >= 19)
        if count and count * zeros >= LEAST and digits:
            said = f"end in zeros after {kept} digits"
        elif count >= LEAST and halves:
            said = "are numbers that a program with fractions can hold"
        else:
            continue
        fix = source.rewritten(table.name, name, "'n' || X")
        raise PrevenanceError(
            "E302",
            f'{ROUNDED}: all {count:,} ids of {LONG} digits and more {said}, and several may have become one ("{first}")',
            **{"table": table.name, "column": name},
            fix=f"{ROUNDED_FIX}; if that is what they are, {fix}, and the same wherever the id stands",
        )


ROUNDED_FIX = "export the ids as text (a spreadsheet keeps 15 digits of a number): which ones they were cannot be told any more"

ZEROS, LPAD = "without zeros before them", "lpad(X, {}, '0')"

FORMS: Mapping[str, tuple[str, str]] = {
    'without ".0"': (r"regexp_replace(X, '[.,]0+$', '')", r"regexp_full_match(X, '\d+[.,]0+')"),
    ZEROS: ("ltrim(X, '0')", "X like '0%'"),
    "by their first 15 characters": ("left(X, 15)", "length(X) = 18"),
    "without blanks around them": ("trim(X)", "X <> trim(X)"),
    "in small letters": ("lower(X)", "X <> lower(X)"),
    "without signs around them": (r"regexp_replace(X, '^\W+|\W+$', '', 'g')", r"regexp_matches(X, '^\W|\W$')"),
    "without signs between thousands": ("regexp_replace(X, '[.,]', '', 'g')", r"regexp_full_match(X, '\d{1,3}([.,]\d{3})+')"),
    "by their digits alone": (r"regexp_replace(X, '\D', '', 'g')", r"regexp_full_match(X, '\D*\d+\D*') and regexp_matches(X, '\D')"),
}
"""How two ids may be one (told as "match ...") -> SQL that makes them equal, SQL for an id that this changes."""


def note_damaged(taken: Intake, source: Source, name: str, reason: str) -> None:
    """Keep, where rows of a table belong to no customer (``orphans``), in which form most of their ids would match, and the line that does it."""
    con = taken.con
    con.execute("create or replace temp table owners as select distinct customer_id as id from canonical.customers")
    count = con.execute("select count(*) from orphans").fetchall()[0][0]
    for told, (form, changed) in FORMS.items():
        sql, asked = form.replace("X", "id"), changed.replace("X", "id")
        found, here, there = con.execute(
            f"select count(*), count(*) filter (where s.changed), count(*) filter (where o.changed) from "
            f"(select {sql} as plain, bool_or({asked}) as changed from (select customer_id as id from orphans) group by 1) s join "
            f"(select {sql} as plain, bool_or({asked}) as changed, count(*) as ids from owners group by 1) o using (plain) where o.ids = 1"
        ).fetchall()[0]
        if found * 2 < count or not (here or there):
            continue
        if told == ZEROS and there and not here:
            # ids of one length keep the form that customers have
            [(least, most)] = con.execute("select min(length(id)), max(length(id)) from owners").fetchall()
            if least == most:
                taken.hints[name, reason] = (
                    f"ids that no customer has; {found:,} of the {count:,} would match with {most} digits",
                    f"{source.rewritten(name, 'customer_id', LPAD.format(most))}, or export the ids in one form",
                )
                return
        lines = [source.rewritten(table, "customer_id", form) for table, some in ((name, here), ("customers", there)) if some]
        said = f"ids that no customer has; {found:,} of the {count:,} would match {told}"
        taken.hints[name, reason] = said, f"{', and '.join(lines)}, or export the ids in one form"
        return
