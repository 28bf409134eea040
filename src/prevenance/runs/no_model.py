"""Why there is no model: the sentences of a training whose rule stays without a challenger, or whose models rank no better than a coin."""

from typing import Any

from prevenance.judge import evaluation
from prevenance.judge.tested import Tested
from prevenance.models import training
from prevenance.publish.wording import model_name
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import burn_in_days
from prevenance.targets.target import Target


def no_challenger_text(given: Settings, target: Target, tested: Tested) -> str:
    """Return why no model challenges the rule."""
    if tested.positives == 0:
        why = f"no positives in {len(tested.rows)} matured snapshots: rules, no model"
    elif given.model.kind == "rule":
        why = "the rule was asked for: rules, no model"
    elif given.model.kind == "health_score":
        why = "your health score was asked for: your rules, no model"
    elif tested.positives < training.FEW:
        why = f"{evaluation.count_text(tested.positives, 'customer')} with the outcome, fewer than {training.FEW}: rules, no model"
    elif not tested.parted:
        why = f"no test period: {_no_test_text(given, target)}: rules, no model"
    else:
        why = "no customer is left to choose a model by before the first test: rules, no model"
    return f"not promoted: {why}; the rule stays."


def _no_test_text(given: Settings, target: Target) -> str:
    """Return why no cutoff could be tested, and what makes one."""
    rules, before, ahead = given.validation, burn_in_days(given, target), target.horizon_days + target.settle_days
    said = f"no cutoff had a closed window of {ahead} days before it to learn from"
    if (rules.cutoffs - 1) * rules.step_days < ahead:
        return f"{said}; set validation.cutoffs={-(-ahead // rules.step_days) + 1} or more"
    least = "target.active_days" if target.burn_in_days > rules.burn_in_days else "validation.burn_in_days"
    return f"{said}; {before} + 2 × {ahead} = {before + 2 * ahead} days of history make one, or a smaller target.horizon_days or {least}"


RIVALS = ("rule", "customer_rules", "health_score")
"""What is measured beside the models and may rank where none of them does."""


def no_signal_text(measured: dict[str, Any], kinds: tuple[str, ...]) -> str:
    """Return a sentence when no model ranks better than a coin, by the interval of its AUC; whether the data have a signal is the rivals' to say as well."""
    known = [kind for kind in kinds if kind in measured]
    aucs = [measured[kind]["roc_auc"] for kind in known]
    if not aucs or any(one["low"] is None or one["low"] > 0.5 for one in aucs):
        return ""
    auc = max(aucs, key=lambda one: one["value"])
    said = f"the best model's AUC is {auc['value']:.2f} ({auc['low']:.2f} to {auc['high']:.2f}), a coin has 0.50"
    simple: dict[str, dict[str, Any]] = {name: one for name in RIVALS if (one := measured.get(name, {}).get("roc_auc"))}
    simple = {name: one for name, one in simple.items() if one["value"] is not None}
    name = max(simple, key=lambda one: float(simple[one]["value"]), default="")
    best = simple.get(name, {})
    if best and (best["low"] > 0.5 if best["low"] is not None else best["value"] > auc["high"]):
        return f" No model ranks better than a coin: {said}; there is a signal, {model_name(name).lower()} has {best['value']:.2f}."
    return f" There is no usable signal in these data: {said}."
