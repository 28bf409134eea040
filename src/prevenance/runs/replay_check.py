"""Replaying as a check: the test cutoffs of a range replayed one by one, with the sum beside what the training report claims."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError
from prevenance.judge.replayed import USED, replay_differences
from prevenance.models.bundle import Fitted
from prevenance.order.decision import BEYOND
from prevenance.publish import folders
from prevenance.publish import replay as pages
from prevenance.runs import headline
from prevenance.runs.commands import command
from prevenance.runs.inputs import load_inputs, pseudonyms_of
from prevenance.runs.night import day_of
from prevenance.runs.replay import replay_target
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps


def check_range(given: Settings, chosen: list[Settings], champions: list[tuple[Fitted, str, list[str]]], steps: Steps) -> dict[str, Any]:
    """Replay every test cutoff of the training reports from ``from`` to ``to``, both days included, target by target.

    Raises:
        PrevenanceError: E208 for dates that are none, or a range that holds no test cutoff.
    """
    first, last = span_of(given)
    asked = [(one, champion, _cutoffs(one, first, last)) for one, champion in zip(chosen, champions, strict=True)]
    now, results = load_inputs(replace(given, as_of=None), steps), {}
    for one, (fitted, _, messages), cutoffs in asked:
        found = []
        for cutoff in cutoffs:
            then = load_inputs(replace(one, as_of=f"{cutoff.isoformat()}+00:00"), steps)
            text, _, rows, made = replay_target(one, fitted, then, now, messages, steps)
            steps.tell(text)
            claimed, rows, cooling = _claimed(one, cutoff), rows.assign(apart=made.decided["apart"]), made.cooling
            rows.loc[rows.index[rows["apart"] == BEYOND][: made.room.done], "apart"] = USED
            if hidden := pseudonyms_of(one):
                rows = hidden.hidden(rows)
                cooling = frozenset(hidden.hidden(pd.DataFrame({"customer_id": sorted(cooling)}))["customer_id"])
            found.append({"cutoff": cutoff, **replay_differences(claimed, rows, cooling)})
        steps.tell(pages.check_text(one.target.name, found))
        folder = one.folder / "replay" / one.target.name / f"check-{cutoffs[0]:%Y-%m-%d}-{cutoffs[-1]:%Y-%m-%d}"
        folders.write_files(folder, {"check.json": formats.canonical_json({"target": one.target.name, "periods": found})})
        results[one.target.name] = {"check": str(folder), "periods": len(found)}
    return {"outcome": "replayed", "targets": results}


def span_of(given: Settings) -> tuple[datetime, datetime]:
    """Return the first moment of ``from`` and the first after ``to``, naive."""
    if not given.nights.first or not given.nights.last:
        raise PrevenanceError("E208", "from or to is not set", key="from", fix="add both dates, such as from=2026-01-01 to=2026-06-30")
    if given.as_of:
        raise PrevenanceError("E208", "as_of is set beside from and to", key="as_of", fix="leave as_of out, or from and to")
    first, last = (day_of(key, text) for key, text in (("from", given.nights.first), ("to", given.nights.last)))
    if first > last:
        raise PrevenanceError("E208", f"from={first} comes after to={last}", key="to", fix=f"write from={last} to={first}")
    return datetime(first.year, first.month, first.day), datetime(last.year, last.month, last.day) + timedelta(days=1)


def _cutoffs(given: Settings, first: datetime, last: datetime) -> list[datetime]:
    told = (headline.latest_report(given.folder, given.target.name) or {}).get("shipped") or {}
    every = [datetime.fromisoformat(one["cutoff"]) for one in told.get("periods") or []]
    if not every:
        what = f"the training report of {given.target.name} says nothing of lists as shipped"
        raise PrevenanceError("E208", what, key="from", fix=command("train", f"target={given.target.name}", f"out={given.out}"))
    found = [one for one in every if first <= one < last]
    if not found:
        what = f"no test cutoff of {given.target.name} lies from {first:%Y-%m-%d} to {last - timedelta(days=1):%Y-%m-%d}"
        raise PrevenanceError("E208", what, key="from", fix=f"write from={every[0]:%Y-%m-%d} to={every[-1]:%Y-%m-%d}")
    return found


def _claimed(given: Settings, cutoff: datetime) -> pd.DataFrame:
    folder = given.folder / "train" / given.target.name
    model = str((headline.latest_report(given.folder, given.target.name) or {}).get("tested_as"))
    rows = pd.read_parquet(folder / "predictions.parquet")
    return rows[(rows["model"] == model) & (rows["cutoff"] == pd.Timestamp(cutoff))].reset_index(drop=True)
