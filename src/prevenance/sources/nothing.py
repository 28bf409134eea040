"""Words for "nothing" in a cell (NULL, NaN, #REF!), as SQL: where they count as an empty cell, and where they are a text like any other."""

import re

from prevenance.sources.files import sql_name, sql_text
from prevenance.tables.canonical import AS_WRITTEN, MISSING_WORDS, NOTHING_WORDS, Column


def is_missing_sql(text: str) -> str:
    """Return SQL for whether a number's text is a word for "no number"."""
    return f"lower(trim({text})) in ({', '.join(sql_text(word) for word in MISSING_WORDS)})"


def can_be_nothing(column: Column) -> bool:
    """Return whether a word for "nothing" empties a cell of ``column``: an id, text or instant that may be empty, and that nobody writes freely."""
    return not column.required and column.kind in ("id", "text", "instant") and column.name not in AS_WRITTEN


def text_sql(column: Column) -> str:
    """Return SQL for the text that a column of ``judged`` was made of: where its value is that text, it is kept apart only where it says nothing."""
    name, raw = sql_name(column.name), sql_name(f"raw {column.name}")
    return raw if is_converted(column) else f"coalesce({name}, {raw})" if can_be_nothing(column) else name


def is_converted(column: Column) -> bool:
    """Return whether a column's values are something else than texts."""
    return column.kind in ("instant", "number", "flag")


def is_nothing_sql(text: str, column: Column | None = None) -> str:
    """Return SQL for whether a text that is not null is a word for "nothing", as it counts in ``column``."""
    # Namibia; and of the words, NA alone is the id of a customer now and then
    keeps_na = column is not None and (column.name == "country" or column.required)
    words = "|".join(re.escape(word) for word in NOTHING_WORDS if not (keeps_na and word == "na"))
    # nearly every text is spared the pattern: a few comparisons say that it begins with none of these words, nor with a blank
    begins = " or ".join(f"{text} >= '{first}' and {text} < '{chr(ord(first) + 1)}'" for first in ("<", "N", "\\", "n", "\u00a0"))
    blank = r"[\s\x{00a0}]*"
    return f"(({text} < '.' or {begins}) and regexp_full_match({text}, {sql_text(f'(?i){blank}(?:{words}){blank}')}))"
