"""SQL that turns a select's text into typed columns and names the first rule a row breaks; and the hours that a zone skips or has twice."""

import duckdb

from prevenance.sources.declared import Source
from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.ids import ROUNDED, is_rounded_sql
from prevenance.sources.instants import has_offset_sql, instant_sql, is_bare_sql, known_sql, local_sql
from prevenance.sources.nothing import can_be_nothing, is_converted, is_missing_sql, is_nothing_sql
from prevenance.sources.repeats import VERSION
from prevenance.sources.selects import selecting
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import CLOCK_SLACK_MINUTES, EARLIEST, LATEST, SQL_TYPES, Column, Table


def number_text_sql(source: Source, text: str) -> str:
    """Return SQL for a number's text with a decimal point; with a declared comma, points are thousands and anything else is no number."""
    return source.by_file_sql(lambda one: _number_text(one, text))


def _number_text(source: Source, text: str) -> str:
    if source.decimal != ",":
        return f"trim({text})"
    fits = r"regexp_full_match(trim(TEXT), '[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?')".replace("TEXT", text)
    return f"case when {fits} then replace(replace(trim({text}), '.', ''), ',', '.') end"


def convert_rows(con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: list[str], texts: str) -> None:
    """Turn what a select gives, as the SQL of its ``texts``, into the rows of ``judged``: values, their raw text (see ``text_sql``) and the first
    rule that a row breaks; in the order of the select, which is that of their ``rowid``.

    Raises:
        PrevenanceError: see ``selecting``.
    """
    # each text is read once, before it is asked for more than once
    instants = [column.name for column in table.columns if column.kind == "instant" and column.name in columns]
    read = {name: instant_sql(source, sql_name(name)) for name in instants}
    if table.name not in source.delay_days and "event_at" in columns:
        # what carries a date alone may have happened, or been known, in its last minute
        clock = "known_at" if "known_at" in columns else "event_at"
        read["known_at"] = known_sql(source, sql_name(clock), read[clock] if clock == "known_at" else "null")
    given = "".join(f", {sql} as {_at(name)}" for name, sql in read.items())
    typed = ", ".join(f"{converted_sql(source, table, column, columns)} as {sql_name(column.name)}" for column in table.columns)
    kept = [column for column in table.columns if column.name in columns and (is_converted(column) or can_be_nothing(column))]
    raw = "".join(f", {_raw_sql(column)} as {sql_name('raw ' + column.name)}" for column in kept)
    places = {"_file": "_file", "_line": "_line", "_id": f"case when {is_nothing_sql('_id')} then null else _id end"}
    extra = ", ".join(f"{sql if name in columns else 'null::varchar'} as {name}" for name, sql in places.items())
    known = _at("known_at") if "known_at" in columns else "null::timestamp"
    version = f"coalesce(try_cast({VERSION} as double), epoch({instant_sql(source, VERSION)}))" if VERSION in columns else "null::double"
    converted = f"select {typed}{raw}, {extra}, {known} as _known, {version} as {VERSION} from (select *{given} from ({texts}))"
    with selecting(con, source, table):
        con.execute(f"create or replace temp table judged as select *, {reason_sql(source, table, columns)} as reason from ({converted})")


def _raw_sql(column: Column) -> str:
    text = sql_name(column.name)
    return text if is_converted(column) else f"case when {is_nothing_sql(text, column)} then {text} end"


def _at(name: str) -> str:
    return sql_name("at " + name)


def converted_sql(source: Source, table: Table, column: Column, columns: list[str]) -> str:
    """Return SQL for a column's converted value (null where it does not convert)."""
    text = sql_name(column.name)
    if column.name == "known_at":
        if "known_at" not in columns and table.name not in source.delay_days:
            return f"coalesce({_at('known_at')}, {_at('event_at')})"
        if "known_at" not in columns:
            # in whole microseconds: the engine takes no fraction of a day
            delay = round(source.delay_days[table.name] * 86_400_000_000)
            return f"{_at('event_at')} + interval {delay} microsecond"
        # a fact cannot have been known before it happened: within the slack the later clock is right
        return f"greatest({_at('known_at')}, {_at('event_at')})"
    if column.name not in columns:
        return f"null::{SQL_TYPES[column.kind]}"
    if column.kind == "instant":
        return _at(column.name)
    if column.kind == "number":
        return f"case when {is_missing_sql(text)} then null else try_cast({number_text_sql(source, text)} as {SQL_TYPES['number']}) end"
    if column.kind == "flag":
        return f"try_cast(lower(trim({text})) as boolean)"
    return f"case when {is_nothing_sql(text, column)} then null else {text} end" if can_be_nothing(column) else text


def reason_sql(source: Source, table: Table, columns: list[str]) -> str:
    """Return SQL that names the first rule a converted row breaks, or null."""
    cases: list[tuple[str, str]] = []
    for column in table.columns:
        if column.kind == "id" and column.name in columns:
            cases.append((is_rounded_sql(sql_name(column.name)), f"{column.name}: {ROUNDED}"))
        if column.name != "known_at":
            cases += _column_cases(source, table, column, column.name in columns)
    if "known_at" in columns:
        early = f"_known + interval {CLOCK_SLACK_MINUTES} minute < event_at"
        if table.name not in source.delay_days:  # the day of a bare date was over when the fact happened
            early += f" or (_known <= event_at and {is_bare_sql(source, sql_name('raw known_at'))})"
        cases += [
            (
                f'"raw known_at" is not null and _known is null and not {is_nothing_sql(sql_name("raw known_at"))}',
                "known_at: not a timestamp",
            ),
            (early, "known_at: before event_at"),
            (_outside_sql("_known"), f"known_at: {OUTSIDE}"),
        ]
        if table.name != "consents":  # a "no" that does not say when it was known is a no all the same
            cases.append(("_known is null", "no_known_at"))
    return "case " + " ".join(f"when {condition} then {sql_text(text)}" for condition, text in cases) + " end"


OUTSIDE = f"outside {EARLIEST[:4]}..{LATEST[:4]}"


def _outside_sql(instant: str) -> str:
    return f"{instant} < timestamp '{EARLIEST}' or {instant} >= timestamp '{LATEST}'"


def _column_cases(source: Source, table: Table, column: Column, present: bool) -> list[tuple[str, str]]:
    """Return (SQL condition, what it breaks) for a column, in the order in which they are asked."""
    name, raw = sql_name(column.name), sql_name("raw " + column.name)
    cases = []
    if column.required and column.kind in ("id", "choice"):
        cases.append((f"{name} is null or {is_nothing_sql(name, column)}", "blank"))
    if column.kind == "choice" and present:
        cases.append((f"{name} not in ({', '.join(sql_text(choice) for choice in column.choices)})", "unknown value"))
    if column.kind == "instant" and present:
        unread = f"{name} is null" if column.required else f"{raw} is not null and {name} is null and not {is_nothing_sql(raw)}"
        cases.append((unread, "not a timestamp"))
        cases.append((_outside_sql(name), OUTSIDE))
    if column.kind == "number" and present:
        # the bounds are asked of a double: what is too large for the column's type is outside, and is a number all the same
        number, given = f"try_cast({number_text_sql(source, raw)} as double)", f"not {is_missing_sql(raw)}"
        cases.append((f"{name} is null and {given} and {number} is null", "not a number"))
        cases.append((f"{given} and {number} not between {column.low} and {column.high}", f"outside {column.low:g}..{column.high:g}"))
    if column.kind == "flag" and present and table.name != "consents":  # an unreadable consent stays, and counts as a no
        cases.append((f"{raw} is not null and {name} is null", "not yes or no"))
    return [(condition, f"{column.name}: {broken}") for condition, broken in cases]


def note_clock_changes(taken: Intake, source: Source, table: Table, columns: list[str]) -> None:
    """Count the local times of ``judged`` that the zone skips (read an hour later) or has twice (read as the later one)."""
    if source.timezone in ("", "UTC"):
        return
    for column in table.columns:
        if column.kind != "instant" or column.name not in columns:
            continue
        skipped, twice = _changes(taken, source, column.name)
        if skipped or twice:
            counts = taken.counts[table.name].warnings
            counts["clock_change"] = counts.get("clock_change", 0) + skipped + twice
            told = ((skipped, "skips", "an hour later"), (twice, "has twice", "the later one"))
            said = [f"{n} time{'' if n == 1 else 's'} that {source.timezone} {what} read as {how}" for n, what, how in told if n]
            taken.messages.append(f"{table.name}.{column.name}: {', '.join(said)}")


def _changes(taken: Intake, source: Source, name: str) -> tuple[int, int]:
    """Return how many rows lie in a gap and in a fold; only rows near a change of the clocks are parsed again."""

    def local(instant: str) -> str:
        return f"timezone({sql_text(source.timezone)}, timezone('UTC', {instant}))"

    low, high = taken.con.execute(f"select min({sql_name(name)}), max({sql_name(name)}) from judged where reason is null").fetchall()[0]
    if low is None:
        return 0, 0
    # only hours near a change of the clocks: parsing every row twice would double the intake. The days are asked first: a century has few changes
    days = f"select unnest(range(timestamp '{low:%Y-%m-%d}', timestamp '{high}' + interval 1 day, interval 1 day)) as day"
    few = f"select day from ({days}) where {local('day + interval 28 hour')} - {local('day - interval 4 hour')} <> interval 32 hour"
    hours = f"select day + to_hours(number) as hour from ({few}), range(24) as numbers(number)"
    before, after = "hour - interval 3 hour", "hour + interval 3 hour"
    near = taken.con.execute(f"select hour from ({hours}) where {local(after)} - {local(before)} <> interval 6 hour").fetchall()
    if not near:
        return 0, 0
    text, value = sql_name("raw " + name), sql_name(name)
    # as words: of a subquery the engine would look for offsets in every row first
    listed = ", ".join(f"timestamp '{hour}'" for (hour,) in near)
    rows = (
        f"select {value} as moment, {local_sql(source, text)} as said from judged where reason is null and date_trunc('hour', {value}) in ({listed}) "
        f"and not {has_offset_sql(source, text)}"
    )
    # half hours too: Lord Howe changes its clocks by thirty minutes
    twice = " or ".join(f"{local(f'moment {sign} interval {minutes} minute')} = said" for sign in "+-" for minutes in (30, 60))
    found = taken.con.execute(
        f"select count(*) filter (where {local('moment')} <> said), count(*) filter (where {local('moment')} = said and ({twice})) from ({rows})"
    ).fetchall()[0]
    return int(found[0]), int(found[1])
