"""Texts that are no numbers: what they are instead (another decimal sign, money with its sign, words), told as the line to write."""

from prevenance.sources.apart import is_of_person
from prevenance.sources.convert import number_text_sql
from prevenance.sources.declared import Entry, Source
from prevenance.sources.files import sql_name, sql_text
from prevenance.sources.nothing import is_missing_sql
from prevenance.sources.taken import Intake
from prevenance.tables.canonical import Table

COMMA = r"[+-]?\d{1,3}(\.?\d{3})*,\d+"
POINT = r"[+-]?\d+(\.\d+)?"

BARE = "regexp_replace(X, '[^0-9.,+-]', '', 'g')"
"""SQL for what is left of an amount of money without its blanks and signs, X for the column."""

GOOD = ("good", "great", "satisfied", "positive", "happy", "yes", "gut", "bon", "very satisfied", "promoter")
BAD = ("bad", "poor", "unsatisfied", "dissatisfied", "negative", "unhappy", "no", "schlecht", "mauvais", "detractor")

MOST_WORDS = 12
"""More different words than these are no scale."""


def note_numbers(taken: Intake, source: Source, table: Table, entries: list[Entry]) -> None:
    """Keep for each column with texts that are no numbers the line that makes numbers of them all, where there is one."""
    for column in table.columns:
        reason = f"{column.name}: not a number"
        if (table.name, reason) in taken.samples and (hint := _hint(taken, source, table, column.name, reason, entries)):
            taken.hints[table.name, reason] = hint


def _hint(taken: Intake, source: Source, table: Table, name: str, reason: str, entries: list[Entry]) -> tuple[str, str] | None:
    text = sql_name(f"raw {name}")
    bad = f"from judged where reason = {sql_text(reason)}"
    bare = BARE.replace("X", text)
    filled = f"from judged where {text} is not null and not {is_missing_sql(text)}"
    comma, point, money, words = taken.con.execute(
        f"select (select avg(regexp_full_match(trim({text}), '{COMMA}')::int) > 0.5 {bad}), (select bool_and(regexp_full_match(trim({text}), '{POINT}')) {filled}), "
        f"(select bool_and(try_cast({number_text_sql(source, bare)} as double) is not null and {text} <> {bare}) {bad}), "
        f"(select bool_and(regexp_full_match(trim({text}), '[^0-9]+')) {bad})"
    ).fetchall()[0]
    sample = taken.samples[table.name, reason]
    if comma and source.decimal != ",":
        return f"not a number{sample}: a decimal comma", "write decimal: ',' in the source's yaml"
    if point and source.decimal == ",":
        [(file,)] = taken.con.execute(f"select min(_file) {bad}").fetchall()
        if entry := next((one for one in entries if one.holds(file or "")), None):
            return f"not a number{sample}: a decimal point", f"write {entry.line(decimal='.')} in the source's yaml"
    if money:
        said = f"not a number{sample}: an amount with its signs"
        return said, source.rewritten(table.name, name, BARE)
    if words:
        return _words(taken, source, table, name, bad, sample)
    return f"not a number{sample}", "write every number as 1250.50 in the export"


def _words(taken: Intake, source: Source, table: Table, name: str, bad: str, sample: str) -> tuple[str, str] | None:
    found = [
        row[0]
        for row in taken.con.execute(
            f"select distinct trim({sql_name(f'raw {name}')}) as word {bad} order by 1 limit {MOST_WORDS + 1}"
        ).fetchall()
    ]
    if table.column(name).personal or len(found) > MOST_WORDS or any(is_of_person(word, table.column(name)) for word in found):
        return None
    scale = {word: int(word.lower() in GOOD) for word in found if word.lower() in (*GOOD, *BAD)} or {
        word: n for n, word in enumerate(found)
    }
    whens = " ".join(f"when {sql_text(word)} then {number}" for word, number in scale.items())
    said = f"not a number{sample}: {len(found)} different words ({', '.join(found)})"
    return said, source.rewritten(table.name, name, f"case trim(X) {whens} end") + " (with numbers of your own scale)"
