"""A select gives the same table at any time: chance and clocks are seen, columns and comments of their names are not."""

from __future__ import annotations

import pytest

from prevenance.sources.files import new_engine
from prevenance.sources.steady import STEADY, _changing_functions, unsteady_word


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ("select random() as a from t", "random()"),
        ("select a from t where x < NOW() -- c", "now()"),
        ("with w as (select uuid() as a from t) select a from w", "uuid()"),
        ("select a from t where x < current_date", "current_date"),
        ("select a from t order by gen_random_uuid()", "gen_random_uuid()"),
        ("select CURRENT_TIMESTAMP as a from t union all select a from t", "current_timestamp"),
        ("select today() - 3 as a from t", "today()"),
        ("select age(x::date) as a from t", "age()"),
        ("select a from t using sample 10 rows", "a sample of rows"),
        ("select a, localtime as b from t", None),
        ("select a, 'now()' as b from t -- random()", None),
        ("select age(x::date, y::date) as a from t", None),
        ("this is no select", None),
    ],
)
def test_what_changes_from_run_to_run_is_seen(asked: str, word: str | None) -> None:
    con = new_engine()
    con.execute("create table raw.t (a varchar, x varchar, y varchar, localtime varchar)")
    assert unsteady_word(con, asked) == word


def test_no_function_that_is_taken_for_steady_changes() -> None:
    assert not STEADY & _changing_functions(new_engine())


def test_every_function_that_is_taken_for_steady_is_one_of_the_engine() -> None:
    known = {name for (name,) in new_engine().execute("select distinct lower(function_name) from duckdb_functions()").fetchall()}
    assert STEADY - known <= {"first_value", "last_value", "lag", "lead", "rank", "dense_rank", "row_number", "unnest"}  # windows and such
