"""One target's list: the champion, tonight's snapshots, the same ``build`` as training, one atomic flip."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.inputs import Inputs
from pipelines.run import Steps
from pipelines.settings import Settings
from pipelines.snapshots import capacity_of, definitions_of, target_of
from prevenance import tracking
from prevenance.contracts import HIGHER_PLAN, MORE_SEATS
from prevenance.errors import PrevenanceError
from prevenance.explain import reasons
from prevenance.features.build import build, names
from prevenance.history import History, digest, visible
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.ranking import Play, Stamp, best_offers, by_product, rank
from prevenance.scoring import scored
from prevenance.tables import ACTIVITY, TABLES
from prevenance.targets.define import Target, cohort
from prevenance.writers import summary, table
from prevenance.writers.publish import publish

BEFORE = timedelta(days=28)
NO_MODEL = {"rule": "ranked by the simple rule: rules, no model", "health_score": "ranked by your present health score, no model"}
"""What a list says of itself when no model made it."""
YOUNG_DAYS = 28
"""A customer known for less than this, or without any activity for a year, cannot be judged: ``not_enough_data``."""


@dataclass(frozen=True)
class Listed:
    """A ranked list with what it stands on: the inputs of its rows, further files, its run, the newest knowledge and notes."""

    ranked: pd.DataFrame
    now: pd.DataFrame
    extra: dict[str, bytes]
    run_id: str
    until: datetime
    notes: list[str]


def tonight(given: Settings, inputs: Inputs, steps: Steps) -> tuple[str, dict[str, Any]]:
    """Score, rank and publish one target; return the text to print and the facts for the status file."""
    target, out, cutoff = target_of(given), Path(given.out), inputs.as_of
    fitted, model_digest, messages = champion_of(out, target, cutoff, asked_source(given))
    made = listed(given, inputs, fitted, model_digest, steps)
    steps(f"{target.name}: publish")
    files = {
        "list.csv": table.csv_bytes(made.ranked),
        "list.json": table.json_bytes(made.ranked),
        "features.parquet": table.parquet_bytes(features_of(made.now)),
    }
    files |= made.extra | {f"quarantine/{name}.csv": content for name, content in quarantined(inputs).items()}
    by = NO_MODEL.get(fitted.kind, "")
    said = [*messages, *([by] if by else []), *inputs.messages, *made.notes]
    manifest = manifest_of(given, inputs, target, fitted, model_digest, made.run_id, made.until, made.ranked, said)
    folder = publish(out, target.name, cutoff, files, manifest)
    return summary.top(made.ranked, folder, by=by), {
        "list": str(folder),
        "listed": len(made.ranked),
        "run_id": made.run_id,
        "messages": messages,
    }


def listed(given: Settings, inputs: Inputs, fitted: Fitted, model_digest: str, steps: Steps) -> Listed:
    """Return the ranked list of one target at ``inputs.as_of`` by a given model: the same for tonight and for a past date."""
    target, cutoff = target_of(given), inputs.as_of
    definitions, notes = definitions_of(given, inputs)
    steps(f"{target.name}: cohort")
    snapshots = cohort(inputs.history, target, [cutoff - BEFORE, cutoff])
    check_inputs(fitted, names(definitions))
    features = build(inputs.history, snapshots, definitions, steps)[["cutoff", *target.keys, *fitted.encoder.features]]
    whole = pd.concat([snapshots[["state", "value_at_stake"]], features], axis=1)
    now, before = (whole[whole["cutoff"] == pd.Timestamp(moment)].reset_index(drop=True) for moment in (cutoff, cutoff - BEFORE))
    steps(f"{target.name}: score and explain")
    dark = now["customer_id"].isin(unknown(inputs.history, cutoff))
    if fitted.kind == "health_score":
        dark |= now[list(fitted.encoder.features)].isna().all(axis=1)
    rows, extra = scored(fitted, now, before, now, dark), {}
    if target.pairs:
        worth = {"share": given.outreach.share, "cost_per_contact": given.outreach.cost_per_contact}
        rows["product"] = product_names(inputs.history, cutoff, rows["product_id"])
        extra = {"by_product.csv": table.csv_bytes(by_product(rows, **worth))}
        rows = best_offers(rows, **worth)
    told = reasons(fitted, now.loc[rows.index], definitions)
    rows = pd.concat([rows, told], axis=1).merge(attributes(inputs.history, cutoff), on="customer_id", how="left")
    rows.loc[rows["score"].isna(), ["reasons", "holds"]] = ""
    capacity = capacity_of(given)
    settings = {"target": asdict(given.target), "outreach": asdict(given.outreach), "capacity": capacity}
    visible_inputs = {"data": digest(inputs.history, cutoff), "settings": settings, "model": model_digest}
    run_id = hashlib.sha256(json.dumps(visible_inputs, sort_keys=True).encode()).hexdigest()[:16]
    newest = [one.newest_known_at for one in inputs.counts.values() if one.newest_known_at]
    until = datetime.fromisoformat(max(newest).rstrip("Z")) if newest else cutoff
    stamp = Stamp(target.name, cutoff, target.horizon_days, model_digest[:12], run_id, until)
    plays = given.outreach.offers if target.pairs else given.outreach.playbook
    playbook = {name: Play(one["action"], one["days"], tuple(one.get("words", ()))) for name, one in plays.items()}
    ranked = rank(
        rows, stamp, capacity=capacity, share=given.outreach.share, cost_per_contact=given.outreach.cost_per_contact, playbook=playbook
    )
    return Listed(ranked, now, extra, run_id, until, notes)


def asked_source(given: Settings) -> str:
    """Return the source and its folder as settings to repeat in a command, unless it is the demo that makes its own files."""
    return " ".join(one for one in given.overrides if one.partition("=")[0] in ("source", "data"))


def champion_of(out: Path, target: Target, cutoff: datetime | None, source: str = "") -> tuple[Fitted, str, list[str]]:
    """Return the registered champion, its digest and messages; its digests are checked before anything is parsed.

    Without a ``cutoff`` it may know anything. ``source`` is what a command that trains has to repeat.

    Raises:
        PrevenanceError: E501 none registered, E502 not what was registered, E503 it knows more than the cutoff.
    """
    messages: list[str] = []
    held = tracking.champion(out, target.name, messages)
    if held is None:
        raise PrevenanceError(
            "E501",
            f"no champion is registered for {target.name} in {out}",
            target=target.name,
            fix=f"run make train ARGS='{' '.join([*source.split(' '), f'target={target.name}']).strip()} out={out}'",
        )
    fitted = bundle.load(out / "models" / target.name / held[1], held[1])
    trained = datetime.fromisoformat(fitted.about["trained_until"])
    if cutoff is not None and trained > cutoff:
        raise PrevenanceError(
            "E503",
            f"the champion of {target.name} was trained with knowledge up to {trained:%Y-%m-%d}, after as_of={cutoff:%Y-%m-%d}",
            target=target.name,
            fix=f"give as_of={trained + timedelta(days=1):%Y-%m-%d} or later, or train with as_of={cutoff:%Y-%m-%d} into another out=",
        )
    return fitted, held[1], messages


def check_inputs(fitted: Fitted, columns: list[str]) -> None:
    """Raise E504 when the champion wants a feature that tonight's tables cannot give."""
    if missing := [name for name in fitted.encoder.features if name not in columns]:
        raise PrevenanceError(
            "E504",
            f"the champion wants {len(missing)} features that the tables do not give, first {missing[0]}",
            column=missing[0],
            fix="bring the missing table or lookback back, or run make train again",
        )


def features_of(now: pd.DataFrame) -> pd.DataFrame:
    """Return what features.parquet holds: customer_id, cutoff and every model input."""
    return now.drop(columns=["state", "value_at_stake"]).reset_index(drop=True)


def attributes(history: History, cutoff: datetime) -> pd.DataFrame:
    """Return customer_id, name, owner, segment as they stand at ``cutoff``."""
    columns = ", ".join(
        f"arg_max({name}, (event_at, known_at, {name})) filter (where {name} is not null) as {name}"
        for name in ("name", "owner", "segment")
    )
    found = history.con.execute(f"select customer_id, {columns} from {visible('customers', cutoff)} group by 1 order by 1").df()
    return found.astype("str")


def product_names(history: History, cutoff: datetime, product_ids: pd.Series) -> pd.Series:
    """Return each offer in words: the product's name at ``cutoff``, else its id."""
    known: dict[str, str] = {}
    if "products" in history.tables:
        newest = f"select product_id, arg_max(name, (event_at, known_at, name)) as name from {visible('products', cutoff)} group by 1"
        known = {number: name for number, name in history.con.execute(newest).fetchall() if name}
    words = {MORE_SEATS: "More seats", HIGHER_PLAN: "Higher plan"} | known
    return product_ids.map(lambda one: words.get(one, one)).astype("str")


def unknown(history: History, cutoff: datetime) -> set[str]:
    """Return the customers that cannot be judged: known too short, or without any activity in the year before ``cutoff``."""
    tables = [name for name in (*ACTIVITY, "subscriptions") if name in history.tables]
    if not tables:
        return set()
    facts = " union all ".join(f"select customer_id, age_days from {visible(name, cutoff)}" for name in tables)
    active = [name for name in ACTIVITY if name in history.tables]
    recent = (
        " union all ".join(f"select customer_id from {visible(name, cutoff, 365)}" for name in active) or "select customer_id from facts"
    )
    found = history.con.execute(
        f"with facts as ({facts}), recent as ({recent}) select customer_id from facts group by 1 "
        f"having max(age_days) < {YOUNG_DAYS} or customer_id not in (select customer_id from recent)"
    ).fetchall()
    return {row[0] for row in found}


def quarantined(inputs: Inputs) -> dict[str, bytes]:
    """Return a CSV per table with quarantined rows: _file, _line, reason and the row's key, no free text."""
    files = {}
    for name in inputs.counts:
        keys = [column.name for column in TABLES[name].columns if column.kind == "id"]
        found = inputs.history.con.execute(f"select * from quarantine.{name} order by all").df()
        if len(found):
            files[name] = table.csv_bytes(found[[column for column in ("_file", "_line", "reason", *keys) if column in found.columns]])
    return files


def manifest_of(
    given: Settings,
    inputs: Inputs,
    target: Target,
    fitted: Fitted,
    model_digest: str,
    run_id: str,
    until: datetime,
    ranked: pd.DataFrame,
    messages: list[str],
) -> dict[str, Any]:
    """Return the manifest, with the conservation law counted out."""
    excluded = {reason: inputs.customers[reason] for reason in ("opted_out", "after_as_of") if inputs.customers.get(reason)}
    quarantine = {key.removeprefix("quarantined "): n for key, n in inputs.customers.items() if key.startswith("quarantined ")}
    rest = inputs.customers["read"] - len(ranked) - sum(excluded.values()) - sum(quarantine.values())
    if rest:
        excluded["not_in_cohort"] = rest
    return {
        "target": target.name,
        "cutoff": f"{inputs.as_of.isoformat()}Z",
        "run_id": run_id,
        "data_until": f"{until.isoformat()}Z",
        "model": {"version": model_digest[:12], "kind": fitted.kind, "digest": model_digest},
        "counts": {"customers_read": inputs.customers["read"], "listed": len(ranked), "excluded": excluded, "quarantined": quarantine},
        "tables": {name: asdict(one) for name, one in inputs.counts.items()},
        "gates": {"conservation": "pass" if rest >= 0 and all(balanced(one) for one in inputs.counts.values()) else "fail"},
        "privacy": asdict(given.privacy),
        "messages": messages,
    }


def balanced(counts: Any) -> bool:
    """Return whether a table's rows add up: read = used + excluded + quarantined."""
    return bool(counts.read == counts.used + sum(counts.excluded.values()) + sum(counts.quarantined.values()))
