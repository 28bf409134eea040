"""From a history to snapshots with labels and features: what training, scoring and replay share."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.features.build import build, feature_columns, usable_definitions
from prevenance.features.define import Definition
from prevenance.features.sets import SETS
from prevenance.features.sets import definitions as all_definitions
from prevenance.history.history import History, as_of_instant
from prevenance.history.roster import is_unjudged, parent_groups
from prevenance.judge.leakage import find_leaks
from prevenance.judge.tested import Past
from prevenance.models import folds, training
from prevenance.models.bundle import Fitted
from prevenance.models.scoring import UNKNOWN
from prevenance.runs.contacted import learned_rows
from prevenance.runs.inputs import Inputs
from prevenance.runs.leakage import searched_columns
from prevenance.runs.settings.schema import Settings, TargetSettings, ValidationSettings
from prevenance.runs.settings.support import hours_of, kept_hours
from prevenance.runs.steps import Steps
from prevenance.tables.canonical import ACTIVITY
from prevenance.targets import KINDS
from prevenance.targets.labels import drawn_cohort, label
from prevenance.targets.target import Target


def target_of(given: Settings) -> Target:
    """Return the target that the settings describe.

    Raises:
        PrevenanceError: E203 for an unknown kind.
    """
    chosen: TargetSettings = given.target
    if chosen.kind not in KINDS:
        fix = did_you_mean(chosen.kind, KINDS)
        raise PrevenanceError("E203", f'the target kind "{chosen.kind}" is unknown', key="target.kind", fix=fix)
    make = KINDS[chosen.kind]
    settings = asdict(chosen) | {"activity_in": tuple(chosen.activity), "cost_per_ticket": given.outreach.cost_per_ticket}
    made = make(**{name: settings[name] for name in signature(make).parameters if name in settings})
    return replace(made, min_known_days=chosen.min_known_days)


def definitions_of(given: Settings, inputs: Inputs, fitted: Fitted | None = None) -> tuple[tuple[Definition, ...], list[str]]:
    """Return the feature definitions that fit the history, or those that a model was ``fitted`` on; and messages on what was left out."""
    sets = given.features.sets or given.source.features or list(SETS)
    for name in sets:
        if name not in SETS:
            raise PrevenanceError("E203", f'the feature set "{name}" is unknown', key="features.sets", fix=did_you_mean(name, SETS))
    # A model keeps the lookbacks that it learned, however long the history is by now, and the working hours.
    if fitted is not None and "lookbacks" in fitted.about:
        every = all_definitions(sets, fitted.about["lookbacks"], kept_hours(fitted.about) or hours_of(given))
        return usable_definitions(every, inputs.history.tables, target_of(given).pairs), []
    span, lookbacks = (inputs.as_of - first_known(inputs)).days, lookbacks_of(given, inputs)
    usable = usable_definitions(all_definitions(sets, lookbacks, hours_of(given)), inputs.history.tables, target_of(given).pairs)
    dropped = sorted({*given.features.lookbacks} - {*lookbacks})
    return usable, [_left_out_text(days, span, feature_columns(usable)) for days in dropped]


def _left_out_text(days: int, span: int, columns: list[str]) -> str:
    """Return which lookback is left out, and which features have that length whatever the lookbacks are."""
    own = [name for name in columns if re.search(rf"_{days}d(_|$)", name)]
    said = f"lookback of {days} days left out: the history has {span} days"
    more = f" and {len(own) - 3} more" if len(own) > 3 else ""
    return said + (f"; features whose length is {days} days by definition stay: {', '.join(own[:3])}{more}" if own else "")


def lookbacks_of(given: Settings, inputs: Inputs) -> list[int]:
    """Return the lookbacks in days that the history is long enough for, at least the shortest."""
    span, every = (inputs.as_of - first_known(inputs)).days, sorted(set(given.features.lookbacks))
    return [days for days in every if days <= span] or every[:1]


def first_known(inputs: Inputs) -> datetime:
    """Return when the history begins: the oldest ``known_at`` of the main log, the activity table with the most rows.

    Contracts may be older than any record of use; without activity tables the oldest of what there is counts.
    """
    query = " union all ".join(f"select min(known_at) as first from canonical.{name}" for name in _main_log(inputs))
    found = inputs.history.con.execute(f"select min(first) from ({query})").fetchall()[0][0]
    return found or inputs.as_of


def _main_log(inputs: Inputs) -> list[str]:
    held = [name for name in ACTIVITY if name in inputs.history.tables and inputs.counts[name].used]
    return sorted(held, key=lambda name: (-inputs.counts[name].used, name))[:1] or sorted(inputs.history.tables - {"consents"})


def cutoffs_of(given: Settings, target: Target, inputs: Inputs) -> list[datetime]:
    """Return the training cutoffs, ascending, at 00:00 UTC: every ``step_days`` back from the last closed label window, or on from ``start``.

    Raises:
        PrevenanceError: E601 when no label window is closed yet.
    """
    rules = given.validation
    burn_in = timedelta(days=burn_in_days(given, target))
    found = _every(rules, inputs.as_of - timedelta(days=target.horizon_days + target.settle_days))
    kept = sorted(cutoff for cutoff in found if cutoff >= first_known(inputs) + burn_in)
    backfilled = _backfilled(inputs, found, kept, burn_in)
    if not kept:
        raise _no_cutoff(given, target, inputs, backfilled)
    told = [backfilled[1]] if backfilled else []
    if target.burn_in_days > rules.burn_in_days:
        what = f"validation.burn_in_days={rules.burn_in_days} is less than target.active_days={target.burn_in_days}"
        told.append(f"{what}, which the cohort looks back: the first cutoff has {target.burn_in_days} days of history before it")
    inputs.messages += [one for one in told if one not in inputs.messages]
    return kept


def burn_in_days(given: Settings, target: Target) -> int:
    """Return how many days of history the first cutoff has before it: what is asked for, or what the cohort looks back on if that is more."""
    return max(given.validation.burn_in_days, target.burn_in_days)


def _no_cutoff(given: Settings, target: Target, inputs: Inputs, backfilled: tuple[str, str] | None) -> PrevenanceError:
    """Return why there is no training cutoff, with the first ``as_of`` that gives one."""
    rules, zone, began = given.validation, given.source.timezone, first_known(inputs)
    if backfilled:
        table, what = backfilled
        fix = f"leave known_at out of {table}.sql and set source.delay_days.{table}=1 (the days from event to knowledge)"
        return PrevenanceError("E601", what, fix=fix, target=target.name, table=table)
    before, label = burn_in_days(given, target), target.horizon_days + target.settle_days
    first = began + timedelta(days=before)
    if rules.start:
        start = as_of_instant(rules.start, "UTC")
        first = start + timedelta(days=max(0, -((start - first).days // rules.step_days)) * rules.step_days)
    what = (
        f"no label window is closed: history begins {local_day(began, zone)}, the first cutoff has {before} days before it, "
        f"a label needs {target.horizon_days} + {target.settle_days} days"
    )
    least = "target.active_days" if target.burn_in_days > rules.burn_in_days else "validation.burn_in_days"
    works = local_day(first + timedelta(days=label + 1), zone)
    return PrevenanceError("E601", what, fix=f"train from as_of={works} on, or shorten target.horizon_days or {least}", target=target.name)


def _backfilled(inputs: Inputs, found: list[datetime], kept: list[datetime], burn_in: timedelta) -> tuple[str, str] | None:
    """Return the table and a sentence when a history loaded later than it happened costs cutoffs that its events would have allowed."""
    for table in _main_log(inputs)[:1]:
        began = inputs.history.con.execute(f"select min(event_at) from canonical.{table}").fetchall()[0][0]
        could = [cutoff for cutoff in found if began and cutoff >= began + burn_in]
        if len(could) > len(kept):
            return table, (
                f"{table}: only {len(kept)} of {len(could)} snapshots have history: its events begin {began:%Y-%m-%d}, "
                f"but none was known before {first_known(inputs):%Y-%m-%d}"
            )
    return None


def _every(rules: ValidationSettings, until: datetime) -> list[datetime]:
    """Return at most ``cutoffs`` instants up to ``until``, newest first, ``step_days`` apart."""
    last = until.replace(hour=0, minute=0, second=0, microsecond=0)
    if rules.start:
        start = as_of_instant(rules.start, "UTC")
        last = start + timedelta(days=(last - start).days // rules.step_days * rules.step_days)
    found = [last - timedelta(days=rules.step_days * n) for n in range(rules.cutoffs)]
    return [cutoff for cutoff in found if not rules.start or cutoff >= start]


def frame_of(
    inputs: Inputs, target: Target, cutoffs: list[datetime], definitions: tuple[Definition, ...], steps: Steps, most: int | None = None
) -> pd.DataFrame:
    """Return snapshots with labels and features: one row per customer[, product] and cutoff; ``group`` is who counts as one.

    ``state`` is at_risk, too_late, or not_enough_data for who was known too shortly to be listed then.

    Above ``most`` rows a sample of the customers stands for all, with their whole histories; it is drawn by the hash of their id and
    said in the messages.
    """
    steps("cohort and labels")
    snapshots, every, customers = drawn_cohort(inputs.history, target, cutoffs, most)
    if len(snapshots) < every:
        inputs.messages.append(
            f"{target.name}: learned from {snapshots['customer_id'].nunique():,} of {customers:,} customers, drawn by "
            f"their id; {every:,} snapshots are more than validation.max_snapshots={most:,}"
        )
    labelled = label(inputs.history, target, with_unjudged(inputs.history, target, snapshots))
    own = labelled["customer_id"].to_numpy(dtype=object)
    group = parent_groups(inputs.history, inputs.as_of).reindex(own).to_numpy(dtype=object)
    labelled = labelled.assign(group=pd.Series(np.where(pd.isna(group), own, group), index=labelled.index, dtype="str"))
    built = build(inputs.history, labelled, definitions, steps)
    return pd.concat([labelled, built[feature_columns(definitions)]], axis=1)


def with_unjudged(history: History, target: Target, snapshots: pd.DataFrame) -> pd.DataFrame:
    """Return snapshots at risk of who cannot be judged as ``not_enough_data``: who would not be listed teaches nothing of those who are."""
    dark = is_unjudged(history, snapshots, target.min_known_days)
    return snapshots.assign(state=snapshots["state"].mask(dark & (snapshots["state"] == "at_risk"), UNKNOWN))


def past_of(
    given: Settings,
    target: Target,
    inputs: Inputs,
    definitions: tuple[Definition, ...],
    cutoffs: list[datetime],
    steps: Steps,
    *,
    replaying: bool = False,
) -> Past:
    """Build the snapshots, split them in time and leave leaks out: as a training does, and a replay that learns as a training then would have.

    Raises:
        PrevenanceError: E601 when nobody was at risk at any cutoff, or no label window is closed.
    """
    rules, gap = given.validation, {"horizon_days": target.horizon_days, "settle_days": target.settle_days}
    # Tonight's rows come along in a replay too: what is built with them must be what a training of that date would have built.
    every = frame_of(inputs, target, [*cutoffs, inputs.as_of], definitions, steps, rules.max_snapshots)
    late = every["cutoff"] == pd.Timestamp(inputs.as_of)
    frame, tonight = every[~late].reset_index(drop=True), every[late].reset_index(drop=True)
    rows, left_out = learned_rows(rules, inputs.history, target, training.usable_rows(frame))
    inputs.messages += [one for one in left_out if one not in inputs.messages]
    if rows.empty and not replaying:
        what, fix = f"nobody was at risk at any of {len(cutoffs)} cutoffs", "check target.kind and target.active_days"
        raise PrevenanceError("E601", what, target=target.name, fix=fix)
    closed = [cutoff for cutoff in cutoffs if pd.Timestamp(cutoff) in set(rows["cutoff"])]
    parted = folds.make_folds(closed, tests=rules.tests, calibrate=rules.calibrate, **gap)
    production = folds.final_fold(closed, inputs.as_of, calibrate=rules.calibrate, **gap)
    if not replaying:
        steps(f"{target.name}: look for leaks")
    columns = [name for name in feature_columns(definitions) if name not in given.features.leave_out]
    leaks = find_leaks(rows, searched_columns(columns, given.features.trusted, inputs.messages), parted, given.seed)
    named = {leak["feature"] for leak in leaks}
    return Past(frame, rows, tonight, parted, production, [name for name in columns if name not in named], leaks)


def model_facts(given: Settings, target: Target, inputs: Inputs, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model keeps of how it came to be; nothing that a later run has to guess."""
    return {
        "target": target.name,
        "source": given.source.name,
        "trained_until": inputs.as_of.isoformat(),
        "lookbacks": lookbacks_of(given, inputs),
        "hours": asdict(hours_of(given)),
        "params": dict(params),
        "horizon_days": target.horizon_days,
        "settle_days": target.settle_days,
    }
