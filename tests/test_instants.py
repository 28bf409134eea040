"""What a text says of time: the whole of it or nothing."""

from __future__ import annotations

import pytest

from prevenance.sources import instants
from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine
from prevenance.sources.instants import has_offset_sql, instant_sql, local_sql

PARIS = Source("mine", {}, {}, timezone="Europe/Paris")


def read(text: str, source: Source = PARIS) -> str | None:
    found = new_engine().execute(f"select cast({instant_sql(source, 'text')} as varchar) from (select ?::varchar as text)", [text])
    return found.fetchall()[0][0]


NIGHT, MORNING = "2024-06-28 20:30:00", "2024-06-28 08:30:00"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-06-28 22:30:00", NIGHT),
        ("2024-06-28 10:30:00 PM", NIGHT),
        ("2024-06-28 10:30 p.m.", NIGHT),
        ("2024/06/28 10:30:00PM", NIGHT),
        ("2024-06-28 10:30:00 AM", MORNING),
        ("2024-06-28 12:30 AM", "2024-06-27 22:30:00"),
        ("2024-06-28 12:30 PM", "2024-06-28 10:30:00"),
        ("2024-06-28 08:30:00 PM UTC", NIGHT),
        ("2024-06-28 20:30:00 UTC", NIGHT),
        ("2024-06-28 20:30:00 gmt", NIGHT),
        ("2024-06-28T20:30:00Z ", NIGHT),
        ("2024-06-28T20:30:00 z", NIGHT),
        ("2024-06-28 22:30:00 GMT+2", NIGHT),
        ("2024-06-28 22:30:00 UTC+02:00", NIGHT),
        ("2024-06-28T22:30:00.000+0200", NIGHT),
        ("2024-06-28 22:30:00.0000000 +02:00", NIGHT),
        ("2024-06-28 15:30:00-05", NIGHT),
        ("2024-06-28 22:30:00,000", NIGHT),
        (" 2024-06-28 22:30 ", NIGHT),
        ("2024-06-28 20:30:0Z", NIGHT),
        ("2024-06-28T20:30:00Z", NIGHT),
        ("2024-06-28 ", "2024-06-27 22:00:00"),
        ("2024-06-29T10:30:00+14:00", NIGHT),
    ],
)
def test_what_stands_after_a_time_is_honoured(text: str, instant: str) -> None:
    assert read(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2024-06-28 10:30:00 EST",
        "2024-06-28 10:30:00 America/New_York",
        "2024-06-28T10:30:00+02:00[Europe/Paris]",
        "2024-06-28 10:30:00 h",
        "2024-06-28 13:30:00 PM",
        "2024-06-28 00:30:00 AM",
        "2024-06-28 10:30:00+25:00",
        "2024-06-28 10:30:00 +14:30",
        "2024-06-28 10:30:00-13:00",
        "2024-06-28 10:30:00 +01:75",
        "2024-06-28 UTC",
        "2024-06-28 10:30:00 ; 2024-06-29",
        "epoch",
    ],
)
def test_what_cannot_be_honoured_is_no_timestamp(text: str) -> None:
    assert read(text) is None


def test_declared_formats_take_the_whole_text_and_honour_its_zone() -> None:
    source = Source("mine", {}, {}, timezone="Europe/Paris", timestamp_formats=("%d/%m/%Y %I:%M %p", "%d/%m/%Y %H:%M:%S %z"))
    assert read("28/06/2024 10:30 PM", source) == NIGHT
    assert read("28/06/2024 22:30:00 +0200", source) == NIGHT
    assert read("2024-06-28 20:30:00 UTC", source) == NIGHT
    assert read("2024-06-28 22:30:00", source) is None
    assert read("28/06/2024 10:30 PM EST", source) is None
    assert read("28/06/2024 22:30:00 +1500", source) is None  # no zone is so far away
    mailed = Source("mine", {}, {}, timezone="Europe/Paris", timestamp_formats=("%a %b %d %H:%M:%S UTC %Y", "%a %b %d %H:%M:%S %z %Y"))
    assert read("Fri Jun 28 20:30:00 UTC 2024", mailed) == read("Fri Jun 28 22:30:00 +0200 2024", mailed) == NIGHT
    assert read("Fri Jun 28 22:30:00 +1500 2024", mailed) is None


def test_an_offset_is_known_for_one_however_it_is_written() -> None:
    def asked(text: str) -> tuple:
        query = f"select {has_offset_sql(PARIS, 'text')}, {local_sql(PARIS, 'text')} is not null from (select ?::varchar as text)"
        return new_engine().execute(query, [text]).fetchall()[0]

    assert [asked(text)[0] for text in ("2024-06-28 20:30 UTC", "2024-06-28T20:30Z", "2024-06-28 20:30 +2")] == [True, True, True]
    assert [asked(text)[0] for text in ("2024-06-28", "2024-06-28 10:30 PM", "soon", "2024-06-28 20:30 EST")] == [False] * 4
    assert asked("2024-06-28 10:30 PM")[1]


@pytest.mark.parametrize(
    ("text", "written", "day"),
    [
        ("12 janv. 2026", "%d %b %Y", "2026-01-12 00:00:00"),
        ("1er août 2026", "%d %B %Y", "2026-08-01 00:00:00"),
        ("lundi 12 de\u0301c. 2026 à 14h05", "%d %b %Y à %Hh%M", "2026-12-12 14:05:00"),
        ("3. März 2026", "%d. %B %Y", "2026-03-03 00:00:00"),
        ("Mo, 7. OKT. 26", "%d. %b %y", "2026-10-07 00:00:00"),
        ("12 de mayo de 2026", "%d de %B de %Y", "2026-05-12 00:00:00"),
        ("Mar 12, 2026", "%b %d, %Y", "2026-03-12 00:00:00"),
        ("12 Quartal 2026", "%d %B %Y", None),
        ("32 janv. 2026", "%d %b %Y", None),
        ("12 janv. 2026 PM", "%d %b %Y", None),
    ],
)
def test_months_may_have_the_names_of_other_languages(text: str, written: str, day: str | None) -> None:
    con = new_engine()
    sql = instant_sql(Source("mine", {}, {}, timezone="UTC", timestamp_formats=(written,)), "said")
    found = con.execute(f"select cast({sql} as varchar) from (select ? as said)", [text]).fetchall()[0][0]
    assert found == day


@pytest.mark.parametrize("base", ["2024-03-31 02:30:05", "2024-06-28T20:30:59", "2024-06-28 20:30:00Z", "2024-02-29T23:59:00Z"])
def test_the_short_way_says_what_the_long_one_says(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signs = [*" 0159-:.,TZz+", ""]
    texts = sorted({base, *(base[:place] + sign + base[place + 1 :] for place in range(len(base) + 1) for sign in signs)})
    texts += [base[:place] + sign + base[place + 1 :] for place in range(5, len(base), 2) for sign in ("60", "61", "24", "1 ", " 1")]

    def every(source: Source) -> list[str | None]:
        con = new_engine()
        con.execute("create table texts as select unnest(?::varchar[]) as text", [texts])
        return [row[0] for row in con.execute(f"select cast({instant_sql(source, 'text')} as varchar) from texts").fetchall()]

    short = every(PARIS)
    assert short[texts.index(base)] is not None
    monkeypatch.setattr(instants, "IN_UTC", "no text")
    assert dict(zip(texts, short, strict=True)) == dict(zip(texts, every(PARIS), strict=True))
