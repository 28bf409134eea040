"""What the values of settings may be; the first that cannot be is refused, naming its key."""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.decide.playbook import playbook_of
from prevenance.demo.switches import CONTACT_KINDS, LEAKS
from prevenance.order.policies import POLICIES
from prevenance.order.suppression import PERSONAL
from prevenance.privacy.retention import check_retention
from prevenance.publish.folders import WEEK
from prevenance.publish.links import check_links
from prevenance.runs.settings.asked import check_report
from prevenance.runs.settings.experiment_schema import ExperimentSettings
from prevenance.runs.settings.keys import example_value
from prevenance.runs.settings.plays import plays_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.settings.support import hours_of
from prevenance.runs.settings.zones import check_zone
from prevenance.sources.entries import check_entry
from prevenance.sources.gates import parse_age
from prevenance.tables.canonical import TABLES

_ON, _DAYS, _NONE_BELOW = "give a number from 1 on, such as {key}={some}", "give 0 or more days", "give 0 or more"
INFINITE = math.inf
MOST, MOST_DAYS = 2**31 - 1, 36_500
"""The largest number of any setting (libraries take seeds and counts of 32 bits), and of days."""
MOST_WAIT = 90
"""Days that a contact may be put off to see whether an early one is better."""
MOST_WEEKS = 8
"""Weeks of a pilot: who looks for longer finds something."""
MOST_DELAY_DAYS = 3650
"""From what happened to when it was known: longer is a slip of the pen, or seconds."""

COUNTS: Mapping[str, tuple[float, str]] = {
    **dict.fromkeys(("target.horizon_days", "target.active_days", "target.owned_days"), (1, _ON)),
    **{f"validation.{key}": (1, _ON) for key in ("step_days", "cutoffs", "tests", "calibrate", "max_snapshots")},
    **dict.fromkeys(("capacity", "model.trials", "demo.customers", "features.lookbacks"), (1, _ON)),
    **dict.fromkeys(("target.settle_days", "target.lead_days", "target.min_known_days"), (0, _DAYS)),
    **dict.fromkeys(("validation.burn_in_days", "validation.replicates"), (0, _NONE_BELOW)),
    **dict.fromkeys(("demo.months", "demo.events", "pilot.weeks", "pilot.lists"), (1, _ON)),
    **dict.fromkeys(("demo.seed", "demo.signal", "demo.churners"), (0, _NONE_BELOW)),
    "experiment.look_weeks": (1, _ON),
}
"""Key -> least value (of a list, of each), and what to do."""

_OUTREACH: Mapping[str, tuple[float, float]] = {
    **{"share": (0, 1), "holdout.share": (0, 0.5), "holdout.band": (0, 1), "margin": (0, 1), "wake_points": (0.1, 100)},
    "floor": (0, 100),
    **{"capacity": (1, INFINITE), "hours_per_contact": (0.01, INFINITE), "cost_per_contact": (0, INFINITE)},
    **{"cost_per_ticket": (0.01, INFINITE), "holdout.max_value": (0, INFINITE)},
    **{"cooldown_days": (0, 3650), "escalation_days": (0, 36500), "wrong_alarm_days": (0, 3650)},
    **{"shares": (0, 1), "costs": (0, INFINITE), "hours": (0, 10_000)},
}
BOUNDS = {
    **{f"outreach.{key}": span for key, span in _OUTREACH.items()},
    **{"demo.complied": (0, 1), "demo.noncompliance": (0, 1), "demo.effects": (0, 100), "demo.harm": (0, 100)},
}
"""Key -> lowest and highest value, both included; of a mapping, of each of its values."""


def check_settings(given: Settings) -> None:
    """Raise E201 for an unknown table, E202 for a value that cannot be, E203 for an unknown leak."""
    _check_tables(given)
    if strange := set(given.out) & set("?#%"):  # the address of the model store would end there, or mean another folder
        fix = f"set out={re.sub('[?#%]', '-', given.out)}"
        what = f"out={given.out[:80]} holds a {min(strange)}, and a model store cannot lie there"
        raise PrevenanceError("E202", what, key="out", fix=fix)
    check_zone(given.source.timezone, "source.timezone")
    hours_of(given)
    check_report(given)
    _either(given.source.decimal, "source.decimal", ".", ",")
    if given.validation.start:
        _check_day("validation.start", given.validation.start)
    for table in given.target.activity:
        if table not in TABLES:
            raise PrevenanceError(
                "E203", f'activity names "{table}", which is no table', key="target.activity", fix=did_you_mean(table, TABLES)
            )
    for view, declared in given.source.files.items():
        check_entry(view, declared)
    _check_delays(given.source.delay_days)
    check_links(given.source.links)
    values = asdict(given)
    for key, value in _numbers(values):
        _check_size(key, value)
    for asked, (least, fix) in COUNTS.items():
        for key, value in _each(values, asked):
            if not least <= value < INFINITE:
                some = 24 if key.startswith("demo.") and key != "demo.customers" else 28
                raise PrevenanceError("E202", f"{key} is {value}", key=key, fix=fix.format(key=key, some=some))
    names = [given.demo.leaks] if isinstance(given.demo.leaks, str) else given.demo.leaks or []
    for name in names if isinstance(names, list) else [names]:
        if name not in (*LEAKS, "all"):
            raise PrevenanceError("E203", f'no leak is called "{name}"', key="demo.leaks", fix=did_you_mean(str(name), [*LEAKS, "all"]))
    for action in given.demo.effects:
        if action not in CONTACT_KINDS:
            raise PrevenanceError("E203", f'no contact is a "{action}"', key="demo.effects", fix=did_you_mean(action, CONTACT_KINDS))
    for asked, (low, high) in BOUNDS.items():
        for key, value in _each(values, asked):
            if not low <= value <= high or math.isinf(value):
                span = f"from {low:g} to {high:g}" if high < INFINITE else f"of {low:g} or more"
                raise PrevenanceError("E202", f"{key} is {value}", key=key, fix=f"give a number {span}")
    if WEEK in (given.target.name, *given.source.targets):
        fix = f"call it something else, such as {WEEK}s: rename its file in target/ and where the source names it"
        raise PrevenanceError(
            "E202", f'a target is called "{WEEK}", as the folder of the lists of all targets is', key="target.name", fix=fix
        )
    if given.outreach.policy not in POLICIES:
        what, fix = f'no policy is called "{given.outreach.policy}"', did_you_mean(given.outreach.policy, POLICIES)
        raise PrevenanceError("E203", what, key="outreach.policy", fix=fix)
    if given.pilot.weeks > MOST_WEEKS:
        what, fix = f"a pilot of {given.pilot.weeks} weeks is no pilot any more", f"write pilot.weeks={MOST_WEEKS}, or fewer"
        raise PrevenanceError("E202", what, key="pilot.weeks", fix=fix)
    check_retention(given.privacy.retention.tables, given.privacy.retention.artifacts)
    _either(given.validation.contacted, "validation.contacted", "keep", "leave_out")
    _either(given.privacy.review, "privacy.review", "required", "optional")
    _either(given.outreach.holdout.unit, "outreach.holdout.unit", "customer", "parent", "owner")
    _check_experiment(given.experiment)
    _check_compare(given.outreach.compare)
    if given.playbook.plays:
        playbook_of(**plays_of(given))


def _check_tables(given: Settings) -> None:
    for table, policy in given.tables.items():
        for key in ("warn_after", "error_after"):
            parse_age(getattr(policy, key), f"tables.{table}.{key}")
        if table not in TABLES:
            raise PrevenanceError("E201", f'tables names "{table}"', key=f"tables.{table}", fix=did_you_mean(table, TABLES))
        _either(policy.on_bad_row, f"tables.{table}.on_bad_row", "refuse", "quarantine")
        for key in ("max_bad_share", "least_kept"):
            if not 0 <= (share := getattr(policy, key)) <= 1:
                place = f"tables.{table}.{key}"
                raise PrevenanceError("E202", f"{place} is {share}, and a share is 0 to 1", key=place, fix=f"write {place}=0.1 for a tenth")


def _check_experiment(asked: ExperimentSettings) -> None:
    if asked.start:
        _check_day("experiment.start", asked.start)
    if not 0.5 <= asked.power < 1:
        raise PrevenanceError("E202", f"experiment.power is {asked.power}", key="experiment.power", fix="write experiment.power=0.8")
    if not 1 <= asked.looks <= 50:
        raise PrevenanceError("E202", f"experiment.looks is {asked.looks}", key="experiment.looks", fix="write experiment.looks=8")


def _check_compare(ways: list[str]) -> None:
    """Raise E202 unless nothing, two actions or two waits are compared."""
    actions, waits = all(one in PERSONAL for one in ways), all(one.isdigit() and int(one) <= MOST_WAIT for one in ways)
    if ways and (len(set(ways)) != 2 or len(ways) != 2 or not (actions or waits)):
        fix = f"write outreach.compare=[call,training], two of {', '.join(PERSONAL)}, or two waits in days, outreach.compare=[0,28]"
        raise PrevenanceError("E202", f"compare is {', '.join(ways)[:60]}", key="outreach.compare", fix=fix)


def _numbers(node: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Return every number among settings, at any depth, with its key."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _numbers(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, list):
        for value in node:
            yield from _numbers(value, key)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield key, node


def _check_size(key: str, value: float) -> None:
    """Raise E202 for a number that no setting can have: none at all, or beyond what days, counts and seeds can be."""
    last = key.rpartition(".")[2]
    low, high = (0 if last == "seed" else -MOST, MOST_DAYS if last.endswith("days") or last == "lookbacks" else MOST)
    if not low <= value <= high:
        fix = f"write {key}={example_value(key) or 7}, or another number up to {high}"
        raise PrevenanceError("E202", f"{key} is {str(value)[:40]}", key=key, fix=fix)


def _check_day(key: str, text: str) -> None:
    """Raise E202 for what is no date."""
    try:
        date.fromisoformat(text)
    except ValueError as problem:
        raise PrevenanceError("E202", f'"{text[:40]}" is no date', key=key, fix=f"write {key}=2026-04-01") from problem


def _check_delays(delay_days: Mapping[str, float]) -> None:
    """Raise E201 for a delay of no table, E202 for one that would show a fact before it was known."""
    for table, days in delay_days.items():
        key = f"source.delay_days.{table}"
        if table not in TABLES:
            raise PrevenanceError("E201", f'delay_days names "{table}", which is no table', key=key, fix=did_you_mean(table, TABLES))
        if not 0 <= days <= MOST_DELAY_DAYS:
            fix = f"give days from 0 to {MOST_DELAY_DAYS}, such as {key}=1"
            raise PrevenanceError("E202", f"{key} is {days}", key=key, fix=fix)


def check_made(given: Settings, made: Collection[str]) -> None:
    """Raise E201 where something is asked of a table that no select of the source makes: nobody would ever look."""
    asked = dict.fromkeys(given.source.delay_days, "source.delay_days.{}")
    for table, policy in given.tables.items():
        if policy.required or policy.warn_after or policy.error_after or policy.least_kept:
            asked[table] = "tables.{}." + next(
                key for key in ("required", "warn_after", "error_after", "least_kept") if getattr(policy, key)
            )
    for table, key in asked.items():
        if table not in made:
            what = f'{key.format(table)} asks something of "{table}", which no select of source/{given.source.name} makes'
            fix = f"{did_you_mean(table, made)}; take it out, or write source/{given.source.name}/{table}.sql"
            raise PrevenanceError("E201", what, key=key.format(table), fix=fix)


def _each(values: Mapping[str, Any], key: str) -> Iterator[tuple[str, float]]:
    """Return the numbers that stand under a dotted key, each with its own key; none where it is not set."""
    found: Any = values
    for part in key.split("."):
        found = found[part]
    if isinstance(found, dict):
        yield from ((f"{key}.{name}", value) for name, value in found.items())
    else:
        yield from ((key, value) for value in (found if isinstance(found, list) else [found]) if value is not None)


def _either(value: str, key: str, *choices: str) -> None:
    if value not in choices:
        raise PrevenanceError("E202", f'"{value}" is neither', key=key, fix=f"write {' or '.join(choices)}")
