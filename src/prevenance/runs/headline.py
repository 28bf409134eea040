"""The facts of a list's head: what fits, how good the last lists were, what moved, how fresh the sources are, who has how much to do."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.base import kept
from prevenance.base.days import local_day
from prevenance.base.formats import date_text
from prevenance.decide import movement
from prevenance.decide.weeks import week_began
from prevenance.explain.details import Basis
from prevenance.history.history import visible_sql
from prevenance.judge import outcomes
from prevenance.order.capacity import DEFAULT, Room
from prevenance.publish.published import Published
from prevenance.runs.inputs import Inputs
from prevenance.runs.listed import Listed
from prevenance.runs.settings.schema import Settings
from prevenance.targets.target import Target
from prevenance.words import Words

UNFAIR = 0.5
"""A segment whose share of the contacts is below this part of its share of the expected outcomes gets a note."""


def list_facts(given: Settings, basis: Basis) -> dict[str, Any]:
    """Return what a page of a list and the explanation of one of its rows say first: which target and cutoff, how they are told, from which run."""
    return {
        "language": given.language,
        "currency": given.source.currency,
        "target": basis.target.name,
        "kind": given.target.kind,
        "says": basis.target.says,
        "cutoff": basis.cutoff,
        "date": date_text(basis.cutoff, given.source.timezone),
        "zone": given.source.timezone,
        "horizon_days": basis.target.horizon_days,
        "run_id": basis.run_id,
        "data_until": basis.data_until,
    }


def work_totals(ranked: pd.DataFrame) -> dict[str, Any]:
    """Return what is to be worked: listed, at_stake (money expected to be lost or won among them, None if no value is known), expected_outcomes."""
    worked = ranked[ranked["rank"].notna()]
    lost = worked["score"] * worked["value_at_stake"]
    at_stake = None if lost.isna().all() else round(float(lost.sum()), 2)
    return {"listed": len(worked), "at_stake": at_stake, "expected_outcomes": round(float(worked["score"].sum()), 2)}


def week_facts(made: Listed, cutoff: datetime, zone: str) -> dict[str, Any]:
    """Return what this week's capacity is: since (its Monday), capacity and left (None where hours count), done, and whether anything says so."""
    room, by_contacts = made.room, made.room.unit == "contacts"
    counts = {"capacity": room.contacts if by_contacts else None, "left": room.left if by_contacts else None}
    return {"since": local_day(week_began(cutoff, zone), zone), **counts, "done": room.done, "known": made.recorded}


def floor_facts(made: Listed, times: float) -> dict[str, Any] | None:
    """Return the floor of a list: chance, base rate, ``times`` one is the other, and how many customers at risk stand above it; None without one."""
    if not made.floor.chance:
        return None
    rows = made.decided
    above = int((~rows["apart"].isin(["below_floor", "too_late", "not_enough_data"])).sum())
    return {"chance": made.floor.chance, "base": made.floor.base, "times": times, "above": above}


def list_record(
    given: Settings, target: Target, inputs: Inputs, earlier: list[Published], report: dict[str, Any] | None, say: Words
) -> dict[str, Any]:
    """Return how good the last lists were: hits, contacts, outcomes, missed, period, and whether ``lists`` or a ``backtest`` say so.

    Lists count whose label window has closed by now, the newest and, before it, those whose windows do not overlap; without any, the
    champion's back-test counts. Customers who have opted out since are not looked up.
    """
    con = inputs.history.con
    hidden = {row[0] for row in con.execute("select customer_id from canonical._opted_out").fetchall()}
    facts: list[dict[str, int]] = []
    moments: list[datetime] = []
    for one in reversed(earlier):
        over = target.closes(one.cutoff) <= inputs.history.until
        if over and (not moments or one.cutoff + timedelta(days=target.horizon_days) <= moments[-1]):
            rows = one.rows[~one.rows["customer_id"].isin(hidden)].reset_index(drop=True)
            facts.append(outcomes.outcome_counts(outcomes.outcomes_of_list(inputs.history, target, rows), target, inputs.history.until))
            moments.append(one.cutoff)
    if facts:
        total = {key: sum(one[key] for one in facts) for key in ("hits", "outcomes", "missed")}
        first, last = say.date(moments[-1]), say.date(moments[0] + timedelta(days=target.horizon_days))
        period = say("between {first} and {last}", first=first, last=last)
        return {"source": "lists", "contacts": sum(one["capacity"] for one in facts), **total, "period": period, "text": ""}
    return _backtest(report)


def _backtest(report: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the lists of the test periods held, as they would have been shipped; a report of an earlier version does not say it."""
    told = (report or {}).get("shipped") or {}
    if not told.get("periods"):
        return {"source": "none", "hits": None, "contacts": None, "outcomes": None, "missed": None, "period": "", "text": ""}
    counts = {key: told[key] for key in ("hits", "contacts", "outcomes")}
    return {"source": "backtest", **counts, "missed": told["outcomes"] - told["hits"], "period": "", "text": ""}


def latest_report(out: Path, target: str) -> dict[str, Any] | None:
    """Return the report of the latest training, if there is one."""
    path = out / "train" / target / "report.json"
    found = kept.whole_json(path)
    return None if found is None else dict(found)


def moves_since(inputs: Inputs, made: Listed, last: Published | None, excluded: dict[str, int], zone: str) -> dict[str, Any]:
    """Return what moved since the last list (an earlier cutoff), and who stands apart or is left out."""
    ranked = made.decided
    found: dict[str, Any] = {"since": None, "new": None, "gone": [], **movement.counts_apart(ranked)}
    found["excluded"] = {name: excluded[name] for name in ("opted_out", "cooling_down") if name in excluded}
    if last is None:
        return found
    entered = [one for one in movement.rank_moves(ranked, last.rows).values() if one == movement.ENTERED]
    hidden = {row[0] for row in inputs.history.con.execute("select customer_id from canonical._opted_out").fetchall()}
    left = movement.customers_gone(ranked, last.rows, hidden, made.cooling, _renewed(inputs, last))
    return found | {"since": local_day(last.cutoff, zone), "new": len(entered), "gone": left[: movement.SHOWN]}


def _renewed(inputs: Inputs, last: Published) -> Collection[str]:
    """Return whose contract was renewed after the last list's cutoff."""
    if "subscriptions" not in inputs.history.tables:
        return ()
    days = (inputs.as_of - last.cutoff) / timedelta(days=1)
    query = f"select distinct customer_id from {visible_sql('subscriptions', inputs.as_of, days)} where event = 'renewed'"
    return {row[0] for row in inputs.history.con.execute(query).fetchall()}


def hours_totals(room: Room, ranked: pd.DataFrame) -> dict[str, float] | None:
    """Return the hours available (of every owner of a customer, and of those who have hours set) and planned; None where contacts count."""
    if room.unit != "hours":
        return None
    names = {*ranked["owner"].dropna(), *room.hours} - {DEFAULT}
    planned = len(ranked[ranked["rank"].notna()]) * room.hours_per_contact
    return {"available": sum(room.available(name) or 0.0 for name in sorted(names)), "planned": round(planned, 2)}


def owner_rows(room: Room, ranked: pd.DataFrame) -> list[dict[str, Any]]:
    """Return, for each owner with customers on the list or with hours: listed, planned and available hours, at_stake, outcomes_expected."""
    worked = ranked[ranked["rank"].notna()]
    found = []
    for name in sorted({*worked["owner"].dropna(), *room.hours} - {DEFAULT}):
        own = worked[worked["owner"] == name]
        part = work_totals(own)
        planned = round(part["listed"] * room.hours_per_contact, 2)
        part["outcomes_expected"] = part.pop("expected_outcomes")
        found.append({"owner": name, "planned": planned, "available": room.available(name), "done": room.used.get(name, 0), **part})
    return found


def segment_rows(ranked: pd.DataFrame, say: Words) -> list[dict[str, Any]]:
    """Return, for each segment, its share of the contacts beside its share of the expected outcomes: is anybody starved, or favoured?

    ``step`` is in_step only where the contacts are what luck would give to that share of the outcomes in nine of ten lists; else fewer or more.
    """
    rows = ranked.assign(segment=ranked["segment"].fillna(""))
    listed, expected = int(rows["rank"].notna().sum()), float(rows["score"].sum())
    found = []
    for name, own in rows.groupby("segment", sort=True):
        contacts, outcome = int(own["rank"].notna().sum()), float(own["score"].sum())
        shares = (contacts / listed if listed else None), (outcome / expected if expected else None)
        step = _step(contacts, listed, shares[1])
        far = step == "fewer" and shares[0] is not None and shares[1] is not None and shares[0] < UNFAIR * shares[1]
        found.append(
            {
                "segment": name,
                "customers": len(own),
                "listed": contacts,
                "expected_outcomes": round(outcome, 2),
                "contact_share": shares[0],
                "outcome_share": shares[1],
                "step": step,
                "note": say("gets far fewer contacts than its share of the expected outcomes") if far else "",
            }
        )
    return found


def _step(contacts: int, listed: int, share: float | None) -> str:
    """Return fewer, more or in_step: where ``contacts`` lie beside nine in ten draws of ``listed`` with this chance; empty where nothing is known."""
    from scipy.special import bdtr  # the binomial law; scipy.stats, which has it too, is dear to import

    if share is None or not listed:
        return ""
    chance = min(share, 1.0)
    if bdtr(contacts, listed, chance) < 0.05:
        return "fewer"
    return "more" if contacts and bdtr(contacts - 1, listed, chance) >= 0.95 else "in_step"


def page_links(out: Path, target: str) -> dict[str, str]:
    """Return links from a published list's folder to what is there: training report, newest replay, index."""
    up, found = "../../..", {"index": "../../../index.html"}
    if (out / "train" / target / "report.html").is_file():
        found["report"] = f"{up}/train/{target}/report.html"
    replays = sorted(path.parent.name for path in (out / "replay" / target).glob("*/replay.html"))
    return found | ({"replay": f"{up}/replay/{target}/{replays[-1]}/replay.html"} if replays else {})
