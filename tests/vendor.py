"""What a ready source makes of a small made-up export, to be compared with what was worked out by hand from the definitions."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

import prevenance as pv
from prevenance.api.known import KnownHistory

EXPORTS = Path(__file__).parent / "vendors"


@cache
def history_of(source: str, data: Path, conf: Path | None = None, *settings: str) -> KnownHistory:
    """Return everything that the export in ``data`` says; nothing is written."""
    return pv.open(data.parent / "no-such-out", source=source, data=data, conf=conf, settings=settings).history()


def ready(source: str, zone: str = "") -> KnownHistory:
    """Return what the ready source makes of its export in the tests."""
    return history_of(source, EXPORTS / source, None, *([f"source.timezone={zone}"] if zone else []))


def differences(found: pd.DataFrame, by_hand: dict[str, dict[str, float | str | None]]) -> dict[str, tuple[object, object]]:
    """Return ``customer.feature`` -> (by hand, found) where the two differ; None by hand is unknown."""
    rows, wrong = found.droplevel("cutoff"), {}
    for customer, values in by_hand.items():
        for name, value in values.items():
            seen = rows.loc[customer, name]
            same = pd.isna(seen) if value is None else seen == value if isinstance(value, str) else abs(float(seen) - value) < 1e-6
            if not same:
                wrong[f"{customer}.{name}"] = (value, seen)
    return wrong


def labels_at(history: KnownHistory, target: str, cutoff: str) -> dict[str, float]:
    """Return customer -> label at a cutoff."""
    return history.labels(target, cutoffs=[cutoff]).droplevel("cutoff").to_dict()


def rows_of(history: KnownHistory, table: str, customer: str) -> list[tuple[str, str]]:
    """Return (event, event_at) of a customer in a table, oldest first, UTC to the minute."""
    found = history.table(table)
    own = found[found["customer_id"] == customer].sort_values(["event_at", "event"])
    return [(event, str(at)[:16]) for event, at in zip(own["event"], own["event_at"], strict=True)]
