"""The contenders: our builder, idiomatic pandas, and the bare scan-and-group that nobody can beat by much.

Each runs alone in a child process, which keeps the clock around the work only (libraries are imported before, results
are fingerprinted and saved after).
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.facts import COUNTS, CUTOFFS, LOOKBACKS, RATIOS, WITH_TREND, customer_ids, write

if TYPE_CHECKING:
    import pandas as pd

    from prevenance.features.define import Definition

SCALE = 10_000
DAY = timedelta(days=1)


def definitions() -> tuple[Definition, ...]:
    """Return the benchmark's features in our words."""
    from prevenance.features.define import Count, DaysSince, Distinct, Feature, Max, Mean, Min, Ratio, Sum, Trend

    found: list[Definition] = []
    for days in LOOKBACKS:
        found += [Feature(f"{name}_{days}d", "usage", Count(), "", where, days) for name, where in COUNTS.items()]
        for name, value in (("quantity", Sum), ("quantity_mean", Mean), ("quantity_max", Max), ("quantity_min", Min)):
            found.append(Feature(f"{name}_{days}d", "usage", value("quantity"), "", "", days))
        found.append(Feature(f"users_{days}d", "usage", Distinct("user_id"), "", "", days))
        found += [Trend(f"{name}_{days}d_trend", f"{name}_{days}d", "") for name in WITH_TREND]
        found += [Ratio(f"{name}_{days}d", f"{top}_{days}d", f"{bottom}_{days}d", "") for name, (top, bottom) in RATIOS.items()]
    return (*found, *(Feature(f"days_since_{kind}", "usage", DaysSince(), "", f"kind = '{kind}'") for kind in ("login", "use", "error")))


def ours(path: Path, customers: int) -> pd.DataFrame:
    """Build with this project: canonical usage is a view of the file."""
    import pandas as pd

    from prevenance.features.build import build
    from prevenance.history.history import History
    from prevenance.sources.files import new_engine

    con = new_engine(memory="1500MB")
    con.execute(f"create view canonical.usage as select *, null::varchar as feature, null::varchar as product_id from '{path}'")
    ids = customer_ids(customers)
    snapshots = pd.DataFrame({"customer_id": ids * len(CUTOFFS), "cutoff": [cutoff for cutoff in CUTOFFS for _ in ids]})
    return build(History(con, CUTOFFS[-1], frozenset({"usage"})), snapshots.astype({"cutoff": "datetime64[us]"}), definitions())


def scan(path: Path, customers: int) -> None:
    """Read the same columns and group them once: the floor."""
    from prevenance.sources.files import new_engine

    new_engine(memory="1500MB").execute(
        f"create temp table grouped as select customer_id, user_id, kind, count(*), sum(quantity), max(event_at), max(known_at) from '{path}' group by 1, 2, 3"
    )


def _read(path: Path, customers: int) -> pd.DataFrame:
    """Read the file for pandas: ids as categories, quantity in exact ten-thousandths, conditions as ready columns."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path, read_dictionary=["customer_id", "user_id", "kind"])
    table = table.set_column(table.schema.get_field_index("quantity"), "quantity", table["quantity"].cast(pa.float64()))
    facts = table.to_pandas()
    del table
    facts["customer_id"] = facts["customer_id"].cat.set_categories(customer_ids(customers))
    facts["user_id"] = facts["user_id"].cat.codes
    facts["quantity"] = np.rint(facts["quantity"] * SCALE)
    for kind, name in (("login", "logins"), ("use", "uses"), ("error", "errors")):
        facts[name] = facts["kind"] == kind
    facts["night_logins"] = facts["logins"] & (facts["event_at"].dt.hour < 6)
    return facts.drop(columns="kind")


def _window(facts: pd.DataFrame, whole: bool) -> pd.DataFrame:
    """Aggregate the facts of one window by customer; the window before needs the trended columns only."""
    named: dict[str, Any] = {name: (name, "sum") for name in COUNTS if whole or name in WITH_TREND}
    named |= {"quantity": ("quantity", "sum"), "users": ("user_id", "nunique")}
    if whole:
        named |= {"quantity_count": ("quantity", "count"), "quantity_max": ("quantity", "max"), "quantity_min": ("quantity", "min")}
    return facts.groupby("customer_id", observed=False, sort=False).agg(**named)


def _since(seen: pd.DataFrame, cutoff: datetime) -> Iterator[tuple[str, Any]]:
    for name, kind in (("logins", "login"), ("uses", "use"), ("errors", "error")):
        last = seen[seen[name]].groupby("customer_id", observed=False, sort=False)["event_at"].max()
        yield f"days_since_{kind}", (cutoff - last) / DAY


def _columns(seen: pd.DataFrame, cutoff: datetime) -> dict[str, Any]:
    """Return all features of one cutoff from the facts visible at it."""
    columns: dict[str, Any] = {}
    for days in LOOKBACKS:
        start, before = cutoff - timedelta(days=days), cutoff - 2 * timedelta(days=days)
        now = _window(seen[seen["event_at"] > start], True)
        past = _window(seen[(seen["event_at"] > before) & (seen["event_at"] <= start)], False)
        columns |= {f"{name}_{days}d": now[name] for name in (*COUNTS, "users")}
        columns[f"quantity_{days}d"] = now["quantity"] / SCALE
        columns[f"quantity_mean_{days}d"] = now["quantity"] / SCALE / now["quantity_count"]
        columns[f"quantity_max_{days}d"], columns[f"quantity_min_{days}d"] = now["quantity_max"] / SCALE, now["quantity_min"] / SCALE
        past["quantity"] /= SCALE
        for name in WITH_TREND:
            this, other = columns[f"{name}_{days}d"], past[name]
            columns[f"{name}_{days}d_trend_before"], columns[f"{name}_{days}d_trend"] = other, (this - other) / (this + other)
        for name, (top, bottom) in RATIOS.items():
            columns[f"{name}_{days}d"] = columns[f"{top}_{days}d"] / columns[f"{bottom}_{days}d"].where(lambda of: of != 0)
    return columns | dict(_since(seen, cutoff))


def pandas(path: Path, customers: int) -> pd.DataFrame:
    """Build with pandas: one group-by per cutoff and window, each over the facts both clocks allow."""
    import pandas as pd

    facts, parts = _read(path, customers), []
    for cutoff in CUTOFFS:
        seen = facts[(facts["event_at"] <= cutoff) & (facts["known_at"] <= cutoff)]
        parts.append(pd.DataFrame(_columns(seen, cutoff), dtype=float).rename_axis("customer_id").reset_index())
    return pd.concat(parts, ignore_index=True)


CONTENDERS: dict[str, Callable[[Path, int], Any]] = {"ours": ours, "pandas": pandas, "scan": scan}


def peak() -> float:
    """Return the peak memory of this process in GB; what a parent held before it started does not count (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


def main(name: str, path: Path, customers: int, save: Path | None) -> dict[str, Any]:
    """Run one contender and return its CPU and wall seconds, shape and fingerprint; save each column under ``save``."""
    import duckdb  # noqa: F401
    import numpy as np
    import pyarrow.parquet  # noqa: F401

    import prevenance.history  # noqa: F401
    from prevenance.features.build import feature_columns

    cpu, wall = time.process_time(), time.perf_counter()
    frame = CONTENDERS[name](path, customers)
    report: dict[str, Any] = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "peak": peak()}
    if frame is None:
        return report
    digest = hashlib.sha256()
    for column in feature_columns(definitions()):
        values = frame.pop(column).to_numpy(dtype=float, copy=True)
        values[np.isnan(values)] = np.nan
        digest.update(values)
        if save:
            np.save(save / f"{column}.npy", values)
    return report | {"columns": len(feature_columns(definitions())), "rows": len(frame), "digest": digest.hexdigest()}


def compare(folder: Path) -> dict[str, int]:
    """Return how many saved cells of ``ours`` and ``pandas`` differ; null equals null."""
    import numpy as np

    from prevenance.features.build import feature_columns

    rows = different = 0
    for column in feature_columns(definitions()):
        one, other = (np.load(folder / name / f"{column}.npy") for name in ("ours", "pandas"))
        rows = len(one)
        different += int(rows != len(other)) or int((~((one == other) | (np.isnan(one) & np.isnan(other)))).sum())
    return {"rows": rows, "columns": len(feature_columns(definitions())), "different": different}


if __name__ == "__main__":
    _, task, place, customers, *rest = sys.argv
    if task == "write":
        write(Path(place), int(rest[0]), int(customers))
        done: dict[str, Any] = {}
    else:
        done = compare(Path(place)) if task == "compare" else main(task, Path(place), int(customers), Path(rest[0]) if rest else None)
    sys.stdout.write(json.dumps(done))
