"""The gates of a night: is every feed fresh, is every table whole, does what happens still arrive, and what becomes of a table that fails."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

from prevenance.base import disk, kept
from prevenance.history.history import History, empty_table
from prevenance.proof.watch import events, wording
from prevenance.proof.watch.records import Warned
from prevenance.publish.published import published_lists
from prevenance.runs.settings.schema import Settings
from prevenance.sources.gates import Gate, Limit, enforce_gates, freshness_gates, parse_age, volume_gates
from prevenance.sources.taken import Counts
from prevenance.words import words

LATE = "late_feed"
"""Reason of rows that are left out because their feed is older than its limit and the table is not required."""

BEFORE = 7
"""Lists whose customers by segment say what is usual."""


def table_gates(given: Settings, history: History, counts: Mapping[str, Counts], messages: list[str], *, gated: bool) -> list[Gate]:
    """Judge every table; append what is to be told to ``messages`` and return the gates.

    A late table that is not required loses its rows, counted as ``late_feed``: what it would say is unknown. Not ``gated``, nothing is
    refused or left out, and the events are not looked at.

    Raises:
        PrevenanceError: E403, E404; E406 with ``watch.block``.
    """
    limits = {}
    for name, one in given.tables.items():
        warn, error = (parse_age(getattr(one, key), f"tables.{name}.{key}") for key in ("warn_after", "error_after"))
        limits[name] = Limit(warn, error, one.required)
    gates, earlier = freshness_gates(counts, history.until, limits), manifests_before(given.folder)
    warned = event_gates(given, history, earlier) if gated else []
    for place, gate in enumerate(gates):
        if gate.outcome == "fail" and limits[gate.table].required is False:
            if gated:
                empty_table(history, counts[gate.table], gate.table, LATE)
            gates[place] = replace(gate, outcome="warn", says=f"{gate.says}; the list is made without it")
    gates += volume_gates(
        {name: one.read for name, one in counts.items()}, rows_before(given.folder, earlier), limits, accepted=given.accept_volume
    )
    # What a limit says already is not said again.
    told = {gate.table for gate in gates if gate.outcome != "pass"}
    gates += [gate for gate in warned if gate.table not in told]
    if gated:
        enforce_gates(gates)
    messages += [gate.says for gate in gates if gate.outcome != "pass"]
    return gates


def warned_events(history: History, earlier: list[dict[str, Any]]) -> list[Warned]:
    """Return the tables and segments whose events are far from usual, beside the manifests of ``earlier`` lists; later ones are passed over."""
    past = [one for one in earlier if one["cutoff"].rstrip("Z") < history.until.isoformat()]
    days = (history.until - events.datetime.fromisoformat(past[-1]["cutoff"].rstrip("Z"))) / timedelta(days=1) if past else 1.0
    found = events.event_warnings(history, history.until, ceil(days))
    sizes = [one["watch"]["segments"] for one in past if "segments" in one.get("watch", {})]
    return found + events.segments_gone(events.segment_sizes(history, history.until), sizes[-BEFORE:])


def event_gates(given: Settings, history: History, earlier: list[dict[str, Any]]) -> list[Gate]:
    """Return a gate for each table or segment whose events are far from usual: warn, or fail with ``watch.block``."""
    outcome, gates = "fail" if given.watch.block else "warn", []
    for one in warned_events(history, earlier):
        where = {"table": one.about, "events": one.facts["events"], "usual": round(float(one.facts["usual"] or 0))}
        fix = f"bring the feed of {one.about} up to date and run again, or set watch.block=false if it is true"
        says = wording.warning_text(words("en"), one)
        gates.append(Gate(f"{one.kind}.{one.about}", outcome, says, "E406", where, fix, {"watch": one.kind, **one.facts}))
    return gates


def warned_gates(gates: Mapping[str, str]) -> list[str]:
    """Return the kinds of events that a list was warned of, from the ``gates`` of its manifest."""
    return sorted({name.partition(".")[0] for name, outcome in gates.items() if outcome != "pass"} & set(wording.EVENT_KINDS))


def manifests_before(out: Path) -> list[dict[str, Any]]:
    """Return what the manifests of each cutoff that was published say together, oldest first: the list of the week says less than the others."""
    nights: dict[str, dict[str, Any]] = {}
    for target in sorted(disk.names(out / "lists")):
        for one in published_lists(out, target):
            nights[one.manifest["cutoff"]] = nights.get(one.manifest["cutoff"], {}) | one.manifest
    return [nights[cutoff] for cutoff in sorted(nights)]


def rows_before(out: Path, earlier: list[dict[str, Any]]) -> list[dict[str, int]]:
    """Return table -> rows read of every list that was published, oldest cutoff first; without one those of the training."""
    if earlier or not kept.stands(out / "run.json"):
        return [{name: int(counts["read"]) for name, counts in one["tables"].items()} for one in earlier]
    rows = kept.needed_json(out / "run.json").get("rows", {})
    return [rows] if isinstance(rows, dict) else []
