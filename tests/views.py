"""Views of invented lists, as the page, the workbook, the digest and the index get them."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pandas as pd

from prevenance.demo.names import FIRST, FORMS, HOSTILE, SECOND
from prevenance.words.saying import saying

NASTY = [
    *HOSTILE,
    "A" * 40_000,
    "<img src=http://example.invalid/x.png onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<!--<script>",
    "\x00\x01\x1b[31mred\x7f",
    "\u202eevil\u2066",
    "javascript:alert(1)",
    "\ud800 lone",
]
APART = [
    "holdout",
    "holdout",
    "escalated",
    "snoozed",
    "snoozed",
    "snoozed",
    "too_late",
    "too_late",
    "not_enough_data",
    "not_enough_data",
    "below_floor",
]
REASONS = [
    ("Logins 41 → 16 in 28 days", "usage"),
    ("3 tickets reopened, the oldest is open for 19 days", "tickets"),
    ("The main contact has not signed in for 34 days", "usage"),
    ("Invoice 31 days late", "invoices"),
    ("Seats used 38 %, was 71 %", "usage"),
    ("5 urgent tickets in 30 days, was 1", "tickets"),
]
HOLDS = ["4 of 5 modules in use", "Seats used 92 %", "Answers the surveys: 9 of 10", "Renewed twice before"]
ACTIONS = [
    "Call the admin about the reopened import tickets",
    "Ask for a second contact at the next meeting",
    "Offer a short training on what they use less than before",
    "Meet before the renewal and go through the plan together",
]


def detail(draw: random.Random, score: float) -> dict[str, Any]:
    """Return the details of one row."""
    chosen = draw.sample(REASONS, 4)
    start = max(0.01, score - draw.uniform(-0.1, 0.25))
    weeks = [round(min(0.95, max(0.01, start + (score - start) * week / 11 + draw.gauss(0, 0.012))), 3) for week in range(11)] + [score]
    return {
        "renews_on": f"2026-{draw.choice(['10', '11', '12'])}-{draw.randint(10, 28)}"
        if draw.random() < 0.6
        else f"2027-0{draw.randint(1, 9)}-15",
        "last_contact": f"2026-0{draw.randint(6, 9)}-{draw.randint(10, 28)}",
        "last_contact_kind": draw.choice(["call", "email", "meeting"]),
        "next_contact": "2026-10-08" if draw.random() < 0.25 else None,
        "country": "CH",
        "plan": "team",
        "reasons": [
            {"text": text, "points": round(9 - 2 * place + draw.random(), 1), "family": family, "changeable": True, "table": family}
            for place, (text, family) in enumerate(chosen)
        ],
        "context": [{"text": "Customer for 7 months", "points": 1.4, "family": "customers", "changeable": False}],
        "holds": [{"text": text, "points": -round(draw.uniform(1, 4), 1), "family": "usage"} for text in draw.sample(HOLDS, 2)],
        "changed": {
            "points": 7.0,
            "data": 6.2,
            "model": 0.8,
            "calibration": 0.0,
            "facts": ["Two tickets were reopened on Saturday", "The admin is silent"],
        },
        "weeks": weeks,
        "marks": [{"week": 3, "kind": "contact", "text": "call"}, {"week": 9, "kind": "ticket", "text": "urgent ticket"}],
        "timeline": [
            {"on": "2026-09-26", "kind": "ticket", "text": "Ticket reopened"},
            {"on": "2026-09-20", "kind": "ticket", "text": "Ticket opened (urgent)"},
            {"on": "2026-08-15", "kind": "contact", "text": "Call"},
            {"on": "2026-06-02", "kind": "renewal", "text": "Contract renewed for a year"},
        ],
        "unknown": ["Usage is missing for 6 days"] if draw.random() < 0.3 else [],
        "similar": {"n": 61, "outcome": 26, "text": ""},
        "note": "They sign in less than in summer and wait for three import tickets. Four of five modules are in use, so the product matters to them.",
        "draft": "Hello,\n\nI saw that the import keeps you busy. Shall we look at it together this week? I would bring a colleague from support.\n\nKind regards",
    }


def row(place: int, draw: random.Random, *, listed: bool, apart: str = "", name: str | None = None) -> dict[str, Any]:
    """Return the row at ``place`` (from 0) of a list."""
    scored = apart != "not_enough_data"
    score = max(0.004, min(0.93, 0.62 * 0.97**place + draw.gauss(0, 0.03))) if place < 200 else 0.004 + 0.1 * draw.random()
    worth = round(draw.lognormvariate(9.6, 0.9))
    plain = f"{draw.choice(FIRST)} {draw.choice(SECOND)} {draw.choice(FORMS)}"
    return {
        "rank": place + 1 if listed else None,
        "customer_id": f"{place:05d}",
        "name": plain if name is None else name,
        "owner": draw.choice(["Dana Petrov", "Emil Haas", "Chiara Lind"]),
        "segment": draw.choice(["small", "mid", "enterprise"]),
        "score": round(score, 6) if scored else None,
        "score_low": round(score * 0.7, 6) if scored else None,
        "score_high": round(min(0.99, score * 1.4), 6) if scored else None,
        "change_28d": round(draw.gauss(4, 6), 4) if scored else None,
        "value_at_stake": float(worth),
        "expected_value": round(score * worth * 0.15 - 60, 2) if scored else None,
        "reasons": "; ".join(text for text, _ in REASONS[:2]) if scored else "",
        "holds": HOLDS[0] if scored else "",
        "action": draw.choice(ACTIONS) if listed else None,
        "act_by": f"2026-10-0{draw.randint(5, 9)}" if listed else None,
        "arm": "holdout" if apart == "holdout" else "contact" if listed else None,
        "state": apart
        if apart in ("snoozed", "too_late", "not_enough_data", "below_floor")
        else "new"
        if listed and place % 4 == 0
        else "open",
        "target": "churn",
        "cutoff": "2026-10-01T00:00:00Z",
        "horizon_days": 90,
        "model": "3fa2c7d1e6b0",
        "run_id": "bf945fdce8cb4b67",
        "data_until": "2026-09-30T21:56:52Z",
        "apart": apart or ("" if listed else "beyond_capacity"),
        "apart_until": "2026-10-19" if apart == "snoozed" else None,
        "why_above": "Above Halden Foods, which has the higher chance: more is at stake here" if place == 2 else "",
        "woken_points": 12.0 if place == 5 else None,
        "moved": "entered" if place % 4 == 0 else "up 3" if place % 5 == 1 else "",
        "details": detail(draw, score)
        if scored
        else {"unknown": ["No use is recorded", "A customer for 12 days only"], "last_contact": None},
    }


def view(total: int = 40, capacity: int = 12, *, names: list[str] | None = None, seed: int = 7, **changed: Any) -> dict[str, Any]:
    """Return the view of a list of ``total`` customers; ``names`` are given to the first ones, ``changed`` replaces keys."""
    draw = random.Random(seed)
    listed = min(capacity, total)
    groups = [*([""] * listed), *(["beyond_capacity"] * max(0, total - listed - len(APART))), *APART][:total]
    told = dict(enumerate(names or []))
    rows = [
        row(place, draw, listed=place < listed, apart="" if place < listed else apart, name=told.get(place))
        for place, apart in enumerate(groups)
    ]
    return {
        "language": "en",
        "currency": "EUR",
        "target": "churn",
        "kind": {"churn": "contract", "tickets": "ticket", "cross_sell": "offer"}.get(changed.get("target", "churn"), "another"),
        "says": "left or gave notice",
        "verb": "leave",
        "cutoff": "2026-10-01T00:00:00Z",
        "date": "2026-10-01",
        "horizon_days": 90,
        "run_id": "bf945fdce8cb4b67",
        "model": {"version": "3fa2c7d1e6b0", "kind": "lightgbm"},
        "scored_at": None,
        "data_until": "2026-09-30T21:56:52Z",
        "no_model": "",
        "capacity": capacity,
        "unit": "hours",
        "hours": {"available": 18.0, "planned": 17.5},
        "owners": [
            {"owner": "Dana Petrov", "listed": 5, "planned": 7.5, "available": 8.0, "at_stake": 84000.0, "outcomes_expected": 1.9},
            {"owner": "Emil Haas", "listed": 7, "planned": 10.0, "available": 6.0, "at_stake": 96000.0, "outcomes_expected": 2.3},
        ],
        "segments": [
            {
                "segment": "mid",
                "customers": 120,
                "listed": 6,
                "expected_outcomes": 9.1,
                "contact_share": 0.5,
                "outcome_share": 0.42,
                "note": "",
            },
            {
                "segment": "small",
                "customers": 320,
                "listed": 1,
                "expected_outcomes": 8.0,
                "contact_share": 0.08,
                "outcome_share": 0.37,
                "note": "less attention than losses",
            },
        ],
        "fits": {"listed": listed, "at_stake": 168000.0, "expected_outcomes": 4.2},
        "record": {"source": "lists", "hits": 13, "contacts": 40, "outcomes": 37, "missed": 24, "period": "last quarter", "text": ""},
        "moved": {
            "since": "2026-09-30",
            "new": 3,
            "gone": [{"customer_id": "1", "name": "Halden", "why": "recovered"}, {"customer_id": "2", "name": "Ostara", "why": "renewed"}],
            "snoozed": 3,
            "not_enough_data": 2,
            "too_late": 2,
            "holdout": 2,
            "escalated": 1,
            "woken": 1,
            "excluded": {"opted_out": 11, "cooling_down": 7},
        },
        "sources": [
            {"table": "tickets", "newest": "2026-09-28T08:00:00Z", "late": True, "days": 2},
            {"table": "usage", "newest": "2026-09-30T21:00:00Z", "late": False, "days": 0},
            {"table": "invoices", "newest": "2026-09-30T03:00:00Z", "late": False, "days": 0},
        ],
        "assumed": {"share": 0.15, "measured": False, "cost": 60.0},
        "messages": [],
        "closest": [],
        "links": {"report": "../../../train/churn/report.html", "index": "../../../index.html"},
        "rows": rows,
        **changed,
    }


def week(**changed: Any) -> dict[str, Any]:
    """Return the view of a week of two lists: one customer is on both, one offer waits, one customer is nobody's."""
    titles = {"churn": "Customers who may leave", "cross_sell": "Offers that fit"}
    made = view(30, 12, title="Whom to contact this week", missing="Not in it, without a list of this date: tickets")
    for place, row in enumerate(made["rows"]):
        target = ("churn", "cross_sell")[place % 2]
        row |= {"target": target, "run_id": f"{place % 2}" * 16, "model": "0" * 12, "horizon_days": 90, "list": titles[target]}
        row |= {"also": "", "also_texts": [], "apart_why": "", "week_done": 6, "week_left": 14}
        row |= {"product_id": "P1", "product": "Insight"} if target == "cross_sell" else {}
    made["rows"] = [row for row in made["rows"] if row["rank"] or row["apart"] == "beyond_capacity"]
    made["rows"][0] |= {"also_texts": ["Also Offers that fit, Insight: No offer now: they may leave"], "also": "Also Offers that fit"}
    waiting = {"rank": None, "apart": "in_trouble", "arm": None, "state": "open", "apart_why": "No offer now: an escalation is open"}
    made["rows"][12] |= waiting
    made["rows"][13] |= {"apart_why": "Nobody has hours for them", "owner": None}
    lists = [{"title": title, "to": f"../../{target}/latest/list.html"} for target, title in titles.items()]
    none = {"floor": None, "segments": [], "moved": {}, "closest": [], "assumed": {}, "decided": {}, "model": {}, "horizon_days": None}
    text = "This page claims no hits of its own: how good each list was stands on its page."
    week = {"since": "2026-09-28", "capacity": 20, "left": 14, "done": 6, "known": True}
    told = {"target": "week", "kind": "week", "lists": lists, "record": {"text": text}, "week": week, "run_id": "f" * 16}
    return {**made, **none, **told, "fits": {"listed": 12, "at_stake": None, "expected_outcomes": None}, **changed}


def explained(**changed: Any) -> dict[str, Any]:
    """Return what an explanation holds of one customer, for its page."""
    fact = {"text": "Logins in 28 days: 1 (usually 8)", "points": 4.5, "family": "usage"}
    return {
        "customer_id": "00001",
        "digest": "0" * 16,
        "target": "churn",
        "says": saying("gave notice on, or ended, every contract within {n} days of the cutoff", n=90),
        "cutoff": "2026-10-01T00:00:00Z",
        "date": "2026-10-01",
        "data_until": "2026-09-30T22:00:00Z",
        "run_id": "1" * 16,
        "horizon_days": 90,
        "list": "out/lists/churn/2026-10-01T000000Z-0123456789ab",
        "model": {"version": "2" * 12, "digest": "2" * 64, "kind": "logistic", "trained_until": None, "snapshots": 900, "positives": 60},
        "privacy": {"purpose": "help in time", "legal_basis": "contract"},
        "product_id": None,
        "row": {"name": "<b>Étoile & Söhne</b>"},
        "absent": "",
        "score": 0.301,
        "score_low": 0.24,
        "score_high": 0.38,
        "check": {"base": -3.0, "sum": -0.8, "adds_up_to": 0.301, "exact": True, "difference": 0.0, "same_as_list": True},
        "inputs": [
            {
                "input": "logins_28d",
                "text": "Logins in 28 days: 1",
                "value": 1.0,
                "table": "usage",
                "newest": "2026-09-28",
                "log_odds": 0.61,
            },
            {"input": "nps_last", "text": "No recommendation score known", "value": None, "table": "", "newest": None, "log_odds": -0.02},
        ],
        "what_if": [{"like": "typical", "then": "Logins in 28 days: 11", "now": "Logins in 28 days: 1", "score": 0.22}],
        "details": {
            "reasons": [fact],
            "holds": [fact | {"points": -1.0}],
            "context": [],
            "unknown": ["No survey is known"],
            "timeline": [{"on": "2026-09-28", "text": "Ticket opened"}],
        },
        "held": [{"table": "usage", "rows": 120, "since": "2025-01-04", "until": "2026-09-28"}],
    } | changed


def replayed() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a judged list of four, one of whom was missed, and what it adds up to."""
    rows = pd.DataFrame(
        {
            "rank": [1, 2, None, None],
            "customer_id": ["a", "b", "c", "d"],
            "name": ["Étoile <i>SA</i>", None, "مؤسسة النور", "Dun & Co"],
            "score": [0.61, 0.32, 0.2, None],
            "outcome": ["happened", "did not", "too late", "not known yet"],
            "outcome_at": [datetime(2026, 5, 2), None, datetime(2026, 4, 3), None],
            "days_of_warning": [31.0, None, 2.0, None],
            "missed": [False, False, True, False],
            "reasons": ["Logins in 28 days: 1 (usually 8)", None, "Errors met in 28 days: 9 (usually 1)", None],
        }
    )
    counted = {
        "hits": 1,
        "capacity": 2,
        "expected_by_chance": 0.5,
        "missed": 1,
        "too_late": 1,
        "lead_days": 14,
        "base_rate": 0.5,
        "at_risk": 4,
    }
    told = {
        "target": "churn",
        "date": "2026-04-01",
        "judged_at": datetime(2026, 9, 30),
        "says": explained()["says"],
        "verdict": "One of two.",
    }
    return rows, counted | told | {
        "model": {"why": saying("{n} customers had had the outcome by then, {needed} are needed for a model: the rule", n=3, needed=20)}
    }
