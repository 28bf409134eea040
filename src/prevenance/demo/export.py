"""How the demo company's systems write their exports: local times (UTC in the product's log), CSV, and the flaws of real files."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from prevenance.demo.activity import EVENT_KINDS, FEATURES, Events
from prevenance.demo.world import PLANS, World, random_stream

ZONE = "Europe/Paris"
EVENTS = "product_events"


@dataclass(frozen=True)
class Flaws:
    """What is wrong with a file: the share of rows exported twice, and of cells replaced by a text."""

    twice: float = 0.0
    orphans: float = 0.0
    cells: dict[str, dict[str, float]] = field(default_factory=dict)


FLAWS = {
    "crm_accounts": Flaws(0.003, 0.0, {"account_id": {"": 0.0015}}),
    "subscriptions": Flaws(0.002, 0.0, {"mrr": {"#REF!": 0.002}}),
    EVENTS: Flaws(0.001, 0.0005, {"account_id": {"": 0.0001}, "occurred_at": {"31/02/2026": 0.0002, "1970-01-01 00:00:00Z": 0.0001}}),
    "tickets": Flaws(0.002, 0.0006, {"opened_at": {"30/02/2026 10:00": 0.0004}, "csat": {"n/a": 0.002}}),
    "invoices": Flaws(0.001, 0.0004, {"amount": {"NaN": 0.0005}}),
    "feedback": Flaws(0.002, 0.001),
    "purchases": Flaws(0.002, 0.001),
}
NOBODY = "99999x"
"""The account of an orphan row: no customer has it."""


def events_table(world: World, events: Events, ids: np.ndarray, block: int) -> pa.Table:
    """Return the product's log as it is exported."""

    # texts are made once for each user, not for each of millions of events
    keys, code = np.unique(events.who * 1000 + np.minimum(events.user, 999), return_inverse=True)
    users = pa.array([f"{ids[key // 1000]}-u{key % 1000:03d}" for key in keys], pa.string())
    feature = pa.array(events.feature, pa.int64(), mask=events.feature < 0)
    first = block * 100_000_000
    columns = {
        "event_id": pa.array(np.arange(first + 1, first + len(events.who) + 1)),
        "account_id": pa.array(ids, pa.string()).take(pa.array(events.who)),
        "user_id": users.take(pa.array(code)),
        "event": pa.array(EVENT_KINDS).take(pa.array(events.kind)),
        "feature": pa.array(FEATURES).take(feature),
        "quantity": pa.array(events.quantity),
        "product_id": pa.array(PLANS["product_id"], pa.string()).take(pa.array(events.plan)),
        "occurred_at": _utc(events.at),
        "loaded_at": _utc(events.loaded),
    }
    return pa.table(columns)


def text_table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as text: dates where every moment of a column is a midnight, local times otherwise."""

    return pa.table({name: _text(frame[name]) for name in frame.columns})


def _text(values: pd.Series) -> pa.Array:

    if values.dtype.kind == "M":
        local = values.to_numpy().astype("datetime64[s]")
        dates = local.astype("datetime64[D]")
        return pa.array(dates if (local == dates)[~np.isnat(local)].all() else local).cast(pa.string())
    if values.dtype.kind in "iuf":
        return pa.array(values.to_numpy(), mask=values.isna().to_numpy())
    return pa.array(values.map(str, na_action="ignore").astype(object).where(values.notna(), None), pa.string())


def _utc(local: np.ndarray) -> pa.Array:

    # the first of the doubled hour and the next existing one: the clocks change twice a year and no event may vanish
    zoned = pd.DatetimeIndex(local).tz_localize(ZONE, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward")
    moment = zoned.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
    return pc.binary_join_element_wise(pa.array(moment).cast(pa.string()), "Z", "")


def spoil_table(world: World, name: str, table: pa.Table, block: int) -> pa.Table:
    """Return the rows with some cells replaced, some accounts unknown and some rows exported twice; a small file stays whole."""

    given, flaws = world.given, FLAWS.get(name, Flaws())

    def some(what: str, share: float) -> np.ndarray:
        return random_stream(given.seed, f"{what} {name}", block).choice(len(table), int(share * len(table)), replace=False)

    def replaced(column: str, text: str, places: np.ndarray) -> pa.Table:
        mask = np.zeros(len(table), dtype=bool)
        mask[places] = True
        values = pc.replace_with_mask(table[column].combine_chunks().cast(pa.string()), pa.array(mask), pa.scalar(text))
        return table.set_column(table.column_names.index(column), column, values)

    if given.orphans and flaws.orphans:
        table = replaced("account_id", NOBODY, some("orphans", flaws.orphans))
    for column, cells in flaws.cells.items() if given.bad_cells else ():
        for text, share in cells.items():
            table = replaced(column, text, some(f"{column} {text}", share))
    if given.duplicates and flaws.twice:
        table = pa.concat_tables([table, table.take(pa.array(np.sort(some("twice", flaws.twice))))])
    return table


def save_table(folder: Path, name: str, table: pa.Table, part: int) -> int:
    """Write a table of a block: the product's log as a gzip of its own, others at the end of one CSV file. Return its rows."""

    sink = pa.BufferOutputStream()
    begins = part == 0 or name == EVENTS
    pa.csv.write_csv(table, sink, pa.csv.WriteOptions(quoting_style="needed", include_header=begins))
    content = sink.getvalue()
    if name == EVENTS:
        path = folder / (f"{EVENTS}.csv.gz" if part == 0 else f"{EVENTS}-{part + 1:03d}.csv.gz")
        # mtime=0: the time of compression would make other bytes
        path.write_bytes(gzip.compress(memoryview(content), 2, mtime=0))
    else:
        with (folder / f"{name}.csv").open("wb" if part == 0 else "ab") as file:
            file.write(memoryview(content))
    return int(table.num_rows)
