"""The hand of a ticket: an ordinal within it, which only the process of the tickets reads; nobody's name goes further than a select."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from test_demo import helpdesk
from worlds import CUTOFFS, snapshots, world

from prevenance.base.errors import PrevenanceError
from prevenance.consent.special import special_category
from prevenance.features.build import build
from prevenance.features.define import Count, Definition, Distinct, Feature, Max, State
from prevenance.history.digests import history_digest
from prevenance.history.history import History, upcoming_sql, visible_each_sql, visible_sql
from prevenance.history.together import own_rows_sql
from prevenance.sources import files
from prevenance.sources.declared import Source
from prevenance.sources.files import COLUMNS
from prevenance.sources.intake import intake
from prevenance.sources.taken import Intake, Policy
from prevenance.tables.canonical import TABLES

END = CUTOFFS[-1] + timedelta(days=60)
DEFINITIONS: dict[str, Definition] = {
    "how many": Feature("hands_90d", "tickets", Distinct("hand"), "{value}", days=90),
    "the largest": Feature("hands", "tickets", Max("hand"), "{value}"),
    "a condition": Feature("first_hand", "tickets", Count(), "{value}", "hand = 1"),
    "a state": State("hands", ("tickets",), "select customer_id, max(hand) as n from tickets group by 1", {"n": "{value}"}),
    "a state of many cutoffs": State(
        "hands", ("tickets",), "select customer_id, max(hand) as n from tickets group by 1", {"n": ""}, alone=True
    ),
}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    found = world(3)
    return found | {"tickets": found["tickets"].assign(hand=1)}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_no_feature_can_ask_for_the_hand(frames: dict[str, pd.DataFrame], name: str) -> None:
    with pytest.raises(PrevenanceError, match="E210.*hand") as problem:
        build(History.from_frames(frames, END), snapshots(), (DEFINITIONS[name],))
    assert "hand" not in problem.value.fix


def test_only_who_asks_for_it_sees_the_hand(frames: dict[str, pd.DataFrame]) -> None:
    history, cutoff = History.from_frames(frames, END), END - timedelta(days=80)
    for seen in (
        visible_sql("tickets", cutoff),
        visible_each_sql("tickets", [cutoff]),
        own_rows_sql("tickets", [cutoff]),
        upcoming_sql("tickets", cutoff, 30, 3),
    ):
        with pytest.raises(duckdb.BinderException, match="hand"):
            history.con.execute(f"select hand from {seen}")
    assert history.con.execute(f"select max(hand) from {visible_sql('tickets', cutoff, apart=True)}").fetchall() == [(1,)]
    # a list that was published before the column was there is still made of the same history
    without = {**frames, "tickets": frames["tickets"].drop(columns="hand")}
    assert history_digest(history, cutoff) == history_digest(History.from_frames(without, END), cutoff)


def read(folder: Path, select: str, text: str = "1,a,Mia,2024-05-06 10:00\n1,a,Bo,2024-05-07 10:00\n") -> Intake:
    (folder / "t.csv").write_text(f"ticket,customer,assignee,happened\n{text}", encoding="utf-8")
    (folder / "c.csv").write_text("id,since\na,2024-01-01\n", encoding="utf-8")
    source = Source(
        name="acme",
        selects={"tickets": select, "customers": "select id as customer_id, since as event_at, _file, _line from c"},
        files={"t": "t.csv", "c": "c.csv"},
        timezone="Europe/Paris",
        static=True,
    )
    return intake(files.new_engine(), source, folder, {table: Policy(on_bad_row="quarantine") for table in TABLES})


def hand_select(hand: str) -> str:
    return (
        f"select ticket as ticket_id, customer as customer_id, happened as event_at, 'note' as event, {hand} as hand, _file, _line from t"
    )


def test_a_name_is_no_hand(tmp_path: Path) -> None:
    with pytest.raises(PrevenanceError, match="E902 column=assignee table=tickets"):
        read(tmp_path, hand_select("assignee"))
    for hand in ("trim(assignee)", "'48213'", "'-1'"):
        found = read(tmp_path, hand_select(hand))
        assert sum(found.counts["tickets"].quarantined.values()) == 2
        apart = found.con.execute("select * from quarantine.tickets").df()
        assert "hand" not in apart
        assert "Mia" not in apart.to_csv() + "".join(found.messages) + str(found.samples)
    ordinal = "dense_rank() over (partition by ticket order by happened)"
    assert read(tmp_path, hand_select(ordinal)).con.execute("select hand::int from canonical.tickets order by 1").fetchall() == [(1,), (2,)]


def test_a_finished_table_has_no_column_of_hands_and_counts_of_hand_offs_stay() -> None:
    assert special_category("hand", agents=True) == special_category("Hand", agents=True) == "agent"
    for name in ("handoffs_per_ticket_90d", "second_hand_share", "on_hand", "hand_luggage"):
        assert special_category(name, agents=True) is None


def test_a_help_desk_numbers_its_hands_within_each_ticket_and_tells_nobody(tmp_path: Path) -> None:
    case = "Case {},{},{},2010/06/{} 10:00:00.000"
    steps = [
        (1, "Take in charge ticket", "Ann Lee", "02"),
        (1, "Take in charge ticket", "Bo Ray", "03"),
        (1, "Wait", "Ann Lee", "04"),
        (1, "Resolve ticket", "Cy Fox", "05"),
        (2, "Take in charge ticket", "Bo Ray", "02"),
        (2, "Resolve ticket", "", "03"),
        (2, "Closed", "Ann Lee", "04"),
        (3, "Take in charge ticket", "Bo Ray", "32"),
    ]
    for order in (steps, steps[::-1]):
        found = helpdesk(tmp_path, [case.format(*one) for one in order])
        hands = found.con.execute(
            "select ticket_id, event, hand::int from canonical.tickets order by ticket_id, event_at, event"
        ).fetchall()
        assert [(ticket[-1], event, hand) for ticket, event, hand in hands] == [
            *(("1", "assigned", 1), ("1", "opened", None), ("1", "transferred", 2), ("1", "waiting", 1), ("1", "resolved", 3)),
            *(("2", "assigned", 1), ("2", "opened", None), ("2", "resolved", None), ("2", "closed", 2)),
        ]
        assert found.counts["tickets"].quarantined == {"event_at: not a timestamp": 2}
        for schema, table in found.con.execute(
            f"select distinct place, table_name from {COLUMNS} where place in ('canonical', 'quarantine')"
        ).fetchall():
            text = found.con.execute(f"from {schema}.{table}").df().to_csv()
            assert not any(name in text for name in ("Ann", "Lee", "Bo Ray", "Fox")), (schema, table)
        assert "Ann" not in str(found.samples) + "".join(found.messages)


def test_earlier_hands_stay_when_later_rows_come(tmp_path: Path) -> None:
    case = "Case 1,Take in charge ticket,{},2010/06/{:02} 10:00:00.000"
    lines = [case.format(name, day) for day, name in enumerate(("Zoe", "Al", "Zoe", "Mo", "Al"), 1)]
    whole = helpdesk(tmp_path, lines).con.execute("select hand::int from canonical.tickets where hand > 0 order by event_at").fetchall()
    assert whole == [(1,), (2,), (1,), (3,), (2,)]
    for kept in range(1, 5):
        con = helpdesk(tmp_path, lines[:kept]).con
        assert con.execute("select hand::int from canonical.tickets where hand > 0 order by event_at").fetchall() == whole[:kept]
    assert datetime(2010, 6, 1) < con.execute("select min(event_at) from canonical.tickets").fetchall()[0][0]
