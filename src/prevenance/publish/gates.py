"""Why the model in use was chosen, in sentences: how the challenger was found, and what each gate looked at."""

from collections.abc import Mapping
from typing import Any

from prevenance.publish import wording
from prevenance.publish.wording import is_known, one_line
from prevenance.words import Words

Report = Mapping[str, Any]


def contest_lines(report: Report, say: Words) -> list[str]:
    """Return in a sentence each how the challenger was chosen, the simplest kind first: ties go to the simpler."""
    lines = []
    for one in report.get("contest") or []:
        name = named_model(one["kind"], say)
        if not one.get("against"):
            lines.append(
                say("{model} begins: the simplest kind that the data allow (log loss {loss}).", model=name, loss=say.number(one["loss"], 4))
            )
            continue
        told = {
            "model": name,
            "other": named_model(one["against"], say),
            "gain": say.number(one["gain"], 4, signed=True),
            "error": say.number(one["error"], 4),
        }
        if one["won"]:
            lines.append(
                say(
                    "{model} takes its place: its log loss is better than that of {other} by {gain}, more than one standard error ({error}).",
                    **told,
                )
            )
        elif one["gain"] > 0:
            lines.append(
                say(
                    "{model} is equal: better than {other} by {gain} only, within one standard error ({error}); the simpler one stays.",
                    **told,
                )
            )
        else:
            lines.append(
                say("{model} is not better than {other} (difference {gain}, standard error {error}); the simpler one stays.", **told)
            )
    chosen, won = report.get("chosen") or {}, [one["kind"] for one in report.get("contest") or [] if one["won"]]
    if chosen.get("promoted") and won and chosen.get("challenger") != won[-1]:
        told = {"first": named_model(won[-1], say), "model": named_model(chosen.get("challenger"), say)}
        lines.append(say("The gate refused {first}; {model} was asked after it and passed.", **told))
    return lines


def gate_sentences(report: Report, say: Words) -> dict[str, str]:
    """Return what each gate found, by its name; where the report holds no figures, why nothing was asked."""
    found = report.get("gate_figures") or {}
    told = {gate: _gate(gate, found[gate], say) for gate in report.get("gates") or {} if gate in found}
    lack = {
        "enough": say("Too few customers had the outcome for a model: nothing was to be promoted."),
        "periods": say("No test period has both a challenger and a rival."),
    }
    return {
        gate: told.get(gate) or lack.get(gate, say("Not recorded: trained before figures were kept.")) for gate in report.get("gates") or {}
    }


def named_model(name: Any, say: Words) -> str:
    """Return what a model is called in a language."""
    return say(wording.MODELS[str(name)]) if str(name) in wording.MODELS else one_line(name, 40)


def _gate(gate: str, found: Report, say: Words) -> str:
    """Return one gate's figures in a sentence."""
    if gate == "periods":
        return say("{n} {n:test period|test periods} with both classes; {needed} are needed.", n=found["periods"], needed=found["needed"])
    if gate == "signal":
        least = say.number(found["least"], 2)
        return say("AUC {auc}, surely above {least} (99 %); a coin has 0.50.", auc=say.number(found["auc"], 2), least=least)
    if gate == "slices":
        named = [*dict.fromkeys([*found["collapsed"], *found["starved"], *found["worse"]])]
        if not found["judged"]:
            return say("No slice has enough outcomes to be judged.")
        if not named:
            return say.many("{n} slice judged, nothing found.", "{n} slices judged, nothing found.", found["judged"])
        return say("{n} {n:slice|slices} judged; see above: {names}.", n=found["judged"], names=one_line(", ".join(named), 200))
    if gate == "checks":
        if not found["fail"] and not found["warn"]:
            return say.many("{n} check done, nothing found.", "{n} checks done, nothing found.", found["done"])
        parts = [say("failed: {names}", names=", ".join(found["fail"]))] if found["fail"] else []
        parts += [say("warned: {names}", names=", ".join(found["warn"]))] if found["warn"] else []
        return say("{n} {n:check|checks} done; {what}.", n=found["done"], what="; ".join(parts))
    return _against(gate, found, say)


def _against(gate: str, found: Report, say: Words) -> str:
    """Return a comparison with the best rival: both values, their paired difference and its interval."""
    shows = {
        "beats_rivals": lambda value: say.number(value, 2),
        "precision_at_capacity": lambda value: say.percent(value, 1),
        "brier": lambda value: say.number(value, 4),
    }
    if gate not in shows:
        return ""
    show = shows[gate]
    named = {"beats_rivals": "average_precision"}.get(gate, gate)
    told = {
        "metric": say(wording.METRICS[named]),
        "ours": show(found["ours"]),
        "theirs": show(found["theirs"]),
        "rival": named_model(found["rival"], say),
    }
    text = say("{metric}: {ours} against {theirs} ({rival})", **told)
    if not is_known(found.get("low")) or not is_known(found.get("high")):
        return say("{what}; too few stand behind it for an interval.", what=text)
    places = 4
    span = {key: say.number(found[key], places, signed=True) for key in ("value", "low", "high")}
    return say("{what}; difference {value} (90 % interval {low} to {high}).", what=text, **span)
