"""What counts as activity: a customer who only sends things back is silent."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from prevenance.history.history import History
from prevenance.targets.churn import by_silence
from prevenance.targets.labels import cohort, label

CUTOFF = datetime(2025, 3, 1)


def test_returns_and_refunds_are_no_activity() -> None:
    lines = [
        *(("kept", day, 1, 10.0) for day in (-40, 10)),
        *(("sent back", -40, 1, 10.0), ("sent back", 10, -1, -10.0)),
        *(("refunded", -40, 1, 10.0), ("refunded", 10, None, -10.0)),
        *(("free of charge", -40, 1, 10.0), ("free of charge", 10, 1, 0.0)),
        ("only returns", -40, -1, None),
        ("only returns", 10, 1, 5.0),
    ]
    frame = pd.DataFrame(lines, columns=["customer_id", "day", "quantity", "amount"])
    frame["event_at"] = frame["known_at"] = [CUTOFF + timedelta(days=day) for day in frame.pop("day")]
    customers = pd.DataFrame({"customer_id": frame["customer_id"].unique()})
    customers["event_at"] = customers["known_at"] = CUTOFF - timedelta(days=400)
    history = History.from_frames({"purchases": frame, "customers": customers}, CUTOFF + timedelta(days=60))
    target = by_silence(activity_in=("purchases",), horizon_days=28, active_days=56)
    asked = cohort(history, target, [CUTOFF])
    found = dict(zip(asked["customer_id"], label(history, target, asked)["label"], strict=True))
    assert found == {"kept": 0, "sent back": 1, "refunded": 1, "free of charge": 0}
