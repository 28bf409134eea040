"""Rows that stand twice in one file of a table that may say the same thing twice: told, and counted once where the whole file is there again.

It works on the engine's table ``judged`` (see ``apart``). Two rows are equal where every column of their file is: an id that no select reads
tells two facts apart.
"""

from collections.abc import Sequence

from prevenance.sources.declared import PLACE, Source
from prevenance.sources.files import column_names, sql_name
from prevenance.sources.repeats import DUPLICATE, mark
from prevenance.sources.taken import Intake, ReadWhole
from prevenance.tables.canonical import Table

ALIKE = "alike_in_file"
"""Warning of rows that are equal to another of their file, and count each."""

LEAST_ROWS = 20
"""Different rows of a file at least, before it can be there twice as a whole."""


def mark_twice(taken: Intake, source: Source, table: Table, columns: Sequence[str]) -> int:
    """Tell of rows that are equal to another of their file; mark them where every row of the file is there as often. Return how many count each."""
    con = taken.con
    if table.once or not {*PLACE} <= {*columns} or con.execute("select count(_id) > 0 from judged").fetchall()[0][0]:
        return 0
    everything = ", ".join(sql_name(name) for name in table.names)
    fit = "reason is null and _file is not null and _line is not null"
    rows = f"from judged where {fit}"
    # nearly every table has none: where they stand is only asked of those that have some
    equal = f"select 1 from (select hash(_file, {everything}) as print {rows}) group by print having count(*) > 1"
    if not con.execute(f"select exists({equal})").fetchall()[0][0]:
        return 0
    con.execute(
        f"create or replace temp table prints as select hash(_file, {everything}) as print, _file, _line::bigint as _line, rowid as _row {rows}"
    )
    # the lines of two equal rows differ: a select may make several rows of one
    twice = "select print from prints group by 1 having min(_line) < max(_line)"
    con.execute(f"create or replace temp table twins as select * from prints where print in ({twice})")
    alone = 0
    for view in source.views_read(table.name) if con.execute("select exists(from twins)").fetchall()[0][0] else ():
        if view in taken.partial:  # what else their rows hold stands in the files
            raise ReadWhole
        raw = [sql_name(name) for name in column_names(con, f"raw.{sql_name(view)}") if name != "_line"]
        con.execute(
            f"create or replace temp table equals as select t._row, t._file, row_number() over (partition by r.print, t.print order by t._line, t._row) as place, "
            f"count(*) over (partition by r.print, t.print) as held from twins t join (select _file, _line, hash({', '.join(raw)}) as print "
            f"from raw.{sql_name(view)}) r on r._file = t._file and r._line = t._line"
        )
        sizes = "select _file, count(*) as rows from prints group by 1"
        found = con.execute(
            f"select e._file, s.rows, min(held), bool_and(held > 1), count(*), count(*) filter (where place = 1), count(*) filter (where place > 1) "
            f"from equals e join ({sizes}) s using (_file) group by 1, 2 order by 1"
        ).fetchall()
        for file, rows, times, all_twice, count, different, more in found:
            if all_twice and count == rows and different >= LEAST_ROWS and _as_often(taken, file, times):
                mark(
                    con,
                    f"select _row from equals where _file = '{file.replace(chr(39), chr(39) * 2)}' and place > held / {times}",
                    DUPLICATE,
                )
                taken.messages.append(f"{table.name}: every row of {file} stands there {times} times; each counts once")
            elif more:
                alone += more
                one_of = f"qualify row_number() over (partition by {', '.join(raw)} order by _line) = 1"
                taken.hints.setdefault(
                    (table.name, ALIKE), ("", f"if they are repeats, add `{one_of}` to the select of {view} in {table.name}.sql")
                )
    if alone:
        said = f"{table.name}: {alone:,} row{'' if alone == 1 else 's'} equal to another of the same file count each; if they are repeats"
        taken.messages.append(f"{said}, give each row its own id as _id, or write the line that make validate names")
    return alone


def _as_often(taken: Intake, file: str, times: int) -> bool:
    query = f"select bool_and(held % {int(times)} = 0) from equals where _file = ?"
    return bool(taken.con.execute(query, [file]).fetchall()[0][0])
