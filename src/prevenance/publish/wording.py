"""Numbers and names as people read them, the same on a page and on a terminal. What is missing is a dash, never a zero."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from numbers import Real
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

from prevenance.words import DASH, Words, words
from prevenance.words.chances import frequency_text
from prevenance.words.saying import said_in

ENGLISH = words("en")
"""Who speaks on a terminal, and on a page where nobody else is asked for."""

NOT_ENOUGH = "not enough data"
FEW = 20
"""Customers with the outcome below which nothing is claimed about a model."""

MODELS = {
    "lightgbm": "LightGBM",
    "blend": "Blend",
    "logistic": "Logistic regression",
    "random_forest": "Random forest",
    "neural": "Neural network",
    "rule": "Simple rule",
    "customer_rules": "Your rules",
    "health_score": "Your health score",
    "refitted_score": "Your health score, refitted",
    "base_rate": "Base rate",
    "champion": "Champion so far",
}

METRICS = {
    "precision_at_capacity": "Right at capacity",
    "recall_at_capacity": "Found at capacity",
    "lift_at_capacity": "Better than chance",
    "average_precision": "Average precision (raw ranking)",
    "roc_auc": "AUC (raw ranking)",
    "brier": "Brier",
    "observed_over_expected": "Seen / predicted",
}
"""Metrics in the order in which they matter."""

SHARES = {"precision_at_capacity", "recall_at_capacity"}
_PLACES = {"lift_at_capacity": 1, "brier": 3, "observed_over_expected": 2}
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def is_known(value: object) -> TypeGuard[float]:
    """Return whether ``value`` is a finite number."""
    kind = type(value)
    if value is None or kind is str:  # most cells of a page are words or nothing
        return False
    return (kind is float or kind is int or (isinstance(value, Real) and not isinstance(value, bool))) and math.isfinite(value)  # type: ignore[arg-type]


def number_text(value: object, places: int = 0, *, say: Words = ENGLISH) -> str:
    """Return a number with thousands: ``1,240``.

    >>> number_text(1240), number_text(0.345, 2), number_text(None)
    ('1,240', '0.34', '–')
    """
    return say.number(value, places)


def count_text(count: object, noun: str) -> str:
    """Return a count with its noun: ``1 customer``, ``2 customers``.

    >>> count_text(1, "customer"), count_text(1240, "customer"), count_text(0, "entry")
    ('1 customer', '1,240 customers', '0 entries')
    """
    if is_known(count) and count == 1:
        return f"1 {noun}"
    many = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{number_text(count)} {many}"


def amount_text(value: object, *, say: Words = ENGLISH) -> str:
    """Return a number with one decimal only if it has a fraction: ``12``, ``7.5``."""
    return say.number(value, 0 if is_known(value) and abs(value - round(value)) < 0.05 else 1)


def percent_text(value: object, places: int = 0, *, say: Words = ENGLISH) -> str:
    """Return a share: ``32 %``.

    >>> percent_text(0.325, 1), percent_text(0.004)
    ('32.5 %', '0.4 %')
    """
    if not is_known(value):
        return DASH
    # A share below one percent is not "0 %": that would say never.
    return say.percent(value, 1 if places == 0 and 0 < abs(value) < 0.01 else places)


def input_text(say: Words, phrase: str, days: object = None) -> str:
    """Return what an input is called: its phrase without the numbers of anybody.

    >>> input_text(ENGLISH, "Logins in {days} days: {value:,.0f}", 28), input_text(ENGLISH, "Last login {value:.0f} {value:day|days} ago")
    ('Logins in 28 days', 'Last login … days ago')
    >>> input_text(ENGLISH, "Logins {before:,.0f} → {now:,.0f} in {days} days", 28)
    'Logins in 28 days'
    """
    text = say.translated(phrase).replace("{days}", say.number(days) if is_known(days) else "…")
    text = re.sub(r"\{[^{}:]*:([^{}|?]*)\?[^{}]*\}", r"\1", re.sub(r"\{[^{}:]*:[^{}|]*\|([^{}]*)\}", r"\1", text))
    return one_line(re.sub(r"\s*:\s…$|\s*:?\s… → …", "", re.sub(r"\{[^{}]*\}", "…", text)), 120)


def metric_names(say: Words = ENGLISH) -> dict[str, str]:
    """Return metric -> its head, in the order in which they matter."""
    return {metric: say(METRICS[metric]) for metric in METRICS}


def metric_text(metric: str, found: Mapping[str, Any] | None, say: Words = ENGLISH) -> str:
    """Return the value of a metric: ``32.5 %`` for a share, else digits."""
    return _one(metric, (found or {}).get("value"), say)


def metric_interval_text(metric: str, found: Mapping[str, Any] | None, say: Words = ENGLISH) -> str:
    """Return the 90 % interval of a metric: ``27.0–39.1 %``; empty if it is not known."""
    low, high = (found or {}).get("low"), (found or {}).get("high")
    if not is_known(low) or not is_known(high):
        return ""
    return f"{_one(metric, low, say).rstrip('%').rstrip()}–{_one(metric, high, say)}"


def _one(metric: str, value: object, say: Words) -> str:
    return percent_text(value, 1, say=say) if metric in SHARES else say.number(value, _PLACES.get(metric, 2))


def english_chance(value: object) -> str:
    """Return a chance as a frequency, as people understand it best.

    >>> english_chance(0.41), english_chance(0.24), english_chance(0.02)
    ('about 4 in 10', 'about 2 in 10', 'about 2 in 100')
    """
    return frequency_text(ENGLISH, value) if is_known(value) else DASH


def model_name(name: object, *, say: Words = ENGLISH) -> str:
    """Return what a model is called on a page."""
    return say(MODELS[str(name)]) if str(name) in MODELS else str(name)


def date_text(moment: object, zone: str = "") -> str:
    """Return the date of an instant in a time zone (empty: UTC) in ISO 8601: ``2026-10-01``; a bare date stays itself.

    >>> date_text("2026-09-30T22:00:00Z", "Europe/Paris"), date_text("2026-09-30"), date_text(None)
    ('2026-10-01', '2026-09-30', '–')
    """
    day = words("en", zone).day(moment if isinstance(moment, date) else str(moment)) if moment else None
    return DASH if day is None else day.isoformat()


def day_text(moment: object, zone: str = "", *, say: Words = ENGLISH) -> str:
    """Return the date of an instant in a time zone as a page shows it: ISO 8601 in English, as commands take it, else as the language writes it."""
    told = date_text(moment, zone)
    return told if say.language == "en" or told == DASH else say.date(told)


def view_words(view: Mapping[str, Any]) -> Words:
    """Return who speaks the language of a view, with the days of its source's time zone; UTC where it says none that there is."""
    zone = str(view.get("zone") or "")
    try:
        ZoneInfo(zone or "UTC")
    except (ValueError, OSError, LookupError):  # a view may be anybody's file
        zone = ""
    return words(str(view.get("language") or "en"), zone)


def one_line(text: object, longest: int = 200) -> str:
    """Return any text as one printable line of at most ``longest`` characters: no control or direction characters."""
    clean = " ".join(_UNPRINTABLE.sub(" ", str(text)).split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def hits_of(period: Mapping[str, Any], name: str) -> float | None:
    """Return the hits of a model in a test period, or ``None`` if it was not tested there."""
    found = {**period, **period.get("hits", {})}.get(name)
    return float(found) if is_known(found) else None


def total_hits(periods: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Return a model's hits over all test periods, or ``None`` if it was tested in none."""
    found = [one for period in periods if (one := hits_of(period, name)) is not None]
    return sum(found) if found else None


def shown_model_name(report: Mapping[str, Any]) -> str:
    """Return the model that a report is about: the challenger if there was one, else the chosen one."""
    chosen = report.get("chosen") or {}
    return str(chosen.get("challenger") or chosen.get("model") or "rule")


def model_order(report: Mapping[str, Any]) -> list[str]:
    """Return the models of a report: the one it is about, the champion, other models by average precision, then the simple rivals."""
    models = report.get("models") or {}
    last = ["rule", "customer_rules", "base_rate"]
    first = [name for name in (shown_model_name(report), "champion") if name in models and name not in last]
    rest = sorted((name for name in models if name not in [*first, *last]), key=lambda name: (-_precision(models[name]), name))
    return [*first, *rest, *(name for name in last if name in models)]


def _precision(metrics: Mapping[str, Any]) -> float:
    value = (metrics.get("average_precision") or {}).get("value")
    return float(value) if is_known(value) else -1.0


def lead_time_sentence(report: Mapping[str, Any], say: Words = ENGLISH) -> str:
    """Return how early the lists warned, in one sentence."""
    found = report.get("lead_time") or {}
    if found.get("note"):
        return one_line(said_in(say, found["note"]))
    if not is_known(found.get("median_days")):
        return say("not enough data: no outcome was on a list before it came")
    text = say("median {n} {n:day|days} from the first place on a list to the outcome", n=round(found["median_days"]))
    late = {"late": say.number(found.get("too_late")), "n": say.number(found.get("outcomes"))}
    text += "; " + (say("{late} of {n} came too late", **late) if is_known(found.get("outcomes")) else say("{late} came too late", **late))
    return text + (say(" (less than {n} {n:day|days})", n=report["lead_days"]) if report.get("lead_days") else "")


def calibration_sentence(report: Mapping[str, Any], say: Words = ENGLISH) -> str:
    """Return whether the chances came true, in one sentence."""
    found = report.get("calibration") or {}
    if not is_known(found.get("predicted")):
        return say("not enough data: no test period")
    if is_known(report.get("positives")) and report["positives"] < FEW:
        few = "not enough data: {n} {n:customer|customers} with the outcome, {needed} are needed"
        return say(few, n=report["positives"], needed=FEW)
    told = {"predicted": percent_text(found["predicted"], 1, say=say), "seen": percent_text(found.get("seen"), 1, say=say)}
    text, worst, luck = say("predicted {predicted}, seen {seen}", **told), found.get("worst_tenth") or {}, found.get("error_by_luck") or {}
    if is_known(worst.get("predicted")):
        told = {"predicted": percent_text(worst["predicted"], say=say), "seen": percent_text(worst.get("seen"), say=say)}
        text += "; " + say("highest tenth: predicted {predicted}, seen {seen}", **told)
    if is_known(found.get("error")) and is_known(luck.get("high")):
        off = {"error": say.number(found["error"] * 100, 1), "luck": say.number(luck["high"] * 100, 1)}
        text += "; " + say("off by {error} points on average, luck alone gives up to {luck} points", **off)
    return text
