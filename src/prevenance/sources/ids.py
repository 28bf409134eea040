"""Ids that other programs have damaged, as SQL and in words: rounded to a few digits, with .0, without their zeros, cut to 15 characters."""

from collections.abc import Mapping

from prevenance.sources.declared import Source
from prevenance.sources.taken import Intake

ROUNDED = "rounded by a spreadsheet"
"""What is wrong with an id such as 5.00034E+17: its digits are gone, and others look the same."""

ROUNDED_PATTERN = r"\s*\d[.,]\d+[eE]\+?\d+\s*"


def is_rounded_sql(text: str) -> str:
    """Return SQL for whether an id was rounded to a few digits."""
    # most ids hold neither, and are spared the pattern
    return f"((contains({text}, '+') or substr({text}, 2, 1) in ('.', ',')) and regexp_full_match({text}, '{ROUNDED_PATTERN}'))"


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
    """Keep, where rows of a table belong to no customer, in which form most of their ids would match, and the line that does it."""
    con = taken.con
    con.execute(
        f"create or replace temp table strangers as select distinct customer_id as id from canonical.{name} "
        "where customer_id not in (select customer_id from canonical.customers)"
    )
    con.execute("create or replace temp table owners as select distinct customer_id as id from canonical.customers")
    count = con.execute("select count(*) from strangers").fetchall()[0][0]
    for told, (form, changed) in FORMS.items():
        sql, asked = form.replace("X", "id"), changed.replace("X", "id")
        found, here, there = con.execute(
            f"select count(*), count(*) filter (where s.changed), count(*) filter (where o.changed) from "
            f"(select {sql} as plain, bool_or({asked}) as changed from strangers group by 1) s join "
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
