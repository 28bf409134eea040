"""Small random companies in canonical frames: ties, day boundaries, late facts, holes, ids that are no ASCII."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from prevenance.tables.canonical import TABLES
from prevenance.testing.turning import turning_rows

CUTOFFS = (datetime(2025, 1, 1), datetime(2025, 3, 1), datetime(2025, 3, 29))
"""Cutoffs that share window edges: 28 days lie between the last two."""

DAYS = 500
IDS = ("c-1", "Ünïted & søns", "客戶", "o'brien", "007", 'say "hi"', "Zoë", "c-1 ")
PRODUCTS = ("basic", "plus", "größe")
MICROSECOND = timedelta(microseconds=1)


class Dice:
    """A seeded generator of column values; ``pick`` gives None with probability ``holes``."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def pick(self, values: tuple[str, ...], n: int, holes: float = 0.1) -> list[str | None]:
        """Return ``n`` of ``values``, some missing."""
        index, missing = self.random.integers(len(values), size=n), self.random.random(n) < holes
        return [None if gone else values[i] for i, gone in zip(index, missing, strict=True)]

    def number(self, low: float, high: float, n: int, digits: int = 0, holes: float = 0.1) -> np.ndarray:
        """Return ``n`` numbers between ``low`` and ``high``, some missing."""
        values = np.round(self.random.uniform(low, high, n), digits)
        values[self.random.random(n) < holes] = np.nan
        return values

    def instants(self, n: int) -> list[datetime]:
        """Half are any microsecond of the last 500 days, half lie on, just before or just after an edge of some window."""
        span, edges, sides = (
            self.random.integers(0, DAYS * 86_400_000_000, n),
            self.random.integers(7, size=n),
            self.random.integers(-1, 2, n),
        )
        found = []
        for micro, edge, side, cutoff in zip(span, edges, sides, self.random.integers(len(CUTOFFS), size=n), strict=True):
            if self.random.random() < 0.5:
                found.append(CUTOFFS[-1] + timedelta(days=20) - timedelta(microseconds=int(micro)))
            else:
                found.append(CUTOFFS[cutoff] - timedelta(days=(0, 1, 7, 28, 90, 180, 365)[edge]) + int(side) * MICROSECOND)
        return found

    def known(self, happened: list[datetime], late: bool) -> list[datetime]:
        """With ``late`` a third become known up to 60 days later, some exactly at a cutoff or a microsecond after it."""
        kinds = self.random.integers(9, size=len(happened)) if late else np.full(len(happened), 9)
        found = []
        for event_at, kind in zip(happened, kinds, strict=True):
            candidate = event_at
            if kind == 0:
                candidate = CUTOFFS[self.random.integers(len(CUTOFFS))]
            elif kind == 1:
                candidate = CUTOFFS[self.random.integers(len(CUTOFFS))] + MICROSECOND
            elif kind == 2:
                candidate = event_at + timedelta(hours=int(self.random.integers(0, 60 * 24)))
            found.append(max(candidate, event_at))
        return found


def _customers(dice: Dice, n: int) -> dict[str, object]:
    return {
        "name": dice.pick(("Ada", "Bo"), n),
        "segment": dice.pick(("small", "größer", "large"), n, 0.3),
        "industry": dice.pick(("retail", "food"), n),
        "country": dice.pick(("CH", "FR"), n),
        "language": dice.pick(("fr", "de"), n),
        "plan": dice.pick(("basic", "plus"), n),
        "parent_id": dice.pick(IDS, n, 0.7),
    }


def _subscriptions(dice: Dice, n: int) -> dict[str, object]:
    products = dice.pick(PRODUCTS, n, 0.2)
    return {
        "subscription_id": dice.pick(("s1", "s2"), n, 0),
        "event": dice.pick(("started", "started", "changed", "renewed", "notice", "ended"), n, 0),
        "product_id": products,
        "plan": [
            plan if product == "basic" else None for plan, product in zip(dice.pick(("basic", "plus"), n, 0.2), products, strict=True)
        ],
        "seats": dice.number(0, 20, n),
        "mrr": dice.number(0, 900, n, 2),
        "renews_on": [instant + timedelta(days=200) for instant in dice.instants(n)],
        "ends_on": [None if dice.random.random() < 0.6 else instant + timedelta(days=200) for instant in dice.instants(n)],
    }


def _usage(dice: Dice, n: int) -> dict[str, object]:
    return {
        "user_id": dice.pick(("u1", "u2", "ü3"), n),
        "kind": dice.pick(("login", "use", "use", "error"), n, 0),
        "feature": dice.pick(("export", "import", "chat", "größe"), n, 0.3),
        "quantity": dice.number(0, 50, n, 2, 0.3),
        "product_id": dice.pick(PRODUCTS, n, 0.4),
    }


def _tickets(dice: Dice, n: int) -> dict[str, object]:
    return {
        "ticket_id": dice.pick(("t1", "t2", "t3", "t4", "t5"), n, 0),
        "event": dice.pick(("opened", "opened", *TABLES["tickets"].column("event").choices), n, 0),
        "category": dice.pick(("bug", "login"), n),
        "priority": dice.pick(("Urgent", "normal", "P1"), n),
        "product_id": dice.pick(PRODUCTS, n),
        "score": dice.number(1, 5, n, 1, 0.5),
    }


def _invoices(dice: Dice, n: int) -> dict[str, object]:
    return {
        "invoice_id": dice.pick(("i1", "i2", "i3", "i4"), n, 0),
        "event": dice.pick(("issued", "paid", "reminded"), n, 0),
        "amount": dice.number(-50, 900, n, 2),
        "due_on": [None if dice.random.random() < 0.3 else instant for instant in dice.instants(n)],
    }


def _feedback(dice: Dice, n: int) -> dict[str, object]:
    return {"kind": dice.pick(("nps", "nps", "csat", "ces", "review"), n, 0), "score": dice.number(0, 10, n, 1)}


def _purchases(dice: Dice, n: int) -> dict[str, object]:
    return {
        "order_id": dice.pick(("o1", "o2", "o3", "o4"), n),
        "product_id": dice.pick(PRODUCTS, n),
        "family": dice.pick(("tools", "spares"), n),
        "quantity": dice.number(-2, 9, n),
        "amount": dice.number(-20, 200, n, 4),
    }


def _contacts(dice: Dice, n: int) -> dict[str, object]:
    return {"direction": dice.pick(("in", "out"), n, 0), "kind": dice.pick(("call", "email", "meeting", "training", "campaign"), n, 0)}


def _consents(dice: Dice, n: int) -> dict[str, object]:
    return {"purpose": dice.pick(("newsletter",), n, 0), "allowed": [True] * n}


def _products(dice: Dice, n: int) -> dict[str, object]:
    return {
        "product_id": dice.pick(PRODUCTS, n, 0),
        "family": dice.pick(("tools", "spares"), n),
        "price": dice.number(1, 90, n, 2),
        "usage_limit": dice.number(0, 30, n, 0, 0.3),
        "service_days": dice.number(0, 90, n, 0, 0.3),
        "features": dice.pick(("export;import", " chat ; größe;;export", ";"), n, 0.2),
    }


def _releases(dice: Dice, n: int) -> dict[str, object]:
    return {"product_id": dice.pick(PRODUCTS, n), "version": dice.pick(("1", "2"), n)}


MAKERS: dict[str, tuple[Callable[[Dice, int], dict[str, object]], int]] = {
    "customers": (_customers, 2),
    "subscriptions": (_subscriptions, 4),
    "usage": (_usage, 30),
    "tickets": (_tickets, 16),
    "invoices": (_invoices, 8),
    "feedback": (_feedback, 5),
    "purchases": (_purchases, 10),
    "contacts": (_contacts, 6),
    "consents": (_consents, 1),
    "products": (_products, 6),
    "releases": (_releases, 4),
}
"""How each table is made, and about how many rows: per customer, or in all for products and releases."""


def _frame(name: str, dice: Dice, customers: tuple[str, ...], rows: float, late: bool) -> pd.DataFrame:
    make, usual = MAKERS[name]
    table = TABLES[name]
    n = int(dice.random.integers(0, max(1, round(2 * rows * usual * (len(customers) if table.per_customer else 1))) + 1))
    happened = dice.instants(n)
    for twin in np.flatnonzero(dice.random.random(n) < 0.2):
        happened[twin] = happened[dice.random.integers(n)]
    columns: dict[str, object] = {"event_at": happened, "known_at": dice.known(happened, late), **make(dice, n)}
    if table.per_customer:
        columns["customer_id"] = dice.pick(customers, n, 0)
    if name in ("subscriptions", "tickets", "invoices"):
        own = {"subscriptions": "subscription_id", "tickets": "ticket_id", "invoices": "invoice_id"}[name]
        columns[own] = [f"{customer}/{one}" for customer, one in zip(columns["customer_id"], columns[own], strict=True)]  # type: ignore[call-overload]
    typed = {column.name: _typed(columns.get(column.name, [None] * n), column.kind) for column in table.columns}
    frame = pa.table(typed).to_pandas()
    return frame.drop_duplicates(list(table.key), ignore_index=True) if table.key else frame


def _typed(values: Any, kind: str) -> pa.Array:
    return pa.array(values, {"instant": pa.timestamp("us"), "number": pa.float64(), "flag": pa.bool_()}.get(kind, pa.string()))


def world(seed: int, *, customers: int = 4, late: bool = True, rows: float = 1.0) -> dict[str, pd.DataFrame]:
    """Return one random company: a frame per canonical table, typed by the contract, keys unique.

    Args:
        seed: same seed, same company.
        customers: how many ids take part, at most ``len(IDS)``; some stay without any row.
        late: whether facts become known after they happened (products and releases too).
        rows: 1.0 gives about 30 usage rows a customer.
    """
    dice = Dice(seed)
    there = IDS[:customers]
    silent = dice.random.integers(0, customers + 1)
    with_rows = tuple(one for number, one in enumerate(there) if number != silent) or there
    frames = {name: _frame(name, dice, with_rows, rows, late) for name in MAKERS}
    turned = turning_rows(Dice(seed), [one for one in with_rows if dice.random.random() < 0.3], CUTOFFS, late)
    columns = {column.name: _typed([row.get(column.name) for row in turned], column.kind) for column in TABLES["subscriptions"].columns}
    frames["subscriptions"] = (
        pd.concat([frames["subscriptions"], pa.table(columns).to_pandas()], ignore_index=True) if turned else frames["subscriptions"]
    )
    return frames


def snapshots(customers: int = 4, cutoffs: tuple[datetime, ...] = CUTOFFS) -> pd.DataFrame:
    """Return every customer at every cutoff, sorted by cutoff and customer_id (n = customers x cutoffs)."""
    pairs = [(customer, cutoff) for cutoff in sorted(cutoffs) for customer in sorted(IDS[:customers])]
    frame = pd.DataFrame(pairs, columns=["customer_id", "cutoff"])
    return frame.astype({"customer_id": "str", "cutoff": "datetime64[us]"})


def together(several: Sequence[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return companies that share nothing but one database: every id of theirs begins with the number of its company."""

    numbers = pd.Series([f"{number}:" for number in range(len(several))], dtype="str")

    def own(name: str) -> pd.DataFrame:
        parts = [one[name] for one in several]
        frame = pd.concat(parts, ignore_index=True)
        prefix = numbers.repeat([len(part) for part in parts]).reset_index(drop=True)
        return frame.assign(**{column: prefix + frame[column] for column in frame if column.endswith("_id")})

    return {name: own(name) for name in MAKERS}
