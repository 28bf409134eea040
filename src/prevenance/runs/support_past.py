"""What a report of support knows besides tickets: what customers pay and how likely they leave, and what earlier reports promised."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from prevenance.base import disk, kept
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import canonical_json, instant_stamp
from prevenance.order.suppression import yearly_revenue
from prevenance.publish.published import published_lists
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.schema import Settings
from prevenance.support.finding import Behind, Promise
from prevenance.support.whatif import promise_of, promise_record

PROMISES = "promises"
"""The folder below ``support`` that keeps what reports promised, a file a cutoff."""

KEPT_LISTS = ("churn",)
"""Lists whose scores are chances of leaving."""
FRESH_DAYS = 31
"""How old a list may be whose chances stand beside tickets of today."""


def customers_behind(given: Settings, inputs: Inputs) -> Behind:
    """Return what each customer pays a year at the cutoff, and its chance of leaving on the newest list of the month before."""
    revenue = yearly_revenue(inputs.history, [inputs.as_of])[inputs.as_of].to_dict()
    since = inputs.as_of - timedelta(days=FRESH_DAYS)
    lists = [one for name in KEPT_LISTS for one in published_lists(given.folder, name) if since <= one.cutoff <= inputs.as_of]
    if not lists or lists[-1].manifest["privacy"].get("key_id"):
        return Behind(revenue)
    rows = lists[-1].rows
    known = rows[rows["score"].notna()]
    return Behind(revenue, dict(zip(known["customer_id"], known["score"].astype(float), strict=True)))


def earlier_promises(out: Path, cutoff: datetime) -> tuple[list[Promise], list[str]]:
    """Return what reports of earlier cutoffs promised, the oldest first, and a message for each file that is damaged: its promises are not measured."""
    found, told = [], []
    for path in sorted((out / "support" / PROMISES).glob("*.json")):
        try:
            found += [promise_of(one) for one in kept.needed_json(path, "promises")["promises"]]
        except (PrevenanceError, AttributeError, KeyError, TypeError, ValueError):
            told.append(f"{path} is damaged: what it promised is not measured; restore it from a copy, or remove it")
    return [one for one in found if one.cutoff < cutoff], told


def keep_promises(out: Path, cutoff: datetime, promises: Sequence[Promise]) -> None:
    """Keep what a report promises; what was promised at that cutoff before stays, for nobody promises with hindsight."""
    path = out / "support" / PROMISES / f"{instant_stamp(cutoff)}.json"
    if promises and not path.exists():
        disk.write(path, canonical_json({"promises": json.loads(json.dumps([promise_record(one) for one in promises]))}))
