"""Fault 50: accounts of one parent are one group: drawn together, and never on both sides of a split by customer."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from prevenance.history.history import History
from prevenance.history.roster import drawn_as, parent_groups
from prevenance.judge import bootstrap
from prevenance.models import tuning
from prevenance.models.folds import sampling_units

UNTIL = datetime(2026, 1, 1)


def history(*rows: tuple[str, str | None, str]) -> History:
    """Return a history of customers: (customer_id, parent_id, known_at)."""
    known = pd.to_datetime([known for *_, known in rows])
    frame = pd.DataFrame(
        {"customer_id": [row[0] for row in rows], "parent_id": [row[1] for row in rows], "event_at": known, "known_at": known}
    )
    return History.from_frames({"customers": frame}, UNTIL)


def test_fault_50_parents_of_parents_loops_and_parents_without_a_row_are_one_group() -> None:
    rows = [("b", "a", "2025-01-01"), ("c", "b", "2025-01-01"), ("d", None, "2025-01-01"), ("e", "gone", "2025-01-01")]
    rows += [("f", "gone", "2025-01-01"), ("x", "y", "2025-01-01"), ("y", "x", "2025-01-01"), ("z", "z", "2025-01-01")]
    found = parent_groups(history(*rows), UNTIL)
    assert found.to_dict() == {"a": "a", "b": "a", "c": "a", "e": "e", "f": "e", "gone": "e", "x": "x", "y": "x", "z": "z"}


def test_fault_50_a_parent_that_is_not_known_yet_joins_nobody() -> None:
    past = history(("a", None, "2025-01-01"), ("b", "a", "2025-06-01"))
    assert parent_groups(past, datetime(2025, 3, 1)).empty
    assert parent_groups(past, datetime(2025, 7, 1)).to_dict() == {"a": "a", "b": "a"}


def rows_of(customers: int, size: int) -> pd.DataFrame:
    """Return predictions of customers, ``size`` of them to a parent, that share its fate."""
    ids = np.arange(customers)
    frame = pd.DataFrame({"customer_id": [f"c{n:04}" for n in ids], "group": [f"g{n // size:04}" for n in ids]})
    label = (ids // size % 4 == 0).astype(float)
    return frame.assign(cutoff=pd.Timestamp("2025-06-01"), label=label, raw=label + (ids // size) % 3, score=0.25, model="m")


def test_fault_50_accounts_of_one_parent_are_drawn_together_and_tuned_on_together() -> None:
    rows, groups_ = bootstrap.closed_rows(rows_of(400, 10))
    assert len(groups_) == 40
    weights = bootstrap.bootstrap_weights(len(groups_), 20, 7)[bootstrap.customer_index(rows, groups_)]
    for _, part in pd.DataFrame(weights).groupby(rows["group"].to_numpy()):
        assert (part == part.iloc[0]).all(axis=None)
    assert tuning.is_tuned_on(rows).groupby(rows["group"]).nunique().max() == 1
    assert len(tuning.customer_losses(rows["score"].to_numpy(), rows)) == 40


def test_fault_50_ten_accounts_that_share_a_fate_widen_the_interval() -> None:
    def width(rows: pd.DataFrame) -> float:
        found, who = bootstrap.closed_rows(rows)
        told = bootstrap.bootstrap_interval(
            bootstrap.pooled_metrics(found, bootstrap.customer_index(found, who), bootstrap.bootstrap_weights(len(who), 400, 7), 20)[
                "roc_auc"
            ]
        )
        assert told["high"] is not None
        assert told["low"] is not None
        return told["high"] - told["low"]

    together = rows_of(400, 10)
    assert width(together) > 2 * width(together.drop(columns="group"))


def test_without_groups_everybody_stands_alone() -> None:
    rows = rows_of(4, 2).drop(columns="group")
    assert sampling_units(rows).tolist() == rows["customer_id"].tolist()


def test_a_company_without_parents_has_no_group() -> None:
    assert parent_groups(history(("a", None, "2025-01-01")), UNTIL).reindex(np.array(["a"], dtype=object)).isna().all()


@pytest.mark.parametrize("unit", ["customer", "parent", "owner"])
def test_who_has_no_parent_or_owner_is_drawn_alone(unit: str) -> None:
    ids = pd.Series(["a", "b"], index=[7, 3])
    assert drawn_as(history(("a", None, "2025-01-01")), UNTIL, unit, ids).to_dict() == {7: "a", 3: "b"}
    if unit == "parent":
        assert drawn_as(history(("b", "a", "2025-01-01")), UNTIL, unit, ids).to_dict() == {7: "a", 3: "a"}
