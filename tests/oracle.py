"""A slow, obvious second implementation of features: loops over snapshots and rows, the rule of visibility written out.

Nothing here is shared with the builder. Only a definition's ``where`` and a state's ``sql`` are asked of an engine, over
rows already filtered in Python; ``STATES`` are plain-Python twins of the states that matter most.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd

from prevenance.features.define import Count, DaysSince, Definition, Distinct, Feature, Last, Max, Mean, Min, Ratio, State, Sum, Trend
from prevenance.tables.canonical import SQL_TYPES, TABLES

Row = dict[str, Any]
DAY = timedelta(days=1)


def plain(value: Any) -> Any:
    """Return None for every kind of missing, an exact Decimal (4 places) for a float, a datetime for a Timestamp."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return Decimal(repr(float(value))).quantize(Decimal("0.0001")) if isinstance(value, float) else value


def table_of(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame as plain dictionaries."""
    return [{name: plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def typed(name: str, frame: pd.DataFrame, con: duckdb.DuckDBPyConnection) -> None:
    """Create table ``name`` in ``con`` with canonical types (other columns of the frame keep theirs)."""
    con.register("given", frame)
    kinds = {column.name: SQL_TYPES[column.kind] for column in TABLES[name].columns}
    shown = ", ".join(f'cast("{one}" as {kinds[one]}) as "{one}"' if one in kinds else f'"{one}"' for one in frame.columns)
    con.execute(f'create or replace table "{name}" as select {shown} from given')
    con.unregister("given")


def satisfying(frames: Mapping[str, pd.DataFrame], asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Row]]:
    """Return the rows of each asked (table, condition), by an engine that sees one row at a time and no cutoff."""
    kept: dict[tuple[str, str], list[Row]] = {}
    with duckdb.connect() as con:
        for name in {name for name, _ in asked}:
            rows = table_of(frames[name])
            typed(name, frames[name].assign(place=range(len(rows))), con)
            for where in {where for table, where in asked if table == name}:
                places = con.execute(f'select place from "{name}" where {where or "true"} order by place').fetchall()
                kept[name, where] = [rows[place] for (place,) in places]
    return kept


def visible(row: Row, cutoff: datetime) -> bool:
    """Return whether a fact may be seen at the cutoff: it happened, and it was known."""
    return row["event_at"] <= cutoff and row["known_at"] <= cutoff


def value_of(feature: Feature, rows: Sequence[Row], cutoff: datetime) -> float:
    """Return a feature's value over the rows of one window; NaN is null."""
    value = feature.value
    if isinstance(value, Count):
        return float(len(rows))
    if isinstance(value, DaysSince):
        return min(((cutoff - row["event_at"]) / DAY for row in rows), default=math.nan)
    if isinstance(value, Distinct):
        return float(len({row["event_at"].date() if value.column == "day" else row[value.column] for row in rows} - {None}))
    there = [row for row in rows if row[value.column] is not None]
    numbers = [Decimal(row[value.column]) for row in there]
    if isinstance(value, Sum):
        return float(sum(numbers, Decimal(0)))
    if not numbers:
        return math.nan
    if isinstance(value, Mean):
        return float(sum(numbers)) / len(numbers)
    if isinstance(value, Min | Max):
        return float((min if isinstance(value, Min) else max)(numbers))
    assert isinstance(value, Last)
    return float(max((row["event_at"], row["known_at"], Decimal(row[value.column])) for row in there)[2])


def _window(rows: Sequence[Row], end: datetime, days: int | None) -> list[Row]:
    """Return the rows of ``(end - days, end]``."""
    start = datetime.min if days is None else end - days * DAY
    return [row for row in rows if start < row["event_at"] <= end]


def oracle(frames: Mapping[str, pd.DataFrame], snapshots: pd.DataFrame, definitions: Sequence[Definition]) -> pd.DataFrame:
    """Return what the builder must give: customer_id, cutoff, and one column per definition whose tables are in ``frames``."""
    features = {one.name: one for one in definitions if isinstance(one, Feature) and one.table in frames}
    trends = [one for one in definitions if isinstance(one, Trend) and one.of in features]
    states = [one for one in definitions if isinstance(one, State) and set(one.tables) <= set(frames)]
    needs = {(one.tables[0], needed) for one in states for needed in one.needs.values()}
    kept = satisfying(frames, {(one.table, one.where) for one in features.values()} | needs)
    silent = {
        (name, cutoff): not any(visible(row, cutoff.to_pydatetime()) for row in table_of(frames[name]))
        for name in {one.table for one in features.values()}
        for cutoff in set(snapshots["cutoff"])
    }
    by_cutoff = {cutoff: state_rows(frames, snapshots, states, cutoff.to_pydatetime()) for cutoff in set(snapshots["cutoff"])}
    result = []
    for customer, stamp in zip(snapshots["customer_id"], snapshots["cutoff"], strict=True):
        cutoff = stamp.to_pydatetime()
        row: Row = {"customer_id": customer, "cutoff": cutoff}
        known = {one: [fact for fact in rows if fact["customer_id"] == customer and visible(fact, cutoff)] for one, rows in kept.items()}
        for one in features.values():
            row[one.name] = value_of(one, _window(known[one.table, one.where], cutoff, one.days), cutoff)
            if silent[one.table, stamp]:
                row[one.name] = math.nan
        for trend in trends:
            one = features[trend.of]
            assert one.days is not None
            before = value_of(one, _window(known[one.table, one.where], cutoff - one.days * DAY, one.days), cutoff)
            before = math.nan if silent[one.table, stamp] else before
            now = row[one.name]
            row[trend.name] = math.nan if now + before == 0 else (now - before) / (now + before)
            row[f"{trend.name}_before"] = before
        for state in states:
            row |= by_cutoff[stamp][state.name].get(customer, dict.fromkeys(state.columns))
            for column, needed in state.needs.items():
                if not any(visible(fact, cutoff) for fact in kept[state.tables[0], needed]):
                    row[column] = None
        for ratio in definitions:
            if isinstance(ratio, Ratio) and ratio.top in row and ratio.bottom in row:
                top, bottom = row[ratio.top], row[ratio.bottom]
                row[ratio.name] = math.nan if top is None or not bottom or math.isnan(bottom) else float(top) / float(bottom)
        result.append(row)
    return pd.DataFrame(result)


def state_rows(
    frames: Mapping[str, pd.DataFrame], snapshots: pd.DataFrame, states: Sequence[State], cutoff: datetime
) -> dict[str, dict[str, Row]]:
    """Run the SQL of states over tables that hold only what was visible; state -> customer_id -> columns."""
    asked = snapshots[snapshots["cutoff"] == cutoff]
    results = {}
    for days in {state.days for state in states}:
        with duckdb.connect() as con:
            con.register("asked", asked[["customer_id", "cutoff"]])
            con.execute("create table snapshots as select customer_id::varchar as customer_id, cutoff::timestamp as cutoff from asked")
            for name in {name for state in states if state.days == days for name in state.tables}:
                frame = frames[name]
                there = (frame["event_at"] <= cutoff) & (frame["known_at"] <= cutoff)
                if days is not None:
                    there &= frame["event_at"] > cutoff - days * DAY
                if "customer_id" in frame:
                    there &= frame["customer_id"].isin(asked["customer_id"])
                kept = frame[there]
                typed(name, kept.assign(age_days=(cutoff - kept["event_at"]) / DAY, cutoff=pd.Timestamp(cutoff)), con)
            for state in states:
                if state.days == days:
                    for name, hours in _hours(state, cutoff):
                        con.register(name, hours)
                    results[state.name] = _answer(con, state)
    return results


def _hours(state: State, cutoff: datetime) -> list[tuple[str, pd.DataFrame]]:
    if state.hours is None:
        return []
    open_hours = state.hours.open_hours(cutoff - 3000 * DAY, cutoff + DAY)
    return [("open_hours", open_hours), ("team_hours", state.hours.team_calendars())]


def _answer(con: duckdb.DuckDBPyConnection, state: State) -> dict[str, Row]:
    found = con.execute(state.sql)
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert {*names} == {"customer_id", *state.columns}
    assert len({row["customer_id"] for row in rows}) == len(rows), f"{state.name} gives more than one row per customer"
    return {row.pop("customer_id"): row for row in rows}


def seen(rows: Sequence[Row], cutoff: datetime) -> list[Row]:
    """Return the rows visible at the cutoff."""
    return [row for row in rows if visible(row, cutoff)]


BEGINS = ("started", "renewed")


def contract_steps(rows: Sequence[Row]) -> list[tuple[datetime, bool, bool]]:
    """Walk through the rows of one contract, event by event; return each instant with whether it runs and is under notice from then on."""
    runs, noticed, found = False, False, []
    for moment in sorted({row["event_at"] for row in rows}):
        here = [row for row in rows if row["event_at"] == moment]
        order = ["started", "renewed", "changed", "notice", "ended"]
        if runs and any(row["event"] in BEGINS for row in here):
            order = ["notice", "changed", "ended", "started", "renewed"] if any(row["event"] == "ended" for row in here) else order
        for row in sorted(here, key=lambda row: order.index(row["event"])):
            if row["event"] == "notice":
                noticed = True
            elif row["event"] == "ended":
                runs, noticed = False, False
            else:
                runs, noticed = True, noticed and row["event"] == "changed" and row.get("ends_on") is not None
        if any(row["event"] == "changed" and row.get("ends_on") is None for row in here):
            noticed = any(row["event"] == "notice" for row in here) and noticed
        found.append((moment, runs, noticed))
    return found


def _planned_end(rows: Sequence[Row]) -> datetime | None:
    planned = None
    for moment in sorted({row["event_at"] for row in rows}):
        here = sorted(
            (row for row in rows if row["event_at"] == moment),
            key=lambda row: (row["known_at"], row["ends_on"] is not None, row["ends_on"] or moment),
        )
        kinds = {row["event"] for row in here}
        if "ended" in kinds and kinds & set(BEGINS):
            speak = [row for row in here if row["event"] in BEGINS]
        else:
            speak = [row for row in here if row["event"] == "ended"] + [row for row in here if row["event"] not in ("ended", "notice")]
            speak += [row for row in here if row["event"] == "notice" and row["ends_on"] is not None]
        planned = speak[-1]["ends_on"] if speak else planned
    return planned


def _contracts(rows: Sequence[Row]) -> dict[str, Row]:
    """Return subscription_id -> how it stands, of those that run: its planned end, and the last value given of everything else."""
    order = {"started": 0, "changed": 1, "renewed": 2, "notice": 3, "ended": 4}
    by_id: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_id[row["subscription_id"]].append(row)
    found = {}
    for one, own in by_id.items():
        if not contract_steps(own)[-1][1]:
            continue
        held = found[one] = {"ends_on": _planned_end(own)}
        for name in ("product_id", "seats", "mrr", "renews_on"):
            given = [
                (row["event_at"], row["event"] != "ended", row["known_at"], order[row["event"]], row[name])
                for row in own
                if row[name] is not None
            ]
            if given:
                held[name] = max(given)[4]
        ended = max((row["event_at"] for row in own if row["event"] == "ended"), default=datetime.min)
        again = any(row["event"] in BEGINS for row in own if row["event_at"] == ended)
        begun = [row["event_at"] for row in own if row["event"] in (*BEGINS, "changed")]
        held["started_at"] = min((at for at in begun if at > ended or (at == ended and again)), default=None)
    return found


def _total(rows: Sequence[Row], name: str) -> Decimal | None:
    numbers = [row[name] for row in rows if row.get(name) is not None]
    return sum(numbers, Decimal(0)) if numbers or not rows else None


def contract(tables: Mapping[str, Sequence[Row]], cutoff: datetime) -> Row:
    """Seats, revenue, renewal and age of the contracts that run."""
    if not tables["subscriptions"]:
        return {}
    running = list(_contracts(tables["subscriptions"]).values())

    def soonest(name: str) -> float | None:
        return min(((row[name] - cutoff) / DAY for row in running if row.get(name) and row[name] > cutoff), default=None)

    return {
        "contracts_running": len(running),
        "products_held": len({row["product_id"] for row in running if "product_id" in row}),
        "seats": _total(running, "seats"),
        "mrr": _total(running, "mrr"),
        "days_to_renewal": soonest("renews_on"),
        "days_to_end": soonest("ends_on"),
        "contract_age_days": max(((cutoff - row["started_at"]) / DAY for row in running), default=None),
    }


def main_user(tables: Mapping[str, Sequence[Row]], cutoff: datetime) -> Row:
    """The user with most events in 90 days, and for how long that user has been silent."""
    recent = [row for row in tables["usage"] if row["event_at"] > cutoff - 90 * DAY and row["user_id"] is not None]
    if not recent:
        return {}
    counts = Counter(row["user_id"] for row in recent)
    user = min(counts, key=lambda one: (-counts[one], one.encode()))
    silent = min((cutoff - row["event_at"]) / DAY for row in recent if row["user_id"] == user)
    return {"main_user_silent_days": silent, "main_user_share_90d": counts[user] / len(recent)}


def _catalogue(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["product_id"]: row for row in sorted(rows, key=lambda row: (row["event_at"], row["known_at"]))}


def paid_features(tables: Mapping[str, Sequence[Row]], cutoff: datetime) -> Row:
    """What the products under contract offer, and what of it was not used in 90 days."""
    products = _catalogue(tables["products"])
    paid = {
        part.strip(" ")
        for one in _contracts(tables["subscriptions"]).values()
        for part in ((products.get(one.get("product_id"), {}).get("features")) or "").split(";")
        if part.strip(" ")
    }
    if not paid:
        return {}
    used = {row["feature"] for row in tables["usage"] if row["kind"] == "use" and row["event_at"] > cutoff - 90 * DAY}
    return {"paid_features_unused": len(paid - used), "paid_features_used_share_90d": len(paid & used) / len(paid)}


def _lives(rows: Sequence[Row], cutoff: datetime) -> list[Row]:
    """Return one row per ticket: how it went, told event by event."""
    tickets: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["event_at"], row["known_at"], row["event"])):
        tickets[row["ticket_id"]].append(row)
    lives = []
    for events in tickets.values():
        times: dict[str, list[datetime]] = defaultdict(list)
        for one in events:
            times[one["event"]].append(one["event_at"])
        solved = [*times["resolved"], *times["closed"]]
        asked = [*times["opened"], *times["reopened"]]
        is_open = not solved or (bool(asked) and max(asked) > max(solved))
        # a close after a solution or another close moves nothing
        resolved = max(times["resolved"], default=datetime.min)
        again = max(asked, default=datetime.min)
        until = (
            cutoff if is_open else resolved if times["resolved"] and resolved >= again else min(at for at in times["closed"] if at >= again)
        )
        waited = timedelta()
        for one, following in zip(events, [*events[1:], None], strict=True):
            if one["event"] in ("waiting", "asked", "approval_asked"):
                waited += max(timedelta(), min(until, following["event_at"] if following else until) - one["event_at"])
        kinds = ("assigned", "transferred", "replied", "asked", "approval_asked", "escalated", "resolved", "closed")
        taken = [time for kind in kinds for time in times[kind]]
        opened = min(times["opened"] or [events[0]["event_at"]])
        lives.append(
            {"opened": opened, "open": is_open, "until": until, "waited": waited, "taken": min(taken, default=None), "times": times}
        )
    return lives


def tickets_open(tables: Mapping[str, Sequence[Row]], cutoff: datetime) -> Row:
    """What lies open now."""
    if not tables["tickets"]:
        return {}
    lying = [life for life in _lives(tables["tickets"], cutoff) if life["open"]]
    return {
        "tickets_open": len(lying),
        "oldest_open_ticket_days": max(((cutoff - life["opened"]) / DAY for life in lying), default=None),
        "tickets_unassigned_over_24h": sum(life["taken"] is None and cutoff - life["opened"] >= DAY for life in lying),
        "tickets_open_escalated": sum(bool(life["times"]["escalated"]) for life in lying),
        "tickets_open_again": sum(bool(life["times"]["reopened"]) for life in lying),
    }


def ticket_path(tables: Mapping[str, Sequence[Row]], cutoff: datetime) -> Row:
    """How the tickets opened in the last 90 days travelled."""
    lives = [life for life in _lives(tables["tickets"], cutoff) if life["opened"] > cutoff - 90 * DAY]
    if not lives:
        return {}
    hour, n = timedelta(hours=1), len(lives)
    handed = [len(life["times"]["assigned"]) + len(life["times"]["transferred"]) for life in lives]
    lead = sum((max(timedelta(), life["until"] - life["opened"]) for life in lives), timedelta())
    replies = [max(timedelta(), min(life["times"]["replied"]) - life["opened"]) for life in lives if life["times"]["replied"]]
    solved = [max(timedelta(), life["until"] - life["opened"]) for life in lives if not life["open"]]
    return {
        "handoffs_per_ticket_90d": sum(max(0, one - 1) for one in handed) / n,
        "clarifications_per_ticket_90d": sum(len(life["times"]["waiting"]) + len(life["times"]["asked"]) for life in lives) / n,
        "waiting_share_90d": sum((life["waited"] for life in lives), timedelta()) / lead if lead else None,
        "first_reply_hours_90d": sum(replies, timedelta()) / hour / len(replies) if replies else None,
        "solution_hours_90d": sum(solved, timedelta()) / hour / len(solved) if solved else None,
        "tickets_taken_after_24h_90d": sum((life["taken"] or cutoff) - life["opened"] > DAY for life in lives),
        "reopened_share_90d": sum(bool(life["times"]["reopened"]) for life in lives) / n,
    }


def _worked(start: datetime, end: datetime) -> int:
    """Return the whole seconds from 8 to 18 on weekdays (UTC) in [start, end), day by day; 0 where the end lies before."""
    start, end, found = start.replace(microsecond=0), end.replace(microsecond=0), 0
    day = start.replace(hour=0, minute=0, second=0)
    while day < end:
        if day.weekday() < 5:
            spent = min(end, day + timedelta(hours=18)) - max(start, day + timedelta(hours=8))
            found += max(0, int(spent.total_seconds()))
        day += DAY
    return found


def ticket_working_hours(tables: Mapping[str, Sequence[Row]], cutoff: datetime) -> Row:
    """How long the tickets opened in the last 90 days took, of the usual working hours."""
    lives = [life for life in _lives(tables["tickets"], cutoff) if life["opened"] > cutoff - 90 * DAY]
    replies = [_worked(life["opened"], min(life["times"]["replied"])) for life in lives if life["times"]["replied"]]
    solved = [_worked(life["opened"], life["until"]) for life in lives if not life["open"]]
    return {
        "first_reply_working_hours_90d": sum(replies) / len(replies) / 3600 if replies else None,
        "solution_working_hours_90d": sum(solved) / len(solved) / 3600 if solved else None,
    }


STATES: dict[str, Callable[[Mapping[str, Sequence[Row]], datetime], Row]] = {
    "contract": contract,
    "main_user": main_user,
    "paid_features": paid_features,
    "tickets_open": tickets_open,
    "ticket_path": ticket_path,
    "ticket_working_hours": ticket_working_hours,
}
"""Plain-Python twins by ``State.name``: one customer's visible rows by table, and the cutoff -> columns (missing = null)."""


def twin(frames: Mapping[str, pd.DataFrame], snapshots: pd.DataFrame, state: State) -> list[Row]:
    """Return what a state's twin says for every snapshot, in order."""
    rows = {name: table_of(frames[name]) for name in state.tables}
    results = []
    for customer, stamp in zip(snapshots["customer_id"], snapshots["cutoff"], strict=True):
        cutoff = stamp.to_pydatetime()
        tables = {
            name: [row for row in seen(all_rows, cutoff) if row.get("customer_id", customer) == customer] for name, all_rows in rows.items()
        }
        results.append({"customer_id": customer, "cutoff": cutoff, **STATES[state.name](tables, cutoff)})
    return results
