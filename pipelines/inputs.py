"""From settings to a history, and from a history to frames: what training and scoring share."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.run import PRIVATE, Steps, conf_folder
from pipelines.settings import Settings, TargetSettings, ValidationSettings
from prevenance.errors import PrevenanceError, nearest
from prevenance.features import SETS
from prevenance.features import definitions as all_definitions
from prevenance.features.build import build, names, usable
from prevenance.features.define import Definition
from prevenance.history import History, cut, instant, newest_known_at
from prevenance.privacy import Privacy
from prevenance.privacy import check as check_privacy
from prevenance.sources.convert import Source
from prevenance.sources.files import connect
from prevenance.sources.intake import Counts, Intake, Policy, intake
from prevenance.tables import ACTIVITY, TABLES
from prevenance.targets import KINDS
from prevenance.targets.define import Target, cohort, label


@dataclass
class Inputs:
    """What a run stands on: the history up to ``as_of`` (naive UTC), the counts of every table, and what was noticed."""

    history: History
    counts: dict[str, Counts]
    messages: list[str]
    as_of: datetime
    taken: Intake
    customers: dict[str, int]


def load(given: Settings, steps: Steps) -> Inputs:
    """Read, check and cut the source's tables at ``as_of``.

    Raises:
        PrevenanceError: see ``intake``; E205 when ``out`` holds another source, E208 for a bad ``as_of``, E901 privacy.
    """
    check_privacy(Privacy(given.privacy.purpose, given.privacy.legal_basis))
    source = source_of(given)
    out = prepare_out(given)
    data = Path(given.data) if given.data else out / "demo"
    if given.source.name == "demo" and not given.data:
        make_demo(given, data, steps)
    if not data.is_dir():
        raise PrevenanceError(
            "E401", f"there is no data folder at {data}", key="data", fix="set data=<the folder that holds the source's files>"
        )
    policies = {name: Policy(one.on_bad_row, one.max_bad_share) for name, one in given.tables.items()}
    now = datetime.now(UTC).replace(tzinfo=None)
    asked = instant(given.as_of, source.timezone, now) if given.as_of else None if source.static else now
    taken = intake(connect(), source, data, policies, steps, asked)
    newest = newest_known_at(taken)
    as_of = asked or newest
    ids = {row[0] for row in taken.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    bad = dict(taken.con.execute("select reason, count(*) from quarantine.customers group by 1").fetchall())
    steps("cut at as_of")
    history, counts = cut(taken, as_of)
    opted_out = {row[0] for row in history.con.execute("select customer_id from canonical._opted_out").fetchall()} & ids
    known = {row[0] for row in history.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    customers = {"read": len(ids) + sum(bad.values()), "opted_out": len(opted_out), "after_as_of": len(ids - opted_out - known)}
    if not known:
        raise PrevenanceError(
            "E305", f"no customer is known at {as_of:%Y-%m-%d}", table="customers", fix=f"give a later as_of, up to {newest:%Y-%m-%d}"
        )
    return Inputs(history, counts, taken.messages, as_of, taken, customers | {f"quarantined {reason}": n for reason, n in bad.items()})


def source_of(given: Settings) -> Source:
    """Return the declared source with its selects, the private folder's first."""
    name = given.source.name
    folders = [folder / "source" / name for folder in (Path(os.environ.get(PRIVATE, "/nonexistent")), conf_folder())]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        raise PrevenanceError(
            "E306", f'the source "{name}" has no folder of selects', fix=f"write source/{name}/<table>.sql beside source/{name}.yaml"
        )
    selects = {path.stem: path.read_text(encoding="utf-8").strip().rstrip(";") for path in sorted(folder.glob("*.sql"))}
    for table in selects:
        if table not in TABLES:
            raise PrevenanceError("E306", f"{table}.sql is no canonical table", table=table, fix=nearest(table, TABLES))
    if not selects:
        raise PrevenanceError("E306", f'the source "{name}" has no select', fix=f"write source/{name}/<table>.sql")
    declared = given.source
    return Source(
        name,
        selects,
        declared.files,
        declared.timezone,
        declared.static,
        declared.currency,
        declared.delay_days,
        tuple(declared.timestamp_formats),
    )


def prepare_out(given: Settings) -> Path:
    """Return the output folder, made and writable.

    Raises:
        PrevenanceError: E205 when it belongs to another source, E801 when it cannot be written.
    """
    out = Path(given.out)
    if (out / "run.json").is_file():
        owner = json.loads((out / "run.json").read_text(encoding="utf-8"))["source"]
        if owner != given.source.name:
            raise PrevenanceError(
                "E205", f'the output folder {out} belongs to the source "{owner}"', key="out", fix=f"set out=out-{given.source.name}"
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise PrevenanceError(
            "E801", f"{problem.strerror or problem}", path=out, fix="make the folder writable, or set out=<another folder>"
        ) from problem
    return out


def remember(given: Settings) -> None:
    """Keep the trained source, data folder and settings for ``score``."""
    kept = [one for one in given.overrides if one.partition("=")[0] not in ("as_of", "out", "target", "data")]
    if given.data:
        kept.append(f"data={Path(given.data).resolve()}")
    (Path(given.out) / "run.json").write_text(
        json.dumps({"source": given.source.name, "overrides": kept}, indent=1) + "\n", encoding="utf-8"
    )


def make_demo(given: Settings, folder: Path, steps: Steps) -> None:
    """Write the demo company's files unless they are there, made with the same settings."""
    from prevenance.sources.demo import demo_of, write

    wanted = json.dumps(asdict(given.demo), sort_keys=True)
    mark = folder / "demo.json"
    if mark.is_file() and mark.read_text(encoding="utf-8") == wanted:
        return
    steps("make the demo company")
    folder.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)
    write(folder, demo_of(asdict(given.demo)))
    mark.write_text(wanted, encoding="utf-8")


def target_of(given: Settings) -> Target:
    """Return the target that the settings describe.

    Raises:
        PrevenanceError: E203 for an unknown kind.
    """
    chosen: TargetSettings = given.target
    if chosen.kind not in KINDS:
        raise PrevenanceError("E203", f'the target kind "{chosen.kind}" is unknown', key="target.kind", fix=nearest(chosen.kind, KINDS))
    settings: dict[str, Any] = {
        "name": chosen.name,
        "horizon_days": chosen.horizon_days,
        "settle_days": chosen.settle_days,
        "lead_days": chosen.lead_days,
    }
    if chosen.kind in ("silence", "ticket", "family"):
        settings |= {"active_days": chosen.active_days, "activity_in": tuple(chosen.activity)}
    if chosen.kind == "family":
        settings["owned_days"] = chosen.owned_days
    if chosen.kind == "ticket":
        settings |= {"category": chosen.category, "priority": chosen.priority}
    return KINDS[chosen.kind](**settings)


def capacity_of(given: Settings) -> int:
    """Return the contacts per list: as asked, else the source's, else the outreach settings'."""
    return given.capacity or given.source.capacity or given.outreach.capacity


def definitions_of(given: Settings, inputs: Inputs) -> tuple[tuple[Definition, ...], list[str]]:
    """Return the feature definitions that fit the history, and messages on what was left out."""
    sets = given.features.sets or given.source.features or list(SETS)
    for name in sets:
        if name not in SETS:
            raise PrevenanceError("E203", f'the feature set "{name}" is unknown', key="features.sets", fix=nearest(name, SETS))
    span = (inputs.as_of - first_known(inputs)).days
    lookbacks = [days for days in sorted(set(given.features.lookbacks)) if days <= span]
    dropped = [days for days in given.features.lookbacks if days > span]
    messages = [f"lookback of {days} days left out: the history has {span} days" for days in dropped]
    return usable(all_definitions(sets, lookbacks), inputs.history.tables, target_of(given).pairs), messages


def first_known(inputs: Inputs) -> datetime:
    """Return when the history begins: the oldest ``known_at`` of the main log, the activity table with the most rows.

    Contracts may be older than any record of use; without activity tables the oldest of what there is counts.
    """
    held = [name for name in ACTIVITY if name in inputs.history.tables and inputs.counts[name].used]
    tables = sorted(held, key=lambda name: (-inputs.counts[name].used, name))[:1] or sorted(inputs.history.tables - {"consents"})
    query = " union all ".join(f"select min(known_at) as first from canonical.{name}" for name in tables)
    found = inputs.history.con.execute(f"select min(first) from ({query})").fetchall()[0][0]
    return found or inputs.as_of


def cutoffs_of(given: Settings, target: Target, inputs: Inputs) -> list[datetime]:
    """Return the training cutoffs, ascending, at 00:00 UTC: every ``step_days`` back from the last closed label window, or on from ``start``.

    Raises:
        PrevenanceError: E601 when no label window is closed yet.
    """
    rules = given.validation
    first = first_known(inputs) + timedelta(days=max(rules.burn_in_days, given.target.active_days if given.target.kind == "silence" else 0))
    length = timedelta(days=target.horizon_days + target.settle_days)
    found = _every(rules, inputs.as_of - length)
    kept = sorted(cutoff for cutoff in found if cutoff >= first)
    if not kept:
        works = first + length + timedelta(days=1)
        raise PrevenanceError(
            "E601",
            f"no label window is closed: history begins {first_known(inputs):%Y-%m-%d}, a label needs {target.horizon_days} + {target.settle_days} days",
            target=target.name,
            fix=f"train from as_of={works:%Y-%m-%d} on, or shorten target.horizon_days or validation.burn_in_days",
        )
    return kept


def _every(rules: ValidationSettings, until: datetime) -> list[datetime]:
    """Return at most ``cutoffs`` instants up to ``until``, newest first, ``step_days`` apart."""
    last = until.replace(hour=0, minute=0, second=0, microsecond=0)
    if rules.start:
        start = instant(rules.start, "UTC")
        last = start + timedelta(days=(last - start).days // rules.step_days * rules.step_days)
    found = [last - timedelta(days=rules.step_days * n) for n in range(rules.cutoffs)]
    return [cutoff for cutoff in found if not rules.start or cutoff >= start]


def frame_of(
    inputs: Inputs, target: Target, cutoffs: list[datetime], definitions: tuple[Definition, ...], steps: Steps, most: int | None = None
) -> pd.DataFrame:
    """Return snapshots with labels and features: one row per customer[, product] and cutoff, at risk or too late.

    Above ``most`` rows a sample of the customers stands for all, with their whole histories; it is drawn by the hash of their id and
    said in the messages.
    """
    steps("cohort and labels")
    snapshots = cohort(inputs.history, target, cutoffs)
    if most and len(snapshots) > most:
        place = pd.util.hash_array(snapshots["customer_id"].to_numpy(dtype=object)) / 2**64
        kept = snapshots[place < most / len(snapshots)].reset_index(drop=True)
        inputs.messages.append(
            f"{target.name}: learned from {kept['customer_id'].nunique():,} of {snapshots['customer_id'].nunique():,} customers, drawn by "
            f"their id; {len(snapshots):,} snapshots are more than validation.max_snapshots={most:,}"
        )
        snapshots = kept
    labelled = label(inputs.history, target, snapshots)
    built = build(inputs.history, labelled, definitions, steps)
    return pd.concat([labelled, built[names(definitions)]], axis=1)
