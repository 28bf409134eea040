"""A demo company: the files that its systems would export, written in seconds, with known causes and known flaws.

The hidden truth is in ``demo_company``; ``demo_activity`` and ``demo_records`` say what each system sees of it. The files
carry what real exports carry: facts loaded days late, rows exported twice, unknown accounts, unreadable dates.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

from prevenance.sources import demo_activity, demo_records
from prevenance.sources.demo_company import PLANS, Company, simulate, stream

ZONE = "Europe/Paris"
UTC_FILES = ("product_events.csv.gz",)
FLAWS = {
    "crm_accounts.csv": {"twice": 0.003, "account_id": {"": 0.0015}},
    "subscriptions.csv": {"twice": 0.002, "mrr": {"#REF!": 0.002}},
    "product_events.csv.gz": {
        "twice": 0.001,
        "account_id": {"99999": 0.0005, "": 0.0001},
        "occurred_at": {"31/02/2026": 0.0002, "1970-01-01 00:00:00Z": 0.0001},
    },
    "tickets.csv": {"twice": 0.002, "account_id": {"99998": 0.0006}, "opened_at": {"30/02/2026 10:00": 0.0004}, "csat": {"n/a": 0.002}},
    "invoices.csv": {"twice": 0.001, "account_id": {"99999": 0.0004}, "amount": {"NaN": 0.0005}},
    "feedback.csv": {"twice": 0.002, "account_id": {"99999": 0.001}},
}
"""What is wrong with each file: the share of rows exported twice, and of cells replaced by a text."""


def write(folder: Path, *, customers: int = 600, months: int = 26, seed: int = 7, signal: float = 1.0) -> dict[str, object]:
    """Write the demo company's files into ``folder`` (made if needed; files of the same name are replaced).

    Args:
        folder: where the files go.
        customers: how many customers the company has at any time; others have left before the end.
        months: length of the history, which always ends on 2026-10-01 (local midnight).
        seed: equal seeds give equal bytes.
        signal: how much of what decides about leaving can be seen; 1 is plausible, 0 nothing (tickets then follow size alone).

    Returns:
        ``{"rows": {file: rows}, "accounts", "left", "customers"}``: accounts ever, those gone, those still there.
    """
    company = simulate(customers, months, seed, signal)
    total = len(company.customers)
    ids = np.array([f"{100 + number:05d}" for number in stream(seed, "ids").permutation(3 * total)[:total]], dtype=object)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: _save(folder / name, frame, seed) for name, frame in _exports(company, ids, seed).items()}
    left = int(company.customers["ended"].notna().sum())
    return {"rows": rows, "accounts": total, "left": left, "customers": total - left}


def _exports(company: Company, ids: np.ndarray, seed: int) -> dict[str, pd.DataFrame]:
    """Return every file's rows by file name."""
    accounts, account_changes = demo_records.accounts(company, ids, seed)
    contracts, contract_changes = demo_records.subscriptions(company, ids)
    events, errors = demo_activity.product_events(company, ids, seed)
    events.insert(0, "event_id", np.arange(1, len(events) + 1))
    return {
        "crm_accounts.csv": accounts,
        "crm_account_changes.csv": account_changes,
        "subscriptions.csv": contracts,
        "subscription_changes.csv": contract_changes,
        "product_events.csv.gz": events,
        "tickets.csv": demo_activity.ticket_rows(company, ids, errors, seed),
        "invoices.csv": demo_records.invoices(company, ids, seed),
        "feedback.csv": demo_records.feedback(company, ids, seed),
        "contacts.csv": demo_records.contacts(company, ids, seed),
        "consents.csv": demo_records.consents(company, ids, seed),
        "products.csv": _products(company),
        "releases.csv": company.releases,
    }


def _products(company: Company) -> pd.DataFrame:
    """Return the catalogue: three plans of one product family and an add-on."""
    number, name, price = demo_records.ADDON
    paid = ["; ".join(demo_activity.FEATURES[:count]) for count in demo_activity.PAID_FEATURES]
    return pd.DataFrame(
        {
            "product_id": [*PLANS["product_id"], number],
            "name": [*PLANS["plan"], name],
            "family": ["platform"] * len(PLANS) + ["add-on"],
            "price": [*PLANS["price"], price],
            "usage_limit": [2_000, 10_000, 60_000, None],
            "features": [*paid, None],
            "listed_on": min(company.customers["signup"].min(), pd.Timestamp(company.weeks[0])).normalize(),
        }
    )


def _save(path: Path, frame: pd.DataFrame, seed: int) -> int:
    """Write a frame as CSV with its flaws and return the number of rows, the header left out."""
    import pyarrow as pa
    import pyarrow.csv

    utc = path.name in UTC_FILES
    texts = {column: _text(frame[column], utc) for column in frame.columns}
    table = pa.table(_spoiled(pd.DataFrame(texts, copy=False), FLAWS.get(path.name, {}), stream(seed, f"flaws {path.name}")))
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(quoting_style="needed"))
    content = sink.getvalue().to_pybytes()
    path.write_bytes(gzip.compress(content, 3, mtime=0) if path.suffix == ".gz" else content)
    return int(table.num_rows)


def _text(values: pd.Series, utc: bool) -> pd.Series:
    """Return times as the export writes them (local, or UTC with a Z) and other values as they are."""
    if values.dtype.kind != "M":
        return values
    if values.empty:
        return values.astype(object)
    local = values.to_numpy().astype("datetime64[s]")
    if utc:
        zoned = pd.DatetimeIndex(local).tz_localize(ZONE, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward")
        local = zoned.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
    if (local == local.astype("datetime64[D]"))[~np.isnat(local)].all():
        local = local.astype("datetime64[D]")
    text = (np.char.replace(np.datetime_as_string(local), "T", " ").astype(object)) + ("Z" if utc else "")
    text[np.isnat(local)] = None
    return pd.Series(text, index=values.index, dtype=object)


def _spoiled(frame: pd.DataFrame, flaws: dict[str, object], rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows with some cells replaced and some rows exported twice; a small file stays whole."""
    for column, cells in flaws.items():
        if column == "twice":
            continue
        frame[column] = frame[column].astype(object)
        for text, share in cells.items():  # type: ignore[attr-defined]
            frame.loc[rng.choice(len(frame), int(share * len(frame)), replace=False), column] = text
    again = rng.choice(len(frame), int(float(flaws.get("twice", 0)) * len(frame)), replace=False)  # type: ignore[arg-type]
    frame = pd.concat([frame, frame.iloc[np.sort(again)]], ignore_index=True)
    mixed = [column for column in frame.columns if frame[column].dtype == object]
    return frame.assign(**{column: frame[column].map(str, na_action="ignore") for column in mixed})
