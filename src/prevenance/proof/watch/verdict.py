"""Is it still right: what closed lists say of the chances, what a refit would bring, and one decision with its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.judge.bootstrap import Estimate
from prevenance.words.saying import Saying, saying

RETRAIN, WAIT, CANNOT_HELP = "retrain", "wait", "cannot_help"

ENOUGH = 3
"""Closed lists whose windows do not overlap, from which the chances have a record."""

SURE, FAR = 2.0, 0.2
"""Standard deviations, and the share, by which hits may differ from what the chances said."""

OLD_DAYS = 183
"""Days since the training after which a model is trained again in any case."""

INTERVAL = 1.645
"""Comparisons of models have intervals of 90 %."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """What the chances said of closed lists and what came: ``right`` is None where too few have closed."""

    lists: int
    expected: float
    hits: int
    right: bool | None


@dataclass(frozen=True)
class Evidence:
    """What a decision stands on: tables or segments whose events are off, kinds of warnings about the model, its record, its age in days, the
    gain of a refit in log loss on the newest closed window (None: not to be had, for the reason ``lacking``)."""

    events: Sequence[str]
    warned: Sequence[str]
    record: Record
    age_days: int
    gain: Estimate | None
    lacking: str = ""


@dataclass(frozen=True)
class Decision:
    """retrain, wait or cannot_help, and why, a sentence each."""

    kind: str
    reasons: tuple[Saying, ...]


def list_record(lists: pd.DataFrame, horizon_days: int) -> Record:
    """Return the record of closed lists (cutoff, expected_hits, spread, hits; hits is null while open), the newest and those before whose windows do not overlap."""
    chosen, last = [], None
    for one in lists[lists["hits"].notna()].sort_values("cutoff", ascending=False).itertuples():
        if last is None or pd.Timestamp(str(one.cutoff)) + timedelta(days=horizon_days) <= last:
            chosen.append(one)
            last = pd.Timestamp(str(one.cutoff))
    expected, hits = sum(float(str(one.expected_hits)) for one in chosen), sum(int(float(str(one.hits))) for one in chosen)
    if len(chosen) < ENOUGH:
        return Record(len(chosen), round(expected, 2), hits, None)
    noise = sum(float(str(one.spread)) for one in chosen) ** 0.5
    return Record(len(chosen), round(expected, 2), hits, abs(hits - expected) <= max(SURE * noise, FAR * expected))


def estimate_silence(record: Record, warned: Sequence[str]) -> Saying | None:
    """Return why what the chances say of the open lists is not told as an estimate; None where their own record bears it."""
    if record.right is None:
        return saying(
            "No estimate: {n} of {needed} lists needed have closed, so nothing says whether it would be right.",
            n=record.lists,
            needed=ENOUGH,
        )
    if not record.right:
        text = "No estimate: on closed lists the chances said {expected:.0f} outcomes and {hits} came."
        return saying(text, expected=record.expected, hits=record.hits)
    if warned:
        return saying("No estimate: tonight is outside of what it was right on; see the warnings.")
    return None


def refit_gain(label: Floats, old: Floats, new: Floats, customers: Sequence[str]) -> Estimate:
    """Return how much smaller the log loss of ``new`` is than that of ``old``, with its 90 % interval; rows of one customer count as one."""
    losses = [-(label * np.log(np.clip(chance, 1e-6, 1)) + (1 - label) * np.log(np.clip(1 - chance, 1e-6, 1))) for chance in (old, new)]
    each = pd.Series(losses[0] - losses[1]).groupby(np.asarray(customers, dtype=object)).sum()
    if len(each) < 2:
        return {"value": None, "low": None, "high": None}
    value, error = float(each.sum() / len(label)), float(each.std() * len(each) ** 0.5 / len(label))
    return {"value": value, "low": value - INTERVAL * error, "high": value + INTERVAL * error}


def decision_on(evidence: Evidence) -> Decision:
    """Return the one decision: a broken feed is mended first; a model is trained again where that brings something, or may."""
    reasons, gain = _reasons(evidence), evidence.gain
    better = gain is not None and gain["low"] is not None and gain["low"] > 0
    wrong = bool(evidence.warned) or evidence.record.right is False
    if evidence.events:
        first = saying(
            "{tables}: what arrives is not as usual. A model trained on it would learn the fault: mend the feed first.",
            tables=", ".join(evidence.events),
        )
        return Decision(CANNOT_HELP, (first, *reasons))
    if better or (evidence.age_days > OLD_DAYS and not wrong):
        return Decision(RETRAIN, reasons)
    if not wrong:
        return Decision(WAIT, (saying("Nothing says that the model is wrong."), *reasons))
    if gain is None:
        return Decision(WAIT, (saying("What moved cannot be learned yet: {why}", why=evidence.lacking), *reasons))
    return Decision(
        CANNOT_HELP, (saying("Fitted again on newer rows it is not surely better: what changed is not in its inputs."), *reasons)
    )


def _reasons(evidence: Evidence) -> tuple[Saying, ...]:
    found = [saying("The model is {n} {n:day|days} old.", n=evidence.age_days)]
    if evidence.record.lists:
        told = {"n": evidence.record.lists, "expected": evidence.record.expected, "hits": evidence.record.hits}
        found.append(
            saying("On {n} closed {n:list|lists} its chances said {expected:.1f} outcomes among those listed, {hits} came.", **told)
        )
    if evidence.gain and evidence.gain["value"] is not None:
        text = "Fitted again on newer rows it gains {value:+.4f} in log loss on the newest closed period (90 % interval {low:+.4f} to {high:+.4f})."
        found.append(saying(text, **{key: evidence.gain[key] or 0.0 for key in ("value", "low", "high")}))
    elif evidence.lacking:
        found.append(saying("What training again would bring is not known: {why}", why=evidence.lacking))
    return tuple(found)
