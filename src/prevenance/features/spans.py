"""The same value over several lookbacks, its trends and its silence: one way to name them and one way to tell them."""

from collections.abc import Sequence

from prevenance.features.define import Count, DaysSince, Feature, Trend, Value, Worse


def lookback_features(
    table: str,
    name: str,
    words: str,
    spans: Sequence[int],
    where: str,
    value: Value | None = None,
    shown: str = ".0f",
    *,
    worse: Worse,
) -> tuple[Feature, ...]:
    """Return one value (a count, if nothing else is said) over each of ``spans`` (days): ``<name>_<days>d``, ``<words> in <days> days: ...``."""
    phrase = f"{words} in {{days}} days: {{value:{shown}}}"
    return tuple(Feature(f"{name}_{days}d", table, value or Count(), phrase, where, days, worse=worse) for days in spans)


def trend_features(name: str, words: str, spans: Sequence[int], shown: str = ".0f") -> tuple[Trend, ...]:
    """Return the trend of ``<name>_<days>d`` for each of ``spans``."""
    phrase = f"{words} {{before:{shown}}} → {{now:{shown}}} in {{days}} days"
    return tuple(Trend(f"{name}_{days}d_trend", f"{name}_{days}d", phrase) for days in spans)


def silence_feature(table: str, name: str, words: str, where: str = "", *, worse: Worse) -> Feature:
    """Return the silence ``days_since_<name>``: ``Last <words> ... days ago``."""
    return Feature(f"days_since_{name}", table, DaysSince(), f"Last {words} {{value:.0f}} {{value:day|days}} ago", where, worse=worse)
