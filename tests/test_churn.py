"""Churn by contract: the table of the documentation, and a slow second opinion in plain Python on random companies."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from amount import amount
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Row, contract_steps

from prevenance.history.history import History
from prevenance.judge.outcomes import outcomes_of_list
from prevenance.targets.churn import by_contract
from prevenance.targets.labels import cohort, label

PAGE = Path(__file__).parent.parent / "docs" / "targets.md"
CUTOFF = datetime(2025, 3, 1)
TARGET = by_contract(horizon_days=90, settle_days=7, lead_days=14)
DAY = timedelta(days=1)
STEP = re.compile(r"(?P<sub>\w) (?P<event>[a-z]+) (?P<day>-?\d+)(?: ends (?P<ends>\d+))?(?: known (?P<known>\d+))?")
SAID = {"happened": "left", "did not": "stayed"}


def steps_of(text: str, customer: str = "c") -> list[Row]:
    rows = []
    for part in text.split(", "):
        found = STEP.fullmatch(part)
        assert found, part
        at = CUTOFF + int(found["day"]) * DAY
        rows.append(
            {
                "customer_id": customer,
                "event_at": at,
                "known_at": CUTOFF + int(found["known"]) * DAY if found["known"] else at,
                "subscription_id": f"{customer}/{found['sub']}",
                "event": found["event"],
                "ends_on": CUTOFF + int(found["ends"]) * DAY if found["ends"] else None,
            }
        )
    return rows


def asked(rows: list[Row], until: datetime) -> History:
    frame = pd.DataFrame(rows).astype({"event_at": "datetime64[us]", "known_at": "datetime64[us]", "ends_on": "datetime64[us]"})
    customers = pd.DataFrame({"customer_id": frame["customer_id"].unique()}).assign(
        event_at=datetime(2023, 1, 1), known_at=datetime(2023, 1, 1)
    )
    return History.from_frames({"subscriptions": frame, "customers": customers}, until)


def told() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_tells_twenty_histories() -> None:
    assert [row[0] for row in told()] == [str(number) for number in range(1, 21)]


@pytest.mark.parametrize("row", told(), ids=lambda row: row[0])
def test_what_the_page_says_is_what_a_list_is_told(row: list[str]) -> None:
    _, history, until, wanted, day = row
    past = asked(steps_of(history), CUTOFF + int(until) * DAY)
    snapshots = cohort(past, TARGET, [CUTOFF])
    if wanted == "not at risk":
        assert snapshots.empty
        return
    found = label(past, TARGET, snapshots).iloc[0]
    outcome = outcomes_of_list(past, TARGET, snapshots.assign(rank=1.0))["outcome"].iloc[0]
    assert SAID.get(outcome, outcome) == wanted
    assert (found["outcome_at"] == CUTOFF + int(day) * DAY) if day else pd.isna(found["outcome_at"])


def second_opinion(rows: list[Row]) -> tuple[str, float, datetime | None] | None:
    """Return state, label and when, from the definition: the standing day by day."""
    end = CUTOFF + 90 * DAY

    def kept(told: list[Row], moment: datetime) -> list[bool]:
        found = []
        for one in {row["subscription_id"] for row in told}:
            steps = [step for step in contract_steps([row for row in told if row["subscription_id"] == one]) if step[0] <= moment]
            found += [not steps[-1][2]] if steps and steps[-1][1] else []
        return found

    visible = [row for row in rows if row["event_at"] <= CUTOFF and row["known_at"] <= CUTOFF]
    if not kept(visible, CUTOFF):
        return None
    state = "at_risk" if any(kept(visible, CUTOFF)) else "too_late"
    coming = [row for row in rows if CUTOFF < row["event_at"] <= end and row["known_at"] <= end + 7 * DAY]
    left_at = None
    for moment in sorted({row["event_at"] for row in coming}):
        left_at = None if any(kept(visible + coming, moment)) else left_at or moment
    return state, float(left_at is not None), left_at


DAYS = st.sampled_from((-40, -5, 0, 1, 20, 40, 90, 91))
ROWS = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        st.sampled_from(("started", "changed", "renewed", "notice", "ended")),
        DAYS,
        st.sampled_from((0, 0, 3, 60)),
        st.booleans(),
    ),
    max_size=7,
)


@settings(max_examples=amount(10, 40), deadline=None)
@given(st.lists(ROWS, min_size=25, max_size=25))
def test_a_slow_second_opinion_agrees(several: list[list[tuple[str, str, int, int, bool]]]) -> None:
    rows: list[Row] = []
    for number, own in enumerate(several):
        rows += steps_of("A started -300", f"{number:02}")
        for sub, event, day, late, ends in own:
            at = CUTOFF + day * DAY
            rows.append(
                {"customer_id": f"{number:02}", "event_at": at, "known_at": at + late * DAY, "subscription_id": f"{number:02}/{sub}"}
                | {"event": event, "ends_on": at + 99 * DAY if ends else None}
            )
    past = asked(rows, CUTOFF + 300 * DAY)
    found = label(past, TARGET, cohort(past, TARGET, [CUTOFF])).set_index("customer_id")
    for number in range(len(several)):
        wanted = second_opinion([row for row in rows if row["customer_id"] == f"{number:02}"])
        if wanted is None or f"{number:02}" not in found.index:
            assert wanted is None
            assert f"{number:02}" not in found.index
            continue
        row = found.loc[f"{number:02}"]
        assert row["state"] == wanted[0]
        if wanted[0] == "at_risk":
            assert (row["label"], row["outcome_at"] if row["label"] else None) == (wanted[1], wanted[2])
