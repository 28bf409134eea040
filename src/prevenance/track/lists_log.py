"""Published lists in the model store: one run each, last of all and never in the way.

What is to be logged waits in ``<out>/spool/`` until the store takes it, so a night with the store down loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.base import disk, kept, memory
from prevenance.base.errors import PrevenanceError
from prevenance.track import tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient

SPOOL, TOLD = "spool", ("target", "cutoff", "run_id", "data_until", "model", "counts", "gates")


def log_lists(out: Path, folders: Sequence[str]) -> list[str]:
    """Log the published ``folders`` and whatever waits from nights before; return messages, none if the store took everything.

    A list that is logged already is not logged again. No customer is named: counts, gates, the model and the cutoff.

    Raises:
        PrevenanceError: E801 if what waits cannot be written.
    """
    damaged = list[str]()
    for folder in map(Path, folders):
        told = kept.whole_json(folder / "manifest.json")
        if told is None or not set(told) >= set(TOLD):  # published before, and broken since: no reason to end a night
            damaged.append(f"the manifest of a published list is damaged, and the list is not in the model store: {folder}")
            continue
        short = {key: told[key] for key in TOLD}
        disk.write(out / SPOOL / f"{told['target']}-{told['run_id']}.json", json.dumps(short, sort_keys=True).encode())
    # Written first and logged from there: a night that breaks off is made up for by the next.
    waiting = list[Path]()
    for path in sorted((out / SPOOL).glob("*.json")):
        told_of = kept.whole_json(path)
        if told_of is not None and set(told_of) >= set(TOLD):
            waiting.append(path)
        else:  # set aside: it would stop every night to come
            with disk.writing(path):
                path.rename(path.with_suffix(".damaged"))
            damaged.append(f"a list that waited for the model store is damaged and set aside: {path.with_suffix('.damaged')}")
    try:
        if waiting and not (out / tracking.STORE).exists():
            raise PrevenanceError("E801", "there is none", fix="run make train", path=out / tracking.STORE)
        if waiting:
            memory.check_memory()
            with tracking.open_store(out) as (_, client):
                for path in waiting:
                    _log(out, client, json.loads(path.read_text(encoding="utf-8")))
    except PrevenanceError as problem:
        lists = f"{len(waiting)} list{'s' if len(waiting) > 1 else ''}"
        return [*damaged, f"{lists} not yet in the model store: {problem.what}; kept in {out / SPOOL} for the next night"]
    for path in waiting:
        path.unlink()
    return damaged


def _log(out: Path, client: MlflowClient, told: Mapping[str, Any]) -> None:
    """Log one short manifest as a run of the experiment ``<target> lists``, once; one that was broken off is finished."""
    from mlflow.entities import Metric

    number = tracking.experiment_id(out, client, f"{told['target']} lists")
    tags = {key: str(told[key]) for key in ("run_id", "cutoff", "data_until")} | {"model_digest": str(told["model"]["digest"])}
    tags |= {f"gate.{gate}": outcome for gate, outcome in told["gates"].items()}
    found = client.search_runs([number], f"tags.run_id = '{told['run_id']}'", max_results=1)
    logged = found[0] if found else client.create_run(number, tags=tags, run_name=str(told["cutoff"])[:10])
    # A run broken off before this point is there without its counts.
    if logged.info.status == "FINISHED":
        return
    counts = {key: told["counts"][key] for key in ("customers_read", "listed")}
    counts |= {f"excluded.{reason}": rows for reason, rows in told["counts"]["excluded"].items()}
    client.log_batch(logged.info.run_id, [Metric(key, float(value), logged.info.start_time, 0) for key, value in counts.items()])
    client.set_terminated(logged.info.run_id)
