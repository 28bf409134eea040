"""Where the artifacts of a model store lie: beside it, also after the output folder was moved or copied.

MLflow keeps whole paths and reads no path relative to a store; so whoever opens the store sets them to where it stands.
"""

import sqlite3
from pathlib import Path

_PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)
"""(table, column) of MLflow that hold the place of an artifact."""


def artifacts_uri(out: Path, experiment: str) -> str:
    """Return the URI of the folder that holds the artifacts of an experiment: ``<out>/mlruns/<experiment>``."""
    return (out / "mlruns" / experiment).resolve().as_uri()


def set_places(store: sqlite3.Connection, out: Path) -> None:
    """Point every path of the store ``<out>/mlflow.db`` below ``<out>/mlruns``; an experiment whose artifacts lie elsewhere stays as it is."""
    tables = {name for (name,) in store.execute("select name from sqlite_master where type = 'table'")}
    if "experiments" not in tables:
        return
    for name, before in store.execute("select name, artifact_location from experiments").fetchall():
        now = artifacts_uri(out, name)
        ours = str(before).endswith(f"/mlruns/{now.rpartition('/')[2]}") and (out / "mlruns" / name).is_dir()
        if not ours or before == now:
            continue
        for table, column in (one for one in _PATHS if one[0] in tables):
            # whole folders only: `churn` is the beginning of `churn lists`
            moved = f"update {table} set {column} = ? || substr({column}, ?) where {column} = ? or substr({column}, 1, ?) = ?"
            store.execute(moved, (now, len(before) + 1, before, len(before) + 1, f"{before}/"))
