"""The week: the newest lists of one cutoff as one, published last, beside them and by the same rules.

Its rows are those of list.json of each list; what stands behind them comes from the views beside.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pandas as pd

from prevenance.base import formats, kept
from prevenance.decide.ranking import COLUMNS, PAIR_COLUMNS
from prevenance.decide.weeks import known_answers, week_began
from prevenance.order.capacity import NOBODY, Room
from prevenance.order.joint import Part, room_left, week_rows, worries
from prevenance.order.suppression import open_escalations, open_urgent_tickets
from prevenance.publish import finished, weekly
from prevenance.publish.folders import WEEK, publish_list
from prevenance.publish.published import Published, published_list_at
from prevenance.runs import headline
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.outreach import peace_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.view import HEAD, list_files
from prevenance.targets import KINDS
from prevenance.words import words

OWN = ("also", "week_done", "week_left")
"""Columns that the week has besides those of a list."""


@dataclass(frozen=True)
class _Asked:
    """A published list of the week, and its view."""

    list: Published
    view: dict[str, Any]

    @cached_property
    def part(self) -> Part:
        """Return the list as the week reads it."""
        made, order = KINDS[self.view["kind"]](), self.list.manifest.get("order") or {}
        rows = self.list.rows
        return Part(
            self.view["target"],
            # A list of nobody holds no names of columns.
            rows if len(rows) else rows.reindex(columns=list(COLUMNS)),
            keeps=made.keeps,
            offers=made.words.gain,
            base=order.get("base_rate"),
            floor=order.get("floor") or 0.0,
            contacts=int(self.view.get("capacity") or 0),
        )


def publish_week(given: Settings, inputs: Inputs) -> dict[str, Any] | None:
    """Publish ``lists/week/`` of this cutoff and return the facts for the status file; None where no list of it is there.

    Raises:
        PrevenanceError: as every list.
    """
    names = sorted(given.source.targets) or [given.target.name]
    asked = {name: one for name in names if (one := _asked(given, name, inputs.as_of)) is not None}
    if not asked:
        return None
    lists, missing = list(asked.values()), [name for name in names if name not in asked]
    room, used, resting = room_of(given, lists, inputs.as_of)
    days, moment = given.outreach.escalation_days, inputs.as_of
    escalated, urgent = (ask(inputs.history, [moment], days)[moment] for ask in (open_escalations, open_urgent_tickets))
    parts = [one.part for one in lists]
    rows = with_spent(week_rows(parts, room, worries(parts, escalated, urgent), resting), room)
    facts = _facts(lists, room, used, rows["owner"].dropna())
    view = _view(given, lists, missing, rows, room, facts, moment)
    table = _table(rows, view["rows"])
    files = {"list.csv": formats.csv_bytes(table), "list.json": formats.json_bytes(table)}
    run_id = hashlib.sha256(b"\n".join([files["list.json"], *(one.list.manifest["run_id"].encode() for one in lists)])).hexdigest()[:16]
    manifest = _manifest(lists, missing, rows, facts, moment, run_id)
    files |= list_files(view | {"run_id": run_id, "data_until": manifest["data_until"]})
    folder = publish_list(given.folder, WEEK, moment, files, manifest, finished.check_list_folder)
    return {
        "list": str(folder),
        "listed": len(rows),
        "worked": int(rows["rank"].notna().sum()),
        "run_id": run_id,
        "lists": list(asked),
        "missing": missing,
    }


def _asked(given: Settings, target: str, cutoff: datetime) -> _Asked | None:
    found = published_list_at(given.folder, target, cutoff)
    view = None if found is None else kept.whole_json(found.folder / HEAD)
    return None if found is None or view is None or view.get("kind") not in KINDS else _Asked(found, dict(view))


def room_of(given: Settings, lists: list[_Asked], cutoff: datetime) -> tuple[Room, set[str], set[str]]:
    """Return what the team has this week for all lists, who used it up (a customer once), and who was answered to be contacted lately."""
    peace, answers = (
        peace_of(given),
        [one for each in lists for one in known_answers(given.folder, each.view["target"], cutoff, static=given.source.static)],
    )
    said = [(one.customer_id, one.contacted_at(static=peace.static)) for one in answers if one.action == "contacted"]
    owners = {str(row["customer_id"]): row["owner"] or NOBODY for each in lists for row in each.view.get("used") or []}
    since, rest = week_began(cutoff, peace.zone), cutoff - timedelta(days=peace.cooldown_days)
    answered = {customer for customer, at in said if since <= at <= cutoff}
    known = dict(zip(*(pd.concat([each.part.rows for each in lists])[name] for name in ("customer_id", "owner")), strict=True))
    owners |= {one: known.get(one) or NOBODY for one in sorted(answered - set(owners))}
    used = pd.Series(owners, dtype="str").value_counts()
    room = Room(sum(each.part.contacts for each in lists), given.outreach.hours or {}, given.outreach.hours_per_contact)
    return (
        replace(room, used={str(name): int(n) for name, n in used.sort_index().items()}),
        set(owners),
        {one for one, at in said if rest < at},
    )


def with_spent(rows: pd.DataFrame, room: Room) -> pd.DataFrame:
    """Return the rows with ``week_done`` and ``week_left``: the contacts of this week of the row's owner, where hours count; else the team's."""
    by_owner = room.unit == "hours"
    owners = [one if isinstance(one, str) else NOBODY for one in rows["owner"]]
    return rows.assign(
        week_done=pd.Series([room.used.get(one, 0) if by_owner else room.done for one in owners], index=rows.index, dtype="Int64"),
        week_left=pd.Series([room.slots(one) if by_owner else room.left for one in owners], index=rows.index, dtype="Int64"),
    )


def _facts(lists: list[_Asked], room: Room, used: set[str], owners: Iterable[str]) -> dict[str, Any]:
    """Return what this week's capacity is over all lists, what of it is used and left, and whether anything says so."""
    since = (lists[0].view.get("week") or {}).get("since")
    known = any((one.view.get("week") or {}).get("known") is not False for one in lists)
    by_contacts = room.unit == "contacts"
    counts = {"capacity": room.contacts if by_contacts else None, "left": room.left if by_contacts else None}
    return {"since": since, "unit": room.unit, **counts, "done": len(used), "known": known, "hours": room_left(room, owners)}


def _view(
    given: Settings, lists: list[_Asked], missing: list[str], rows: pd.DataFrame, room: Room, facts: dict[str, Any], cutoff: datetime
) -> dict[str, Any]:
    """Return the view of the week, in the types of JSON."""
    say, views = words(given.language, given.source.timezone), [one.view for one in lists]
    titles = weekly.list_titles(say, views)
    behind = {
        (view["target"], str(row["customer_id"]), row.get("product_id") or ""): row for view in views for row in view.get("rows") or []
    }
    told = weekly.worry_words(say)
    shown = []
    for row in rows.to_dict("records"):
        details = behind.get((row["target"], row["customer_id"], row.get("product_id") or ""), {}).get("details")
        texts = weekly.other_texts(say, [formats.json_value(one) for one in row["also"]], titles)  # type: ignore[misc]
        why = told.get(row.pop("why"), "")
        own = {"also_texts": texts, "also": "; ".join([*texts, *([why] if why else [])]), "apart_why": why, "list": titles[row["target"]]}
        shown.append({str(key): value for key, value in row.items()} | own | {"details": details})
    alerts = [alert for view in views for alert in view.get("alerts") or []]
    view = {
        **{name: views[0].get(name) for name in ("language", "zone", "currency", "date", "cutoff", "sources")},
        **weekly.page_texts(say, missing),
        **{
            "target": WEEK,
            "kind": WEEK,
            "says": "",
            "horizon_days": None,
            "model": {},
            "floor": None,
            "segments": [],
            "moved": {},
            "closest": [],
        },
        "language": given.language,
        "alerts": [one for place, one in enumerate(alerts) if one not in alerts[:place]],
        "capacity": facts["capacity"],
        "unit": room.unit,
        "hours": headline.hours_totals(room, rows),
        "owners": headline.owner_rows(room, rows),
        "week": {name: facts[name] for name in ("since", "capacity", "left", "done", "known")},
        "fits": {"listed": int(rows["rank"].notna().sum()), "at_stake": None, "expected_outcomes": None},
        "links": {"index": "../../../index.html"},
        "lists": [{"title": titles[view["target"]], "to": f"../../{view['target']}/latest/list.html"} for view in views],
        "messages": list(dict.fromkeys(message for view in views for message in view.get("messages") or [])),
        "rows": shown,
    }
    return dict(formats.json_value(view))  # type: ignore[call-overload]


def _table(rows: pd.DataFrame, shown: list[dict[str, Any]]) -> pd.DataFrame:
    """Return what list.csv and list.json hold: the columns of list.csv, an offer's where there is one, and ``OWN``."""
    found = rows.assign(also=pd.Series([row["also"] for row in shown], index=rows.index, dtype="str"))
    for name in ("cutoff", "data_until"):
        found[name] = pd.to_datetime(found[name], utc=True, format="ISO8601").dt.tz_localize(None).dt.as_unit("us")
    numbers = ("score", "score_low", "score_high", "change_28d", "value_at_stake", "expected_value")
    return found.astype(dict.fromkeys(numbers, "float64"))[[*COLUMNS, *(name for name in PAIR_COLUMNS if name in rows), *OWN]]


def _manifest(
    lists: list[_Asked], missing: list[str], rows: pd.DataFrame, facts: dict[str, Any], cutoff: datetime, run_id: str
) -> dict[str, Any]:
    """Return the manifest: what was read is what the newest of the lists read; its gates are those of all lists, the worst of each."""
    manifests = [one.list.manifest for one in lists]
    newest = max(manifests, key=lambda one: one["data_until"])
    worst = ("pass", "warn", "fail")
    gates: dict[str, str] = {}
    for one in manifests:
        for gate, outcome in one["gates"].items():
            gates[gate] = max(outcome, gates.get(gate, "pass"), key=worst.index)
    read, apart = newest["counts"]["customers_read"], rows["apart"][rows["apart"] != ""].value_counts().sort_index()
    counts = {"customers_read": read, "listed": len(rows), "apart": {str(name): int(n) for name, n in apart.items()}}
    return {
        "target": WEEK,
        "cutoff": formats.instant_text(cutoff),
        "run_id": run_id,
        "data_until": newest["data_until"],
        "model": {"version": None, "kind": WEEK, "digest": None, "key_id": None},
        "lists": {one["target"]: one["run_id"] for one in manifests},
        "missing": missing,
        "week": facts,
        "counts": counts | {"excluded": {"not_this_week": read - len(rows)}, "quarantined": {}},
        **{name: newest[name] for name in ("tables", "inputs", "privacy")},
        "gates": gates,
        "messages": list(dict.fromkeys(message for one in manifests for message in one["messages"])),
    }
