"""What a report of support knows besides tickets: what customers pay and how likely they leave, and what earlier reports promised."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from prevenance.base import disk, kept
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


def customers_behind(given: Settings, inputs: Inputs) -> Behind:
    """Return what each customer pays a year at the cutoff, and its chance of leaving on the newest list of no later cutoff."""
    revenue = yearly_revenue(inputs.history, [inputs.as_of])[inputs.as_of]
    lists = [one for name in KEPT_LISTS for one in published_lists(given.folder, name) if one.cutoff <= inputs.as_of]
    if not lists or lists[-1].manifest["privacy"].get("key_id"):
        return Behind(revenue)
    rows = lists[-1].rows
    known = rows[rows["score"].notna()]
    return Behind(revenue, dict(zip(known["customer_id"], known["score"].astype(float), strict=True)))


def earlier_promises(out: Path, cutoff: datetime) -> list[Promise]:
    """Return what reports of earlier cutoffs promised, the oldest first; a file that is damaged promises nothing."""
    found = []
    for path in sorted((out / "support" / PROMISES).glob("*.json")):
        for record in (kept.whole_json(path) or {}).get("promises", ()):
            with suppress(KeyError, TypeError, ValueError):
                found.append(promise_of(record))
    return [one for one in found if one.cutoff < cutoff]


def keep_promises(out: Path, cutoff: datetime, promises: Sequence[Promise]) -> None:
    """Keep what a report promises; what was promised at that cutoff before stays, for nobody promises with hindsight."""
    path = out / "support" / PROMISES / f"{instant_stamp(cutoff)}.json"
    if promises and not path.exists():
        disk.write(path, canonical_json({"promises": json.loads(json.dumps([promise_record(one) for one in promises]))}))
