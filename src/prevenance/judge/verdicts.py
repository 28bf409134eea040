"""What a gate says of a duel between two models, as sentences that each language can say."""

from prevenance.judge.bootstrap import Estimate
from prevenance.words.saying import Saying, said_together, saying

NAMES = {
    "rule": saying("the rule"),
    "base_rate": saying("the base rate"),
    "customer_rules": saying("the customer's own rules"),
    "champion": saying("the champion"),
    "health_score": saying("your health score"),
    "refitted_score": saying("your health score, refitted"),
}
"""Rival -> what it is called inside a sentence."""


def refused_text(*why: str) -> Saying:
    """Return that a model is not promoted, and why."""
    return saying("not promoted: {why}.", why=said_together(*why))


def promoted_text(why: str, periods: int) -> Saying:
    """Return that a model is promoted, and why."""
    return saying("promoted: {why}, over {n} {n:test period|test periods}.", why=why, n=periods)


def called(model: str) -> str:
    """Return what a model is called inside a sentence."""
    return NAMES.get(model, model)


def compared_precision(ours: float, theirs: float, rival: str, gap: Estimate, lack: str, *, won: bool) -> Saying:
    """Return two average precisions with their difference ``gap``; ``lack`` says why there is no interval, ``won`` whether it passed."""
    told = {"ours": ours, "theirs": theirs, "rival": called(rival)}
    if gap["value"] is not None and lack:
        few = "average precision {ours:.2f} against {rival}'s {theirs:.2f}, with no interval around the difference, as too few stand behind it ({lack})"
        return saying(few, **told, lack=lack)
    if gap["value"] is None or gap["low"] is None or gap["high"] is None:
        return saying("average precision is undefined, no test period has both classes")
    told |= {"value": _signed(gap["value"]), "low": _signed(gap["low"]), "high": _signed(gap["high"])}
    if won:
        better = "average precision {ours:.2f} against {rival}'s {theirs:.2f}, difference {value} (90 % interval {low} to {high})"
        return saying(better, **told)
    unsure = (
        "average precision {ours:.2f} against {rival}'s {theirs:.2f}, difference {value} (90 % interval {low} to {high}, must be above 0)"
    )
    return saying(unsure, **told)


def worse_text(metric: str, ours: float, theirs: float, rival: str, low: float, high: float) -> Saying:
    """Return that precision at capacity, or the Brier score, is surely worse than a rival's."""
    told = {"ours": ours, "theirs": theirs, "rival": called(rival), "low": low, "high": high}
    if metric == "brier":
        above = "Brier score {ours:.4f} is above {rival}'s {theirs:.4f} (90 % interval of the difference {low:+.4f} to {high:+.4f})"
        return saying(above, **told)
    below = "precision at capacity {ours:.4f} is below {rival}'s {theirs:.4f} (90 % interval of the difference {low:+.4f} to {high:+.4f})"
    return saying(below, **told)


def _signed(number: float) -> Saying:
    return saying("{n:+.2f}", n=number) if abs(number) >= 0.005 else saying("{n:+.4f}", n=number)
