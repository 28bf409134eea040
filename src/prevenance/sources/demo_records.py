"""What the simulated company's offices keep: accounts, contracts, invoices, answers, contacts and consents."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prevenance.sources.demo_company import DAY, END, HOUR, NEVER, PLANS, Company, renewal_after, stream

ADDON = ("P-40", "insights", 90.0)
OWNERS = ("Alba Moreau", "Ben Okafor", "Chiara Lind", "Dana Petrov", "Emil Haas", "Farah Nouri")
INDUSTRIES = ("logistics", "retail", "software", "manufacturing", "health services", "education", "finance", "energy")
COUNTRIES = (("FR", "fr"), ("DE", "de"), ("CH", "de"), ("GB", "en"), ("BE", "fr"), ("NL", "en"), ("AT", "de"), ("IE", "en"))
FIRST = (
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Fjord",
    "Granit",
    "Harbour",
    "Iris",
    "Juniper",
    "Kestrel",
    "Linden",
    "Maple",
    "Nordic",
    "Océan",
    "Pine",
    "Quartz",
    "River",
    "Saphir",
    "Tilia",
    "Ulmen",
    "Vega",
    "Willow",
    "Yarrow",
    "Zénith",
    "Étoile",
    "Grün",
    "Alder",
    "Brook",
    "Coral",
)
SECOND = (
    "Analytics",
    "Bau",
    "Café",
    "Data",
    "Energie",
    "Foods",
    "Garten",
    "Holz",
    "Imports",
    "Journal",
    "Kredit",
    "Labs",
    "Mobilité",
    "Netz",
    "Optik",
    "Papier",
    "Quality",
    "Robotics",
    "Service",
    "Textil",
    "Union",
    "Verlag",
    "Works",
    "Yards",
    "Studio",
)
FORMS = ("SA", "GmbH", "Ltd", "& Cie", "AG", "BV", "SARL", "& Söhne")


def moments(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of times as seconds; NaT where there is none."""
    return frame[column].to_numpy().astype("datetime64[s]")


def accounts(company: Company, ids: np.ndarray, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the accounts as they stand today and the log of what was changed in them."""
    rng, people, total = stream(seed, "accounts"), company.customers, len(ids)
    names = rng.choice(len(FIRST) * len(SECOND) * len(FORMS), total, replace=total > 6000)
    where = rng.choice(len(COUNTRIES), total, p=[0.28, 0.24, 0.1, 0.14, 0.08, 0.06, 0.06, 0.04])
    created = moments(people, "signup") - (rng.uniform(3, 40, total) * 86_400).astype("timedelta64[s]")
    frame = pd.DataFrame(
        {
            "account_id": ids,
            "name": [f"{FIRST[n % 30]} {SECOND[n // 30 % 25]} {FORMS[n // 750]}" for n in names],
            "segment": np.array(["small", "mid", "enterprise"])[np.searchsorted([10, 40], people["seats"].to_numpy())],
            "industry": np.array(INDUSTRIES, dtype=object)[rng.integers(0, len(INDUSTRIES), total)],
            "country": np.array(COUNTRIES)[where, 0],
            "language": np.array(COUNTRIES)[where, 1],
            "plan": PLANS["plan"].to_numpy()[people["plan_no"]],
            "owner": np.array(OWNERS, dtype=object)[rng.integers(0, len(OWNERS), total)],
            "parent_id": pd.Series(np.roll(ids, 1)).where(rng.random(total) < 0.03),
            "created_at": created,
        }
    )
    frame["industry"] = frame["industry"].where(rng.random(total) > 0.12)
    frame["owner"] = frame["owner"].where(rng.random(total) > 0.03)
    since = (END - moments(people, "signup")).astype(float)
    moved = moments(people, "signup") + (rng.uniform(0, 1, total) * since).astype("timedelta64[s]")
    moved = np.where((rng.random(total) < 0.15) & (moved >= company.weeks[0]), moved, NEVER)
    plans = PLANS["plan"].to_numpy()[np.minimum(people["plan_no"] + 1, 2)]
    owners = np.array(OWNERS, dtype=object)[rng.integers(0, len(OWNERS), total)]
    changes = []
    for field, at, value in (("owner", moved, owners), ("plan", moments(people, "upgraded") + 10 * HOUR, plans)):
        changed = ~np.isnat(at) & (frame[field].to_numpy() != value)
        entries = {"account_id": ids, "field": field, "old_value": frame[field], "new_value": value, "changed_at": at}
        changes.append(pd.DataFrame(entries)[changed])
        frame[field] = frame[field].where(~changed, value)
    log = pd.concat(changes).sort_values(["changed_at", "account_id", "field"], ignore_index=True)
    return frame.sort_values("account_id", ignore_index=True), log


def price(company: Company, moment: np.ndarray, addon: bool = True) -> np.ndarray:
    """Return each customer's monthly money at a moment (N,), by seats, plan and add-on; as if it were a customer then."""
    people = company.customers
    seats = np.where(moment >= moments(people, "seats_changed"), people["seats_later"], people["seats"])
    plan = people["plan_no"].to_numpy() + (moment >= moments(people, "upgraded"))
    extra = np.where(moment >= moments(people, "addon_from"), ADDON[2], 0.0) if addon else 0.0
    return np.round(seats * PLANS["price"].to_numpy()[plan] + extra, 2)


def subscriptions(company: Company, ids: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the contracts as they stand today and the log of their renewals and changes.

    A higher plan is a new contract that begins on the day the old one ends; the day of renewal stays.
    """
    people = company.customers.assign(account_id=ids)
    signup, upgraded = moments(people, "signup"), moments(people, "upgraded")
    begin = signup.astype("datetime64[D]").astype("datetime64[s]")
    log = _contract_log(company, ids, begin)
    ends = {name: moments(people, name) for name in ("notice", "leaves_on", "ended")}
    replaced = ~np.isnat(upgraded)
    first = _contract(people, "1", begin, people["plan_no"], price(company, begin, addon=False))
    first = first.assign(
        notice_on=np.where(replaced, NEVER, ends["notice"]),
        ends_on=np.where(replaced, upgraded, ends["leaves_on"]),
        ended_on=np.where(replaced, upgraded, ends["ended"]),
    )
    later = np.where(replaced, upgraded, END)
    second = _contract(people, "2", later, np.minimum(people["plan_no"] + 1, 2), price(company, later, addon=False))[replaced]
    addon = _contract(people, "9", moments(people, "addon_from"), 0, np.full(len(people), ADDON[2]))
    addon = addon.assign(product_id=ADDON[0], plan=ADDON[1], seats=1)[~np.isnat(moments(people, "addon_from"))]
    frame = pd.concat([first, second, addon]).sort_values("subscription_id", ignore_index=True)
    newest = log.groupby("subscription_id").last()
    for column in ("seats", "mrr", "renews_on"):
        now = newest[f"new_{column}"].reindex(frame["subscription_id"]).set_axis(frame.index)
        frame[column] = now.where(now.notna(), frame[column])
    return frame.assign(seats=frame["seats"].astype(int)), log


def _contract(people: pd.DataFrame, number: str, begin: np.ndarray, plan: np.ndarray | int, mrr: np.ndarray) -> pd.DataFrame:
    renews = renewal_after(moments(people, "signup"), np.where(np.isnat(begin), END, begin)).astype("datetime64[D]").astype("datetime64[s]")
    return pd.DataFrame(
        {
            "subscription_id": "S" + people["account_id"] + "-" + number,
            "account_id": people["account_id"],
            "product_id": PLANS["product_id"].to_numpy()[plan],
            "plan": PLANS["plan"].to_numpy()[plan],
            "term": np.where(people["monthly"], "monthly", "yearly"),
            "seats": people["seats"],
            "mrr": mrr,
            "started_on": begin,
            "renews_on": np.where(people["monthly"], NEVER, renews),
            "notice_on": moments(people, "notice"),
            "ends_on": moments(people, "leaves_on"),
            "ended_on": moments(people, "ended"),
        }
    )


def _contract_log(company: Company, ids: np.ndarray, begin: np.ndarray) -> pd.DataFrame:
    """Return renewals (yearly contracts, at their date) and changes of seats, each with the values before and after."""
    people = company.customers
    last = np.where(np.isnat(moments(people, "leaves_on")), END, np.minimum(moments(people, "leaves_on"), END))
    years = np.where(people["monthly"], 0, np.maximum((last - begin - DAY) // (365 * DAY), 0)).astype(int)
    who = np.repeat(np.arange(len(people)), years)
    year = np.arange(len(who)) - np.repeat(np.cumsum(years) - years, years) + 1
    changed = np.flatnonzero(~np.isnat(moments(people, "seats_changed")))
    parts = [
        pd.DataFrame({"who": who, "what": "renewed", "changed_at": begin[who] + year * 365 * DAY}),
        pd.DataFrame({"who": changed, "what": "changed", "changed_at": moments(people, "seats_changed")[changed]}),
    ]
    log = pd.concat(parts).sort_values(["changed_at", "who", "what"], ignore_index=True)
    who, at = log["who"].to_numpy(), moments(log, "changed_at")
    switch, upgraded = moments(people, "seats_changed")[who], moments(people, "upgraded")[who]
    unit = PLANS["price"].to_numpy()[people["plan_no"].to_numpy()[who] + (at >= upgraded)]
    yearly = ~people["monthly"].to_numpy()[who]
    log["subscription_id"] = "S" + pd.Series(ids[who]) + np.where(at >= upgraded, "-2", "-1")
    for word, seats in (
        ("old", np.where(at > switch, people["seats_later"].to_numpy()[who], people["seats"].to_numpy()[who])),
        ("new", np.where(at >= switch, people["seats_later"].to_numpy()[who], people["seats"].to_numpy()[who])),
    ):
        log[f"{word}_seats"], log[f"{word}_mrr"] = seats, np.round(seats * unit, 2)
        asked = np.where((log["what"] == "renewed") & (word == "old"), at - DAY, at)
        log[f"{word}_renews_on"] = np.where(yearly, renewal_after(begin[who], asked), NEVER)
    return log.drop(columns="who")


def invoices(company: Company, ids: np.ndarray, seed: int) -> pd.DataFrame:
    """Return one invoice a month and customer, and when it was paid, booked and reminded."""
    rng, people, total = stream(seed, "invoices"), company.customers, len(ids)
    habit = rng.normal(0, 0.7, total)
    gone = np.where(np.isnat(moments(people, "ended")), END, moments(people, "ended"))
    parts = []
    for month in np.arange(company.weeks[0].astype("datetime64[M]") + 1, END.astype("datetime64[M]")):
        issued = month.astype("datetime64[s]") + 6 * HOUR
        week = min(np.searchsorted(company.weeks, issued, side="right"), len(company.weeks)) - 1
        odds = np.exp(-2.5 + habit - 0.85 * company.signal * company.health[:, week])
        late = rng.random(total) < odds / (1 + odds)
        due = issued.astype("datetime64[D]").astype("datetime64[s]") + 14 * DAY
        wait = np.where(late, 2 + rng.exponential(13, total), -rng.uniform(0.5, 12, total))
        paid = due + (wait * 86_400).astype("timedelta64[s]")
        frame = pd.DataFrame({"account_id": ids, "amount": price(company, issued), "issued_on": issued, "due_on": due, "paid_on": paid})
        frame["booked_on"] = paid + (rng.uniform(0.5, 4, total) * 86_400).astype("timedelta64[s]")
        frame["reminded_on"] = np.where(paid > due + 7 * DAY, due + 7 * DAY + 9 * HOUR, NEVER)
        parts.append(frame[(moments(people, "signup") < issued) & (gone > issued)])
    frame = pd.concat(parts, ignore_index=True)
    booked = frame["booked_on"] < END
    frame["paid_on"], frame["booked_on"] = frame["paid_on"].where(booked), frame["booked_on"].where(booked)
    frame["reminded_on"] = frame["reminded_on"].where(frame["reminded_on"] < END)
    frame.insert(0, "invoice_id", [f"R{number:06d}" for number in range(1, len(frame) + 1)])
    return frame


def feedback(company: Company, ids: np.ndarray, seed: int) -> pd.DataFrame:
    """Return the answers to a quarterly question (NPS, 0..10) and to a yearly one on effort (CES)."""
    rng, total = stream(seed, "feedback"), len(ids)
    offset, parts = rng.integers(0, 13, total), []
    for week, begin in enumerate(company.weeks):
        asked = ((week + offset) % 13 == 0) & (company.present[:, week] == 1) & (rng.random(total) < 0.4)
        felt = company.signal * company.health[:, week]
        effort = rng.random(total) < 0.25
        ces = np.clip(np.round(5 + 0.7 * felt + rng.normal(0, 1.2, total)), 1, 7)
        nps = np.clip(np.round(7.4 + felt + rng.normal(0, 1.8, total)), 0, 10)
        at = begin + (rng.uniform(0, 6, total) * 86_400).astype("timedelta64[s]")
        kind, score = np.where(effort, "ces", "nps"), np.where(effort, ces, nps).astype(int)
        parts.append(pd.DataFrame({"account_id": ids, "kind": kind, "score": score, "answered_at": at})[asked])
    frame = pd.concat(parts).sort_values(["answered_at", "account_id"], ignore_index=True)
    words = np.array(["", "", "", "good support", "too many errors", "hard to find things", "saves us time"], dtype=object)
    frame["comment"] = words[rng.integers(0, len(words), len(frame))]
    frame.insert(0, "answer_id", [f"F{number:05d}" for number in range(1, len(frame) + 1)])
    return frame


def contacts(company: Company, ids: np.ndarray, seed: int) -> pd.DataFrame:
    """Return the contacts that were written down; they change nothing in this world and follow health only a little."""
    rng, people = stream(seed, "contacts"), company.customers
    rate = 0.035 * (people["seats"].to_numpy()[:, None] / 12) ** 0.3 * np.exp(-0.1 * company.signal * company.health) * company.present
    who, week = np.nonzero(rng.random(rate.shape) < rate)
    number = len(who)
    at = company.weeks[week] + (rng.integers(1, 6, number) * DAY) + (rng.uniform(9, 17, number) * 3600).astype("timedelta64[s]")
    kind = rng.choice(["call", "email", "meeting", "training"], number, p=[0.35, 0.4, 0.17, 0.08])
    frame = pd.DataFrame(
        {
            "account_id": ids[who],
            "contacted_at": at,
            "direction": np.where(rng.random(number) < 0.25, "in", "out"),
            "kind": kind,
            "outcome": rng.choice(["reached", "no answer", "follow-up", ""], number, p=[0.45, 0.2, 0.15, 0.2]),
        }
    )
    frame["logged_at"] = frame["contacted_at"] + pd.to_timedelta(rng.integers(300, 90_000, number), unit="s")
    during = (at >= moments(people, "signup")[who]) & ~(at >= moments(people, "ended")[who])
    frame = frame[during & (frame["logged_at"] < END)].sort_values(["contacted_at", "account_id"], ignore_index=True)
    frame.insert(0, "contact_id", [f"K{number:05d}" for number in range(1, len(frame) + 1)])
    return frame


def consents(company: Company, ids: np.ndarray, seed: int) -> pd.DataFrame:
    """Return what customers said about being contacted: yes at their signup, and a later no of about two in a hundred."""
    rng, people = stream(seed, "consents"), company.customers
    asked = rng.random(len(ids)) < 0.4
    yes = pd.DataFrame({"account_id": ids, "purpose": "outreach", "allowed": "yes", "changed_at": moments(people, "signup")})[asked]
    wait = (rng.uniform(0, 300, len(ids)) * 86_400).astype("timedelta64[s]")
    no = np.maximum(moments(people, "signup") + 20 * DAY, company.weeks[0]) + wait
    refused = (rng.random(len(ids)) < 0.02) & (no < END)
    left = pd.DataFrame({"account_id": ids, "purpose": "outreach", "allowed": "no", "changed_at": no})[refused]
    return pd.concat([yes, left]).sort_values(["changed_at", "account_id"], ignore_index=True)
