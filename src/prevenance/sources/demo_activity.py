"""What the simulated customers do: product events and tickets, weeks at a time, all customers at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prevenance.sources.demo_company import DAY, END, NEVER, PLANS, Company, stream

FEATURES = ("dashboards", "imports", "reports", "exports", "alerts", "api", "automation", "forecasts", "sso", "audit log")
PAID_FEATURES = (5, 8, 10)
"""How many of ``FEATURES`` each plan pays for."""

WEEKDAYS = np.array([1.0, 1.05, 1.0, 1.0, 0.85, 0.12, 0.1])
YEARLY = np.array([0.97, 1.02, 1.04, 1.0, 0.98, 0.97, 0.84, 0.68, 1.06, 1.07, 1.04, 0.8])
"""Use by calendar month, January first: August and the end of the year are quiet."""

LOGINS_A_WEEK, USES_A_WEEK, ERRORS_A_WEEK, TICKETS_A_WEEK = 3.7, 2.6, 0.3, 0.055
LATE_SHARE = 0.024
SUBJECTS = {
    "how-to": ("How do I {}?", ("share a report", "invite a colleague", "schedule an export", "set an alert"), "first line"),
    "bug": ("Error when I {}", ("import a file", "open a dashboard", "save a report", "call the api"), "engineering"),
    "billing": ("Question about {}", ("an invoice", "the number of seats", "the payment date", "a credit note"), "billing"),
    "account": ("Cannot {}", ("sign in", "reset a password", "change a role", "find a colleague"), "first line"),
    "integration": ("Connection to {} fails", ("the CRM", "the data warehouse", "single sign-on", "the mail server"), "second line"),
}


def season(moments: np.ndarray) -> np.ndarray:
    """Return the factor of the calendar month of each moment."""
    return YEARLY[moments.astype("datetime64[M]").astype(int) % 12]


def busy_moments(rng: np.random.Generator, weeks: np.ndarray) -> np.ndarray:
    """Return a moment in each of the given weeks: mostly working days and hours, a few at night."""
    number = len(weeks)
    first = (weeks[:1].astype("datetime64[D]").astype(int) + 3) % 7 if number else np.zeros(1, int)
    share = np.roll(WEEKDAYS, -int(first[0]))
    day = np.searchsorted(np.cumsum(share / share.sum()), rng.random(number), side="right").clip(0, 6)
    hours = np.where(rng.random(number) < 0.96, rng.triangular(7.5, 10.5, 19.0, number), rng.uniform(0, 24, number))
    return weeks + day * DAY + (hours * 3600).astype("timedelta64[s]")


def intensity(company: Company, seed: int) -> dict[str, np.ndarray]:
    """Return expected logins, uses and errors of each customer in each week, (N, W), before chance."""
    rng, people = stream(seed, "intensity"), company.customers
    felt = company.signal * company.health
    size = people["seats"].to_numpy() ** 0.6
    size = (size / size.mean() * people["appetite"].to_numpy() ** 0.6)[:, None]
    since_notice = (company.weeks[None, :] - _column(people["turned"])) / (7 * DAY)
    leaving = np.where(since_notice > 0, np.maximum(0.15, 0.75 - 0.06 * np.nan_to_num(since_notice)), 1.0) ** min(company.signal, 1.0)
    week_no = np.arange(len(company.weeks))[None, :]
    left = people["champion_left"].to_numpy()[:, None]
    orphaned = np.where((left >= 0) & (week_no >= left), 0.6, 1.0) ** min(company.signal, 1.0)
    chance = rng.gamma(6.0, 1 / 6.0, company.health.shape)
    mood = np.exp(np.clip(0.42 * felt, -2.4, 0.9))
    base = size * season(company.weeks + 3 * DAY)[None, :] * mood * leaving * orphaned * chance * company.present
    return {
        "login": LOGINS_A_WEEK * base,
        "use": USES_A_WEEK * base * np.exp(np.clip(0.12 * felt, -1, 0.5)),
        "error": ERRORS_A_WEEK * size * company.bugs[None, :] * np.exp(-0.22 * np.clip(felt, -4, 3)) * company.present,
    }


def product_events(company: Company, ids: np.ndarray, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the product's event log (one row per login, use or error) and the errors of each customer-week, (N, W)."""
    rng, people = stream(seed, "events"), company.customers
    parts, errors = [], np.zeros(company.health.shape, dtype=int)
    for kind, rate in intensity(company, seed).items():
        counts = rng.poisson(rate)
        errors = counts if kind == "error" else errors
        who, week = np.nonzero(counts)
        times = counts[who, week]
        who, week = np.repeat(who, times), np.repeat(week, times)
        parts.append(pd.DataFrame({"who": who, "week": week, "event": kind, "at": busy_moments(rng, company.weeks[week])}))
    events = pd.concat(parts, ignore_index=True)
    gone, signup = _column(people["ended"].fillna(END)).ravel(), _column(people["signup"]).ravel()
    moment = events["at"].to_numpy()
    events = events[(moment >= signup[events["who"]]) & (moment < gone[events["who"]])].reset_index(drop=True)
    who, week, number = events["who"].to_numpy(), events["week"].to_numpy(), len(events)
    felt = company.signal * company.health[who, week]
    rolled_out = (people["seats"] * people["rollout"]).to_numpy()[who]
    active = np.maximum(1, np.ceil(rolled_out / (1 + np.exp(-0.5 - 0.8 * felt))))
    user = np.floor(active * rng.random(number) ** 1.7).astype(int)
    left = people["champion_left"].to_numpy()[who]
    user += (left >= 0) & (week >= left) & (user == 0) & (company.signal > 0)
    plan = people["plan_no"].to_numpy()[who] + (events["at"].to_numpy() >= _column(people["upgraded"]).ravel()[who])
    paid = np.array(PAID_FEATURES)[plan]
    reach = np.minimum(people["adopted"].to_numpy()[who] * np.exp(np.clip(0.15 * felt, -0.7, 0.3)), paid)
    feature = (np.floor(reach * rng.random(number) ** 1.4).astype(int) * 3 + who) % paid
    late = rng.random(number) < LATE_SHARE
    delay = np.where(late, rng.uniform(1, 9, number) * 86_400, rng.uniform(120, 5400, number)).astype("timedelta64[s]")
    keys, code = np.unique(who * 1000 + user, return_inverse=True)
    frame = pd.DataFrame(
        {
            "account_id": ids[who],
            "user_id": np.array([f"{ids[key // 1000]}-u{key % 1000:03d}" for key in keys], dtype=object)[code],
            "event": events["event"],
            "feature": np.where(events["event"] == "login", None, np.array(FEATURES, dtype=object)[feature]),
            "quantity": np.where(events["event"] == "use", rng.geometric(0.3, number), 1),
            "product_id": PLANS["product_id"].to_numpy()[plan],
            "occurred_at": events["at"],
            "loaded_at": events["at"] + delay,
        }
    )
    return frame[frame["loaded_at"] < END].sort_values(["loaded_at", "user_id", "event"], kind="stable", ignore_index=True), errors


def ticket_rows(company: Company, ids: np.ndarray, errors: np.ndarray, seed: int) -> pd.DataFrame:
    """Return the help desk's wide export: one row per ticket, one column per change, cut off at the end of history."""
    rng, people, signal = stream(seed, "tickets"), company.customers, company.signal
    felt = signal * company.health
    recent = errors * 0.5 + np.pad(errors, ((0, 0), (1, 0)))[:, :-1]
    young = (company.weeks[None, :] - _column(people["signup"])) / DAY < 60
    size = (people["seats"].to_numpy() / people["seats"].mean()) ** 0.35 * (people["trouble"].to_numpy() ** min(signal, 1.0))
    cause = 1 + signal * (0.5 * np.minimum(recent, 5) + 1.2 * young)
    rate = TICKETS_A_WEEK * size[:, None] * np.exp(-0.3 * np.clip(felt, -3.5, 3)) * cause
    counts = rng.poisson(rate * company.present * np.sqrt(season(company.weeks))[None, :])
    who, week = np.nonzero(counts)
    times = counts[who, week]
    who, week = np.repeat(who, times), np.repeat(week, times)
    opened = busy_moments(rng, company.weeks[week])
    gone, signup = _column(people["ended"].fillna(END)).ravel(), _column(people["signup"]).ravel()
    inside = (opened >= signup[who]) & (opened < gone[who])
    who, week, opened = who[inside], week[inside], opened[inside]
    felt = felt[who, week]
    category = np.where(rng.random(len(who)) < np.where(recent[who, week] > 0, 0.5, 0.1), "bug", "")
    category = np.where((category == "") & young[who, week] & (rng.random(len(who)) < 0.7), "how-to", category)
    category = np.where(category == "", rng.choice(list(SUBJECTS), len(who), p=[0.34, 0.1, 0.18, 0.2, 0.18]), category)
    frame = _lifecycle(rng, opened, felt, category)
    frame.insert(0, "account_id", ids[who])
    frame["product_id"] = PLANS["product_id"].to_numpy()[people["plan_no"].to_numpy()[who]]
    frame = frame.sort_values(["opened_at", "account_id"], kind="stable", ignore_index=True)
    frame.insert(0, "ticket_id", [f"T{number:06d}" for number in range(1001, 1001 + len(frame))])
    return frame[frame["logged_at"] < END]


def _lifecycle(rng: np.random.Generator, opened: np.ndarray, felt: np.ndarray, category: np.ndarray) -> pd.DataFrame:
    """Return what happens to each ticket after it is opened; what lies after the end of history has not happened yet."""
    number = len(opened)

    def after(start: np.ndarray, hours: float, share: np.ndarray | float = 1.0, spread: float = 0.9) -> np.ndarray:
        wait = (hours * 3600 * rng.lognormal(0, spread, number)).astype("timedelta64[s]")
        return np.where(rng.random(number) < share, start + wait, NEVER)

    channel = rng.choice(["portal", "email", "phone", "chat"], number, p=[0.42, 0.33, 0.15, 0.1])
    severe = rng.normal(0, 1, number) - 0.3 * felt
    priority = np.array(["low", "normal", "high", "urgent"])[np.searchsorted([-0.7, 0.7, 1.6], severe)]
    logged = opened + np.where(channel == "phone", rng.uniform(600, 60_000, number), rng.uniform(5, 240, number)).astype("timedelta64[s]")
    assigned = after(logged, 2.0)
    replied = after(assigned, 3.0)
    waiting = after(replied, 1.0, 0.3)
    resolved = after(np.where(np.isnat(waiting), replied, waiting), 16.0)
    escalated = np.where(severe > 1.3, after(replied, 6.0, 0.5), NEVER)
    escalated = np.where(escalated < resolved, escalated, NEVER)
    reopened = after(resolved, 30.0, 0.05 + 0.12 / (1 + np.exp(felt + 0.5)))
    closed = after(np.where(np.isnat(reopened), resolved, reopened), 60.0, spread=0.4)
    rated = after(closed, 20.0, 0.42)
    csat = np.clip(np.round(3.9 + 0.45 * felt - 0.4 * ~np.isnat(reopened) + rng.normal(0, 0.9, number)), 1, 5)
    kinds = sorted(SUBJECTS)
    kind = np.searchsorted(kinds, category)
    texts = np.array([[SUBJECTS[name][0].format(word) for word in SUBJECTS[name][1]] for name in kinds], dtype=object)
    frame = pd.DataFrame(
        {
            "opened_at": opened,
            "logged_at": logged,
            "assigned_at": assigned,
            "first_reply_at": replied,
            "waiting_since": waiting,
            "escalated_at": escalated,
            "resolved_at": resolved,
            "reopened_at": reopened,
            "closed_at": closed,
            "rated_at": rated,
        }
    )
    frame = frame.where(frame < END)
    frame["csat"] = pd.Series(csat).where(frame["rated_at"].notna()).astype("Int64")
    frame["category"], frame["priority"], frame["channel"] = category, priority, channel
    frame["queue"] = np.array([SUBJECTS[name][2] for name in kinds])[kind]
    frame["subject"] = texts[kind, rng.integers(0, 4, number)]
    return frame


def _column(moments: pd.Series) -> np.ndarray:
    """Return moments as an (N, 1) array."""
    return moments.to_numpy().astype("datetime64[s]")[:, None]
