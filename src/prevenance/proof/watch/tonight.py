"""Tonight against the past: the sum and the shape of the chances, the inputs, the words, and the rate of outcomes as labels mature.

What is usual is what the same model says of the same source on past Mondays, and the rows that it learned from; each is known at the cutoff.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prevenance.features.held import InputRows
from prevenance.judge.drift import ENOUGH, input_drift, unseen_words
from prevenance.models.encode import Encoder
from prevenance.proof.watch.records import Named, Warned

SURE = 4.0
"""Median deviations of past Mondays beyond which a sum of chances is told, if it is ``FAR`` off as well."""

FAR, BEYOND = 0.25, 1.25
"""Share of the usual sum, and how many times as far off as any past Monday, that a sum must be off."""

WEEKS = 6
"""Past Mondays that must be known."""

SURE_RATE, FAR_RATE = 2.5, 1.4
"""Standard deviations, and the factor, by which the rate of outcomes must differ from that of the cutoffs learned from."""

RATES = 4
"""Cutoffs learned from that say what rate is usual."""

WORDS = 0.1
"""Share of customers with a word that the model does not know."""

RECENT = 14
"""Days before the cutoff whose Mondays are not usual yet."""

FEW = 0.1
"""Share of the inputs that must have moved for a banner: one of twenty moves with a season, all of one story, and the notes of the list tell them."""

NAMED = 3
"""InputRows that a warning names."""

Phrases = Mapping[str, Named]
"""Column -> how it is told."""

NO_PHRASES: Phrases = {}


def chance_warnings(target: str, past: pd.DataFrame, now: pd.DataFrame) -> list[Warned]:
    """Return what is told of the chances of one cutoff (``now``) beside those of past Mondays by the same model; both have customer_id, cutoff, score."""
    past, now = past[past["score"].notna()], now[now["score"].notna()]
    # What broke last week must not be usual this week.
    past = past[past["cutoff"] <= now["cutoff"].max() - pd.Timedelta(days=RECENT)]
    sums, total = past.groupby("cutoff")["score"].sum().to_numpy(dtype=float), float(now["score"].sum())
    if len(sums) < WEEKS or now["customer_id"].nunique() < ENOUGH:
        return []
    usual = float(np.median(sums))
    off, swing = abs(total - usual), np.abs(sums - usual)
    if off > max(SURE * 1.4826 * float(np.median(swing)), FAR * usual, BEYOND * float(swing.max())):
        return [Warned("total", target, {"sum": round(total, 2), "usual": round(usual, 2), "customers": len(now)})]
    moved = input_drift(past, now, ["score"]).moved
    medians = [round(float(one["score"].median()), 4) for one in (past, now)]
    return [Warned("shape", target, {"before": medians[0], "now": medians[1]})] if moved else []


def input_warnings(
    target: str, learned: pd.DataFrame, now: InputRows, features: Sequence[str], phrases: Phrases = NO_PHRASES
) -> list[Warned]:
    """Return whether the model scores customers whose inputs are not those that it learned from; what is merely known of more is none."""
    found = input_drift(learned, now, features)
    moved = [one.feature for one in found.moved if not one.grown]
    if not moved or len(moved) < FEW * found.looked:
        return []
    facts: dict[str, float | str | None] = {"moved": len(moved), "looked": found.looked, "named": ", ".join(moved[:NAMED])}
    return [Warned("inputs", target, facts, _named(moved, phrases))]


def word_warnings(target: str, encoder: Encoder, now: InputRows, phrases: Phrases = NO_PHRASES) -> list[Warned]:
    """Return the columns of words of which many rows hold one that the model does not know."""
    many = {name: rows for name, rows in unseen_words(encoder, now).items() if rows >= WORDS * len(now)}
    return [
        Warned("words", target, {"named": name, "share": round(rows / len(now), 4)}, _named([name], phrases)) for name, rows in many.items()
    ]


def _named(columns: Sequence[str], phrases: Phrases) -> tuple[Named, ...]:
    # A trend and the window before it are told alike: once is enough.
    return tuple(dict.fromkeys(phrases.get(name, (name, None)) for name in columns))[:NAMED]


def outcome_rates(labelled: pd.DataFrame) -> pd.DataFrame:
    """Return cutoff -> customers at risk and outcomes among them, of closed windows; a customer counts once, however many products."""
    rows = labelled[(labelled["state"] == "at_risk") & labelled["label"].notna()]
    each = rows.groupby(["cutoff", "customer_id"])["label"].max().groupby("cutoff")
    return pd.DataFrame({"customers": each.size(), "outcomes": each.sum()})


def rate_warnings(target: str, learned: pd.DataFrame, newest: pd.DataFrame, horizon_days: int) -> list[Warned]:
    """Return whether the newest closed window had far more or fewer outcomes than those learned from; both are from ``outcome_rates``.

    The noise is that of drawing customers, now and for what is usual (windows that overlap are drawn once), and what the rates of the past
    differ by more than that.
    """
    if len(learned) < RATES or newest.empty or learned["customers"].min() < ENOUGH:
        return []
    usual = float(learned["outcomes"].sum() / learned["customers"].sum())
    drawn = usual * (1 - usual)
    more = max(float((learned["outcomes"] / learned["customers"]).var()) - drawn * float((1 / learned["customers"]).mean()), 0.0)
    count, came = int(newest["customers"].iloc[-1]), int(newest["outcomes"].iloc[-1])
    windows = min(len(learned), 1 + (learned.index.max() - learned.index.min()) / pd.Timedelta(days=horizon_days))
    noise = (drawn / max(count, 1) + drawn / (windows * float(learned["customers"].mean())) + more) ** 0.5
    rate = came / max(count, 1)
    if count < ENOUGH or noise == 0 or abs(rate - usual) <= SURE_RATE * noise or usual / FAR_RATE < rate < usual * FAR_RATE:
        return []
    return [Warned("rate", target, {"rate": round(rate, 4), "usual": round(usual, 4), "outcomes": came, "customers": count})]
