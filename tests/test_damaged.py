"""What other programs do to a table: halves and versions of rows, files there twice, ids that lost their digits. Nothing is merged or lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake
from prevenance.sources.quality.findings import source_findings
from prevenance.sources.taken import Intake, Policy

pytestmark = pytest.mark.long

PEOPLE = "select id as customer_id, since as event_at, name, segment, plan, _file, _line from people"
USE = "select id as customer_id, day as event_at, 'use' as kind, _file, _line from use"
START = (
    "select id as customer_id, 'c' || id as subscription_id, 'started' as event, day as event_at, amount as mrr, _file, _line from deals"
)


def read(folder: Path, files: dict[str, str], policy: Policy | None = None, /, names: dict | None = None, **selects: str) -> Intake:
    """Return what the files of a source give; a select is given by the name of its table."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    source = Source("mine", selects, names or {Path(name).stem: name for name in files}, timezone="UTC", static=True)
    return intake(new_engine(), source, folder, dict.fromkeys(selects, policy or Policy("quarantine")))


def seen(taken: Intake, query: str) -> list:
    return taken.con.execute(query).fetchall()


def test_halves_of_one_row_are_one_row(tmp_path: Path) -> None:
    people = "id,since,name,segment,plan\na,2024-01-01,Ada,,\na,2024-01-01,,small,\na,2024-01-01,,,gold\nb,2024-01-01,Bo,,\nb,2024-01-01,Bob,large,\n"
    taken = read(tmp_path, {"people.csv": people}, customers=PEOPLE)
    assert seen(taken, "select name, segment, plan from canonical.customers") == [("Ada", "small", "gold")]
    counts = taken.counts["customers"]
    assert (counts.read, counts.excluded, counts.quarantined) == (5, {"duplicate": 2}, {"conflicting_key": 2})
    assert "customers: 3 rows that complete each other (one key, no contradiction) read as one" in taken.messages


def test_halves_of_a_price_list_and_of_rows_with_an_id_of_their_own(tmp_path: Path) -> None:
    goods = "id,day,name,price\np,2024-01-01,Pump,\np,2024-01-01,,12\n"
    asked = "id,who,day,priority,topic\n1,a,2024-01-05,urgent,\n1,a,2024-01-05,,login\n2,a,2024-01-05,low,\n2,a,2024-01-06,,login\n"
    products = "select id as product_id, day as event_at, name, price from goods"
    tickets = "select who as customer_id, id as ticket_id, 'opened' as event, day as event_at, priority, topic as category, id as _id, _file, _line from asked"
    taken = read(tmp_path, {"goods.csv": goods, "asked.csv": asked}, products=products, tickets=tickets)
    assert seen(taken, "select name, price::int from canonical.products") == [("Pump", 12)]
    assert seen(taken, "select priority, category from canonical.tickets") == [("urgent", "login")]
    assert taken.counts["tickets"].quarantined == {"conflicting_key": 2}, "another day is another fact"


@pytest.mark.parametrize(
    ("column", "stamps"),
    [
        ("updated_at", ("2024-01-09 08:00:00", "2024-01-10", "2024-01-09")),
        ("_version", ("9", "10", "")),
        ("SystemModstamp", ("2024-01-09T10:00:00Z", "2024-01-09T10:00:00.001Z", "2024-01-09T10:00:00+02:00")),
        ("_airbyte_extracted_at", ("1704790000", "1704790001", "1704789999")),
    ],
)
def test_the_newest_version_of_a_row_is_used_where_the_source_says_which_it_is(
    tmp_path: Path, column: str, stamps: tuple[str, ...]
) -> None:
    tickets = "select who as customer_id, id as ticket_id, 'opened' as event, day as event_at, priority, id as _id, _file, _line from asked"
    old, new, oldest = stamps
    text = f"id,who,day,priority,{column}\n1,a,2024-01-05,low,{old}\n1,a,2024-01-05,urgent,{new}\n1,a,2024-01-05,high,{oldest}\n2,a,2024-01-05,low,{old}\n"
    with pytest.raises(PrevenanceError, match=f"write {column} as _version in tickets.sql, to use the newest row of each") as refused:
        read(tmp_path, {"asked.csv": text}, Policy(), tickets=tickets)
    assert refused.value.code == "E302"
    taken = read(tmp_path, {"asked.csv": text}, Policy(), tickets=tickets.replace("id as _id", f"id as _id, {column} as _version"))
    assert seen(taken, "select ticket_id, priority from canonical.tickets order by 1") == [("1", "urgent"), ("2", "low")]
    assert taken.counts["tickets"].excluded == {"older_version": 2}


@pytest.mark.parametrize("copy", ["use (1).csv", "use - Kopie.csv", "use_2.csv"])
def test_a_file_that_is_there_twice_counts_once(tmp_path: Path, copy: str) -> None:
    rows = [f"a,2024-01-{day:02d}\n" for day in range(1, 21)]
    twice = ["a,2024-01-01\n", *rows]  # two equal rows of one file are two facts
    files = {"use.csv": "id,day\n" + "".join(twice[:15]), copy: "id,day\n" + "".join(reversed(twice))}
    names = {"use": "use*.csv"}
    with pytest.raises(PrevenanceError, match="rows of use.* that stand in use.*too .15.; 15 of 36 rows") as refused:
        read(tmp_path, files, Policy(), names=names, usage=USE)
    assert "FIX: take " in refused.value.line()
    assert "out of the folder, or set tables.usage.on_bad_row=quarantine" in refused.value.line()
    taken = read(tmp_path, files, names=names, usage=USE)
    assert taken.counts["usage"].quarantined == {"in_another_file": 15}
    assert seen(taken, "select count(*) from canonical.usage") == [(21,)]


def test_a_few_rows_of_two_files_are_told_and_parts_of_a_table_are_not(tmp_path: Path) -> None:
    months = {f"use-{month}.csv": "id,day\n" + "".join(f"a,2024-{month:02d}-{day:02d}\n" for day in range(1, 21)) for month in (1, 2)}
    taken = read(tmp_path, months, Policy(), names={"use": "use-*.csv"}, usage=USE)
    assert not taken.counts["usage"].quarantined
    assert not [one for one in taken.messages if "stand in" in one]
    months["use-2.csv"] += "a,2024-01-20\n"
    taken = read(tmp_path, months, Policy(), names={"use": "use-*.csv"}, usage=USE)
    assert (
        "usage: rows of use-2.csv that stand in use-1.csv too (1) count twice; give each row its own id as _id if such a row is one"
        in taken.messages
    )


@pytest.mark.parametrize(("rest", "times"), [("", 2), ("\n", 3)])
def test_a_file_that_holds_itself_again_counts_once(tmp_path: Path, rest: str, times: int) -> None:
    rows = "".join(f"a,2024-01-{day:02d}\n" for day in range(1, 22)) + rest
    taken = read(tmp_path, {"use.csv": "id,day\n" + rows * times}, Policy(), usage=USE)
    assert taken.counts["usage"].excluded["duplicate"] == 21 * (times - 1)
    assert seen(taken, "select count(*), count(distinct event_at) from canonical.usage") == [(21, 21)]
    assert f"usage: every row of use.csv stands there {times} times; each counts once" in taken.messages


BILL = "select who as customer_id, id as invoice_id, what as event, day as event_at, sum as amount, due as due_on, _file, _line from bills"
DEAL = "select who as customer_id, id as subscription_id, what as event, day as event_at, sum as mrr, due as renews_on, _file, _line from bills"


@pytest.mark.parametrize(
    ("name", "select", "what", "second"),
    [
        ("invoices", BILL, "issued", "250,2024-02-01"),
        ("invoices", BILL, "issued", "100,2024-03-01"),
        ("subscriptions", DEAL, "changed", "250,2024-02-01"),
        ("subscriptions", DEAL, "renewed", "100,2024-03-01"),
        ("subscriptions", DEAL, "started", "250,2024-02-01"),
    ],
)
def test_two_states_of_one_thing_in_one_instant_contradict_each_other_in_any_order(
    tmp_path: Path, name: str, select: str, what: str, second: str
) -> None:
    head, rest = "who,id,what,day,sum,due\n", f"a,2,{what},2024-01-09,100,2024-02-01\n"
    two = [f"a,1,{what},2024-01-09,100,2024-02-01\n", f"a,1,{what},2024-01-09,{second}\n"]
    for ordered in (two, two[::-1]):
        files = {"bills.csv": head + "".join(ordered) + rest}
        with pytest.raises(
            PrevenanceError, match=f"rows of one {name[:-1]}_id, {what} at one moment, that contradict each other"
        ) as refused:
            read(tmp_path, files, Policy(), **{name: select})
        assert refused.value.code == "E302"
        taken = read(tmp_path, files, **{name: select})
        assert taken.counts[name].quarantined == {"conflicting_key": 2}
        assert seen(taken, f"select {name[:-1]}_id from canonical.{name}") == [("2",)]


def test_parts_that_are_paid_in_one_instant_and_halves_of_a_change_are_no_contradiction(tmp_path: Path) -> None:
    head = "who,id,what,day,sum,due\n"
    paid = head + "a,1,issued,2024-01-09,100,2024-02-01\na,1,paid,2024-01-20,40,\na,1,paid,2024-01-20,60,\n"
    assert not read(tmp_path, {"bills.csv": paid}, Policy(), invoices=BILL).counts["invoices"].quarantined
    halves = head + "a,1,changed,2024-01-09,100,\na,1,changed,2024-01-09,,2024-02-01\n"
    taken = read(tmp_path, {"bills.csv": halves}, Policy(), subscriptions=DEAL)
    assert seen(taken, "select mrr::int, renews_on::date::varchar from canonical.subscriptions") == [(100, "2024-02-01")]


ALIKE = {  # a table that may say the same thing twice, and rows of which three are there again
    "usage": ("id,day,what", "a,2024-01-02 10:00,login", "select id as customer_id, day as event_at, 'use' as kind, what as feature, _file, _line from use"),
    "purchases": ("id,day,sum", "a,2024-01-02,9.90", "select id as customer_id, day as event_at, sum as amount, _file, _line from use"),
    "contacts": ("id,day,how", "a,2024-01-02,mail", "select id as customer_id, day as event_at, how as channel, 'out' as direction, 'email' as kind, _file, _line from use"),
    "feedback": ("id,day,score", "a,2024-01-02,9", "select id as customer_id, day as event_at, 'nps' as kind, score, _file, _line from use"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_a_row_that_stands_again_in_its_file_counts_and_is_told_with_a_line_that_works(tmp_path: Path, name: str) -> None:
    head, row, select = ALIKE[name]
    text = "\n".join([head, *[row] * 3, row.replace("-02", "-03"), ""])
    taken = read(tmp_path, {"use.csv": text}, Policy(), **{name: select})
    assert taken.counts[name].warnings == {"alike_in_file": 2}
    assert [one for one in taken.messages if one.startswith(f"{name}: 2 rows equal to another of the same file count each")]
    [found] = [one for one in source_findings(taken, {}) if "equal to another" in one.what]
    line = found.action.partition("`")[2].partition("`")[0]
    again = read(tmp_path, {"use.csv": text}, Policy(), **{name: f"{select} {line}"})
    assert (again.counts[name].read, again.counts[name].warnings.get("alike_in_file")) == (2, None)


def test_rows_that_differ_in_what_no_select_reads_and_rows_made_of_one_are_no_repeats(tmp_path: Path) -> None:
    numbered = "id,day,key\n" + "".join(f"a,2024-01-02,{n}\n" for n in range(3))
    assert not read(tmp_path, {"use.csv": numbered}, Policy(), usage=USE).counts["usage"].warnings
    doubled = USE.replace("'use'", "unnest(['use', 'use'])")
    assert not read(tmp_path, {"use.csv": "id,day\na,2024-01-02\n"}, Policy(), usage=doubled).counts["usage"].warnings


@pytest.mark.parametrize("id_", ["5.00034E+17", "5,00E+17", "1.2e+19", "5.00034e17"])
@pytest.mark.parametrize("place", ["customers", "usage"])
def test_ids_rounded_by_a_spreadsheet_are_nobodys(tmp_path: Path, id_: str, place: str) -> None:
    people, use = "id,since,name,segment,plan\na,2024-01-01,Ada,,\n", "id,day\na,2024-01-02\n"
    if place == "customers":
        people += f'"{id_}",2024-01-01,Bo,,\n"{id_}",2024-01-02,Cy,,\n'
    else:
        use += f'"{id_}",2024-01-02\n'
    files = {"people.csv": people, "use.csv": use}
    with pytest.raises(PrevenanceError, match="rounded by a spreadsheet .*export the ids as text"):
        read(tmp_path, files, Policy(), customers=PEOPLE, usage=USE)
    taken = read(tmp_path, files, customers=PEOPLE, usage=USE)
    assert seen(taken, "select customer_id from canonical.customers") == [("a",)]
    assert taken.counts[place].quarantined["customer_id: rounded by a spreadsheet"] == (2 if place == "customers" else 1)


LONG_IDS = {
    "a spreadsheet": [f"{1234567890120 + n * 77:013d}{n % 9 + 1}10000" for n in range(8)],
    "a notebook": [f"{123456789012345 + n * 77}{n % 9 + 1}{n % 7 + 1}00" for n in range(8)],
    "a spreadsheet, one digit": [f"{12345678901234 + n * 77}{n % 9 + 1}0" for n in range(8)],
    "a program": [str(int(float(1234567890123456789 + n * 98765432123))) for n in range(8)],
    "beside short ones": [f"{1234567890120 + n * 77:013d}{n % 9 + 1}10000" for n in range(8)] + ["17", "a1"],
}


@pytest.mark.parametrize("way", LONG_IDS)
@pytest.mark.parametrize("column", ["customer_id", "user_id"])
def test_long_ids_that_all_end_in_zeros_were_rounded_as_numbers(tmp_path: Path, way: str, column: str) -> None:
    ids = LONG_IDS[way]
    use = (
        USE
        if column == "customer_id"
        else "select 'a' as customer_id, id as user_id, day as event_at, 'use' as kind, _file, _line from use"
    )
    text = "id,day\n" + "".join(f"{one},2024-01-02\n" for one in ids)
    with pytest.raises(
        PrevenanceError, match=f"rounded by a spreadsheet: all 8 ids .* may have become one .* write 'n' .. id as {column}"
    ) as refused:
        read(tmp_path, {"use.csv": text}, usage=use)
    assert refused.value.code == "E302"
    line = refused.value.fix.partition("write ")[2].partition(" in usage.sql")[0]
    assert read(tmp_path, {"use.csv": text}, usage=use.replace(f"id as {column}", line)).counts["usage"].read == len(ids)


@pytest.mark.parametrize(
    "ids",
    [
        [f"202403{day:02d}103000000" for day in range(1, 20)],  # a moment as an id
        [f"{1234567890123456 + n}" for n in range(20)],
        ["1234567890123450000", *[f"{1234567890123450 + n}001" for n in range(20)]],
        [f"f81d4fae-7dec-11d0-a765-00a0c91e6b{n}0" for n in range(9)],
        ["1234567890123450"],
        [str((1577836800000 + n * 86_400_000) << 22) for n in range(20)],  # a moment with a counter behind it, which is 0
    ],
)
def test_long_ids_that_are_what_they_are_stay(tmp_path: Path, ids: list[str]) -> None:
    read(tmp_path, {"use.csv": "id,day\n" + "".join(f"{one},2024-01-02\n" for one in ids)}, usage=USE)


def test_an_id_that_only_looks_like_a_number_stays(tmp_path: Path) -> None:
    people = "id,since,name,segment,plan\n" + "".join(f"{one},2024-01-01,,,\n" for one in ("1e5", "2E+3", "v1.2e+", "+49", "5.0"))
    assert not read(tmp_path, {"people.csv": people}, Policy(), customers=PEOPLE).counts["customers"].quarantined


CRM = ("001NqVwYS81VP7HINW", "001b1DX8pPd5khxATA", "001E3pyIgKpaUnAIUU")


@pytest.mark.parametrize(
    ("customers", "elsewhere", "told", "fix"),
    [
        (("12", "49", "86"), ("12.0", "49.0", "86.00"), '3 of the 3 would match without ".0"', r"regexp_replace(id, '[.,]0+$', '') as customer_id in {}"),
        (("12", "49", "86"), ("12,0", "49,0", "86,00"), '3 of the 3 would match without ".0"', r"regexp_replace(id, '[.,]0+$', '') as customer_id in {}"),
        (("a-1", "b-2", "12"), ("{a-1}", "'b-2", '="12"'), "3 of the 3 would match without signs around", r"regexp_replace(id, '^\W+|\W+$', '', 'g') as customer_id in {}"),
        (("1001", "1002", "1003"), ("1,001", "1.002", "1,003"), "would match without signs between thousands", "regexp_replace(id, '[.,]', '', 'g') as customer_id in {}"),
        (("12", "49", "86"), ("ACC-12", "ACC-49", "ACC-86"), "3 of the 3 would match by their digits alone", r"regexp_replace(id, '\D', '', 'g') as customer_id in {}"),
        (("000012", "000049", "000386"), ("12", "49", "386"), "3 of the 3 would match with 6 digits", "lpad(id, 6, '0') as customer_id in {}"),
        (("12", "49", "386"), ("000012", "000049", "7"), "2 of the 3 would match without zeros before them", "ltrim(id, '0') as customer_id in {}"),
        (tuple(one[:15] for one in CRM), CRM, "3 of the 3 would match by their first 15 characters", "left(id, 15) as customer_id in {}"),
        (("a1", "b2", "c3"), ("A1", "B2", "C3"), "3 of the 3 would match in small letters", "lower(id) as customer_id in {}"),
        (("a1", "b2", "c3"), ("a1 ", " b2", " c3 "), "3 of the 3 would match without blanks around them", "trim(id) as customer_id in {}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_ids_in_another_form_get_the_line_that_makes_them_one(
    tmp_path: Path, customers: tuple[str, ...], elsewhere: tuple[str, ...], told: str, fix: str, turned: bool
) -> None:
    if turned:  # the damaged ones stand with the customers
        if ("with" in told and "digits" in told) or "2 of" in told:
            return
        customers, elsewhere = elsewhere, customers
    quoted = [['"' + one.replace('"', '""') + '"' for one in ids] for ids in (customers, elsewhere)]
    files = {
        "people.csv": "id,since,name,segment,plan\n" + "".join(f"{one},2024-01-01,,,\n" for one in quoted[0]),
        "use.csv": "id,day\n" + "".join(f"{one},2024-01-02\n" for one in quoted[1]),
    }
    selects = {"customers": PEOPLE, "usage": USE}
    with pytest.raises(PrevenanceError) as refused:
        read(tmp_path, files, Policy(), **selects)
    table = "customers" if turned else "usage"
    assert told in refused.value.what
    assert f"write {fix.format(f'{table}.sql')}" in refused.value.fix
    assert "nothing is left of the table" in refused.value.fix
    # taken literally
    selects[table] = selects[table].replace("id as customer_id", fix.partition(" in {")[0])
    policy = Policy(max_bad_share=0.4)
    assert read(tmp_path, files, policy, **selects).counts["usage"].quarantined in ({}, {"unknown_customer": 1})


def test_strangers_who_are_strangers_are_not_explained_away(tmp_path: Path) -> None:
    files = {
        "people.csv": "id,since,name,segment,plan\n7,2024-01-01,,,\n8,2024-01-01,,,\n",
        "use.csv": "id,day\n1,2024-01-02\n2,2024-01-02\n07,2024-01-02\n",
    }
    with pytest.raises(PrevenanceError) as refused:
        read(tmp_path, files, Policy(), customers=PEOPLE, usage=USE)
    assert "would match" not in refused.value.what


@pytest.mark.parametrize(
    ("ends", "starts"),
    [
        (
            ["2024-03-01,2024-03-10"],
            [("2024-01-01", "2024-01-01"), ("2024-03-05", "2024-03-10")],
        ),  # the end was recorded after the new start
        (["2024-03-01,2024-03-02"], [("2024-01-01", "2024-01-01"), ("2024-03-05", "2024-03-05")]),
        (["2024-03-05,2024-03-20"], [("2024-01-01", "2024-01-01"), ("2024-03-05", "2024-03-20")]),  # on one day
        (["2024-03-01,2024-03-10", "2024-03-02,2024-03-04"], [("2024-01-01", "2024-01-01"), ("2024-03-05", "2024-03-05")]),
        ([], [("2024-01-01", "2024-01-01")]),
        (["2024-03-06,2024-03-06"], [("2024-01-01", "2024-01-01")]),  # it ran when it started again
    ],
)
def test_a_restart_counts_from_when_the_end_before_it_was_known(tmp_path: Path, ends: list[str], starts: list[tuple[str, str]]) -> None:
    rows = ["started,2024-01-01,2024-01-01", "started,2024-03-05,2024-03-05", *(f"ended,{one}" for one in ends)]
    select = "select 'a' as customer_id, 'c' as subscription_id, what as event, day || ' 00:00' as event_at, known || ' 00:00' as known_at, _file, _line from steps"
    taken = read(tmp_path, {"steps.csv": "what,day,known\n" + "\n".join(rows) + "\n"}, subscriptions=select)
    found = seen(
        taken, "select event_at::date::varchar, known_at::date::varchar from canonical.subscriptions where event = 'started' order by all"
    )
    assert found == starts
    apart = {} if len(starts) == 2 else {"event: started while it runs": 1}
    assert taken.counts["subscriptions"].quarantined == apart
