"""What a ready source makes of a small made-up export, to be compared with what was worked out by hand from the definitions."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import prevenance as pv
from prevenance.api.known import KnownHistory

EXPORTS = Path(__file__).parent / "vendors"


@cache
def history_of(source: str, data: Path, conf: Path | None = None, *settings: str) -> KnownHistory:
    """Return everything that the export in ``data`` says; nothing is left behind."""
    with TemporaryDirectory() as out:
        return pv.open(out, source=source, data=data, conf=conf, settings=settings).history()


def ready(source: str, zone: str = "") -> KnownHistory:
    """Return what the ready source makes of its export in the tests."""
    return history_of(source, EXPORTS / source, None, *([f"source.timezone={zone}"] if zone else []))


def _same(said: str, seen: object) -> bool:
    if said == "none":
        return bool(pd.isna(seen))
    if re.fullmatch(r"[-+/.\d]+", said):
        number = sum(Fraction(part) for part in re.findall(r"[-+]?[^-+]+", said))
        return abs(float(seen) - float(number)) < 1e-6
    return seen == said


def differences(found: pd.DataFrame, by_hand: dict[str, str]) -> dict[str, tuple[str, object]]:
    """Return ``customer.feature`` -> (by hand, found) where the two differ.

    By hand is ``feature=value`` with blanks between: a sum of fractions such as ``168-10/24``, a text, or ``none`` for unknown.
    """
    rows, wrong = found.droplevel("cutoff"), {}
    for customer, values in by_hand.items():
        for name, _, said in (one.partition("=") for one in values.split()):
            if not _same(said, seen := rows.loc[customer, name]):
                wrong[f"{customer}.{name}"] = (said, seen)
    return wrong


def labels_at(history: KnownHistory, target: str, cutoff: str) -> dict[str, float]:
    """Return customer -> label at a cutoff."""
    return history.labels(target, cutoffs=[cutoff]).droplevel("cutoff").to_dict()


def rows_of(history: KnownHistory, table: str, customer: str) -> list[tuple[str, str]]:
    """Return (event, event_at) of a customer in a table, oldest first, UTC to the minute."""
    found = history.table(table)
    own = found[found["customer_id"] == customer].sort_values(["event_at", "event"])
    return [(event, str(at)[:16]) for event, at in zip(own["event"], own["event_at"], strict=True)]
