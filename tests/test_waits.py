"""What a customer's tickets waited for: in working hours, of solved tickets alone, as known at the cutoff."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest

from prevenance.base.working import TeamHours, WorkingHours
from prevenance.explain.waits import OWN, input_hours, waited_things, waits_by_customer
from prevenance.history.history import History
from prevenance.words import words

MONDAY = datetime(2026, 3, 2, 8)
CUTOFF = MONDAY + timedelta(days=40)
WAY = (("opened", 0, 0), ("assigned", 0, 2), ("transferred", 0, 4), ("assigned", 3, 5), ("resolved", 3, 9))


def told(customer: str = "c1", cutoff: datetime = CUTOFF, hours: TeamHours | None = None, language: str = "en") -> list[str] | None:
    return waits_by_customer(history(), cutoff, ["c1", "c2", "c3"], hours or TeamHours(), words(language)).get(customer)


def history() -> History:
    rows = [("c1", "t1", *one) for one in WAY] + [("c2", "t2", *one) for one in WAY[:-1]]
    frame = pd.DataFrame(
        [
            {"customer_id": customer_id, "ticket_id": ticket, "event": event, "event_at": MONDAY + timedelta(days=day, hours=hour)}
            for customer_id, ticket, event, day, hour in rows
        ]
    )
    return History.from_frames({"tickets": frame.assign(known_at=frame["event_at"])}, CUTOFF)


def test_the_longest_waits_are_told_in_working_hours_of_solved_tickets() -> None:
    # handed on on Monday at 12, taken on Thursday at 13: 6 + 10 + 10 + 5 hours of 39
    assert told() == ["Hand-off queue: 31 of 39 working hours"]
    assert told("c2") is None
    assert told("c3") is None


@pytest.mark.parametrize("language", ["fr", "de"])
def test_it_is_told_in_each_language(language: str) -> None:
    assert "31" in str(told(language=language))
    assert "working" not in str(told(language=language))


def test_the_hours_are_those_of_the_team_and_what_is_not_known_yet_is_not_told() -> None:
    assert told(hours=TeamHours(WorkingHours("UTC", always=True))) == ["Hand-off queue: 73 of 81 working hours"]
    assert told(cutoff=MONDAY + timedelta(days=3, hours=8)) is None


def test_a_play_names_the_longest_wait_by_the_hours_that_the_inputs_are_counted_by() -> None:
    always = TeamHours(WorkingHours("UTC", always=True))
    assert (input_hours(()), input_hours((OWN,)), input_hours((replace(OWN, hours=always),))) == (TeamHours(), TeamHours(), always)
    found = waited_things(history(), CUTOFF, ["c1", "c2"], always, words("en"))
    assert found == {"c1": {"waited": "Hand-off queue: 73 of 81 working hours"}}
