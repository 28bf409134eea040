"""Why there is no model: the sentences of a training whose rule stays without a challenger, or whose models rank no better than a coin."""

from typing import Any

from prevenance.judge.tested import Tested
from prevenance.judge.verdicts import called, refused_text
from prevenance.models import training
from prevenance.publish.wording import model_name
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import burn_in_days
from prevenance.targets.target import Target
from prevenance.words.saying import saying


def no_challenger_text(given: Settings, target: Target, tested: Tested) -> str:
    """Return why no model challenges the rule."""
    if tested.positives == 0:
        why = saying("no positives in {n} matured snapshots: rules, no model", n=len(tested.rows))
    elif given.model.kind == "rule":
        why = saying("the rule was asked for: rules, no model")
    elif given.model.kind == "health_score":
        why = saying("your health score was asked for: your rules, no model")
    elif tested.positives < training.FEW:
        few = "{n} {n:customer|customers} with the outcome, fewer than {needed}: rules, no model"
        why = saying(few, n=tested.positives, needed=training.FEW)
    elif not tested.parted:
        why = saying("no test period: {why}: rules, no model", why=_no_test_text(given, target))
    else:
        why = saying("no customer is left to choose a model by before the first test: rules, no model")
    return refused_text(why, saying("{model} stays", model=called("rule")))


def _no_test_text(given: Settings, target: Target) -> str:
    """Return why no cutoff could be tested, and what makes one."""
    rules, before, ahead = given.validation, burn_in_days(given, target), target.horizon_days + target.settle_days
    said = saying("no cutoff had a closed window of {n} days before it to learn from", n=ahead)
    if (rules.cutoffs - 1) * rules.step_days < ahead:
        return saying("{fact}; set {setting} or more", fact=said, setting=f"validation.cutoffs={-(-ahead // rules.step_days) + 1}")
    least = "target.active_days" if target.burn_in_days > rules.burn_in_days else "validation.burn_in_days"
    sum_ = f"{before} + 2 × {ahead} = {before + 2 * ahead}"
    return saying(
        "{fact}; {sum} days of history make one, or a smaller {setting} or {other}",
        fact=said,
        sum=sum_,
        setting="target.horizon_days",
        other=least,
    )


RIVALS = ("rule", "customer_rules", "health_score")
"""What is measured beside the models and may rank where none of them does."""


def no_signal_text(measured: dict[str, Any], kinds: tuple[str, ...]) -> str:
    """Return a sentence when no model ranks better than a coin, by the interval of its AUC; whether the data have a signal is the rivals' to say as well."""
    known = [kind for kind in kinds if kind in measured]
    aucs = [measured[kind]["roc_auc"] for kind in known]
    if not aucs or any(one["low"] is None or one["low"] > 0.5 for one in aucs):
        return ""
    auc = max(aucs, key=lambda one: one["value"])
    said = saying(
        "the best model's AUC is {auc:.2f} ({low:.2f} to {high:.2f}), a coin has {coin:.2f}",
        auc=auc["value"],
        low=auc["low"],
        high=auc["high"],
        coin=0.5,
    )
    simple: dict[str, dict[str, Any]] = {name: one for name in RIVALS if (one := measured.get(name, {}).get("roc_auc"))}
    simple = {name: one for name, one in simple.items() if one["value"] is not None}
    name = max(simple, key=lambda one: float(simple[one]["value"]), default="")
    best = simple.get(name, {})
    if best and (best["low"] > 0.5 if best["low"] is not None else best["value"] > auc["high"]):
        signal = "No model ranks better than a coin: {fact}; there is a signal, {model} has {auc:.2f}."
        return saying(signal, fact=said, model=model_name(name).lower(), auc=best["value"])
    return saying("There is no usable signal in these data: {fact}.", fact=said)
