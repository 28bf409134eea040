"""The demo's help desk: where the time of its tickets truly goes, and that it can be told from the log where the log has the starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_demo import taken

from prevenance.base.working import WorkingHours, working_seconds
from prevenance.demo import simulated
from prevenance.demo.desk import PARTS, after_working_hours, between, worked_seconds
from prevenance.demo.switches import Demo
from prevenance.sources.files import COLUMNS
from prevenance.sources.taken import Intake

AFTER = {
    "opened": "first_queue",
    **dict.fromkeys(("assigned", "replied", "note", "other"), "work"),
    **dict.fromkeys(("transferred", "escalated"), "handoff"),
    "asked": "clarification",
    "approval_asked": "approval",
    **dict.fromkeys(("answered", "approval_given", "reopened"), "queue_again"),
    "resolved": "thought_solved",
}
OFFICE = WorkingHours("Europe/Paris")
AGENTS = ["agent", "agent_next", "agent_over", "agent_approves", "agent_again"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Intake]:
    folder = tmp_path_factory.mktemp("desk") / "demo"
    simulated.write_company(folder, Demo(customers=150, months=16, events=2_000))
    return folder, taken("demo", folder)


@pytest.fixture(scope="module")
def log(made: tuple[Path, Intake]) -> pd.DataFrame:
    return made[1].con.execute("select ticket_id, event, activity, event_at, hand::int as hand from canonical.tickets order by all").df()


@pytest.fixture(scope="module")
def truth(made: tuple[Path, Intake]) -> pd.DataFrame:
    folder, _ = made
    return pd.read_parquet(folder.with_name("demo-truth") / "truth_tickets.parquet").set_index("ticket_id")


def parts_of(log: pd.DataFrame, tickets: pd.Index) -> pd.DataFrame:
    """Return one row per ticket: the seconds of each part, told row by row from the table of parts."""
    rows = log[log["ticket_id"].isin(tickets)].sort_values(["ticket_id", "event_at"], kind="stable")
    solved = rows.loc[rows["event"] == "resolved"].groupby("ticket_id")["event_at"].max()
    last = rows["ticket_id"].map(solved)
    end = rows.groupby("ticket_id")["event_at"].shift(-1)
    rows = rows.assign(end=end.where(end < last, last))[rows["event_at"] < last]
    rows["part"] = rows["event"].map(AFTER)
    rows["seconds"] = (rows["end"] - rows["event_at"]).dt.total_seconds()
    rows["working_seconds"] = working_seconds(OFFICE, rows["event_at"].to_numpy(), rows["end"].to_numpy())
    found = rows.pivot_table(index="ticket_id", columns="part", values=["seconds", "working_seconds"], aggfunc="sum", fill_value=0)
    found.columns = [f"{part}_{clock}" for clock, part in found.columns]
    return found.astype(float)


@pytest.mark.long
def test_the_parts_of_a_ticket_are_told_to_the_second_where_the_log_has_its_starts(log: pd.DataFrame, truth: pd.DataFrame) -> None:
    opened = log.loc[log["event"] == "opened", "ticket_id"]
    whole = truth[truth["starts_logged"] & truth.index.isin(opened)]
    assert len(whole) > 300
    assert 0.6 < truth["starts_logged"].mean() < 0.95
    found = parts_of(log, whole.index)
    assert set(found.columns) == {f"{part}_{clock}" for part in PARTS for clock in ("seconds", "working_seconds")}
    pd.testing.assert_frame_equal(found, whole.loc[found.index, found.columns].astype(float), check_names=False)
    assert (found > 0).any().all()


@pytest.mark.long
def test_parts_add_up_and_a_log_without_starts_only_knows_queue_and_work_together(log: pd.DataFrame, truth: pd.DataFrame) -> None:
    assert (truth[[f"{part}_seconds" for part in PARTS]].sum(axis=1) == truth["resolve_seconds"]).all()
    assert (truth.drop(columns="starts_logged") >= 0).all().all()
    opened = log.loc[log["event"] == "opened", "ticket_id"]
    silent = truth[~truth["starts_logged"] & truth.index.isin(opened)]
    found = parts_of(log, silent.index)
    queues = ["first_queue_seconds", "queue_again_seconds", "handoff_seconds"]
    assert (found["work_seconds"] <= silent.loc[found.index, "work_seconds"]).all()
    np.testing.assert_array_equal(
        found[[*queues, "work_seconds"]].sum(axis=1), silent.loc[found.index, [*queues, "work_seconds"]].sum(axis=1)
    )


@pytest.mark.long
def test_asks_are_answered_and_approvals_given(log: pd.DataFrame) -> None:
    ordered = log.sort_values(["ticket_id", "event_at"], kind="stable")
    following = ordered.groupby("ticket_id")["event"].shift(-1)
    after = following[ordered["event"] == "approval_asked"].dropna()
    assert len(after) > 20
    assert set(after) == {"approval_given"}
    assert {"asked", "answered", "note"} <= set(log["event"])
    assert "waiting" not in set(log["event"])


@pytest.mark.long
def test_hands_are_ordinals_and_no_agent_goes_further(made: tuple[Path, Intake], log: pd.DataFrame) -> None:
    folder, read = made
    raw = pd.read_csv(folder / "tickets.csv", dtype=str).drop_duplicates("ticket_id").set_index("ticket_id")
    hands = log.dropna(subset="hand").sort_values(["ticket_id", "event_at"], kind="stable").groupby("ticket_id")["hand"]
    # 1 first, and never a number before the one below it
    assert (hands.first() == 1).all()
    assert (hands.max() == hands.nunique()).all()
    # whoever is named did something, but for who was handed a ticket that nobody took yet
    named = raw.loc[hands.max().index, AGENTS].nunique(axis=1)
    assert (hands.max() <= named).all()
    assert (hands.max() == named).mean() > 0.9
    assert (hands.max() > 1).mean() > 0.2
    agents = set(raw[AGENTS].to_numpy().ravel()) - {np.nan}
    for schema, table in read.con.execute(
        f"select distinct place, table_name from {COLUMNS} where place in ('canonical', 'quarantine')"
    ).fetchall():
        frame = read.con.execute(f"from {schema}.{table}").df().select_dtypes("str")
        assert not agents & set(frame.to_numpy().ravel()), (schema, table)
    # customers have no hand
    assert log.loc[log["event"].isin(["opened", "answered", "reopened", "rated", "closed"]), "hand"].isna().all()


def test_a_moment_between_two_lies_within_working_hours() -> None:
    rng = np.random.default_rng(1)
    start = after_working_hours(
        np.datetime64("2026-03-27T17:00:00", "s") + rng.integers(0, 10**6, 500).astype("timedelta64[s]"), rng.uniform(0, 30, 500)
    )
    end = after_working_hours(start, rng.uniform(0.01, 50, 500))
    middle = between(start, end, rng.random(500))
    assert (middle > start).all()
    assert (middle < end).all()
    assert (worked_seconds(middle) > worked_seconds(start)).all()
    assert np.isnat(between(start, start + np.timedelta64(2, "s"), np.full(500, 0.5))).all()
