"""A chance in words: a frequency first, as people understand it best, then the percent and how far it can be trusted."""

import math

from prevenance.words import DASH, Words


def frequency_text(say: Words, score: float | None) -> str:
    """Return a chance in [0, 1] as a frequency; a dash if it is not known.

    >>> from prevenance.words import words
    >>> [frequency_text(words("en"), score) for score in (0.41, 0.02, 0.001, 0.97)]
    ['about 4 in 10', 'about 2 in 100', 'below 1 in 100', 'more than 9 in 10']
    """
    if score is None or not math.isfinite(score):
        return DASH
    if score < 0.005:
        return say("below 1 in 100")
    if score >= 0.95:
        return say("more than 9 in 10")
    return say("about {n} in 100", n=round(score * 100)) if score < 0.095 else say("about {n} in 10", n=round(score * 10))


def chance_text(say: Words, score: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a chance with its percent and its interval, all in [0, 1]: ``about 4 in 10 (41 %, likely 30–52)``.

    >>> from prevenance.words import words
    >>> chance_text(words("en"), 0.41, 0.3, 0.52), chance_text(words("en"), 0.41), chance_text(words("en"), None)
    ('about 4 in 10 (41 %, likely 30–52)', 'about 4 in 10 (41 %)', '–')
    """
    told = frequency_text(say, score)
    if score is None or told == DASH:
        return DASH
    places = 1 if 0 < score < 0.01 else 0
    percent = say.percent(score, places)
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return say("{chance} ({percent})", chance=told, percent=percent)
    ends = {"low": say.number(low * 100, places), "high": say.number(high * 100, places)}
    return say("{chance} ({percent}, likely {low}–{high})", chance=told, percent=percent, **ends)
