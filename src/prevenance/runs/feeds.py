"""The gates of a night: is every feed fresh, is every table whole, and what becomes of one that is not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from prevenance.base import disk, kept
from prevenance.history.history import History, empty_table
from prevenance.publish.published import published_lists
from prevenance.runs.settings.schema import Settings
from prevenance.sources.gates import Gate, Limit, enforce_gates, freshness_gates, parse_age, volume_gates
from prevenance.sources.taken import Counts

LATE = "late_feed"
"""Reason of rows that are left out because their feed is older than its limit and the table is not required."""


def table_gates(given: Settings, history: History, counts: Mapping[str, Counts], messages: list[str], *, gated: bool) -> list[Gate]:
    """Judge every table; append what is to be told to ``messages`` and return the gates.

    A late table that is not required loses its rows, counted as ``late_feed``: what it would say is unknown. Not ``gated``, nothing is
    refused or left out.

    Raises:
        PrevenanceError: E403, E404.
    """
    limits = {}
    for name, one in given.tables.items():
        warn, error = (parse_age(getattr(one, key), f"tables.{name}.{key}") for key in ("warn_after", "error_after"))
        limits[name] = Limit(warn, error, one.required)
    gates = freshness_gates(counts, history.until, limits)
    for place, gate in enumerate(gates if gated else ()):
        if gate.outcome == "fail" and limits[gate.table].required is False:
            empty_table(history, counts[gate.table], gate.table, LATE)
            gates[place] = replace(gate, outcome="warn", says=f"{gate.says}; the list is made without it")
    gates += volume_gates({name: one.read for name, one in counts.items()}, rows_before(given.folder), limits, accepted=given.accept_volume)
    if gated:
        enforce_gates(gates)
    messages += [gate.says for gate in gates if gate.outcome != "pass"]
    return gates


def rows_before(out: Path) -> list[dict[str, int]]:
    """Return table -> rows read of every list that was published, oldest cutoff first; without one those of the training."""
    manifests = [one.manifest for target in sorted(disk.names(out / "lists")) for one in published_lists(out, target)]
    nights = {one["cutoff"]: {name: int(counts["read"]) for name, counts in one["tables"].items()} for one in manifests}
    if nights or not (out / "run.json").is_file():
        return [nights[cutoff] for cutoff in sorted(nights)]
    rows = kept.needed_json(out / "run.json").get("rows", {})
    return [rows] if isinstance(rows, dict) else []
